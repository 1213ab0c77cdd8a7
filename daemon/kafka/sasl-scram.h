#pragma once

/* The client's side of a SCRAM conversation (RFC 5802, without channel binding), as pure text in
 * and out; who carries the messages does not matter here. It proves knowledge of the password and
 * checks that the server knows it too. */

#include "crypto/scram.h"
#include "sdk/buf.h"
#include "sdk/error.h"

typedef struct SaslScram SaslScram;

/* More iterations than Kafka allows itself would only serve to keep this client busy. */
#define SASL_SCRAM_ITERATIONS_MAX 100000

/* nonce NULL: a fresh random one; otherwise printable text without a comma. */
int sasl_scram_new(ScramHash hash, const char *user, const char *password, const char *nonce,
                   SaslScram **ret, MrError *err) _must_check_;
SaslScram *sasl_scram_free(SaslScram *scram);
DEFINE_CLEANUP(SaslScram *, sasl_scram_free);

/* Appends the first message. */
void sasl_scram_first(const SaslScram *scram, MrBuf *out);
/* Answers the server's first message with the proof. */
int sasl_scram_prove(SaslScram *scram, const char *server_first, MrBuf *out,
                     MrError *err) _must_check_;
/* Checks the server's last message. */
int sasl_scram_verify(SaslScram *scram, const char *server_final, MrError *err) _must_check_;
