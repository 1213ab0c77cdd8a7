#include "crypto/pem.h"

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "crypto/secret.h"

static inline void bio_free(BIO *bio) {
        BIO_free(bio);
}
DEFINE_CLEANUP(BIO *, bio_free);

int openssl_fail(MrError *err, const char *what) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        int r = mr_fail(err, MR_BUG, NULL, "cannot %s: %s", what,
                        reason ? reason : "OpenSSL gives no reason");

        ERR_clear_error();
        return r;
}

static int pem_invalid(MrError *err, const char *what, const char *why) {
        ERR_clear_error();
        return mr_fail(err, MR_INVALID, NULL, "%s %s", what, why);
}

static int pem_open(const char *pem, const char *what, BIO **ret, MrError *err) {
        size_t size = pem ? strlen(pem) : 0;

        if (size == 0)
                return pem_invalid(err, what, "is empty");
        if (size > PEM_SIZE_MAX)
                return pem_invalid(err, what, "is larger than 256 KiB");
        *ret = BIO_new_mem_buf(pem, (int) size);
        return *ret ? 0 : openssl_fail(err, "read PEM text");
}

/* Keeps OpenSSL from asking a terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *userdata) {
        (void) buf;
        (void) size;
        (void) rwflag;
        (void) userdata;
        return -1;
}

/* The kind of key a PKCS#8 structure holds, in the names of OpenSSL's decoders; NULL: another
 * kind, or no such thing. */
static const char *pkcs8_kind(const unsigned char *der, long size) {
        PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, size);
        const ASN1_OBJECT *algorithm = NULL;
        const char *kind = NULL;

        if (info && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1) {
                int nid = OBJ_obj2nid(algorithm);

                kind = nid == NID_X9_62_id_ecPublicKey ? "EC"
                       : nid == NID_rsaEncryption      ? "RSA"
                                                       : NULL;
        }
        PKCS8_PRIV_KEY_INFO_free(info);
        return kind;
}

static EVP_PKEY *pkcs8_decode(const unsigned char *der, size_t size, const char *kind) {
        EVP_PKEY *key = NULL;
        OSSL_DECODER_CTX *context = OSSL_DECODER_CTX_new_for_pkey(
                &key, "DER", "PrivateKeyInfo", kind, EVP_PKEY_KEYPAIR, NULL, NULL);

        if (context && OSSL_DECODER_from_data(context, &der, &size) != 1) {
                EVP_PKEY_free(key);
                key = NULL;
        }
        OSSL_DECODER_CTX_free(context);
        return key;
}

/* OpenSSL finds out what a text holds by trying every decoder, which takes six times as long as
 * being told. Keys of ours are PKCS#8, and that says which decoder; NULL sends other keys the
 * long way. */
static EVP_PKEY *read_pkcs8(BIO *bio) {
        char *name = NULL, *header = NULL;
        unsigned char *der = NULL;
        long size = 0;
        EVP_PKEY *key = NULL;

        if (PEM_read_bio(bio, &name, &header, &der, &size) == 1 &&
            strcmp(name, PEM_STRING_PKCS8INF) == 0) {
                const char *kind = pkcs8_kind(der, size);

                key = kind ? pkcs8_decode(der, (size_t) size, kind) : NULL;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        if (der)
                OPENSSL_clear_free(der, (size_t) size);
        return key;
}

int pem_read_key(const char *pem, const char *what, EVP_PKEY **ret, MrError *err) {
        _cleanup_(bio_freep) BIO *bio = NULL;
        int r = pem_open(pem, what, &bio, err);

        if (r < 0)
                return r;

        EVP_PKEY *key = read_pkcs8(bio);
        if (!key && BIO_reset(bio) == 1)
                key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        if (!key)
                return pem_invalid(err, what, "is no private key in PEM without a passphrase");
        ERR_clear_error();
        *ret = key;
        return 0;
}

int pem_read_certificates(const char *pem, const char *what, STACK_OF(X509) * *ret, MrError *err) {
        _cleanup_(bio_freep) BIO *bio = NULL;
        int r = pem_open(pem, what, &bio, err);

        if (r < 0)
                return r;

        _cleanup_(x509_stack_freep) STACK_OF(X509) *stack = sk_X509_new_null();
        X509 *certificate;
        while (stack && (certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
                if (sk_X509_push(stack, certificate) <= 0) {
                        X509_free(certificate);
                        return openssl_fail(err, "keep a certificate");
                }

        /* The reader ends with "no start line" after the last certificate; any other end is
         * damage. */
        unsigned long last = ERR_peek_last_error();
        if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
                return pem_invalid(err, what, "holds a damaged certificate");
        if (sk_X509_num(stack) == 0)
                return pem_invalid(err, what, "holds no certificate in PEM");
        ERR_clear_error();
        *ret = TAKE(stack);
        return 0;
}

int pem_read_certificate(const char *pem, const char *what, X509 **ret, MrError *err) {
        _cleanup_(x509_stack_freep) STACK_OF(X509) *stack = NULL;
        int r = pem_read_certificates(pem, what, &stack, err);

        if (r < 0)
                return r;
        *ret = sk_X509_shift(stack);
        return 0;
}

static char *bio_text(BIO *bio) {
        char *data = NULL;
        long size = BIO_get_mem_data(bio, &data);

        return mr_strndup(data, size > 0 ? (size_t) size : 0);
}

int pem_write_key(EVP_PKEY *key, char **ret, MrError *err) {
        _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());

        if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
                return openssl_fail(err, "write a key");
        *ret = bio_text(bio);
        return 0;
}

int pem_write_certificate(X509 *certificate, char **ret, MrError *err) {
        _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());

        if (!bio || PEM_write_bio_X509(bio, certificate) != 1)
                return openssl_fail(err, "write a certificate");
        *ret = bio_text(bio);
        return 0;
}
