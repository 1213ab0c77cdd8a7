#include "kafka/wire.h"

#include <string.h>

static const char uuid_digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int fail_short(MrError *err, size_t wanted, size_t left) {
        return mr_fail(err, MR_INVALID, NULL, "needs %zu bytes, but only %zu are left", wanted,
                       left);
}

int wire_read_int(WireReader *reader, size_t size, int64_t *ret, MrError *err) {
        uint64_t value = 0;

        if (reader->left < size)
                return fail_short(err, size, reader->left);
        /* Starting from the sign makes shorter integers come out extended. */
        if (size > 0 && reader->at[0] & 0x80)
                value = UINT64_MAX;
        for (size_t i = 0; i < size; i++)
                value = value << 8 | reader->at[i];
        reader->at += size;
        reader->left -= size;
        *ret = (int64_t) value;
        return 0;
}

int wire_read_varuint(WireReader *reader, uint32_t *ret, MrError *err) {
        uint64_t value = 0;

        for (size_t i = 0; i < 5; i++) {
                if (i >= reader->left)
                        return fail_short(err, i + 1, reader->left);
                uint8_t byte = reader->at[i];
                value |= (uint64_t) (byte & 0x7f) << (7 * i);
                if (byte & 0x80)
                        continue;
                if (value > UINT32_MAX)
                        break;
                reader->at += i + 1;
                reader->left -= i + 1;
                *ret = (uint32_t) value;
                return 0;
        }
        return mr_fail(err, MR_INVALID, NULL, "is a varint of more than 32 bits");
}

int wire_read_span(WireReader *reader, size_t size, WireReader *ret, MrError *err) {
        if (reader->left < size)
                return fail_short(err, size, reader->left);
        *ret = (WireReader){.at = reader->at, .left = size};
        reader->at += size;
        reader->left -= size;
        return 0;
}

void wire_write_int(MrBuf *out, size_t size, int64_t value) {
        for (size_t i = size; i > 0; i--)
                mr_buf_putc(out, (char) (uint8_t) ((uint64_t) value >> (8 * (i - 1)) & 0xff));
}

void wire_write_varuint(MrBuf *out, uint32_t value) {
        while (value >= 0x80) {
                mr_buf_putc(out, (char) (uint8_t) ((value & 0x7f) | 0x80));
                value >>= 7;
        }
        mr_buf_putc(out, (char) (uint8_t) value);
}

/* Bytes of the character that starts here, 0 when it is none. */
static size_t character_size(const uint8_t *at, size_t left) {
        static const struct {
                uint8_t mask, lead;
                uint32_t least;
        } forms[] = {
                {0x80, 0x00, 1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
        uint32_t code;

        for (size_t n = 0; n < MR_ELEMENTS(forms); n++) {
                if ((at[0] & forms[n].mask) != forms[n].lead)
                        continue;
                if (n >= left)
                        return 0;
                code = at[0] & (uint8_t) ~forms[n].mask;
                for (size_t i = 1; i <= n; i++) {
                        if ((at[i] & 0xc0) != 0x80)
                                return 0;
                        code = code << 6 | (at[i] & 0x3f);
                }
                bool is_good = code >= forms[n].least && code <= 0x10ffff &&
                               (code < 0xd800 || code > 0xdfff);
                return is_good ? n + 1 : 0;
        }
        return 0;
}

bool wire_is_text(const void *data, size_t size) {
        const uint8_t *at = data;

        while (size > 0) {
                size_t n = character_size(at, size);
                if (n == 0)
                        return false;
                at += n;
                size -= n;
        }
        return true;
}

void wire_uuid_text(const uint8_t uuid[WIRE_UUID_SIZE], char ret[WIRE_UUID_TEXT_MAX]) {
        uint32_t bits = 0;
        unsigned n_bits = 0;
        size_t n = 0;

        for (size_t i = 0; i < WIRE_UUID_SIZE; i++) {
                bits = (bits << 8 | uuid[i]) & 0xffff;
                for (n_bits += 8; n_bits >= 6; n_bits -= 6)
                        ret[n++] = uuid_digits[bits >> (n_bits - 6) & 0x3f];
        }
        /* 128 bits are 21 digits and two bits more. */
        ret[n++] = uuid_digits[bits << (6 - n_bits) & 0x3f];
        ret[n] = '\0';
}

int wire_uuid_parse(const char *text, uint8_t ret[WIRE_UUID_SIZE], MrError *err) {
        uint8_t uuid[WIRE_UUID_SIZE];
        uint32_t bits = 0;
        unsigned n_bits = 0;
        size_t n = 0;

        if (strlen(text) != WIRE_UUID_TEXT_MAX - 1)
                return mr_fail(err, MR_INVALID, NULL, "must be 22 characters of base64url");
        for (; *text; text++) {
                const char *digit = strchr(uuid_digits, *text);
                if (!digit)
                        return mr_fail(err, MR_INVALID, NULL, "must be 22 characters of base64url");
                bits = (bits << 6 | (uint32_t) (digit - uuid_digits)) & 0xffff;
                n_bits += 6;
                if (n_bits < 8 || n == WIRE_UUID_SIZE)
                        continue;
                n_bits -= 8;
                uuid[n++] = (uint8_t) (bits >> n_bits & 0xff);
        }
        memcpy(ret, uuid, sizeof(uuid));
        return 0;
}
