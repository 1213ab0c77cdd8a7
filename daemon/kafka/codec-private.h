#pragma once

/* The questions about a field that both directions ask. */

#include "kafka/codec.h"
#include "sdk/str.h"

static inline bool codec_has_field(const CodecField *field, CodecForm form) {
        return form.version >= field->since && (field->until == 0 || form.version <= field->until);
}

static inline bool codec_may_be_null(const CodecField *field, CodecForm form) {
        return field->is_nullable && form.version >= field->null_since;
}

/* Bytes of a number. */
static inline size_t codec_int_size(CodecType type) {
        switch (type) {
        case CODEC_BOOL:
        case CODEC_INT8:
                return 1;
        case CODEC_INT16:
        case CODEC_UINT16:
                return 2;
        case CODEC_INT32:
                return 4;
        default:
                return 8;
        }
}
