#include "crypto/pkcs12.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "crypto/pem.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

/* Java's attribute for trusted certificates, and the value that means "for any use". */
#define TRUSTED_KEY_USAGE "2.16.840.1.113894.746875.1.1"

DEFINE_CLEANUP(PKCS12 *, PKCS12_free);

static inline void bag_stack_free(STACK_OF(PKCS12_SAFEBAG) * bags) {
        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
DEFINE_CLEANUP(STACK_OF(PKCS12_SAFEBAG) *, bag_stack_free);

static inline void safe_stack_free(STACK_OF(PKCS7) * safes) {
        sk_PKCS7_pop_free(safes, PKCS7_free);
}
DEFINE_CLEANUP(STACK_OF(PKCS7) *, safe_stack_free);

static int store_text(PKCS12 *store, char **ret, MrError *err) {
        _cleanup_buf_ MrBuf text = {};
        unsigned char *der = NULL;
        int n = i2d_PKCS12(store, &der);

        if (n <= 0)
                return openssl_fail(err, "write a PKCS#12 store");
        mr_base64(der, (size_t) n, &text);
        OPENSSL_free(der);
        *ret = mr_buf_take(&text);
        return 0;
}

int pkcs12_make_key_store(const char *key, const char *chain, const char *alias,
                          const char *password, char **ret, MrError *err) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *private = NULL;
        _cleanup_(x509_stack_freep) STACK_OF(X509) *authorities = NULL;
        int r = pem_read_key(key, "the key", &private, err);

        if (r < 0)
                return r;
        r = pem_read_certificates(chain, "the certificate", &authorities, err);
        if (r < 0)
                return r;

        _cleanup_(X509_freep) X509 *leaf = sk_X509_shift(authorities);
        _cleanup_(PKCS12_freep) PKCS12 *store =
                PKCS12_create(password, alias, private, leaf, authorities, NID_aes_256_cbc,
                              NID_aes_256_cbc, PKCS12_DEFAULT_ITER, -1, 0);
        if (!store ||
            PKCS12_set_mac(store, password, -1, NULL, 0, PKCS12_DEFAULT_ITER, EVP_sha256()) != 1)
                return openssl_fail(err, "make a PKCS#12 store");
        return store_text(store, ret, err);
}

static bool bag_mark_trusted(PKCS12_SAFEBAG *bag) {
        const ASN1_OBJECT *any_use = OBJ_nid2obj(NID_anyExtendedKeyUsage);

        /* With length -1 OpenSSL takes the data for a finished object of that type and copies
         * it. */
        return PKCS12_add1_attr_by_txt(bag, TRUSTED_KEY_USAGE, V_ASN1_OBJECT,
                                       (const unsigned char *) any_use, -1) == 1;
}

static int add_trusted(STACK_OF(PKCS12_SAFEBAG) * *bags, X509 *certificate, int position,
                       MrError *err) {
        _cleanup_free_ char *alias =
                position == 0 ? mr_strdup("ca.crt") : mr_strf("ca-%d.crt", position + 1);
        PKCS12_SAFEBAG *bag = PKCS12_add_cert(bags, certificate);

        if (!bag || PKCS12_add_friendlyname_utf8(bag, alias, -1) != 1 || !bag_mark_trusted(bag))
                return openssl_fail(err, "add a trusted certificate");
        return 0;
}

int pkcs12_make_trust_store(const char *certificates, const char *password, char **ret,
                            MrError *err) {
        _cleanup_(x509_stack_freep) STACK_OF(X509) *trusted = NULL;
        _cleanup_(bag_stack_freep) STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
        _cleanup_(safe_stack_freep) STACK_OF(PKCS7) *safes = NULL;
        int r = pem_read_certificates(certificates, "the certificate of the CA", &trusted, err);

        if (r < 0)
                return r;
        for (int i = 0; i < sk_X509_num(trusted); i++) {
                r = add_trusted(&bags, sk_X509_value(trusted, i), i, err);
                if (r < 0)
                        return r;
        }
        if (PKCS12_add_safe(&safes, bags, NID_aes_256_cbc, PKCS12_DEFAULT_ITER, password) != 1)
                return openssl_fail(err, "encrypt a PKCS#12 store");

        _cleanup_(PKCS12_freep) PKCS12 *store = PKCS12_add_safes(safes, 0);
        if (!store ||
            PKCS12_set_mac(store, password, -1, NULL, 0, PKCS12_DEFAULT_ITER, EVP_sha256()) != 1)
                return openssl_fail(err, "make a PKCS#12 store");
        return store_text(store, ret, err);
}

static int store_read(const char *base64, PKCS12 **ret, MrError *err) {
        _cleanup_buf_ MrBuf der = {};

        if (!base64 || strlen(base64) > PEM_SIZE_MAX ||
            mr_unbase64(base64, strlen(base64), &der) < 0)
                return mr_fail(err, MR_INVALID, NULL, "the PKCS#12 store is not base64 text");

        const unsigned char *p = (const unsigned char *) mr_buf_text(&der);
        PKCS12 *store = d2i_PKCS12(NULL, &p, (long) der.size);
        if (!store) {
                ERR_clear_error();
                return mr_fail(err, MR_INVALID, NULL, "the PKCS#12 store is damaged");
        }
        *ret = store;
        return 0;
}

int pkcs12_check_form(const char *base64, MrError *err) {
        _cleanup_(PKCS12_freep) PKCS12 *store = NULL;

        return store_read(base64, &store, err);
}

int pkcs12_check(const char *base64, const char *password, MrError *err) {
        _cleanup_(PKCS12_freep) PKCS12 *store = NULL;
        int r = store_read(base64, &store, err);

        if (r < 0)
                return r;
        if (PKCS12_verify_mac(store, password, -1) != 1) {
                ERR_clear_error();
                return mr_fail(err, MR_INVALID, NULL,
                               "the password does not open the PKCS#12 store");
        }
        return 0;
}
