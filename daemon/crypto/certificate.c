#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "crypto/pem.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define VALIDITY_DAYS_MAX 36500
#define SERIAL_SIZE 20
#define COMMON_NAME_MAX 64 /* the upper bound X.520 sets */

static inline void general_names_free(GENERAL_NAMES *names) {
        GENERAL_NAMES_free(names);
}
DEFINE_CLEANUP(GENERAL_NAMES *, general_names_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(X509_EXTENSION *, X509_EXTENSION_free);

static bool is_dns_name(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n > 253)
                return false;
        for (const char *s = name; *s; s++)
                if (!isalnum((unsigned char) *s) && !strchr("-._*", *s))
                        return false;
        return true;
}

char *certificate_name_normal(const char *name) {
        unsigned char address[sizeof(struct in6_addr)];
        char text[INET6_ADDRSTRLEN];

        if (!name)
                return NULL;
        for (int family = AF_INET;; family = AF_INET6) {
                if (inet_pton(family, name, address) == 1)
                        return mr_strdup(inet_ntop(family, address, text, sizeof(text)));
                if (family == AF_INET6)
                        break;
        }
        if (!is_dns_name(name))
                return NULL;

        char *normal = mr_strdup(name);
        for (char *s = normal; *s; s++)
                *s = (char) tolower((unsigned char) *s);
        return normal;
}

static int request_check(const CertificateRequest *request, MrError *err) {
        if (mr_is_empty(request->common_name))
                return mr_fail(err, MR_INVALID, NULL, "a certificate needs a common name");
        if (strlen(request->common_name) > COMMON_NAME_MAX)
                return mr_fail(
                        err, MR_INVALID, NULL,
                        "the common name %s is longer than %d characters; choose a shorter name",
                        request->common_name, COMMON_NAME_MAX);
        if (request->validity_days < 1 || request->validity_days > VALIDITY_DAYS_MAX)
                return mr_fail(err, MR_INVALID, NULL,
                               "a certificate cannot be valid for %lld days; choose 1 to %d",
                               (long long) request->validity_days, VALIDITY_DAYS_MAX);
        return 0;
}

static int set_serial(X509 *certificate, MrError *err) {
        unsigned char bytes[SERIAL_SIZE];

        if (RAND_bytes(bytes, sizeof(bytes)) != 1)
                return openssl_fail(err, "draw a serial number");
        /* Positive and of full length: RFC 5280 allows 20 bytes, and a set top bit would need
         * one more. */
        bytes[0] = (unsigned char) ((bytes[0] & 0x3f) | 0x40);

        _cleanup_(BN_freep) BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
        if (!number || !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)))
                return openssl_fail(err, "set the serial number");
        return 0;
}

static bool name_add(X509_NAME *name, const char *field, const char *value) {
        return !value || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                                    (const unsigned char *) value, -1, -1, 0) == 1;
}

static int set_subject(X509 *certificate, const CertificateRequest *request, MrError *err) {
        X509_NAME *name = X509_get_subject_name(certificate);

        if (!name_add(name, "O", request->organization) ||
            !name_add(name, "CN", request->common_name))
                return openssl_fail(err, "set the subject");
        return 0;
}

static int set_validity(X509 *certificate, const CertificateRequest *request, MrError *err) {
        time_t from = (time_t) (request->now - CERTIFICATE_SKEW_SEC);
        time_t until = (time_t) (request->now +
                                 certificate_days_sec(request->validity_days, request->day_sec));

        if (!ASN1_TIME_set(X509_getm_notBefore(certificate), from) ||
            !ASN1_TIME_set(X509_getm_notAfter(certificate), until))
                return openssl_fail(err, "set the validity");
        return 0;
}

/* `value` is one of our own constants, never text from outside: OpenSSL gives commas and colons
 * a meaning. */
static int add_extension(X509 *certificate, X509 *issuer, int nid, const char *value,
                         MrError *err) {
        X509V3_CTX context;

        X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
        _cleanup_(X509_EXTENSION_freep) X509_EXTENSION *extension =
                X509V3_EXT_conf_nid(NULL, &context, nid, value);
        if (!extension || X509_add_ext(certificate, extension, -1) != 1)
                return openssl_fail(err, "add an extension");
        return 0;
}

static GENERAL_NAME *general_name_new(const char *normal) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        unsigned char address[sizeof(struct in6_addr)];
        bool is_v4 = inet_pton(AF_INET, normal, address) == 1;
        bool is_address = is_v4 || inet_pton(AF_INET6, normal, address) == 1;
        ASN1_STRING *value = is_address ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

        if (!name || !value ||
            ASN1_STRING_set(value, is_address ? (const void *) address : normal,
                            is_v4        ? 4
                            : is_address ? 16
                                         : -1) != 1) {
                GENERAL_NAME_free(name);
                ASN1_STRING_free(value);
                return NULL;
        }
        GENERAL_NAME_set0_value(name, is_address ? GEN_IPADD : GEN_DNS, value);
        return name;
}

static bool was_named_before(const MrStrings *names, size_t i, const char *normal) {
        for (size_t j = 0; j < i; j++) {
                _cleanup_free_ char *other = certificate_name_normal(names->items[j]);

                if (mr_streq(other, normal))
                        return true;
        }
        return false;
}

static int add_names(X509 *certificate, const MrStrings *names, MrError *err) {
        _cleanup_(general_names_freep) GENERAL_NAMES *list = GENERAL_NAMES_new();

        for (size_t i = 0; i < names->n; i++) {
                _cleanup_free_ char *normal = certificate_name_normal(names->items[i]);

                if (!normal)
                        return mr_fail(
                                err, MR_INVALID, NULL,
                                "\"%s\" is neither a DNS name nor an IP address; correct the name",
                                names->items[i]);
                if (was_named_before(names, i, normal))
                        continue;

                GENERAL_NAME *name = general_name_new(normal);
                if (!name || sk_GENERAL_NAME_push(list, name) <= 0) {
                        GENERAL_NAME_free(name);
                        return openssl_fail(err, "add an alternative name");
                }
        }
        if (sk_GENERAL_NAME_num(list) > 0 &&
            X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) != 1)
                return openssl_fail(err, "add the alternative names");
        return 0;
}

static int add_extensions(X509 *certificate, X509 *issuer, const CertificateRequest *request,
                          MrError *err) {
        const struct {
                int nid;
                const char *authority, *leaf;
        } rows[] = {
                {NID_basic_constraints, "critical,CA:TRUE,pathlen:0", "critical,CA:FALSE"},
                {NID_key_usage, "critical,keyCertSign,cRLSign",
                 "critical,digitalSignature,keyEncipherment"},
                {NID_subject_key_identifier, "hash", "hash"},
                {NID_authority_key_identifier, "keyid:always", "keyid:always"},
                {NID_ext_key_usage, NULL, "serverAuth,clientAuth"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(rows); i++) {
                const char *value = request->is_authority ? rows[i].authority : rows[i].leaf;
                int r = value ? add_extension(certificate, issuer, rows[i].nid, value, err) : 0;

                if (r < 0)
                        return r;
        }
        return add_names(certificate, &request->names, err);
}

static int certificate_fill(X509 *certificate, const CertificateRequest *request, EVP_PKEY *key,
                            X509 *issuer, MrError *err) {
        int r;

        if (X509_set_version(certificate, X509_VERSION_3) != 1 ||
            X509_set_pubkey(certificate, key) != 1)
                return openssl_fail(err, "begin a certificate");
        r = set_serial(certificate, err);
        if (r < 0)
                return r;
        r = set_subject(certificate, request, err);
        if (r < 0)
                return r;
        r = set_validity(certificate, request, err);
        if (r < 0)
                return r;
        if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1)
                return openssl_fail(err, "set the issuer");
        return add_extensions(certificate, issuer, request, err);
}

/* A digest as strong as the signing key. */
static const EVP_MD *digest_for(EVP_PKEY *key) {
        return EVP_PKEY_get_security_bits(key) > 128 ? EVP_sha512() : EVP_sha256();
}

int certificate_issue(const CertificateRequest *request, const char *key,
                      const char *authority_certificate, const char *authority_key, char **ret,
                      MrError *err) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *subject = NULL, *signer = NULL;
        _cleanup_(X509_freep) X509 *issuer = NULL, *certificate = X509_new();
        int r = request_check(request, err);

        if (r < 0)
                return r;
        r = pem_read_key(key, "the key", &subject, err);
        if (r < 0)
                return r;
        if (authority_certificate) {
                r = pem_read_certificate(authority_certificate, "the certificate of the CA",
                                         &issuer, err);
                if (r < 0)
                        return r;
                r = pem_read_key(authority_key, "the key of the CA", &signer, err);
                if (r < 0)
                        return r;
                if (X509_check_private_key(issuer, signer) != 1)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "the key of the CA does not match its certificate");
        }
        if (!certificate)
                return openssl_fail(err, "make a certificate");
        r = certificate_fill(certificate, request, subject, issuer ? issuer : certificate, err);
        if (r < 0)
                return r;
        EVP_PKEY *with = signer ? signer : subject;
        if (X509_sign(certificate, with, digest_for(with)) == 0)
                return openssl_fail(err, "sign a certificate");
        return pem_write_certificate(certificate, ret, err);
}

int certificate_split(const char *pem, MrArena *arena, MrStrings *ret, MrError *err) {
        _cleanup_(x509_stack_freep) STACK_OF(X509) *stack = NULL;
        int r = pem_read_certificates(pem, "the certificate", &stack, err);

        if (r < 0)
                return r;
        size_t n = (size_t) sk_X509_num(stack);
        *ret = (MrStrings){.items = mr_arena_new_array(arena, const char *, n)};
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = NULL;

                r = pem_write_certificate(sk_X509_value(stack, (int) i), &text, err);
                if (r < 0)
                        return r;
                ret->items[ret->n++] = mr_arena_strdup(arena, text);
        }
        return 0;
}

int certificate_matches_key(const char *certificate, const char *key, MrError *err) {
        _cleanup_(X509_freep) X509 *x509 = NULL;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *private = NULL;
        int r = pem_read_certificate(certificate, "the certificate", &x509, err);

        if (r < 0)
                return r;
        r = pem_read_key(key, "the key", &private, err);
        if (r < 0)
                return r;
        return EVP_PKEY_eq(X509_get0_pubkey(x509), private) == 1;
}

bool certificate_is_issued_by(X509 *certificate, X509 *authority) {
        bool is_issued = X509_check_issued(authority, certificate) == X509_V_OK &&
                         X509_verify(certificate, X509_get0_pubkey(authority)) == 1;

        ERR_clear_error();
        return is_issued;
}

int certificate_is_signed_by(const char *certificate, const char *authority, MrError *err) {
        _cleanup_(X509_freep) X509 *x509 = NULL, *issuer = NULL;
        int r = pem_read_certificate(certificate, "the certificate", &x509, err);

        if (r < 0)
                return r;
        r = pem_read_certificate(authority, "the certificate of the CA", &issuer, err);
        if (r < 0)
                return r;
        return certificate_is_issued_by(x509, issuer);
}

int certificate_chain_ends_with(const char *chain, const char *authority, MrError *err) {
        _cleanup_(x509_stack_freep) STACK_OF(X509) *stack = NULL;
        _cleanup_(X509_freep) X509 *issuer = NULL;
        int r = pem_read_certificates(chain, "the certificate", &stack, err);

        if (r < 0)
                return r;
        r = pem_read_certificate(authority, "the certificate of the CA", &issuer, err);
        if (r < 0)
                return r;
        return X509_cmp(sk_X509_value(stack, sk_X509_num(stack) - 1), issuer) == 0;
}
