/* What is written to a custom resource: its status, and what keeps it there. One request for each
 * at a time, and not too often: what changes meanwhile goes with the next one. */

#include <errno.h>
#include <string.h>

#include "follow.h"
#include "pace.h"
#include "str.h"

#define TIMEOUT_SEC 30
#define INTERVAL_USEC (SEC / 2)
/* Somebody else writes another status. */
#define QUARREL_USEC (60 * SEC)
#define BACKOFF_MAX_SEC 60
#define PATCH_TYPE "application/json-patch+json"

bool kept_is_held(const Kept *kept) {
        for (size_t i = 0; i < mr_tree_size(kept->finalizers); i++)
                if (mr_streq(mr_tree_string(mr_tree_at(kept->finalizers, i)), HOLD))
                        return true;
        return false;
}

/* What the server made of what was sent counts as that. */
static bool wants_status(const Kept *kept) {
        if (!kept->wanted || mr_streq(kept->wanted_digest, kept->status))
                return false;
        return !mr_streq(kept->wanted_digest, kept->sent) || !mr_streq(kept->became, kept->status);
}

static bool wants_release(const Kept *kept) {
        return kept->is_released && kept_is_held(kept);
}

static void wake(Follow *follow, uint64_t at_usec) {
        uint64_t known = UINT64_MAX;
        int enabled = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(follow->writes, &enabled);
        (void) sd_event_source_get_time(follow->writes, &known);
        if (enabled != SD_EVENT_OFF && known <= at_usec)
                return;
        (void) sd_event_source_set_time(follow->writes, at_usec);
        (void) sd_event_source_set_enabled(follow->writes, SD_EVENT_ONESHOT);
}

void kept_check(Kept *kept) {
        if (!kept->request && (wants_status(kept) || wants_release(kept)))
                wake(kept->of->follow, kept->not_before_usec);
}

void kept_want_status(Kept *kept, const MrTree *status) {
        char digest[65];

        mr_tree_digest(status, digest);
        if (kept->wanted && mr_streq(digest, kept->wanted_digest))
                return;
        /* What is new does not wait as long as what was disputed. */
        if (!kept->failures &&
            kept->not_before_usec >
                    pace_now(kept->of->follow->event, CLOCK_MONOTONIC) + INTERVAL_USEC)
                kept->not_before_usec =
                        pace_now(kept->of->follow->event, CLOCK_MONOTONIC) + INTERVAL_USEC;
        mr_tree_free(kept->wanted);
        kept->wanted = mr_tree_copy(status);
        memcpy(kept->wanted_digest, digest, sizeof(digest));
        kept_check(kept);
}

void kept_release(Kept *kept) {
        kept->is_released = kept_is_held(kept);
        kept_check(kept);
}

/* --- requests */

static MrTree *add_operation(MrTree *patch, const char *operation, const char *path,
                             MrTree *take_value) {
        MrTree *entry = mr_tree_append(patch, mr_tree_new_map());

        mr_tree_set_string(entry, "op", operation);
        mr_tree_set_string(entry, "path", path);
        mr_tree_set(entry, "value", take_value);
        return entry;
}

static Request *send_patch(const Kept *kept, const char *subresource, const MrTree *patch,
                           ClientDone done, void *userdata) {
        _cleanup_free_ char *path = api_path(&kept->of->api, kept->ns, kept->name);
        _cleanup_free_ char *url = mr_strf("%s%s?fieldManager=millrace", path, subresource);

        return client_request(kept->of->follow->client, &(RequestArgs){
                                                                .method = "PATCH",
                                                                .path = url,
                                                                .type = PATCH_TYPE,
                                                                .content = patch,
                                                                .timeout_sec = TIMEOUT_SEC,
                                                                .done = done,
                                                                .userdata = userdata,
                                                        });
}

/* Only the very object that was seen. */
static MrTree *patch_of(const Kept *kept) {
        MrTree *patch = mr_tree_new_list();

        add_operation(patch, "test", "/metadata/uid", mr_tree_new_string(kept->uid));
        return patch;
}

static MrTree *finalizers_patch(const Kept *kept, MrTree *take_finalizers) {
        MrTree *patch = patch_of(kept);

        add_operation(patch, "test", "/metadata/resourceVersion",
                      mr_tree_new_string(kept->version));
        add_operation(patch, "add", "/metadata/finalizers", take_finalizers);
        return patch;
}

Request *kept_hold(const Kept *kept, ClientDone done, void *userdata) {
        MrTree *finalizers = kept->finalizers ? mr_tree_copy(kept->finalizers) : mr_tree_new_list();

        mr_tree_append(finalizers, mr_tree_new_string(HOLD));
        _cleanup_(mr_tree_freep) MrTree *patch = finalizers_patch(kept, finalizers);
        return send_patch(kept, "", patch, done, userdata);
}

static MrTree *without_ours(const MrTree *finalizers) {
        MrTree *rest = mr_tree_new_list();

        for (size_t i = 0; i < mr_tree_size(finalizers); i++)
                if (!mr_streq(mr_tree_string(mr_tree_at(finalizers, i)), HOLD))
                        mr_tree_append(rest, mr_tree_copy(mr_tree_at(finalizers, i)));
        return rest;
}

static void tell_failure(const Kept *kept, int r, const MrError *err) {
        _cleanup_error_ MrError own = {};

        (void) mr_fail(&own, mr_error_kind(err, r), NULL, "%s/%s cannot be written to: %s",
                       kept->ns, kept->name, err->message ? err->message : strerror(-r));
        followed_tell(kept->of, r, &own);
}

/* That it has changed or gone meanwhile is told by its watch, and then it is done anew. */
static void note_failure(Kept *kept, int r, const MrError *err) {
        kept->not_before_usec = pace_now(kept->of->follow->event, CLOCK_MONOTONIC) +
                                pace_backoff(kept->failures++, BACKOFF_MAX_SEC);
        if (r != -ENOENT && mr_error_kind(err, r) != MR_CONFLICT && kept->failures > 1)
                tell_failure(kept, r, err);
}

static void note_success(Kept *kept, const MrTree *answer) {
        bool was_failed = kept->failures > 1;

        kept->failures = 0;
        kept->not_before_usec = pace_now(kept->of->follow->event, CLOCK_MONOTONIC) + INTERVAL_USEC;
        if (was_failed)
                followed_tell(kept->of, 0, NULL);
        follow_take(kept, answer);
}

static void on_status(void *userdata, int r, const MrError *err, unsigned status _unused_,
                      MrTree *take_answer) {
        Kept *kept = userdata;
        _cleanup_(mr_tree_freep) MrTree *answer = take_answer;

        kept->request = NULL;
        if (r >= 0) {
                mr_tree_digest(mr_tree_get(answer, "status"), kept->became);
                note_success(kept, answer);
                if (mr_streq(kept->sent, kept->wanted_digest) &&
                    !mr_streq(kept->became, kept->status))
                        kept->not_before_usec =
                                pace_now(kept->of->follow->event, CLOCK_MONOTONIC) + QUARREL_USEC;
        } else
                note_failure(kept, r, err);
        kept_check(kept);
}

static void on_released(void *userdata, int r, const MrError *err, unsigned status _unused_,
                        MrTree *take_answer) {
        Kept *kept = userdata;
        _cleanup_(mr_tree_freep) MrTree *answer = take_answer;

        kept->request = NULL;
        if (r >= 0) {
                kept->is_released = false;
                note_success(kept, answer);
        } else
                note_failure(kept, r, err);
        kept_check(kept);
}

static void begin_release(Kept *kept) {
        _cleanup_(mr_tree_freep) MrTree *patch =
                finalizers_patch(kept, without_ours(kept->finalizers));

        kept->request = send_patch(kept, "", patch, on_released, kept);
}

static void begin_status(Kept *kept) {
        _cleanup_(mr_tree_freep) MrTree *patch = patch_of(kept);

        add_operation(patch, "add", "/status", mr_tree_copy(kept->wanted));
        memcpy(kept->sent, kept->wanted_digest, sizeof(kept->sent));
        kept->request = send_patch(kept, "/status", patch, on_status, kept);
}

/* --- when */

static bool is_due(const Kept *kept, uint64_t now, uint64_t *later) {
        if (kept->request || (!wants_status(kept) && !wants_release(kept)))
                return false;
        if (kept->not_before_usec > now && kept->not_before_usec < *later)
                *later = kept->not_before_usec;
        return kept->not_before_usec <= now;
}

static int on_writes(sd_event_source *source, uint64_t usec, void *userdata) {
        Follow *follow = userdata;
        uint64_t now = pace_now(follow->event, CLOCK_MONOTONIC), later = UINT64_MAX;

        (void) source;
        (void) usec;
        for (size_t i = 0; i < follow->n_kinds; i++)
                for (size_t k = 0; k < follow->kinds[i].n; k++) {
                        Kept *kept = follow->kinds[i].items[k];
                        if (!is_due(kept, now, &later))
                                continue;
                        if (wants_release(kept))
                                begin_release(kept);
                        else
                                begin_status(kept);
                }
        if (later < UINT64_MAX)
                wake(follow, later);
        return 0;
}

int writes_new(Follow *follow, MrError *err) {
        int r = sd_event_add_time(follow->event, &follow->writes, CLOCK_MONOTONIC, UINT64_MAX, 1000,
                                  on_writes, follow);

        if (r >= 0)
                r = sd_event_source_set_enabled(follow->writes, SD_EVENT_OFF);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot set up the event loop") : 0;
}
