#pragma once

/* A text that a spec takes from a ConfigMap: valueFrom.configMapKeyRef. */

#include "facts.h"

typedef struct ConfigMapKey {
        const char *name;
        const char *key;
        int is_optional;
} ConfigMapKey;

/* valueFrom */
typedef struct ConfigSource {
        ConfigMapKey *config_map;
} ConfigSource;

extern const MrField config_source_fields[];

/* The text behind the reference, NULL where it is optional and absent. `where` is the path of the
 * field that holds valueFrom, for the message; it must be constant text. Fails when the ConfigMap
 * or its key is missing: what it would say is not known, so nothing may be planned without it. */
int config_source_text(const ConfigSource *source, const char *where, const MrFacts *facts,
                       const char **ret, MrError *err) _must_check_;
