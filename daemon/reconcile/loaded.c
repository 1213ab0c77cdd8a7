/* Files, the processes that read them, and what shows which of it they have read. */

#include "loaded.h"

#include <string.h>

#include "crypto/certificate-memo.h"
#include "model/facts.h"
#include "references.h"
#include "str.h"

typedef enum Shown {
        SHOWN_UNKNOWN,
        SHOWN_OTHER,
        SHOWN_SAME,
} Shown;

/* Platforms that have files as objects of their own call them NODE/NAME. */
static const MrManifest *find_file(const MrManifests *manifests, const MrFile *file) {
        _cleanup_free_ char *name = mr_strf("%s/%s", file->node, file->name);

        for (size_t i = 0; manifests && i < mr_manifests_size(manifests); i++) {
                const MrManifest *manifest = mr_manifests_at(manifests, i);
                if (mr_streq(manifest->node, file->node) && mr_streq(manifest->name, name))
                        return manifest;
        }
        return NULL;
}

static bool is_written(const Loading *loading, const MrFile *file) {
        const MrManifest *wanted = find_file(loading->wanted, file),
                         *found = find_file(loading->observed, file);

        return !wanted || (found && mr_tree_equal(wanted->body, found->body));
}

static const MrNodeWanted *find_node(const Loading *loading, const char *node) {
        for (size_t i = 0; i < mr_manifests_nodes(loading->wanted); i++) {
                const MrNodeWanted *wanted = mr_manifests_node_at(loading->wanted, i);
                if (mr_streq(wanted->node, node))
                        return wanted;
        }
        return NULL;
}

/* SHA-256 of what an endpoint should show: of the first certificate, or of the names of all. */
static MrStrings expected(const Loading *loading, const char *content, bool is_trust) {
        CertificateBriefs briefs = certificate_memo_briefs(facts_certificate_memo(loading->facts),
                                                           content, loading->arena);
        MrStrings texts = {};

        for (size_t i = 0; i < briefs.n && (is_trust || i == 0); i++)
                mr_strings_add(loading->arena, &texts,
                               is_trust ? briefs.items[i].name_digest : briefs.items[i].digest);
        return texts;
}

static size_t count_in(const MrTree *list, const char *text) {
        size_t n = 0;

        for (size_t i = 0; i < mr_tree_size(list); i++)
                n += mr_streq(mr_tree_string(mr_tree_at(list, i)), text);
        return n;
}

static size_t count_of(const MrStrings *texts, const char *text) {
        size_t n = 0;

        for (size_t i = 0; i < texts->n; i++)
                n += mr_streq(texts->items[i], text);
        return n;
}

/* Two certificates may have the same name, so each counts. */
static bool is_same_set(const MrTree *list, const MrStrings *texts) {
        if (mr_tree_size(list) != texts->n)
                return false;
        for (size_t i = 0; i < texts->n; i++)
                if (count_in(list, texts->items[i]) != count_of(texts, texts->items[i]))
                        return false;
        return true;
}

static Shown compare_shown(const MrTree *entry, const MrFile *file, const MrStrings *wanted) {
        const MrTree *authorities = mr_tree_get(entry, "authorities");
        const char *certificate = mr_tree_get_string(entry, "certificate");

        if (!entry || mr_tree_get_string(entry, "error"))
                return SHOWN_UNKNOWN;
        if (file->shows == MR_SHOWS_TRUST)
                return !authorities                       ? SHOWN_UNKNOWN
                       : is_same_set(authorities, wanted) ? SHOWN_SAME
                                                          : SHOWN_OTHER;
        return !certificate                              ? SHOWN_UNKNOWN
               : mr_streq(certificate, wanted->items[0]) ? SHOWN_SAME
                                                         : SHOWN_OTHER;
}

/* The least that is known of all its endpoints; *ret_is_late: one of them shows something else. */
static Shown shown(const Loading *loading, const MrFile *file, bool *ret_is_late) {
        const MrTree *node = mr_tree_get(mr_facts_view(loading->facts, "tls"), file->node);
        Shown worst = SHOWN_SAME;
        const char *content;

        if (reference_text(file->content, loading->wanted, loading->facts, loading->arena, &content,
                           NULL) != 0)
                return SHOWN_UNKNOWN;
        MrStrings wanted = expected(loading, content, file->shows == MR_SHOWS_TRUST);
        if (wanted.n == 0)
                return SHOWN_UNKNOWN;
        for (size_t i = 0; i < file->shown_at.n; i++) {
                Shown one =
                        compare_shown(mr_tree_get(node, file->shown_at.items[i]), file, &wanted);
                worst = one < worst ? one : worst;
                *ret_is_late = *ret_is_late || one == SHOWN_OTHER;
        }
        return worst;
}

static const char *waits_of_running(const Loading *loading, const MrFile *file,
                                    const MrNodeFact *fact) {
        const MrNodeWanted *node = find_node(loading, file->node);
        bool is_late = false;

        if (file->effect == MR_EFFECT_RESTART)
                return node && mr_streq(node->fingerprint, fact->fingerprint) && fact->fingerprint
                               ? NULL
                               : mr_arena_strf(loading->arena, "%s has not restarted with its %s",
                                               file->node, file->name);
        if (!is_written(loading, file))
                return mr_arena_strf(loading->arena, "%s does not have its %s yet", file->node,
                                     file->name);
        if (file->shows == MR_SHOWS_NOTHING)
                return NULL;
        if (fact->state != MR_NODE_RUNNING)
                return mr_arena_strf(loading->arena, "%s is %s", file->node,
                                     mr_node_state_name(fact->state));
        if (shown(loading, file, &is_late) == SHOWN_SAME)
                return NULL;
        return is_late ? mr_arena_strf(loading->arena, "%s has not read its %s yet", file->node,
                                       file->name)
                       : mr_arena_strf(loading->arena, "it is not known yet which %s %s has read",
                                       file->name, file->node);
}

static bool is_up(const MrNodeFact *fact) {
        return fact && (fact->state == MR_NODE_RUNNING || fact->state == MR_NODE_STARTING ||
                        fact->state == MR_NODE_STOPPING);
}

const char *loaded_waits(const Loading *loading, const MrFile *file) {
        const MrNodeFact *fact = mr_facts_node(loading->facts, file->node);

        if (is_up(fact))
                return waits_of_running(loading, file, fact);
        if (!find_file(loading->observed, file) || is_written(loading, file))
                return NULL;
        return mr_arena_strf(loading->arena, "%s does not have its %s yet", file->node, file->name);
}

static bool refers_to(const MrFile *file, const char *secret, const char *key) {
        _cleanup_free_ char *reference =
                mr_strf("@{secret:%s/%s%s", secret, key ? key : "", key ? "}" : "");
        return strstr(file->content, reference) != NULL;
}

const char *loaded_waits_for(const Loading *loading, const char *secret, const char *key) {
        for (size_t i = 0; i < mr_parts_size(loading->parts); i++) {
                const MrPart *part = mr_parts_at(loading->parts, i);
                const char *waits =
                        part->kind == MR_PART_FILE && refers_to(&part->file, secret, key)
                                ? loaded_waits(loading, &part->file)
                                : NULL;
                if (waits)
                        return waits;
        }
        return NULL;
}

static bool is_late(const Loading *loading, const MrFile *file) {
        const MrNodeFact *fact = mr_facts_node(loading->facts, file->node);
        bool result = false;

        if (!fact || fact->state != MR_NODE_RUNNING || file->shows == MR_SHOWS_NOTHING ||
            !is_written(loading, file))
                return false;
        (void) shown(loading, file, &result);
        return result;
}

bool loaded_is_late(const Loading *loading, const char *name) {
        for (size_t i = 0; i < mr_parts_size(loading->parts); i++) {
                const MrPart *part = mr_parts_at(loading->parts, i);
                if (part->kind != MR_PART_FILE)
                        continue;
                _cleanup_free_ char *own = mr_strf("%s/%s", part->file.node, part->file.name);
                if (mr_streq(own, name))
                        return is_late(loading, &part->file);
        }
        return false;
}

/* When what the file should hold ends; 0 when that is not known. */
static int64_t end_of(const Loading *loading, const MrFile *file) {
        const char *content;

        if (reference_text(file->content, loading->wanted, loading->facts, loading->arena, &content,
                           NULL) != 0)
                return 0;
        CertificateBriefs briefs = certificate_memo_briefs(facts_certificate_memo(loading->facts),
                                                           content, loading->arena);
        return briefs.n > 0 ? briefs.items[0].not_after : 0;
}

static bool shows_what_ended(const Loading *loading, const MrFile *file) {
        const MrTree *node = mr_tree_get(mr_facts_view(loading->facts, "tls"), file->node);

        for (size_t i = 0; i < file->shown_at.n; i++) {
                const MrTree *entry = mr_tree_get(node, file->shown_at.items[i]);
                int64_t end = mr_tree_get_int(entry, "not_after", 0);
                if (end > 0 && end <= mr_facts_now(loading->facts))
                        return true;
        }
        return false;
}

bool loaded_outlives(const Loading *loading, const char *node) {
        for (size_t i = 0; i < mr_parts_size(loading->parts); i++) {
                const MrPart *part = mr_parts_at(loading->parts, i);
                if (part->kind == MR_PART_FILE && mr_streq(part->file.node, node) &&
                    part->file.shows == MR_SHOWS_CERTIFICATE &&
                    shows_what_ended(loading, &part->file) &&
                    end_of(loading, &part->file) > mr_facts_now(loading->facts))
                        return true;
        }
        return false;
}
