#include "kafka/codec-private.h"

#include <string.h>

#include "kafka/wire.h"

static int encode_struct(const CodecField *fields, CodecForm form, const MrTree *tree, MrBuf *out,
                         MrError *err);

/* A length as the form writes it; -1 is null. `size` is that of the fixed form. */
static void encode_length(CodecForm form, size_t size, int64_t length, MrBuf *out) {
        if (form.is_flexible)
                wire_write_varuint(out, (uint32_t) (length + 1));
        else
                wire_write_int(out, size, length);
}

static int encode_span(CodecForm form, size_t size, const void *data, size_t length, MrBuf *out,
                       MrError *err) {
        size_t max = size == 2 ? INT16_MAX : WIRE_MESSAGE_MAX;

        if (length > max)
                return mr_fail(err, MR_INVALID, NULL, "is longer than %zu bytes", max);
        encode_length(form, size, (int64_t) length, out);
        mr_buf_append(out, data, length);
        return 0;
}

static int encode_text(CodecForm form, const MrTree *value, MrBuf *out, MrError *err) {
        const char *text = mr_tree_string(value);

        if (value && !text)
                return mr_fail(err, MR_INVALID, NULL, "must be a string");
        return encode_span(form, 2, text ? text : "", text ? strlen(text) : 0, out, err);
}

static int encode_bytes(CodecForm form, const MrTree *value, MrBuf *out, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf bytes = {};
        const char *text = mr_tree_string(value);

        if (value && (!text || mr_unbase64(text, strlen(text), &bytes) < 0))
                return mr_fail(err, MR_INVALID, NULL, "must be a string of base64");
        return encode_span(form, 4, mr_buf_text(&bytes), bytes.size, out, err);
}

static int encode_uuid(const MrTree *value, MrBuf *out, MrError *err) {
        uint8_t uuid[WIRE_UUID_SIZE] = {};

        if (value) {
                const char *text = mr_tree_string(value);
                int r = wire_uuid_parse(text ? text : "", uuid, err);
                if (r < 0)
                        return r;
        }
        mr_buf_append(out, uuid, sizeof(uuid));
        return 0;
}

static int encode_number(const CodecField *field, const MrTree *value, MrBuf *out, MrError *err) {
        size_t size = codec_int_size(field->type);
        int64_t number = field->fallback;

        if (field->type == CODEC_BOOL) {
                if (value && mr_tree_type(value) != MR_TREE_BOOL)
                        return mr_fail(err, MR_INVALID, NULL, "must be true or false");
                number = mr_tree_bool(value, field->fallback);
        } else if (value) {
                int64_t max = field->type == CODEC_UINT16
                                      ? UINT16_MAX
                                      : (int64_t) (UINT64_MAX >> (65 - 8 * size));
                int64_t min = field->type == CODEC_UINT16 ? 0 : -max - 1;
                number = mr_tree_int(value, 0);
                if (mr_tree_type(value) != MR_TREE_INT || number < min || number > max)
                        return mr_fail(err, MR_INVALID, NULL, "must be a number of %zu bytes",
                                       size);
        }
        wire_write_int(out, size, number);
        return 0;
}

static int encode_real(const MrTree *value, MrBuf *out, MrError *err) {
        double number = mr_tree_real(value, 0);
        int64_t bits;

        if (value && mr_tree_type(value) != MR_TREE_INT && mr_tree_type(value) != MR_TREE_REAL)
                return mr_fail(err, MR_INVALID, NULL, "must be a number");
        memcpy(&bits, &number, sizeof(bits));
        wire_write_int(out, sizeof(bits), bits);
        return 0;
}

static int encode_one(const CodecField *field, CodecForm form, const MrTree *value, MrBuf *out,
                      MrError *err) {
        switch (field->type) {
        case CODEC_STRUCT:
                return encode_struct(field->fields, form, value, out, err);
        case CODEC_STRING:
                return encode_text(form, value, out, err);
        case CODEC_BYTES:
                return encode_bytes(form, value, out, err);
        case CODEC_UUID:
                return encode_uuid(value, out, err);
        case CODEC_FLOAT64:
                return encode_real(value, out, err);
        default:
                return encode_number(field, value, out, err);
        }
}

static int encode_list(const CodecField *field, CodecForm form, const MrTree *value, MrBuf *out,
                       MrError *err) {
        if (value && mr_tree_type(value) != MR_TREE_LIST)
                return mr_fail(err, MR_INVALID, NULL, "must be a list");
        encode_length(form, 4, (int64_t) mr_tree_size(value), out);
        for (size_t i = 0; i < mr_tree_size(value); i++) {
                int r = encode_one(field, form, mr_tree_at(value, i), out, err);
                if (r < 0)
                        return mr_error_within(err, r, "[%zu]", i);
        }
        return 0;
}

static int encode_field(const CodecField *field, CodecForm form, const MrTree *value, MrBuf *out,
                        MrError *err) {
        int r = 0;

        if (mr_tree_type(value) == MR_TREE_NULL && codec_may_be_null(field, form)) {
                size_t size = field->type == CODEC_STRING && !field->is_list ? 2 : 4;
                encode_length(form, size, -1, out);
                return 0;
        }
        if (value && mr_tree_type(value) == MR_TREE_NULL)
                value = NULL;
        r = field->is_list ? encode_list(field, form, value, out, err)
                           : encode_one(field, form, value, out, err);
        return mr_error_within(err, r, "%s", field->name);
}

static bool is_tagged_and_set(const CodecField *field, CodecForm form, const MrTree *tree) {
        return field->is_tagged && codec_has_field(field, form) && mr_tree_get(tree, field->name);
}

static int encode_tags(const CodecField *fields, CodecForm form, const MrTree *tree, MrBuf *out,
                       MrError *err) {
        uint32_t n = 0;

        for (const CodecField *field = fields; field->name; field++)
                n += is_tagged_and_set(field, form, tree);
        wire_write_varuint(out, n);
        for (const CodecField *field = fields; field->name; field++) {
                _cleanup_buf_ MrBuf inner = {};
                if (!is_tagged_and_set(field, form, tree))
                        continue;
                int r = encode_field(field, form, mr_tree_get(tree, field->name), &inner, err);
                if (r < 0)
                        return r;
                wire_write_varuint(out, field->tag);
                wire_write_varuint(out, (uint32_t) inner.size);
                mr_buf_append(out, mr_buf_text(&inner), inner.size);
        }
        return 0;
}

static int encode_struct(const CodecField *fields, CodecForm form, const MrTree *tree, MrBuf *out,
                         MrError *err) {
        int r = 0;

        if (tree && mr_tree_type(tree) != MR_TREE_MAP)
                return mr_fail(err, MR_INVALID, NULL, "must be a map");
        for (const CodecField *field = fields; r >= 0 && field->name; field++)
                if (!field->is_tagged && codec_has_field(field, form))
                        r = encode_field(field, form, mr_tree_get(tree, field->name), out, err);
        if (r >= 0 && form.is_flexible)
                r = encode_tags(fields, form, tree, out, err);
        return r;
}

int codec_encode(const CodecField *fields, CodecForm form, const MrTree *tree, MrBuf *out,
                 MrError *err) {
        return encode_struct(fields, form, tree, out, err);
}
