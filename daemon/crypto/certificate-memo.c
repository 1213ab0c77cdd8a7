#include "crypto/certificate-memo.h"

#include <string.h>

#include "sdk/buf.h"
#include "sdk/str.h"

/* What was found to serve, from `since` on and until just before `until`. */
typedef struct Entry {
        char *name; /* of the secret and the prefix of its keys: what is replaced by a newer one */
        char digest[MR_DIGEST_MAX];
        int64_t since, until;
} Entry;

struct CertificateMemo {
        Entry *items; /* sorted by name */
        size_t n, allocated;
};

CertificateMemo *certificate_memo_new(void) {
        return mr_new(CertificateMemo, 1);
}

CertificateMemo *certificate_memo_free(CertificateMemo *memo) {
        if (!memo)
                return NULL;
        for (size_t i = 0; i < memo->n; i++)
                free(memo->items[i].name);
        free(memo->items);
        free(memo);
        return NULL;
}

/* The length goes first, so that no two lists of texts look alike. */
static void add_text(MrBuf *all, const char *text) {
        mr_buf_printf(all, "%zu:", text ? strlen(text) : 0);
        mr_buf_puts(all, text ? text : "-");
}

static void add_wanted(MrBuf *all, const MrCertificate *wanted) {
        add_text(all, wanted->name);
        add_text(all, wanted->authority);
        add_text(all, wanted->key_prefix);
        add_text(all, wanted->common_name);
        add_text(all, wanted->organization);
        mr_buf_printf(all, "%lld %lld %d %d %zu", (long long) wanted->validity_days,
                      (long long) wanted->renewal_days, wanted->with_pkcs12, wanted->with_authority,
                      wanted->names.n);
        for (size_t i = 0; i < wanted->names.n; i++)
                add_text(all, wanted->names.items[i]);
}

static void digest_of(const MrCertificate *wanted, SecretLookup lookup, void *userdata,
                      char ret[MR_DIGEST_MAX]) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_buf_wipe) MrBuf all = {};
        const char *secret, *key;

        add_wanted(&all, wanted);
        for (size_t i = 0; (key = certificate_key_at(wanted, i, arena, &secret)); i++)
                add_text(&all, lookup(secret, key, userdata));
        if (wanted->authority)
                add_text(&all, lookup(certificate_public_secret(arena, wanted->authority), "ca.crt",
                                      userdata));
        mr_digest(all.data, all.size, ret);
}

static size_t place_of(const CertificateMemo *memo, const char *name) {
        size_t low = 0, high = memo->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(memo->items[middle].name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static Entry *entry_need(CertificateMemo *memo, const char *name) {
        size_t at = place_of(memo, name);

        if (at < memo->n && mr_streq(memo->items[at].name, name))
                return &memo->items[at];
        MR_GROW(memo->items, memo->n, memo->allocated);
        memmove(memo->items + at + 1, memo->items + at, (memo->n - at) * sizeof(*memo->items));
        memo->n++;
        memo->items[at] = (Entry){.name = mr_strdup(name)};
        return &memo->items[at];
}

char *certificate_memo_check(CertificateMemo *memo, const MrCertificate *wanted,
                             SecretLookup lookup, void *userdata, int64_t now) {
        char digest[MR_DIGEST_MAX];
        int64_t until = 0;

        if (!memo)
                return certificate_check(wanted, lookup, userdata, now);
        _cleanup_free_ char *name = mr_strf("%s/%s", wanted->name, wanted->key_prefix);
        Entry *entry = entry_need(memo, name);
        digest_of(wanted, lookup, userdata, digest);
        if (mr_streq(entry->digest, digest) && now >= entry->since && now < entry->until)
                return NULL;

        char *reason = certificate_check_until(wanted, lookup, userdata, now, &until);
        memcpy(entry->digest, digest, sizeof(digest));
        entry->since = now;
        entry->until = reason ? now : until;
        return reason;
}
