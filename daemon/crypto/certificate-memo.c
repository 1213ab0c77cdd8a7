#include "crypto/certificate-memo.h"

#include <string.h>

#include "crypto/certificate.h"
#include "sdk/buf.h"
#include "sdk/str.h"

/* What was found to serve, from `since` on and until just before `until`. */
typedef struct Entry {
        char *name; /* of the secret and the prefix of its keys: what is replaced by a newer one */
        char digest[MR_DIGEST_MAX];
        int64_t since, until;
} Entry;

/* What a text holds. */
typedef struct Text {
        char digest[MR_DIGEST_MAX];
        CertificateBrief *items;
        size_t n;
} Text;

/* Old ones make room for new ones: a text that changes is not asked for again. */
#define TEXTS_MAX 64

struct CertificateMemo {
        Entry *items; /* sorted by name */
        size_t n, allocated;
        Text texts[TEXTS_MAX];
        size_t n_texts, next_text;
};

CertificateMemo *certificate_memo_new(void) {
        return mr_new(CertificateMemo, 1);
}

CertificateMemo *certificate_memo_free(CertificateMemo *memo) {
        if (!memo)
                return NULL;
        for (size_t i = 0; i < memo->n; i++)
                free(memo->items[i].name);
        for (size_t i = 0; i < memo->n_texts; i++)
                free(memo->texts[i].items);
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

static void add_terms(MrBuf *all, const CertificateTerms *terms) {
        add_text(all, terms ? terms->signer : NULL);
        add_text(all, terms ? terms->issuers : NULL);
}

static void digest_of(const CertificateQuestion *question, char ret[MR_DIGEST_MAX]) {
        const MrCertificate *wanted = question->wanted;
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_buf_wipe) MrBuf all = {};
        const char *secret, *key;

        const char *signer =
                question->terms && question->terms->signer ? question->terms->signer : "ca";
        mr_buf_printf(&all, "%lld ", (long long) question->day_sec);
        add_wanted(&all, wanted);
        add_terms(&all, question->terms);
        for (size_t i = 0; (key = certificate_key_at(wanted, i, arena, &secret)); i++)
                add_text(&all, question->lookup(secret, key, question->userdata));
        if (wanted->authority)
                add_text(&all, question->lookup(certificate_public_secret(arena, wanted->authority),
                                                mr_arena_strf(arena, "%s.crt", signer),
                                                question->userdata));
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

CertificateVerdict certificate_memo_check(CertificateMemo *memo,
                                          const CertificateQuestion *question) {
        const MrCertificate *wanted = question->wanted;
        int64_t now = question->now;
        char digest[MR_DIGEST_MAX];

        if (!memo)
                return certificate_check(question);
        _cleanup_free_ char *name = mr_strf("%s/%s", wanted->name, wanted->key_prefix);
        Entry *entry = entry_need(memo, name);
        digest_of(question, digest);
        if (mr_streq(entry->digest, digest) && now >= entry->since && now < entry->until)
                return (CertificateVerdict){.until = entry->until};

        CertificateVerdict verdict = certificate_check(question);
        memcpy(entry->digest, digest, sizeof(digest));
        entry->since = now;
        entry->until = verdict.reason ? now : verdict.until;
        return verdict;
}

static void copy_text(char *to, size_t size, const char *from) {
        size_t length = from ? strlen(from) : 0;

        if (length < size)
                memcpy(to, from ? from : "", length + 1);
}

static int brief_read(const char *pem, CertificateBrief *ret) {
        _cleanup_certificate_facts_ CertificateFacts facts = {};
        int r = certificate_facts_read(pem, &facts, NULL);

        if (r < 0)
                return r;
        *ret = (CertificateBrief){.not_after = facts.not_after, .is_authority = facts.is_authority};
        copy_text(ret->common_name, sizeof(ret->common_name), facts.common_name);
        copy_text(ret->digest, sizeof(ret->digest), facts.digest);
        copy_text(ret->key_digest, sizeof(ret->key_digest), facts.key_digest);
        copy_text(ret->name_digest, sizeof(ret->name_digest), facts.name_digest);
        return 0;
}

static CertificateBriefs briefs_read(const char *pem, MrArena *arena) {
        MrStrings texts;

        if (certificate_split(pem, arena, &texts, NULL) < 0)
                return (CertificateBriefs){};
        CertificateBrief *items = mr_arena_new_array(arena, CertificateBrief, texts.n);
        for (size_t i = 0; i < texts.n; i++)
                if (brief_read(texts.items[i], &items[i]) < 0)
                        return (CertificateBriefs){};
        return (CertificateBriefs){.items = items, .n = texts.n};
}

static void remember_text(CertificateMemo *memo, const char *digest,
                          const CertificateBriefs *briefs) {
        Text *text = &memo->texts[memo->next_text];

        free(text->items);
        memcpy(text->digest, digest, MR_DIGEST_MAX);
        text->n = briefs->n;
        text->items = mr_new(CertificateBrief, briefs->n);
        if (briefs->n > 0)
                memcpy(text->items, briefs->items, briefs->n * sizeof(CertificateBrief));
        memo->next_text = (memo->next_text + 1) % TEXTS_MAX;
        if (memo->n_texts < TEXTS_MAX)
                memo->n_texts++;
}

CertificateBriefs certificate_memo_briefs(CertificateMemo *memo, const char *pem, MrArena *arena) {
        char digest[MR_DIGEST_MAX];

        if (!pem)
                return (CertificateBriefs){};
        mr_digest(pem, strlen(pem), digest);
        for (size_t i = 0; memo && i < memo->n_texts; i++) {
                const Text *text = &memo->texts[i];
                if (!mr_streq(text->digest, digest))
                        continue;
                CertificateBrief *items = mr_arena_new_array(arena, CertificateBrief, text->n);
                if (text->n > 0)
                        memcpy(items, text->items, text->n * sizeof(CertificateBrief));
                return (CertificateBriefs){.items = items, .n = text->n};
        }
        CertificateBriefs briefs = briefs_read(pem, arena);
        if (memo)
                remember_text(memo, digest, &briefs);
        return briefs;
}
