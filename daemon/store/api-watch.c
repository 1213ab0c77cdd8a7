/* Watches: each is a subscription of the store that writes lines into a stream. A watch that begins
 * at a version gets what happened since, one that does not gets everything there is first. */

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api-private.h"

struct Watch {
        Watch *previous, *next;
        Api *api;
        HttpStream *stream;
        StoreSubscription *subscription;
        const MrKind *kind;
        char *api_version; /* the one asked for: "kafka.strimzi.io/v1" */
        char *ns;          /* NULL: all */
        char *name;        /* NULL: all */
        Selector selector; /* labels only */
        bool wants_bookmarks;
        bool is_starting; /* the first lines are being written: its stream's end does not free it */
        bool is_gone;
};

static void watch_free(Watch *watch) {
        Api *api = watch->api;

        if (watch->previous)
                watch->previous->next = watch->next;
        else
                api->watches = watch->next;
        if (watch->next)
                watch->next->previous = watch->previous;
        api->n_watches--;
        store_unsubscribe(watch->subscription);
        selector_done(&watch->selector);
        http_stream_unref(watch->stream);
        free(watch->api_version);
        free(watch->ns);
        free(watch->name);
        free(watch);
}

static void watch_on_gone(void *userdata, HttpStream *stream _unused_) {
        Watch *watch = userdata;

        if (watch->is_starting)
                watch->is_gone = true;
        else
                watch_free(watch);
}

/* Compact JSON is sorted, so apiVersion stands first and can be exchanged without reading the
 * object. */
static void put_object(const Watch *watch, const char *json, MrBuf *out) {
        static const char key[] = "{\"apiVersion\":\"";
        const char *end =
                strncmp(json, key, strlen(key)) == 0 ? strchr(json + strlen(key), '"') : NULL;

        if (!end)
                return mr_buf_puts(out, json);
        mr_buf_puts(out, key);
        mr_buf_puts(out, watch->api_version);
        mr_buf_puts(out, end);
}

static void watch_write(Watch *watch, const char *type, const char *json) {
        _cleanup_buf_ MrBuf line = {};

        mr_buf_printf(&line, "{\"type\":\"%s\",\"object\":", type);
        put_object(watch, json, &line);
        mr_buf_puts(&line, "}\n");
        http_stream_write(watch->stream, line.data, line.size);
}

static bool watch_wants(const Watch *watch, const StoreEvent *event) {
        _cleanup_(mr_tree_freep) MrTree *object = NULL;

        if (!event->json || !mr_streq(event->kind, watch->kind->name) ||
            (watch->ns && !mr_streq(event->ns, watch->ns)) ||
            (watch->name && !mr_streq(event->name, watch->name)))
                return false;
        if (!watch->selector.labels)
                return true;
        return mr_json_read(event->json, strlen(event->json), NULL, &object, NULL) == 0 &&
               selector_matches(&watch->selector, event->name,
                                mr_tree_find(object, "metadata.labels", false));
}

static void watch_on_change(void *userdata, const StoreEvent *event) {
        static const char *const types[_STORE_CHANGE_MAX] = {[STORE_ADDED] = "ADDED",
                                                             [STORE_MODIFIED] = "MODIFIED",
                                                             [STORE_DELETED] = "DELETED"};
        Watch *watch = userdata;

        if (watch_wants(watch, event))
                watch_write(watch, types[event->change], event->json);
}

static void watch_bookmark(Watch *watch) {
        _cleanup_free_ char *json =
                mr_strf("{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"resourceVersion\":"
                        "\"%lld\"}}",
                        watch->api_version, watch->kind->name,
                        (long long) store_version(watch->api->store));
        watch_write(watch, "BOOKMARK", json);
}

void api_bookmark(Api *api) {
        for (Watch *watch = api->watches, *next; watch; watch = next) {
                next = watch->next; /* a slow watch ends when it is written to */
                if (watch->wants_bookmarks)
                        watch_bookmark(watch);
        }
}

static int watch_list(Watch *watch, MrError *err) {
        _cleanup_resources_ StoreResources resources = {};

        int r = store_list(watch->api->store, watch->kind->name, watch->ns, &resources, err);
        for (size_t i = 0; r == 0 && i < resources.n; i++) {
                _cleanup_buf_ MrBuf json = {};
                const StoreResource *resource = &resources.items[i];
                StoreEvent event = {.change = STORE_ADDED,
                                    .version = resource->version,
                                    .kind = resource->kind,
                                    .ns = resource->ns,
                                    .name = resource->name};

                mr_json_write(resource->tree, 0, &json);
                event.json = mr_buf_text(&json);
                watch_on_change(watch, &event);
        }
        return r;
}

static int watch_begin(Watch *watch, const char *version, MrError *err) {
        int64_t number = 0;

        if (!mr_is_empty(version) && mr_parse_int(version, &number) < 0)
                return mr_fail(err, MR_INVALID, NULL, "the resourceVersion \"%.32s\" is no number",
                               version);
        if (number == 0)
                return watch_list(watch, err);
        return store_replay(watch->api->store, number, watch_on_change, watch, err);
}

static Watch *watch_new(Call *call, Selector *selector) {
        Watch *watch = mr_new(Watch, 1);
        Api *api = call->api;

        watch->api = api;
        watch->kind = call->kind;
        watch->api_version = api_version_text(call->group, call->api_version);
        watch->ns = mr_strdup(call->ns);
        watch->name = mr_strdup(selector->name);
        watch->selector.labels = TAKE(selector->labels);
        watch->wants_bookmarks = http_request_flag(call->request, "allowWatchBookmarks");
        watch->stream = http_stream_new(watch_on_gone, watch);
        watch->next = api->watches;
        if (watch->next)
                watch->next->previous = watch;
        api->watches = watch;
        api->n_watches++;
        return watch;
}

void api_start_watch(Call *call) {
        _cleanup_(selector_done) Selector selector = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (selector_read(call, &selector) < 0)
                return;
        Watch *watch = watch_new(call, &selector);
        watch->is_starting = true;
        int r = watch_begin(watch, http_request_parameter(call->request, "resourceVersion"), &err);
        watch->is_starting = false;
        if (r < 0) {
                watch_free(watch);
                return r == -ESTALE ? call_fail(call, 410, "%s", err.message)
                                    : call_fail_error(call, r, &err);
        }
        call->response->status = 200;
        call->response->content_type = "application/json";
        call->response->stream = http_stream_ref(watch->stream);
        if (watch->is_gone)
                return watch_free(watch);
        watch->subscription = store_subscribe(call->api->store, watch_on_change, watch);
}

void api_end_watches(Api *api) {
        while (api->watches) {
                http_stream_end(api->watches->stream);
                watch_free(api->watches);
        }
}
