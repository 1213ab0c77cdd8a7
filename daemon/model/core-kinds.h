#pragma once

/* The kinds that belong to no operand, because every operand may refer to them: Secret, ConfigMap
 * and StorageClass. They hold values, and nothing runs for them. */

#include "resource.h"

typedef struct SecretData {
        const MrTree *head;
        const char *type;
        MrPairs data;        /* base64 */
        MrPairs string_data; /* text; wins over data */
        int is_immutable;
} SecretData;

typedef struct ConfigData {
        const MrTree *head;
        MrPairs data;
        MrPairs binary_data;
        int is_immutable;
} ConfigData;

/* NULL at the end. */
extern const MrKind *const core_kinds[];

/* The bytes behind a key of a resource of kind Secret: 1 and appended to `out`, or 0 when it has no
 * such key. */
int document_secret_value(const MrResource *secret, const char *key, MrBuf *out);
