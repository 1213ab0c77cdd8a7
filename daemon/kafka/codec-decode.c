#include "kafka/codec-private.h"

#include <math.h>
#include <string.h>

#include "kafka/wire.h"

typedef struct Decoder {
        WireReader reader;
        CodecForm form;
        size_t nodes_left;
} Decoder;

static int decode_struct(Decoder *decoder, const CodecField *fields, MrTree **ret, MrError *err);

static int decoder_count_node(Decoder *decoder, MrError *err) {
        if (decoder->nodes_left == 0)
                return mr_fail(err, MR_INVALID, NULL, "the message has more than %u values",
                               CODEC_NODES_MAX);
        decoder->nodes_left--;
        return 0;
}

/* A length as the form writes it: -1 is null. `size` is that of the fixed form. */
static int decode_length(Decoder *decoder, size_t size, int64_t *ret, MrError *err) {
        uint32_t length = 0;

        if (!decoder->form.is_flexible) {
                int r = wire_read_int(&decoder->reader, size, ret, err);
                if (r >= 0 && *ret < -1)
                        return mr_fail(err, MR_INVALID, NULL, "has the length %lld",
                                       (long long) *ret);
                return r;
        }
        int r = wire_read_varuint(&decoder->reader, &length, err);
        if (r >= 0)
                *ret = (int64_t) length - 1;
        return r;
}

static int decode_null(const CodecField *field, CodecForm form, MrTree **ret, MrError *err) {
        if (!codec_may_be_null(field, form))
                return mr_fail(err, MR_INVALID, NULL, "is null, which it must not be");
        *ret = mr_tree_new_null();
        return 0;
}

static int decode_text(Decoder *decoder, const CodecField *field, MrTree **ret, MrError *err) {
        WireReader span;
        int64_t length = 0;

        int r = decode_length(decoder, 2, &length, err);
        if (r < 0)
                return r;
        if (length < 0)
                return decode_null(field, decoder->form, ret, err);
        r = wire_read_span(&decoder->reader, (size_t) length, &span, err);
        if (r < 0)
                return r;
        if (!wire_is_text(span.at, span.left))
                return mr_fail(err, MR_INVALID, NULL, "is not text in UTF-8");
        *ret = mr_tree_new_string_n((const char *) span.at, span.left);
        return 0;
}

static int decode_bytes(Decoder *decoder, const CodecField *field, MrTree **ret, MrError *err) {
        _cleanup_buf_ MrBuf text = {};
        WireReader span;
        int64_t length = 0;

        int r = decode_length(decoder, 4, &length, err);
        if (r < 0)
                return r;
        if (length < 0)
                return decode_null(field, decoder->form, ret, err);
        r = wire_read_span(&decoder->reader, (size_t) length, &span, err);
        if (r < 0)
                return r;
        mr_base64(span.at, span.left, &text);
        *ret = mr_tree_new_string_n(mr_buf_text(&text), text.size);
        return 0;
}

static int decode_uuid(Decoder *decoder, MrTree **ret, MrError *err) {
        char text[WIRE_UUID_TEXT_MAX];
        WireReader span;

        int r = wire_read_span(&decoder->reader, WIRE_UUID_SIZE, &span, err);
        if (r < 0)
                return r;
        wire_uuid_text(span.at, text);
        *ret = mr_tree_new_string(text);
        return 0;
}

static int decode_number(Decoder *decoder, const CodecField *field, MrTree **ret, MrError *err) {
        int64_t value = 0;

        int r = wire_read_int(&decoder->reader, codec_int_size(field->type), &value, err);
        if (r < 0)
                return r;
        if (field->type == CODEC_UINT16)
                value &= UINT16_MAX;
        *ret = field->type == CODEC_BOOL ? mr_tree_new_bool(value != 0) : mr_tree_new_int(value);
        return 0;
}

static int decode_real(Decoder *decoder, MrTree **ret, MrError *err) {
        int64_t bits = 0;
        double value;

        int r = wire_read_int(&decoder->reader, sizeof(bits), &bits, err);
        if (r < 0)
                return r;
        memcpy(&value, &bits, sizeof(value));
        if (isnan(value))
                return mr_fail(err, MR_INVALID, NULL, "is no number");
        *ret = mr_tree_new_real(value);
        return 0;
}

static int decode_one(Decoder *decoder, const CodecField *field, MrTree **ret, MrError *err) {
        int r = decoder_count_node(decoder, err);
        if (r < 0)
                return r;
        switch (field->type) {
        case CODEC_STRUCT:
                return decode_struct(decoder, field->fields, ret, err);
        case CODEC_STRING:
                return decode_text(decoder, field, ret, err);
        case CODEC_BYTES:
                return decode_bytes(decoder, field, ret, err);
        case CODEC_UUID:
                return decode_uuid(decoder, ret, err);
        case CODEC_FLOAT64:
                return decode_real(decoder, ret, err);
        default:
                return decode_number(decoder, field, ret, err);
        }
}

static int decode_list(Decoder *decoder, const CodecField *field, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_list();
        int64_t n = 0;

        int r = decode_length(decoder, 4, &n, err);
        if (r < 0)
                return r;
        if (n < 0)
                return decode_null(field, decoder->form, ret, err);
        /* Every element takes at least one byte, so a larger count is a lie. */
        if ((uint64_t) n > decoder->reader.left)
                return mr_fail(err, MR_INVALID, NULL, "claims %lld elements in %zu bytes",
                               (long long) n, decoder->reader.left);
        for (int64_t i = 0; i < n; i++) {
                MrTree *element = NULL;
                r = decode_one(decoder, field, &element, err);
                if (r < 0)
                        return mr_error_within(err, r, "[%lld]", (long long) i);
                mr_tree_append(list, element);
        }
        *ret = TAKE(list);
        return 0;
}

static int decode_field(Decoder *decoder, const CodecField *field, MrTree *map, MrError *err) {
        MrTree *value = NULL;

        int r = field->is_list ? decode_list(decoder, field, &value, err)
                               : decode_one(decoder, field, &value, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", field->name);
        mr_tree_set(map, field->name, value);
        return 0;
}

static const CodecField *find_tagged(const CodecField *fields, CodecForm form, uint32_t tag) {
        for (const CodecField *field = fields; field->name; field++)
                if (field->is_tagged && field->tag == tag && codec_has_field(field, form))
                        return field;
        return NULL;
}

/* A tagged field is decoded within its own span; one that no table knows is passed over. */
static int decode_tagged(Decoder *decoder, const CodecField *fields, MrTree *map, MrError *err) {
        Decoder inner = *decoder;
        uint32_t tag = 0, size = 0;

        int r = wire_read_varuint(&decoder->reader, &tag, err);
        if (r >= 0)
                r = wire_read_varuint(&decoder->reader, &size, err);
        if (r >= 0)
                r = wire_read_span(&decoder->reader, size, &inner.reader, err);
        if (r < 0)
                return r;
        const CodecField *field = find_tagged(fields, decoder->form, tag);
        if (!field)
                return 0;
        r = decode_field(&inner, field, map, err);
        decoder->nodes_left = inner.nodes_left;
        if (r >= 0 && inner.reader.left > 0)
                return mr_fail(err, MR_INVALID, field->name, "is followed by %zu bytes too many",
                               inner.reader.left);
        return r;
}

static int decode_tags(Decoder *decoder, const CodecField *fields, MrTree *map, MrError *err) {
        uint32_t n = 0;

        int r = wire_read_varuint(&decoder->reader, &n, err);
        for (uint32_t i = 0; r >= 0 && i < n; i++)
                r = decode_tagged(decoder, fields, map, err);
        return r;
}

static int decode_struct(Decoder *decoder, const CodecField *fields, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();
        int r = 0;

        for (const CodecField *field = fields; r >= 0 && field->name; field++)
                if (!field->is_tagged && codec_has_field(field, decoder->form))
                        r = decode_field(decoder, field, map, err);
        if (r >= 0 && decoder->form.is_flexible)
                r = decode_tags(decoder, fields, map, err);
        if (r < 0)
                return r;
        *ret = TAKE(map);
        return 0;
}

int codec_decode(const CodecField *fields, CodecForm form, const void *data, size_t size,
                 MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        Decoder decoder = {
                .reader = WIRE_READER(data, size),
                .form = form,
                .nodes_left = CODEC_NODES_MAX,
        };

        int r = decode_struct(&decoder, fields, &tree, err);
        if (r < 0)
                return r;
        if (decoder.reader.left > 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "the message is followed by %zu bytes too many",
                               decoder.reader.left);
        *ret = TAKE(tree);
        return 0;
}
