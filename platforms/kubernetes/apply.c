/* Carrying out a batch. What is written to the API server is what we own of an object, whole, and
 * where somebody else has set one of these fields it becomes ours again. Writes of one rank go out
 * together; all else waits for what comes before it. */

#include <errno.h>
#include <string.h>

#include "live.h"
#include "owned.h"
#include "pace.h"

#define TIMEOUT_SEC 30
#define CONTROLLER_USEC (15 * SEC)
#define APPLY_TYPE "application/apply-patch+yaml"
#define MERGE_TYPE "application/merge-patch+json"

typedef struct Act {
        Batch *batch;
        size_t at;
        const ApiKind *kind; /* of the object the request is about */
        char *name;
        Request *request; /* NULL: none, or none any more */
} Act;

struct Batch {
        MrPlatform *platform;
        const MrAction *actions;
        Act *acts;
        size_t n, next, n_running;
        size_t failed; /* the first one that failed; n: none */
        int r;
        MrError err;
        MrApplied done;
        void *userdata;
        sd_event_source *go;       /* begins what may begin, or ends the batch */
        sd_event_source *patience; /* ends while the next one waits for a controller */
};

Batch *batch_free(Batch *batch) {
        if (!batch)
                return NULL;
        for (size_t i = 0; i < batch->n; i++) {
                client_cancel(batch->platform->client, batch->acts[i].request);
                free(batch->acts[i].name);
        }
        free(batch->acts);
        sd_event_source_disable_unref(batch->go);
        sd_event_source_disable_unref(batch->patience);
        mr_error_done(&batch->err);
        free(batch);
        return NULL;
}

static const MrAction *action_of(const Act *act) {
        return &act->batch->actions[act->at];
}

static Cache *cache_of(const Act *act) {
        return &act->batch->platform->cache;
}

static void go_on(Batch *batch) {
        (void) sd_event_source_set_enabled(batch->go, SD_EVENT_ONESHOT);
}

void batch_look(Batch *batch) {
        if (batch)
                go_on(batch);
}

static void note_failure(Act *act, int r, const MrError *err) {
        Batch *batch = act->batch;

        if (act->at >= batch->failed)
                return;
        batch->failed = act->at;
        batch->r = r;
        mr_error_done(&batch->err);
        (void) mr_fail(&batch->err, mr_error_kind(err, r), NULL, "%s",
                       err->message ? err->message : strerror(-r));
        (void) mr_error_within(&batch->err, r, "steps[%zu]", act->at);
}

static void act_done(Act *act, int r, const MrError *err) {
        if (r < 0)
                note_failure(act, r, err);
        act->batch->n_running--;
        go_on(act->batch);
}

/* --- requests */

static void on_written(void *userdata, int r, const MrError *err, unsigned status _unused_,
                       MrTree *take_answer) {
        Act *act = userdata;
        _cleanup_(mr_tree_freep) MrTree *answer = take_answer;
        const MrAction *action = action_of(act);

        act->request = NULL;
        if (r >= 0) {
                (void) cache_put(cache_of(act), act->kind, answer);
                Object *object = cache_find(cache_of(act), act->kind, action->ns, act->name);
                if (object && action->manifest)
                        object_sent(object, action->manifest->body);
        }
        act_done(act, r, err);
}

/* The resource this object of no namespace is for; NULL when the API server does not keep it. */
static Kept *resource_of(const Act *act, const MrTree *body) {
        const MrTree *annotations = mr_tree_get(mr_tree_get(body, "metadata"), "annotations");
        const char *key = mr_tree_get_string(annotations, RESOURCE_ANNOTATION);
        _cleanup_free_ char *kind = mr_strdup(key);
        char *ns, *name;

        if (!act->kind->is_global || !mr_resource_key_split(kind, &ns, &name))
                return NULL;
        return follow_find(act->batch->platform->follow, kind, ns, name);
}

/* What kept the resource there is gone. */
static void let_go(const Act *act) {
        const Object *object = cache_find(cache_of(act), act->kind, action_of(act)->ns, act->name);
        Kept *kept = object ? resource_of(act, object->body) : NULL;

        if (kept)
                kept_release(kept);
}

/* What waits for others to let go of it is answered with the object itself. */
static void on_removed(void *userdata, int r, const MrError *err, unsigned status _unused_,
                       MrTree *take_answer) {
        Act *act = userdata;
        _cleanup_(mr_tree_freep) MrTree *answer = take_answer;
        const char *ns = action_of(act)->ns;

        act->request = NULL;
        if (r == -ENOENT)
                r = 0;
        if (r >= 0)
                let_go(act);
        if (r >= 0 && mr_streq(mr_tree_get_string(answer, "kind"), act->kind->kind) &&
            mr_tree_get_string(mr_tree_get(answer, "metadata"), "deletionTimestamp"))
                (void) cache_put(cache_of(act), act->kind, answer);
        else if (r >= 0)
                (void) cache_drop(cache_of(act), act->kind, ns, act->name);
        act_done(act, r, err);
}

static void send_request(Act *act, const char *method, const char *query, const char *type,
                         const MrTree *content, ClientDone done) {
        _cleanup_free_ char *path = api_path(act->kind, action_of(act)->ns, act->name);
        _cleanup_free_ char *url = mr_strf("%s%s", path, query);

        act->request = client_request(act->batch->platform->client,
                                      &(RequestArgs){
                                              .method = method,
                                              .path = url,
                                              .type = type,
                                              .content = content,
                                              .is_secret = mr_streq(act->kind->kind, "Secret"),
                                              .timeout_sec = TIMEOUT_SEC,
                                              .done = done,
                                              .userdata = act,
                                      });
}

/* `what` is the object the request will be about. */
static void about(Act *act, const char *manifest, const char *name) {
        act->kind = api_kind_of_manifest(manifest);
        free(act->name);
        act->name = mr_strdup(name);
}

static Object *known(const Act *act) {
        return cache_find(cache_of(act), act->kind, action_of(act)->ns, act->name);
}

/* --- what is done. Each returns 1 when a request is under way, and 0 when nothing has to be done.
 */

static bool is_started(const Batch *batch, const MrAction *set) {
        for (size_t i = 0; i < batch->n; i++) {
                const MrAction *action = &batch->actions[i];
                if (action->verb == MR_VERB_START && mr_streq(action->ns, set->ns) &&
                    mr_streq(action->node, set->node))
                        return true;
        }
        return false;
}

/* A set that is there keeps running or resting, and a new one runs when it is to be started. */
static void set_replicas(const Act *act, MrTree *object) {
        const Object *set = known(act);
        MrTree *spec = mr_tree_get(object, "spec");

        if (!mr_streq(act->kind->kind, "StatefulSet") || !spec)
                return;
        mr_tree_set_int(spec, "replicas",
                        set ? mr_tree_get_int(set->state, "replicas", 1)
                            : is_started(act->batch, action_of(act)));
}

/* The collector removes an object whose owner does not exist. */
static bool has_owners(const Act *act, const MrTree *body) {
        const MrTree *owners = mr_tree_get(mr_tree_get(body, "metadata"), "ownerReferences");
        const Follow *follow = act->batch->platform->follow;

        for (size_t i = 0; i < mr_tree_size(owners); i++) {
                const MrTree *owner = mr_tree_at(owners, i);
                const Kept *kept =
                        follow_find(follow, mr_tree_get_string(owner, "kind"), action_of(act)->ns,
                                    mr_tree_get_string(owner, "name"));
                if (!kept || !mr_streq(kept->uid, mr_tree_get_string(owner, "uid")))
                        return false;
        }
        return true;
}

static int write_object(Act *act, MrError *err);

static void on_held(void *userdata, int r, const MrError *err, unsigned status _unused_,
                    MrTree *take_answer) {
        Act *act = userdata;
        _cleanup_(mr_tree_freep) MrTree *answer = take_answer;
        _cleanup_error_ MrError why = {};
        Kept *kept = resource_of(act, action_of(act)->manifest->body);

        act->request = NULL;
        if (r >= 0 && kept)
                follow_take(kept, answer);
        if (r >= 0) {
                r = write_object(act, &why);
                err = &why;
        }
        if (r <= 0)
                act_done(act, r, err);
}

static int write_object(Act *act, MrError *err) {
        const MrManifest *manifest = action_of(act)->manifest;
        _cleanup_(mr_tree_freep) MrTree *object = NULL;

        about(act, manifest->kind, manifest->name);
        if (!act->kind)
                return mr_fail(err, MR_BUG, NULL, "a %s cannot be written", manifest->kind);
        const Kept *kept = resource_of(act, manifest->body);
        if (kept && !kept_is_held(kept)) {
                act->request = kept_hold(kept, on_held, act);
                return 1;
        }
        const Object *former = known(act);
        if (former && former->is_going)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the former one is being deleted and is not gone yet");
        int r = owned_object(manifest->body, manifest->payload, has_owners(act, manifest->body),
                             &object, err);
        if (r < 0)
                return r;
        set_replicas(act, object);
        send_request(act, "PATCH",
                     "?fieldManager=" FIELD_MANAGER "&force=true&fieldValidation=Strict",
                     APPLY_TYPE, object, on_written);
        return 1;
}

/* Only the very object that was seen goes. A set goes after its pod, so that it is seen how long
 * that takes. */
static int remove_known(Act *act) {
        const Object *object = act->kind ? known(act) : NULL;
        _cleanup_(mr_tree_freep) MrTree *options = mr_tree_new_map();

        if (!object || object->is_going)
                return 0;
        mr_tree_set_string(options, "apiVersion", "v1");
        mr_tree_set_string(options, "kind", "DeleteOptions");
        mr_tree_set_string(options, "propagationPolicy",
                           mr_streq(act->kind->kind, "StatefulSet") ? "Foreground" : "Background");
        mr_tree_set_string(mr_tree_need_map(options, "preconditions"), "uid", object->uid);
        send_request(act, "DELETE", "", NULL, options, on_removed);
        return 1;
}

static int remove_object(Act *act) {
        about(act, action_of(act)->manifest->kind, action_of(act)->manifest->name);
        return remove_known(act);
}

static int remove_pod(Act *act) {
        _cleanup_free_ char *name = mr_strf("%s-0", action_of(act)->node);

        about(act, "Pod", name);
        return remove_known(act);
}

static int scale(Act *act, int replicas, MrError *err) {
        const MrAction *action = action_of(act);
        const Object *set = cache_set(cache_of(act), action->ns, action->node);
        _cleanup_(mr_tree_freep) MrTree *patch = mr_tree_new_map();

        if (!set)
                return mr_fail(err, MR_CONFLICT, NULL, "there is no set of this node");
        if (mr_tree_get_int(set->state, "replicas", 0) == replicas)
                return 0;
        about(act, "StatefulSet", action->node);
        mr_tree_set_int(mr_tree_need_map(patch, "spec"), "replicas", replicas);
        send_request(act, "PATCH", "?fieldManager=" FIELD_MANAGER, MERGE_TYPE, patch, on_written);
        return 1;
}

/* A pod that cannot run is replaced when its set has another one to offer; otherwise nothing can be
 * done but to say so. */
static int start(Act *act, MrError *err) {
        const MrAction *action = action_of(act);
        const Object *set = cache_set(cache_of(act), action->ns, action->node),
                     *pod = cache_pod(cache_of(act), action->ns, action->node);

        if (!pod || pod->is_going || !mr_tree_get_bool(pod->state, "failed", false))
                return scale(act, 1, err);
        if (!mr_streq(mr_tree_get_string(pod->state, "fingerprint"),
                      set ? mr_tree_get_string(set->state, "fingerprint") : NULL))
                return remove_pod(act);
        const char *why = mr_tree_get_string(pod->state, "message");
        return mr_fail(err, MR_TRANSIENT, NULL, "its pod %s does not start: %s", pod->name,
                       why ? why : "it has ended");
}

static int begin(Act *act, MrError *err) {
        switch (action_of(act)->verb) {
        case MR_VERB_CREATE:
        case MR_VERB_UPDATE:
                return write_object(act, err);
        case MR_VERB_REMOVE:
                return remove_object(act);
        case MR_VERB_START:
                return start(act, err);
        case MR_VERB_STOP:
                return scale(act, 0, err);
        case MR_VERB_RESTART:
                return remove_pod(act);
        default:
                return mr_fail(err, MR_BUG, NULL, "this cannot be done to a cluster");
        }
}

/* --- the batch */

static bool is_write(const MrAction *action) {
        return action->verb == MR_VERB_CREATE || action->verb == MR_VERB_UPDATE;
}

/* Whether it need not wait for the one before it. */
static bool may_join(const Batch *batch) {
        const MrAction *action = &batch->actions[batch->next], *before = action - 1;

        return batch->n_running == 0 || (is_write(action) && is_write(before) &&
                                         action->manifest->rank == before->manifest->rank);
}

/* A controller makes the next pod out of what it knows of the set: if it has not seen yet that the
 * set was changed, that is one more of the old kind. */
static bool waits_for_controller(const Batch *batch) {
        const MrAction *action = &batch->actions[batch->next];
        const Cache *cache = &batch->platform->cache;

        if (action->verb != MR_VERB_RESTART && action->verb != MR_VERB_START)
                return false;
        const Object *set = cache_set(cache, action->ns, action->node),
                     *pod = cache_pod(cache, action->ns, action->node);
        return set && pod && !pod->is_going && !mr_tree_get_bool(set->state, "taken", false);
}

static void wait_for_controller(Batch *batch) {
        int enabled = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(batch->patience, &enabled);
        if (enabled != SD_EVENT_OFF)
                return;
        (void) sd_event_source_set_time_relative(batch->patience, CONTROLLER_USEC);
        (void) sd_event_source_set_enabled(batch->patience, SD_EVENT_ONESHOT);
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        Batch *batch = userdata;
        _cleanup_error_ MrError err = {};

        (void) source;
        (void) usec;
        int r = mr_fail(&err, MR_TRANSIENT, NULL,
                        "StatefulSet %s was changed, and its controller has not seen it yet; is "
                        "kube-controller-manager running?",
                        batch->actions[batch->next].node);
        note_failure(&batch->acts[batch->next], r, &err);
        go_on(batch);
        return 0;
}

static void finish(Batch *batch) {
        MrPlatform *platform = batch->platform;
        MrApplied done = batch->done;
        void *userdata = batch->userdata;
        _cleanup_error_ MrError err = {};
        int r = batch->r;
        size_t n_done = batch->failed;

        mr_error_move(&err, &batch->err);
        platform->batch = batch_free(batch);
        done(userdata, r, &err, n_done);
}

static int on_go(sd_event_source *source, void *userdata) {
        Batch *batch = userdata;

        (void) source;
        while (batch->next < batch->n && batch->failed == batch->n && may_join(batch) &&
               !batch->platform->is_over) {
                if (waits_for_controller(batch)) {
                        wait_for_controller(batch);
                        return 0;
                }
                (void) sd_event_source_set_enabled(batch->patience, SD_EVENT_OFF);
                Act *act = &batch->acts[batch->next++];
                _cleanup_error_ MrError err = {};
                batch->n_running++;
                int r = begin(act, &err);
                if (r <= 0)
                        act_done(act, r, &err);
        }
        if (batch->n_running == 0 && (batch->next == batch->n || batch->failed < batch->n))
                finish(batch);
        return 0;
}

int kubernetes_apply(MrPlatform *platform, const MrAction *actions, size_t n, MrApplied done,
                     void *userdata, MrError *err) {
        Batch *batch;

        if (platform->is_over)
                return mr_fail(err, MR_TRANSIENT, NULL, "another replica may lead");
        if (platform->batch)
                return mr_fail(err, MR_BUG, NULL, "a batch is under way already");
        batch = mr_new(Batch, 1);
        *batch = (Batch){
                .platform = platform,
                .actions = actions,
                .acts = mr_new(Act, n),
                .n = n,
                .failed = n,
                .done = done,
                .userdata = userdata,
        };
        for (size_t i = 0; i < n; i++)
                batch->acts[i] = (Act){.batch = batch, .at = i};
        int r = sd_event_add_defer(platform->event, &batch->go, on_go, batch);
        if (r >= 0)
                r = sd_event_add_time(platform->event, &batch->patience, CLOCK_MONOTONIC,
                                      UINT64_MAX, 0, on_patience, batch);
        if (r >= 0)
                r = sd_event_source_set_enabled(batch->patience, SD_EVENT_OFF);
        if (r < 0) {
                batch_free(batch);
                return mr_fail_errno(err, -r, NULL, "cannot set up the event loop");
        }
        platform->batch = batch;
        return 0;
}
