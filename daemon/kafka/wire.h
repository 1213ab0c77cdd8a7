#pragma once

/* The primitive types of Kafka's protocol: big-endian integers, unsigned varints, spans and texts.
 * The reader never looks beyond what it was given; it knows nothing of messages. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/buf.h"
#include "sdk/error.h"

/* No message of this client is larger, in either direction. */
#define WIRE_MESSAGE_MAX (16U * 1024 * 1024)

/* What is left to read; borrowed. */
typedef struct WireReader {
        const uint8_t *at;
        size_t left;
} WireReader;

#define WIRE_READER(data, size) ((WireReader){.at = (const uint8_t *) (data), .left = (size)})

/* Every reader fails with MR_INVALID when the bytes end too early, and then has not moved. */
int wire_read_int(WireReader *reader, size_t size, int64_t *ret,
                  MrError *err) _must_check_; /* signed; 1, 2, 4, 8 */
int wire_read_varuint(WireReader *reader, uint32_t *ret, MrError *err) _must_check_;
int wire_read_span(WireReader *reader, size_t size, WireReader *ret, MrError *err) _must_check_;

void wire_write_int(MrBuf *out, size_t size, int64_t value);
void wire_write_varuint(MrBuf *out, uint32_t value);

/* Whether the bytes are UTF-8 without NUL, surrogates and overlong forms. */
bool wire_is_text(const void *data, size_t size);

/* Kafka writes ids as 22 characters of base64url. */
#define WIRE_UUID_SIZE 16U
#define WIRE_UUID_TEXT_MAX 23U
void wire_uuid_text(const uint8_t uuid[WIRE_UUID_SIZE], char ret[WIRE_UUID_TEXT_MAX]);
int wire_uuid_parse(const char *text, uint8_t ret[WIRE_UUID_SIZE], MrError *err) _must_check_;
