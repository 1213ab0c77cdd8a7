#include "kafka/sasl-scram.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

struct SaslScram {
        ScramHash hash;
        char *user; /* escaped as the protocol wants it */
        char *password;
        char *nonce;
        uint8_t server_signature[SCRAM_SIZE_MAX];
        bool has_proved;
};

/* The attributes of the server's first message; borrowed from the text. */
typedef struct Challenge {
        const char *nonce, *salt;
        size_t nonce_size, salt_size;
        int64_t iterations;
} Challenge;

typedef struct Keys {
        uint8_t salted[SCRAM_SIZE_MAX], client[SCRAM_SIZE_MAX], stored[SCRAM_SIZE_MAX],
                server[SCRAM_SIZE_MAX];
        uint8_t signature[SCRAM_SIZE_MAX], proof[SCRAM_SIZE_MAX];
} Keys;

static void keys_wipe(Keys *keys) {
        OPENSSL_cleanse(keys, sizeof(*keys));
}

static char *escape_user(const char *user) {
        _cleanup_buf_ MrBuf buf = {};

        for (; *user; user++)
                if (*user == ',')
                        mr_buf_puts(&buf, "=2C");
                else if (*user == '=')
                        mr_buf_puts(&buf, "=3D");
                else
                        mr_buf_putc(&buf, *user);
        return mr_buf_take(&buf);
}

static int make_nonce(char **ret, MrError *err) {
        _cleanup_buf_ MrBuf text = {};
        uint8_t bytes[24];

        if (RAND_bytes(bytes, sizeof(bytes)) != 1)
                return mr_fail(err, MR_TRANSIENT, NULL, "cannot get random bytes");
        mr_base64(bytes, sizeof(bytes), &text);
        *ret = mr_buf_take(&text);
        return 0;
}

int sasl_scram_new(ScramHash hash, const char *user, const char *password, const char *nonce,
                   SaslScram **ret, MrError *err) {
        _cleanup_(sasl_scram_freep) SaslScram *scram = mr_new(SaslScram, 1);

        scram->hash = hash;
        scram->user = escape_user(user);
        scram->password = mr_strdup(password);
        scram->nonce = mr_strdup(nonce);
        int r = nonce ? 0 : make_nonce(&scram->nonce, err);
        if (r < 0)
                return r;
        *ret = TAKE(scram);
        return 0;
}

SaslScram *sasl_scram_free(SaslScram *scram) {
        if (!scram)
                return NULL;
        if (scram->password)
                OPENSSL_cleanse(scram->password, strlen(scram->password));
        free(scram->user);
        free(scram->password);
        free(scram->nonce);
        OPENSSL_cleanse(scram, sizeof(*scram));
        free(scram);
        return NULL;
}

void sasl_scram_first(const SaslScram *scram, MrBuf *out) {
        mr_buf_printf(out, "n,,n=%s,r=%s", scram->user, scram->nonce);
}

/* The value of the attribute that starts here, or NULL; moves past it and its comma. */
static const char *next_attribute(const char **at, char name, size_t *ret_size) {
        const char *value = *at + 2;

        if ((*at)[0] != name || (*at)[1] != '=')
                return NULL;
        *ret_size = strcspn(value, ",");
        *at = value + *ret_size + (value[*ret_size] == ',');
        return value;
}

static int challenge_parse(Challenge *challenge, const char *nonce, const char *text,
                           MrError *err) {
        size_t size = 0;

        challenge->nonce = next_attribute(&text, 'r', &challenge->nonce_size);
        challenge->salt =
                challenge->nonce ? next_attribute(&text, 's', &challenge->salt_size) : NULL;
        const char *iterations = challenge->salt ? next_attribute(&text, 'i', &size) : NULL;
        if (!iterations)
                return mr_fail(err, MR_DENIED, NULL,
                               "the server's SCRAM challenge cannot be understood");
        if (challenge->nonce_size <= strlen(nonce) || !mr_starts_with(challenge->nonce, nonce))
                return mr_fail(err, MR_DENIED, NULL,
                               "the server's SCRAM challenge answers somebody else");

        _cleanup_free_ char *number = mr_strndup(iterations, size);
        if (mr_parse_int(number, &challenge->iterations) < 0 ||
            challenge->iterations < SCRAM_ITERATIONS_MIN ||
            challenge->iterations > SASL_SCRAM_ITERATIONS_MAX)
                return mr_fail(err, MR_DENIED, NULL,
                               "the server asks for a number of SCRAM iterations outside %d to %d",
                               SCRAM_ITERATIONS_MIN, SASL_SCRAM_ITERATIONS_MAX);
        return 0;
}

static int scram_salt(const SaslScram *scram, const Challenge *challenge, Keys *keys,
                      MrError *err) {
        _cleanup_buf_ MrBuf salt = {};

        if (mr_unbase64(challenge->salt, challenge->salt_size, &salt) < 0 || salt.size == 0)
                return mr_fail(err, MR_DENIED, NULL, "the server's SCRAM salt is not base64");
        return scram_salted_password(scram->hash, scram->password, salt.data, salt.size,
                                     (int) challenge->iterations, keys->salted, err);
}

static int scram_sign(SaslScram *scram, const char *auth_message, Keys *keys, MrError *err) {
        int r = scram_client_key(scram->hash, keys->salted, keys->client, err);

        if (r >= 0)
                r = scram_stored_key(scram->hash, keys->client, keys->stored, err);
        if (r >= 0)
                r = scram_signature(scram->hash, keys->stored, auth_message, keys->signature, err);
        if (r >= 0)
                r = scram_server_key(scram->hash, keys->salted, keys->server, err);
        if (r >= 0)
                r = scram_signature(scram->hash, keys->server, auth_message,
                                    scram->server_signature, err);
        if (r >= 0)
                scram_proof(scram->hash, keys->client, keys->signature, keys->proof);
        return r;
}

int sasl_scram_prove(SaslScram *scram, const char *server_first, MrBuf *out, MrError *err) {
        _cleanup_(keys_wipe) Keys keys = {};
        _cleanup_buf_ MrBuf answer = {};
        Challenge challenge = {};

        int r = challenge_parse(&challenge, scram->nonce, server_first, err);
        if (r < 0)
                return r;
        /* "biws" is base64 of "n,,": no channel binding. */
        mr_buf_printf(&answer, "c=biws,r=%.*s", (int) challenge.nonce_size, challenge.nonce);
        _cleanup_free_ char *auth_message = mr_strf("n=%s,r=%s,%s,%s", scram->user, scram->nonce,
                                                    server_first, mr_buf_text(&answer));
        r = scram_salt(scram, &challenge, &keys, err);
        if (r >= 0)
                r = scram_sign(scram, auth_message, &keys, err);
        if (r < 0)
                return r;
        mr_buf_puts(&answer, ",p=");
        mr_base64(keys.proof, scram_size(scram->hash), &answer);
        mr_buf_append(out, answer.data, answer.size);
        scram->has_proved = true;
        return 0;
}

int sasl_scram_verify(SaslScram *scram, const char *server_final, MrError *err) {
        _cleanup_buf_ MrBuf found = {};
        size_t size = 0;

        if (mr_starts_with(server_final, "e="))
                return mr_fail(err, MR_DENIED, NULL, "the server refuses the user or password");
        const char *value = next_attribute(&server_final, 'v', &size);
        if (!value || mr_unbase64(value, size, &found) < 0)
                return mr_fail(err, MR_DENIED, NULL,
                               "the server's last SCRAM message cannot be understood");
        if (!scram->has_proved || found.size != scram_size(scram->hash) ||
            CRYPTO_memcmp(found.data, scram->server_signature, found.size) != 0)
                return mr_fail(err, MR_DENIED, NULL,
                               "the server does not know the password itself");
        return 0;
}
