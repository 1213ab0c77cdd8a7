/* Custom resources, each: which there are, which of them are our business, and telling it. */

#include "follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* --- what is kept of each */

static size_t place_of(const Followed *kind, const char *ns, const char *name, bool *ret_is_there) {
        size_t low = 0, high = kind->n;

        *ret_is_there = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(kind->items[middle]->ns, ns);
                order = order ? order : strcmp(kind->items[middle]->name, name);
                if (order == 0) {
                        *ret_is_there = true;
                        return middle;
                }
                *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
        }
        return low;
}

static Kept *find(const Followed *kind, const char *ns, const char *name) {
        bool is_there;
        size_t i = place_of(kind, ns, name, &is_there);

        return is_there ? kind->items[i] : NULL;
}

static Kept *need(Followed *kind, const char *ns, const char *name) {
        bool is_there;
        size_t i = place_of(kind, ns, name, &is_there);

        if (is_there)
                return kind->items[i];
        Kept *kept = mr_new(Kept, 1);
        *kept = (Kept){.of = kind, .ns = mr_strdup(ns), .name = mr_strdup(name)};
        MR_GROW(kind->items, kind->n, kind->allocated);
        memmove(&kind->items[i + 1], &kind->items[i], (kind->n++ - i) * sizeof(Kept *));
        return kind->items[i] = kept;
}

void kept_free(Kept *kept) {
        client_cancel(kept->of->follow->client, kept->request);
        mr_tree_free(kept->finalizers);
        mr_tree_free(kept->held);
        mr_tree_free(kept->wanted);
        free(kept->ns);
        free(kept->name);
        free(kept->uid);
        free(kept->version);
        free(kept->owner);
        free(kept);
}

static Followed *find_kind(const Follow *follow, const char *name) {
        for (size_t i = 0; i < follow->n_kinds; i++)
                if (mr_streq(follow->kinds[i].kind->name, name))
                        return &follow->kinds[i];
        return NULL;
}

Kept *follow_find(const Follow *follow, const char *kind, const char *ns, const char *name) {
        const Followed *followed = follow ? find_kind(follow, kind) : NULL;

        return followed && ns && name ? find(followed, ns, name) : NULL;
}

/* --- which of them are our business */

static bool selects(const MrTree *selector, const MrTree *resource) {
        const MrTree *labels = mr_tree_get(mr_tree_get(resource, "metadata"), "labels");

        for (size_t i = 0; i < mr_tree_size(selector); i++)
                if (!mr_streq(mr_tree_get_string(labels, mr_tree_key(selector, i)),
                              mr_tree_string(mr_tree_at(selector, i))))
                        return false;
        return true;
}

/* A part of another resource, or about one, is our business when that one is. */
static bool is_ours(const Kept *kept, const MrTree *resource) {
        const MrKind *kind = kept->of->kind;
        const char *owner_kind = kind->owner_kind ? kind->owner_kind : kind->about_kind;

        if (!kept->of->follow->selector)
                return true;
        if (!owner_kind)
                return selects(kept->of->follow->selector, resource);
        const Kept *owner = follow_find(kept->of->follow, owner_kind, kept->ns, kept->owner);
        return owner && owner->is_told;
}

bool followed_is_judged(const Followed *kind) {
        const char *owner_kind =
                kind->kind->owner_kind ? kind->kind->owner_kind : kind->kind->about_kind;
        const Followed *owner = owner_kind ? find_kind(kind->follow, owner_kind) : NULL;

        return !kind->follow->selector || !owner || owner->is_listed;
}

/* --- telling */

static void consider(Kept *kept, const MrTree *resource);

static void each_part(const Kept *owner, void (*found)(Kept *part)) {
        Follow *follow = owner->of->follow;

        for (size_t i = 0; i < follow->n_kinds; i++) {
                const MrKind *kind = follow->kinds[i].kind;
                if (!mr_streq(kind->owner_kind ? kind->owner_kind : kind->about_kind,
                              owner->of->kind->name))
                        continue;
                for (size_t k = 0; k < follow->kinds[i].n; k++) {
                        Kept *part = follow->kinds[i].items[k];
                        if (mr_streq(part->ns, owner->ns) && mr_streq(part->owner, owner->name))
                                found(part);
                }
        }
}

/* Its owner has become our business. What it is may not be known any more; then it is read again.
 */
static void part_comes(Kept *part) {
        _cleanup_(mr_tree_freep) MrTree *held = TAKE(part->held);

        if (held)
                consider(part, held);
        else if (!part->is_told) {
                part->number = 0;
                (void) sd_event_source_set_time_relative(part->of->again, 0);
                (void) sd_event_source_set_enabled(part->of->again, SD_EVENT_ONESHOT);
        }
}

void kept_tell_left(Kept *kept) {
        const MrFollowing *told = kept->of->follow->told;

        if (!kept->is_told)
                return;
        kept->is_told = false;
        kept->wanted = mr_tree_free(kept->wanted);
        told->left(told->userdata, kept->of->kind, kept->ns, kept->name);
        each_part(kept, kept_tell_left);
}

/* Whether it was so already when this program was started is not known here. */
static void hold_back(Kept *kept, const MrTree *resource) {
        bool is_new = !kept->held;

        mr_tree_free(kept->held);
        kept->held = mr_tree_copy(resource);
        kept->is_told = kept->is_told || (is_new && followed_is_judged(kept->of));
        kept_tell_left(kept);
}

static void consider(Kept *kept, const MrTree *resource) {
        const MrFollowing *told = kept->of->follow->told;

        if (!is_ours(kept, resource)) {
                hold_back(kept, resource);
                return;
        }
        bool is_new = !kept->is_told;
        kept->held = mr_tree_free(kept->held);
        kept->is_told = true;
        told->seen(told->userdata, kept->of->kind, resource);
        kept_check(kept);
        if (is_new && kept->of->follow->selector)
                each_part(kept, part_comes);
}

static void drop_at(Followed *kind, size_t i) {
        const MrFollowing *told = kind->follow->told;
        Kept *kept = kind->items[i];

        memmove(&kind->items[i], &kind->items[i + 1], (--kind->n - i) * sizeof(Kept *));
        if (kept->is_told)
                told->gone(told->userdata, kind->kind, kept->ns, kept->name);
        kept_free(kept);
}

/* --- what a watch finds */

static void set_text(char **text, const char *value) {
        free(*text);
        *text = mr_strdup(value);
}

static uint64_t number_of(const char *version) {
        return version ? strtoull(version, NULL, 10) : 0;
}

static void fill(Kept *kept, const MrTree *metadata, const MrTree *status) {
        const MrKind *kind = kept->of->kind;
        const MrTree *labels = mr_tree_get(metadata, "labels");
        const MrTree *finalizers = mr_tree_get(metadata, "finalizers");
        const char *label = kind->owner_kind ? kind->owner_label : kind->about_label;
        const char *uid = mr_tree_get_string(metadata, "uid");

        if (!mr_streq(kept->uid, uid))
                *kept->sent = *kept->became = '\0';
        set_text(&kept->uid, uid);
        set_text(&kept->version, mr_tree_get_string(metadata, "resourceVersion"));
        set_text(&kept->owner, label ? mr_tree_get_string(labels, label) : NULL);
        kept->number = number_of(kept->version);
        kept->is_seen = true;
        kept->is_going = mr_tree_get_string(metadata, "deletionTimestamp") != NULL;
        mr_tree_free(kept->finalizers);
        kept->finalizers = mr_tree_size(finalizers) > 0 ? mr_tree_copy(finalizers) : NULL;
        mr_tree_digest(status, kept->status);
}

/* Nobody looks at these, and they are large. */
static void strip(MrTree *resource) {
        MrTree *metadata = mr_tree_get(resource, "metadata");

        mr_tree_remove(metadata, "managedFields");
        if (mr_tree_get(metadata, "annotations"))
                mr_tree_remove(mr_tree_get(metadata, "annotations"), LAST_APPLIED);
}

static bool on_put(void *userdata, MrTree *resource) {
        Followed *kind = userdata;
        const MrTree *metadata = mr_tree_get(resource, "metadata");
        const char *ns = mr_tree_get_string(metadata, "namespace"),
                   *name = mr_tree_get_string(metadata, "name");

        if (!ns || !name)
                return false;
        Kept *kept = need(kind, ns, name);
        kept->is_seen = true;
        if (kept->number >= number_of(mr_tree_get_string(metadata, "resourceVersion")))
                return false;
        fill(kept, metadata, mr_tree_get(resource, "status"));
        strip(resource);
        consider(kept, resource);
        return false;
}

void follow_take(Kept *kept, const MrTree *answer) {
        _cleanup_(mr_tree_freep) MrTree *resource = mr_tree_copy(answer);

        (void) on_put(kept->of, resource);
}

static bool on_remove(void *userdata, const MrTree *resource) {
        Followed *kind = userdata;
        const MrTree *metadata = mr_tree_get(resource, "metadata");
        const char *ns = mr_tree_get_string(metadata, "namespace"),
                   *name = mr_tree_get_string(metadata, "name");
        bool is_there = false;
        size_t i = ns && name ? place_of(kind, ns, name, &is_there) : 0;

        /* Another of that name may have been made since. */
        if (is_there &&
            kind->items[i]->number <= number_of(mr_tree_get_string(metadata, "resourceVersion")))
                drop_at(kind, i);
        return false;
}

static void on_begins(void *userdata, const char *ns) {
        Followed *kind = userdata;

        for (size_t i = 0; i < kind->n; i++)
                if (!ns || mr_streq(kind->items[i]->ns, ns))
                        kind->items[i]->is_seen = false;
}

static bool on_ends(void *userdata, const char *ns) {
        Followed *kind = userdata;

        for (size_t i = kind->n; i-- > 0;)
                if ((!ns || mr_streq(kind->items[i]->ns, ns)) && !kind->items[i]->is_seen)
                        drop_at(kind, i);
        return false;
}

const WatchSink kept_sink = {
        .begins = on_begins,
        .put = on_put,
        .remove = on_remove,
        .ends = on_ends,
};
