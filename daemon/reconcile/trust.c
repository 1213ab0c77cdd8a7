/* Whom nodes trust, as a secret with one key for each authority. */

#include "secrets-private.h"

#include <string.h>

#include "authority.h"
#include "crypto/certificate.h"
#include "model/facts.h"
#include "str.h"

typedef struct Bundles {
        MrTree *wanted, *found, *values;
        const char *reason, *pending;
} Bundles;

static void warn_of_authority(Lowering *lowering, const MrTrust *trust,
                              const Authority *authority) {
        int64_t left = authority->not_after - mr_facts_now(lowering->facts);
        const char *public = certificate_public_secret(lowering->arena, authority->name);

        if (authority->waits)
                mr_manifests_warn(lowering->wanted, "CertificateRotation",
                                  "%s has a new key, which signs when every node trusts it; waits: "
                                  "%s",
                                  authority->name, authority->waits);
        if (authority->key && facts_is_written(lowering->facts, public) &&
            left < certificate_days_sec(trust->renewal_days, facts_day(lowering->facts)))
                mr_manifests_warn(lowering->wanted, "CertificateRenewal",
                                  "the Secret %s, which somebody wrote, %s; write a new one",
                                  public, left > 0 ? "ends soon" : "has ended");
}

static void add_bundle(Lowering *lowering, const MrTrust *trust, Bundles *bundles) {
        Authority authority = authority_read(&lowering->loading, trust->authority);
        const char *stored = mr_facts_secret(lowering->facts, trust->name, trust->key);
        const char *reason, *text = authority_bundle(&lowering->loading, &authority, &reason);

        if (authority.key && !authority.waits)
                mr_manifests_remember(lowering->wanted,
                                      authority_memory(&lowering->loading, authority.name),
                                      authority.key);
        warn_of_authority(lowering, trust, &authority);
        if (!text)
                bundles->pending =
                        mr_arena_strf(lowering->arena, "secret %s-cert", trust->authority);
        bundles->reason = reason ? reason : bundles->reason;
        mr_tree_set_string(bundles->values, trust->key, text ? text : "");
        lower_digest(mr_tree_need_map(bundles->wanted, "digests"), trust->key, text ? text : "");
        if (stored)
                lower_digest(mr_tree_need_map(bundles->found, "digests"), trust->key, stored);
}

static bool is_first_of_secret(const Lowering *lowering, size_t i) {
        const MrPart *part = mr_parts_at(lowering->loading.parts, i);

        for (size_t k = 0; k < i; k++) {
                const MrPart *other = mr_parts_at(lowering->loading.parts, k);
                if (other->kind == MR_PART_TRUST && mr_streq(other->trust.name, part->trust.name))
                        return false;
        }
        return true;
}

/* All keys of one secret, when its first part is met. */
int lower_trust(Lowering *lowering, size_t at, MrError *err) {
        const MrParts *parts = lowering->loading.parts;
        const MrTrust *first = &mr_parts_at(parts, at)->trust;
        _cleanup_(mr_tree_freep) MrTree *values = mr_tree_new_map();
        _cleanup_buf_ MrBuf payload = {};
        Bundles bundles = {.values = values};
        MrManifest manifest = {
                .kind = "Secret", .ns = lowering->ns, .name = first->name, .rank = RANK_SECRET};

        if (!is_first_of_secret(lowering, at))
                return 0;
        if (facts_is_written(lowering->facts, first->name))
                return mr_fail(err, MR_INVALID, NULL,
                               "millrace makes the Secret %s itself; give yours another name",
                               first->name);
        bundles.wanted = mr_tree_new_map();
        bundles.found = mr_tree_new_map();
        for (size_t i = at; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind == MR_PART_TRUST && mr_streq(part->trust.name, first->name))
                        add_bundle(lowering, &part->trust, &bundles);
        }
        for (size_t i = 0; i < first->labels.n; i++) {
                const MrPair *pair = &first->labels.items[i];
                mr_tree_set_string(mr_tree_need_map(bundles.wanted, "labels"), pair->key,
                                   pair->value);
        }
        mr_json_write(values, 0, &payload);
        if (mr_tree_size(bundles.found) > 0) {
                if (mr_tree_get(bundles.wanted, "labels"))
                        mr_tree_set(bundles.found, "labels",
                                    mr_tree_copy(mr_tree_get(bundles.wanted, "labels")));
                mr_tree_set_string(bundles.found, "reissue", bundles.reason);
                manifest.body = bundles.found;
                mr_manifests_add(lowering->found, manifest);
        } else
                mr_tree_free(bundles.found);
        manifest.body = bundles.wanted;
        manifest.payload = mr_buf_text(&payload);
        manifest.pending = bundles.pending;
        mr_manifests_add(lowering->wanted, manifest);
        return 0;
}
