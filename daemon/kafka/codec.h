#pragma once

/* One table of fields describes a message in all its versions; one encoder and one decoder walk it.
 * In a tree a field carries its name in lower case with underscores; bytes are base64, ids are
 * base64url.
 *
 * Fields the version does not have are left out of what is decoded, and ignored in what is encoded.
 * A field missing from a tree is encoded as null where the version allows null, else as its
 * fallback. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/buf.h"
#include "sdk/error.h"
#include "sdk/tree.h"

typedef enum CodecType {
        CODEC_BOOL,
        CODEC_INT8,
        CODEC_INT16,
        CODEC_UINT16,
        CODEC_INT32,
        CODEC_INT64,
        CODEC_FLOAT64,
        CODEC_UUID,
        CODEC_STRING,
        CODEC_BYTES,
        CODEC_STRUCT,
} CodecType;

typedef struct CodecField CodecField;
struct CodecField {
        const char *name; /* NULL ends a table */
        CodecType type;
        bool is_list;
        bool is_nullable;
        bool is_tagged;
        int16_t since;      /* first version with this field */
        int16_t until;      /* last one; 0: no end */
        int16_t null_since; /* first version in which it may be null */
        uint32_t tag;
        int64_t fallback;
        const CodecField *fields; /* of a CODEC_STRUCT */
};

typedef struct CodecForm {
        int16_t version;
        bool is_flexible; /* compact lengths and tagged fields */
} CodecForm;

/* Trees larger than this are refused, so that a small message cannot blow up in memory. */
#define CODEC_NODES_MAX 2000000U

/* Appends to out, also when it fails. */
int codec_encode(const CodecField *fields, CodecForm form, const MrTree *tree, MrBuf *out,
                 MrError *err) _must_check_;
/* All bytes must be used up. */
int codec_decode(const CodecField *fields, CodecForm form, const void *data, size_t size,
                 MrTree **ret, MrError *err) _must_check_;
