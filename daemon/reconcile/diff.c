/* Differences, and the words for them. */

#include "diff.h"

#include <ctype.h>
#include <string.h>

#include "inline.h"
#include "str.h"

/* More differences than this are counted, not listed. */
#define LISTED_MAX 3

struct Diff {
        Change *changes;
        size_t n, allocated;
};

Diff *diff_free(Diff *diff) {
        if (!diff)
                return NULL;
        free(diff->changes);
        free(diff);
        return NULL;
}

size_t diff_size(const Diff *diff) {
        return diff->n;
}

const Change *diff_at(const Diff *diff, size_t i) {
        return i < diff->n ? &diff->changes[i] : NULL;
}

typedef struct Words {
        MrBuf text;
        size_t n;
        bool is_secret; /* of a setting, whose name is beside its value */
} Words;

/* Reasons are logged, so they do not tell a password that somebody wrote into a resource. */
static void add_value(MrBuf *text, const MrTree *value, bool is_hidden) {
        const char *string = mr_tree_string(value);

        if (!value)
                mr_buf_puts(text, "nothing");
        else if (is_hidden)
                mr_buf_puts(text, "…");
        else if (string && strlen(string) <= 60 && !strchr(string, '\n'))
                mr_buf_puts(text, *string ? string : "\"\"");
        else if (string || mr_tree_size(value) > 0)
                mr_buf_puts(text, "…");
        else
                mr_json_write(value, 0, text);
}

static void add_words(const char *path, const MrTree *a, const MrTree *b, void *userdata) {
        Words *words = userdata;

        /* The fingerprint follows from the rest. */
        if (mr_ends_with(path, "fingerprint") || words->n++ >= LISTED_MAX)
                return;
        if (words->n > 1)
                mr_buf_puts(&words->text, ", ");
        path = mr_starts_with(path, "properties.") ? path + strlen("properties.") : path;
        mr_buf_printf(&words->text, "%s ", path);
        bool is_hidden = words->is_secret || inline_hides(path, a) || inline_hides(path, b);
        add_value(&words->text, a, is_hidden);
        mr_buf_puts(&words->text, " → ");
        add_value(&words->text, b, is_hidden);
}

static const char *words_of(MrArena *arena, const MrTree *from, const MrTree *to) {
        Words words = {.is_secret = inline_is_secret(mr_tree_get_string(to, "key"))};

        mr_tree_diff(from, to, add_words, &words);
        if (words.n > LISTED_MAX)
                mr_buf_printf(&words.text, " and %zu more", words.n - LISTED_MAX);
        const char *text =
                words.text.size > 0 ? mr_arena_strdup(arena, mr_buf_text(&words.text)) : NULL;
        mr_buf_done(&words.text);
        return text;
}

static const char *subject_of(MrArena *arena, const MrManifest *manifest) {
        char *subject = mr_arena_strf(arena, "%s %s", manifest->kind, manifest->name);

        subject[0] = (char) tolower((unsigned char) subject[0]);
        return subject;
}

static const char *update_reason(MrArena *arena, const MrManifest *wanted,
                                 const MrManifest *found) {
        const char *own = mr_tree_get_string(found->body, "reissue"), *reason;

        if (own)
                return own;
        if (mr_tree_get(wanted->body, "digest"))
                return "its content differs from the spec";
        reason = words_of(arena, found->body, wanted->body);
        return reason ? reason : "it differs from the spec";
}

static void note_limit(const char *path, const MrTree *a, const MrTree *b, void *userdata) {
        static const char *const limits[] = {"memory_limit", "memory_request", "cpu_limit",
                                             "cpu_request"};
        bool *is_limit = userdata;

        (void) a;
        (void) b;
        for (size_t i = 0; i < MR_ELEMENTS(limits); i++)
                *is_limit = *is_limit || mr_ends_with(path, limits[i]);
}

static void add_change(Diff *diff, MrArena *arena, MrVerb verb, const MrManifest *wanted,
                       const MrManifest *found) {
        const MrManifest *manifest = wanted ? wanted : found;
        const char *reason = verb == MR_VERB_CREATE   ? "it does not exist yet"
                             : verb == MR_VERB_REMOVE ? "it is no longer wanted"
                                                      : update_reason(arena, wanted, found);

        MR_GROW(diff->changes, diff->n, diff->allocated);
        diff->changes[diff->n++] = (Change){
                .verb = verb,
                .wanted = wanted,
                .found = found,
                .node = manifest->node,
                .subject = subject_of(arena, manifest),
                .reason = reason,
                .pending = wanted ? wanted->pending : NULL,
        };
        if (verb == MR_VERB_UPDATE)
                mr_tree_diff(found->body, wanted->body, note_limit,
                             &diff->changes[diff->n - 1].is_limit);
}

static int compare_keys(const MrManifest *a, const MrManifest *b) {
        if (!a || !b)
                return a ? -1 : 1;
        int order = strcmp(a->kind, b->kind);
        if (order == 0)
                order = strcmp(a->ns, b->ns);
        return order ? order : strcmp(a->name, b->name);
}

/* Whether a found object that is not wanted was made for this owner and may go. */
static bool may_go(const PlanInput *input, const MrManifest *found) {
        return !found->keep && found->owner && mr_streq(found->owner, input->owner);
}

static int by_rank(const void *a, const void *b) {
        const Change *x = a, *y = b;
        const MrManifest *p = x->wanted ? x->wanted : x->found,
                         *q = y->wanted ? y->wanted : y->found;

        return p->rank != q->rank ? (p->rank < q->rank ? -1 : 1) : compare_keys(p, q);
}

/* In a deletion everything found goes, but what the spec wants kept. */
static void add_one(Diff *diff, MrArena *arena, const PlanInput *input, const MrManifest *wanted,
                    const MrManifest *found) {
        if (input->is_deleted) {
                if (found && (wanted ? !wanted->keep : may_go(input, found)))
                        add_change(diff, arena, MR_VERB_REMOVE, NULL, found);
        } else if (!found)
                add_change(diff, arena, MR_VERB_CREATE, wanted, NULL);
        else if (!wanted) {
                if (may_go(input, found))
                        add_change(diff, arena, MR_VERB_REMOVE, NULL, found);
        } else if (!mr_tree_equal(wanted->body, found->body))
                add_change(diff, arena, MR_VERB_UPDATE, wanted, found);
}

int diff_make(MrArena *arena, const PlanInput *input, Diff **ret, MrError *err) {
        _cleanup_(diff_freep) Diff *diff = mr_new(Diff, 1);
        const MrManifests *wanted = input->wanted, *found = input->found;

        (void) err;
        for (size_t i = 0, k = 0; i < mr_manifests_size(wanted) || k < mr_manifests_size(found);) {
                const MrManifest *a = mr_manifests_at(wanted, i), *b = mr_manifests_at(found, k);
                int order = compare_keys(a, b);
                add_one(diff, arena, input, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
                i += order <= 0;
                k += order >= 0;
        }
        if (diff->n > 0)
                qsort(diff->changes, diff->n, sizeof(Change), by_rank);
        *ret = TAKE(diff);
        return 0;
}

const char *diff_restart_reason(MrArena *arena, const Diff *diff, const MrNodeWanted *wanted,
                                const MrNodeFact *fact) {
        const char *reason =
                fact->settings ? words_of(arena, fact->settings, wanted->settings) : NULL;

        if (reason)
                return reason;
        for (size_t i = 0; i < diff->n; i++) {
                const Change *change = &diff->changes[i];
                if (mr_streq(change->node, wanted->node) && change->wanted &&
                    change->wanted->restarts)
                        return mr_arena_strf(arena, "%s: %s", change->subject, change->reason);
        }
        return "it runs with an older configuration";
}
