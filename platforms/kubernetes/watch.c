#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "pace.h"
#include "str.h"

#define OURS "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dmillrace"
#define PAGE 50
#define LIST_TIMEOUT_SEC 30
/* The server ends a watch after this long, and if it does not, we do. */
#define WATCH_SEC 540
#define PATIENCE_SEC 30
#define BACKOFF_MAX_SEC 30
/* A kind that a cluster does not have may be installed later. */
#define ABSENT_SEC 120
/* One that ends as it should is followed by another. */
#define AGAIN_USEC (SEC / 5)

struct Watch {
        WatchArgs args;
        char *ns, *selector;
        Request *request;
        sd_event_source *timer; /* until the next try */
        char *version;          /* NULL: a list is needed */
        char *next_page;
        bool is_synced; /* a list was read to its end */
        bool is_absent;
        unsigned failures;
        int error;
        MrError why;
};

static void begin(Watch *watch);

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        begin(userdata);
        return 0;
}

static void try_later(Watch *watch, uint64_t usec) {
        (void) sd_event_source_set_time_relative(watch->timer, usec);
        (void) sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

static void tell(const Watch *watch) {
        watch->args.changed(watch->args.userdata);
}

static void note_success(Watch *watch) {
        bool was_failed = watch->error < 0;

        watch->failures = 0;
        watch->error = 0;
        mr_error_done(&watch->why);
        if (was_failed)
                tell(watch);
}

static void note_failure(Watch *watch, int r, const MrError *err) {
        bool is_news = watch->error >= 0;

        watch->error = r;
        mr_error_done(&watch->why);
        (void) mr_fail(&watch->why, mr_error_kind(err, r), NULL, "%s cannot be watched: %s",
                       watch->args.kind->plural, err->message ? err->message : strerror(-r));
        try_later(watch, pace_backoff(watch->failures++, BACKOFF_MAX_SEC));
        if (is_news)
                tell(watch);
}

static void set_text(char **text, const char *value) {
        char *copy = mr_is_empty(value) ? NULL : mr_strdup(value);

        free(*text);
        *text = copy;
}

/* --- the cache, or what stands for it */

static void list_begins(Watch *watch) {
        if (watch->args.sink)
                watch->args.sink->begins(watch->args.userdata, watch->ns);
        else
                cache_list_begins(watch->args.cache, watch->args.kind, watch->ns);
}

static bool list_ends(Watch *watch) {
        return watch->args.sink ? watch->args.sink->ends(watch->args.userdata, watch->ns)
                                : cache_list_ends(watch->args.cache, watch->args.kind, watch->ns);
}

static bool put(Watch *watch, MrTree *object) {
        return watch->args.sink ? watch->args.sink->put(watch->args.userdata, object)
                                : cache_put(watch->args.cache, watch->args.kind, object);
}

static bool drop(Watch *watch, const MrTree *object) {
        return watch->args.sink ? watch->args.sink->remove(watch->args.userdata, object)
                                : cache_remove(watch->args.cache, watch->args.kind, object);
}

/* --- lists */

/* Items of a list do not say what they are. */
static bool put_items(Watch *watch, const MrTree *list) {
        const MrTree *items = mr_tree_get(list, "items");
        bool is_news = false;

        for (size_t i = 0; i < mr_tree_size(items); i++) {
                MrTree *item = mr_tree_at(items, i);
                mr_tree_set_string(item, "apiVersion", api_version(watch->args.kind));
                mr_tree_set_string(item, "kind", watch->args.kind->kind);
                is_news = put(watch, item) || is_news;
        }
        return is_news;
}

/* A cluster without such objects, or one in which we have no business with them. */
static bool is_absence(const Watch *watch, unsigned status) {
        return watch->args.kind->is_optional && (status == 404 || status == 403);
}

static void begin_anew(Watch *watch) {
        set_text(&watch->next_page, NULL);
        set_text(&watch->version, NULL);
}

static void on_listed(void *userdata, int r, const MrError *err, unsigned status,
                      MrTree *take_answer) {
        Watch *watch = userdata;
        _cleanup_(mr_tree_freep) MrTree *list = take_answer;
        const MrTree *metadata = mr_tree_get(list, "metadata");

        watch->request = NULL;
        if (is_absence(watch, status)) {
                watch->is_synced = watch->is_absent = true;
                try_later(watch, ABSENT_SEC * SEC);
                tell(watch);
                return;
        }
        if (r < 0) {
                begin_anew(watch);
                note_failure(watch, r, err);
                return;
        }
        bool is_news = put_items(watch, list);
        set_text(&watch->next_page, mr_tree_get_string(metadata, "continue"));
        note_success(watch);
        if (!watch->next_page) {
                is_news = list_ends(watch) || is_news || !watch->is_synced;
                set_text(&watch->version, mr_tree_get_string(metadata, "resourceVersion"));
                watch->is_synced = true;
                watch->is_absent = false;
        }
        if (is_news)
                tell(watch);
        begin(watch);
}

static Request *list(Watch *watch) {
        _cleanup_free_ char *path = api_path(watch->args.kind, watch->ns, NULL);
        _cleanup_free_ char *url = mr_strf("%s?%s&limit=%d%s%s", path, watch->selector, PAGE,
                                           watch->next_page ? "&continue=" : "",
                                           watch->next_page ? watch->next_page : "");

        if (!watch->next_page)
                list_begins(watch);
        return client_request(watch->args.client, &(RequestArgs){
                                                          .method = "GET",
                                                          .path = url,
                                                          .timeout_sec = LIST_TIMEOUT_SEC,
                                                          .done = on_listed,
                                                          .userdata = watch,
                                                  });
}

/* --- watches */

/* The version we know is too old to go on from. */
static int fail_gone(Watch *watch, MrError *err) {
        begin_anew(watch);
        return mr_fail(err, MR_CONFLICT, NULL, "the API server has forgotten what happened since");
}

static int on_event(void *userdata, MrTree *event, MrError *err) {
        Watch *watch = userdata;
        const char *type = mr_tree_get_string(event, "type");
        MrTree *object = mr_tree_get(event, "object");
        const char *message = mr_tree_get_string(object, "message");
        bool is_news = false;

        if (mr_streq(type, "ERROR") && mr_tree_get_int(object, "code", 0) == 410)
                return fail_gone(watch, err);
        if (mr_streq(type, "ERROR"))
                return mr_fail(err, MR_TRANSIENT, NULL, "the API server ends it: %s",
                               message ? message : "it does not say why");
        if (mr_streq(type, "DELETED"))
                is_news = drop(watch, object);
        else if (!mr_streq(type, "BOOKMARK"))
                is_news = put(watch, object);
        set_text(&watch->version,
                 mr_tree_get_string(mr_tree_get(object, "metadata"), "resourceVersion"));
        if (is_news)
                tell(watch);
        return 0;
}

static void on_begun(void *userdata) {
        note_success(userdata);
}

static void on_watched(void *userdata, int r, const MrError *err, unsigned status,
                       MrTree *take_answer) {
        Watch *watch = userdata;

        mr_tree_free(take_answer);
        watch->request = NULL;
        if (status == 410)
                begin_anew(watch);
        if (r < 0 && watch->version)
                note_failure(watch, r, err);
        else
                try_later(watch, r < 0 ? SEC : AGAIN_USEC);
}

static Request *watch_on(Watch *watch) {
        _cleanup_free_ char *path = api_path(watch->args.kind, watch->ns, NULL);
        _cleanup_free_ char *url =
                mr_strf("%s?%s&watch=true&allowWatchBookmarks=true&resourceVersion=%s"
                        "&timeoutSeconds=%d",
                        path, watch->selector, watch->version, WATCH_SEC);

        return client_request(watch->args.client, &(RequestArgs){
                                                          .method = "GET",
                                                          .path = url,
                                                          .timeout_sec = WATCH_SEC + PATIENCE_SEC,
                                                          .begun = on_begun,
                                                          .found = on_event,
                                                          .done = on_watched,
                                                          .userdata = watch,
                                                  });
}

static void begin(Watch *watch) {
        watch->request = watch->version ? watch_on(watch) : list(watch);
}

int watch_state(const Watch *watch, MrError *err) {
        if (watch->error < 0) {
                (void) mr_fail(err, mr_error_kind(&watch->why, watch->error), NULL, "%s",
                               watch->why.message);
                return watch->error;
        }
        return watch->is_synced;
}

int watch_new(const WatchArgs *args, Watch **ret, MrError *err) {
        Watch *watch = mr_new(Watch, 1);

        watch->args = *args;
        watch->ns = mr_strdup(args->ns);
        watch->selector = mr_strdup(args->selector ? args->selector : OURS);
        watch->args.ns = watch->ns;
        int r = sd_event_add_time(args->event, &watch->timer, CLOCK_MONOTONIC, UINT64_MAX, 0,
                                  on_timer, watch);
        if (r >= 0)
                r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
        if (r < 0) {
                watch_free(watch);
                return mr_fail_errno(err, -r, NULL, "cannot set up the event loop");
        }
        begin(watch);
        *ret = watch;
        return 0;
}

Watch *watch_free(Watch *watch) {
        if (!watch)
                return NULL;
        client_cancel(watch->args.client, watch->request);
        sd_event_source_disable_unref(watch->timer);
        free(watch->ns);
        free(watch->selector);
        free(watch->version);
        free(watch->next_page);
        mr_error_done(&watch->why);
        free(watch);
        return NULL;
}
