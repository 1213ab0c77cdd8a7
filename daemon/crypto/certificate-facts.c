/* Reading back what a certificate says. */

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "crypto/certificate.h"
#include "crypto/pem.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static inline void general_names_free(GENERAL_NAMES *names) {
        GENERAL_NAMES_free(names);
}
DEFINE_CLEANUP(GENERAL_NAMES *, general_names_free);

/* The last entry of a kind, as text; NULL when there is none or it holds a NUL byte. */
static char *subject_text(X509 *certificate, int nid) {
        const X509_NAME *name = X509_get_subject_name(certificate);
        int last = -1;

        for (int i = -1; (i = X509_NAME_get_index_by_NID(name, nid, i)) >= 0;)
                last = i;
        if (last < 0)
                return NULL;

        unsigned char *utf8 = NULL;
        int n = ASN1_STRING_to_UTF8(&utf8,
                                    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
        char *text = n >= 0 && !memchr(utf8, 0, (size_t) n)
                             ? mr_strndup((const char *) utf8, (size_t) n)
                             : NULL;
        OPENSSL_free(utf8);
        return text;
}

static char *issuer_text(X509 *certificate) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *data = NULL;
        long n = 0;

        if (bio &&
            X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0,
                               XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ & ~ASN1_STRFLGS_ESC_MSB) >= 0)
                n = BIO_get_mem_data(bio, &data);
        char *text = mr_strndup(n > 0 ? data : "", n > 0 ? (size_t) n : 0);
        BIO_free(bio);
        return text;
}

static char *serial_text(X509 *certificate) {
        BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
        char *hex = number ? BN_bn2hex(number) : NULL;
        char *text = mr_strdup(hex ? hex : "");

        for (char *s = text; *s; s++)
                *s = *s >= 'A' && *s <= 'F' ? (char) (*s - 'A' + 'a') : *s;
        OPENSSL_free(hex);
        BN_free(number);
        return text;
}

static char *key_kind_text(X509 *certificate) {
        const EVP_PKEY *key = X509_get0_pubkey(certificate);
        char group[64] = "";

        if (!key)
                return mr_strdup("unknown");
        if (EVP_PKEY_is_a(key, "RSA"))
                return mr_strf("RSA %d", EVP_PKEY_get_bits(key));
        if (EVP_PKEY_is_a(key, "EC") &&
            EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1)
                return mr_strf("EC %s", mr_streq(group, "prime256v1") ? "P-256" : group);
        const char *name = EVP_PKEY_get0_type_name(key);
        return mr_strdup(name ? name : "unknown");
}

/* Of what i2d_… has written to `der`, which is freed: `n` bytes, or an error. */
static char *der_digest_text(unsigned char *der, int n) {
        char text[MR_DIGEST_MAX] = "";

        if (n > 0)
                mr_digest(der, (size_t) n, text);
        OPENSSL_free(der);
        return mr_strdup(text);
}

static char *digest_text(X509 *certificate) {
        unsigned char *der = NULL;
        int n = i2d_X509(certificate, &der);

        return der_digest_text(der, n);
}

static char *name_digest_text(X509 *certificate) {
        unsigned char *der = NULL;
        int n = i2d_X509_NAME(X509_get_subject_name(certificate), &der);

        return der_digest_text(der, n);
}

static char *key_digest_text(X509 *certificate) {
        unsigned char *der = NULL;
        int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

        return der_digest_text(der, n);
}

static int time_seconds(const ASN1_TIME *when, int64_t *ret, MrError *err) {
        struct tm tm = {};

        if (ASN1_TIME_to_tm(when, &tm) != 1)
                return mr_fail(err, MR_INVALID, NULL, "the certificate has a damaged validity");
        *ret = (int64_t) timegm(&tm);
        return 0;
}

/* A name of a kind we do not use, or one with bytes that no name has, reads as NULL and is left
 * out. */
static char *general_name_text(const GENERAL_NAME *name) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
        char text[INET6_ADDRSTRLEN];

        if (type == GEN_DNS) {
                const char *data = (const char *) ASN1_STRING_get0_data(value);
                _cleanup_free_ char *copy = mr_strndup(data, (size_t) ASN1_STRING_length(value));

                return strlen(copy) == (size_t) ASN1_STRING_length(value)
                               ? certificate_name_normal(copy)
                               : NULL;
        }
        if (type != GEN_IPADD)
                return NULL;
        int n = ASN1_STRING_length(value);
        if (n != 4 && n != 16)
                return NULL;
        return mr_strdup(inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), text,
                                   sizeof(text)));
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void read_names(X509 *certificate, CertificateFacts *facts) {
        _cleanup_(general_names_freep) GENERAL_NAMES *list =
                X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        int n = list ? sk_GENERAL_NAME_num(list) : 0;

        facts->names = mr_new(char *, (size_t) n + 1);
        for (int i = 0; i < n; i++) {
                char *text = general_name_text(sk_GENERAL_NAME_value(list, i));

                if (text)
                        facts->names[facts->n_names++] = text;
        }
        qsort(facts->names, facts->n_names, sizeof(char *), compare_names);
}

void certificate_facts_done(CertificateFacts *facts) {
        for (size_t i = 0; i < facts->n_names; i++)
                free(facts->names[i]);
        free(facts->names);
        free(facts->common_name);
        free(facts->organization);
        free(facts->issuer);
        free(facts->serial);
        free(facts->key_kind);
        free(facts->digest);
        free(facts->name_digest);
        free(facts->key_digest);
        *facts = (CertificateFacts){};
}

int certificate_facts_of(X509 *certificate, CertificateFacts *ret, MrError *err) {
        CertificateFacts facts = {};
        int r = time_seconds(X509_get0_notBefore(certificate), &facts.not_before, err);

        if (r < 0)
                return r;
        r = time_seconds(X509_get0_notAfter(certificate), &facts.not_after, err);
        if (r < 0)
                return r;
        facts.common_name = subject_text(certificate, NID_commonName);
        facts.organization = subject_text(certificate, NID_organizationName);
        facts.issuer = issuer_text(certificate);
        facts.serial = serial_text(certificate);
        facts.key_kind = key_kind_text(certificate);
        facts.digest = digest_text(certificate);
        facts.name_digest = name_digest_text(certificate);
        facts.key_digest = key_digest_text(certificate);
        facts.is_authority = X509_check_ca(certificate) == 1;
        read_names(certificate, &facts);
        ERR_clear_error();
        *ret = facts;
        return 0;
}

int certificate_facts_read(const char *pem, CertificateFacts *ret, MrError *err) {
        _cleanup_(X509_freep) X509 *certificate = NULL;
        int r = pem_read_certificate(pem, "the certificate", &certificate, err);

        return r < 0 ? r : certificate_facts_of(certificate, ret, err);
}

bool certificate_facts_has_name(const CertificateFacts *facts, const char *name) {
        _cleanup_free_ char *normal = certificate_name_normal(name);

        for (size_t i = 0; normal && i < facts->n_names; i++)
                if (strcmp(facts->names[i], normal) == 0)
                        return true;
        return false;
}

int certificate_facts(const char *pem, MrTree **ret, MrError *err) {
        _cleanup_certificate_facts_ CertificateFacts facts = {};
        int r = certificate_facts_read(pem, &facts, err);

        if (r < 0)
                return r;

        MrTree *map = mr_tree_new_map();
        mr_tree_set_string(map, "common_name", facts.common_name);
        mr_tree_set_string(map, "organization", facts.organization);
        mr_tree_set_string(map, "issuer", facts.issuer);
        mr_tree_set_string(map, "serial", facts.serial);
        mr_tree_set_string(map, "key", facts.key_kind);
        mr_tree_set_string(map, "digest", facts.digest);
        mr_tree_set_bool(map, "is_authority", facts.is_authority);
        mr_tree_set_int(map, "not_before", facts.not_before);
        mr_tree_set_int(map, "not_after", facts.not_after);
        MrTree *names = mr_tree_need_list(map, "names");
        for (size_t i = 0; i < facts.n_names; i++)
                mr_tree_append(names, mr_tree_new_string(facts.names[i]));
        *ret = map;
        return 0;
}
