/* Files of resources.d. */

#include "source.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/message-ids.h"
#include "io/directory-watch.h"
#include "io/documents.h"
#include "reconcile/ignored.h"
#include "sdk/str.h"

struct Source {
        DirectoryWatch *watch;
        const Registry *registry;
        Store *store;
        char *directory;
        MrTree *errors;  /* map path → message: each is told once */
        MrTree *changed; /* map path → null: what these held earlier may have to go */
        StoreSubscription *subscription;
        sd_event_source *again; /* a file that was refused may be right now */
        sd_event_source *drop;  /* when all files of a burst were read */
        sd_event_source *retry; /* what had nothing to do with the file may have passed */
};

#define RETRY_USEC (5 * UINT64_C(1000000))

Source *source_free(Source *source) {
        if (!source)
                return NULL;
        store_unsubscribe(source->subscription);
        sd_event_source_disable_unref(source->again);
        sd_event_source_disable_unref(source->drop);
        sd_event_source_disable_unref(source->retry);
        directory_watch_free(source->watch);
        mr_tree_free(source->errors);
        mr_tree_free(source->changed);
        free(source->directory);
        free(source);
        return NULL;
}

size_t source_errors(const Source *source) {
        return mr_tree_size(source->errors);
}

static void tell_error(Source *source, const char *path, int r, const MrError *err) {
        _cleanup_free_ char *text = mr_error_text(err);

        if (r == -EACCES) {
                char *advice =
                        mr_strf("%s; let group millrace read it: chgrp millrace %s; chmod g+r %s",
                                text, path, path);
                free(text);
                text = advice;
        }
        if (mr_error_kind(err, r) == MR_TRANSIENT)
                (void) sd_event_source_set_time_relative(source->retry, RETRY_USEC);
        if (mr_error_kind(err, r) == MR_TRANSIENT)
                (void) sd_event_source_set_enabled(source->retry, SD_EVENT_ONESHOT);

        if (mr_streq(mr_tree_get_string(source->errors, path), text))
                return;
        bool has_path = strstr(text, path);
        log_error(NULL, MSG_RESOURCE_REFUSED, "%s%s%s. What the file held before stays in force.",
                  has_path ? "" : path, has_path ? "" : ": ", text);
        mr_tree_set_string(source->errors, path, text);
}

static void tell_warnings(const Document *document) {
        const MrResource *resource = &document->resource;

        for (size_t i = 0; i < mr_tree_size(document->warnings); i++) {
                const MrTree *warning = mr_tree_at(document->warnings, i);
                const char *path = mr_tree_get_string(warning, "path");
                if (mr_streq(mr_tree_get_string(warning, "reason"), "NotYet") ||
                    ignored_is_open(warning))
                        continue;
                log_warning(NULL, NULL, "%s:%lld:%lld: %s%s%s %s", document->source,
                            (long long) mr_tree_get_int(warning, "line", 0),
                            (long long) mr_tree_get_int(warning, "column", 0), path ? path : "",
                            path ? ":" : "", resource->name,
                            mr_tree_get_string(warning, "message"));
        }
}

/* Another file holds the resource already, and is still there. */
static int check_other_file(Source *source, const char *path, const MrResource *resource,
                            MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_free_ char *own = mr_strf("file:%s", path);

        if (store_get(source->store, resource->kind->name, resource->ns, resource->name, &stored,
                      NULL) < 0 ||
            !mr_starts_with(stored.source, "file:") || mr_streq(stored.source, own) ||
            stored.is_deleting)
                return 0;
        const char *other = stored.source + strlen("file:");
        _cleanup_documents_ Documents documents = {};
        if (documents_read_path(source->registry, other, NULL, &documents, NULL) < 0)
                return 0;
        for (size_t i = 0; i < documents.n; i++) {
                const MrResource *there = &documents.items[i]->resource;
                if (there->kind != resource->kind || !mr_streq(there->ns, resource->ns) ||
                    !mr_streq(there->name, resource->name))
                        continue;
                int r = mr_fail(err, MR_INVALID, NULL,
                                "%s %s/%s is in %s:%u already; remove one of the two",
                                resource->kind->name, resource->ns, resource->name, other,
                                mr_tree_line(there->tree));
                return mr_error_at(err, r, path, mr_tree_line(resource->tree),
                                   mr_tree_column(resource->tree));
        }
        return 0;
}

static bool holds(const Documents *documents, const StoreResource *stored) {
        for (size_t i = 0; i < documents->n; i++) {
                const MrResource *resource = &documents->items[i]->resource;
                if (mr_streq(resource->kind->name, stored->kind) &&
                    mr_streq(resource->ns, stored->ns) && mr_streq(resource->name, stored->name))
                        return true;
        }
        return false;
}

static int put_all(Source *source, const char *path, const Documents *documents, MrError *err) {
        for (size_t i = 0; i < documents->n; i++) {
                int r = check_other_file(source, path, &documents->items[i]->resource, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < documents->n; i++) {
                const MrResource *resource = &documents->items[i]->resource;
                int r = store_put_file_resource(source->store, path, resource->tree, NULL, err);
                if (r < 0)
                        return mr_error_at(err, r, path, mr_tree_line(resource->tree),
                                           mr_tree_column(resource->tree));
                if (r > 0)
                        log_notice(NULL, MSG_RESOURCE_ACCEPTED, "%s: accepted %s %s/%s.", path,
                                   resource->kind->name, resource->ns, resource->name);
                if (r > 0)
                        tell_warnings(documents->items[i]);
        }
        return 0;
}

/* A resource that left its file may be in another one, which was refused for as long as both held
 * it. */
static int hand_over(Source *source, const StoreResource *resource, MrError *err) {
        for (size_t i = 0; i < mr_tree_size(source->errors); i++) {
                const char *path = mr_tree_key(source->errors, i);
                _cleanup_documents_ Documents documents = {};
                if (documents_read_path(source->registry, path, NULL, &documents, NULL) < 0 ||
                    !holds(&documents, resource))
                        continue;
                int r = put_all(source, path, &documents, err);
                if (r >= 0)
                        mr_tree_remove(source->errors, path);
                return r < 0 ? r : 1;
        }
        return 0;
}

static int drop(Source *source, const StoreResource *resource, const char *path, MrError *err) {
        int r = hand_over(source, resource, err);

        if (r != 0)
                return r;
        log_notice(NULL, MSG_RESOURCE_DELETED,
                   "%s %s/%s is no longer in %s and is taken down; its storage stays unless the "
                   "spec says deleteClaim.",
                   resource->kind, resource->ns, resource->name, path);
        return store_delete_file_resource(source->store, resource->kind, resource->ns,
                                          resource->name, err);
}

/* What the file held earlier and holds no more goes; `documents` may be empty: the file is gone. */
static int drop_missing(Source *source, const char *path, const Documents *documents,
                        MrError *err) {
        _cleanup_resources_ StoreResources stored = {};
        _cleanup_free_ char *own = mr_strf("file:%s", path);

        int r = store_list(source->store, NULL, NULL, &stored, err);
        for (size_t i = 0; r >= 0 && i < stored.n; i++) {
                const StoreResource *resource = &stored.items[i];
                if (mr_streq(resource->source, own) && !holds(documents, resource) &&
                    !resource->is_deleting)
                        r = drop(source, resource, path, err);
        }
        return r;
}

/* An editor that found the disk full leaves nothing behind; that is nobody's wish to take a cluster
 * down. */
static int check_emptied(Source *source, const char *path, const Documents *documents,
                         MrError *err) {
        _cleanup_resources_ StoreResources stored = {};
        _cleanup_free_ char *own = mr_strf("file:%s", path);

        int r = documents->n > 0 ? 0 : store_list(source->store, NULL, NULL, &stored, err);
        for (size_t i = 0; r >= 0 && i < stored.n; i++)
                if (mr_streq(stored.items[i].source, own) && !stored.items[i].is_deleting)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "%s holds no resource any more; to take down %s %s/%s "
                                       "remove the file, otherwise write "
                                       "it again",
                                       path, stored.items[i].kind, stored.items[i].ns,
                                       stored.items[i].name);
        return r;
}

static void on_changed(void *userdata, const char *path, bool is_removed) {
        Source *source = userdata;
        _cleanup_documents_ Documents documents = {};
        _cleanup_error_ MrError err = {};
        int r = is_removed ? 0
                           : documents_read_path(source->registry, path, NULL, &documents, &err);

        if (r >= 0 && !is_removed)
                r = check_emptied(source, path, &documents, &err);
        if (r >= 0)
                r = put_all(source, path, &documents, &err);
        if (r < 0) {
                tell_error(source, path, r, &err);
                return;
        }
        mr_tree_remove(source->errors, path);
        mr_tree_set(source->changed, path, mr_tree_new_null());
        (void) sd_event_source_set_enabled(source->drop, SD_EVENT_ONESHOT);
}

/* Only when all files of a burst were read is it known which resources are in none of them: a file
 * may have been renamed. */
static int on_drop(sd_event_source *event_source, void *userdata) {
        Source *source = userdata;

        (void) event_source;
        while (mr_tree_size(source->changed) > 0) {
                _cleanup_free_ char *path = mr_strdup(mr_tree_key(source->changed, 0));
                _cleanup_documents_ Documents documents = {};
                _cleanup_error_ MrError err = {};
                mr_tree_remove(source->changed, path);
                int r = documents_read_path(source->registry, path, NULL, &documents, &err);
                if (r < 0 && r != -ENOENT)
                        continue;
                mr_error_done(&err);
                r = drop_missing(source, path, &documents, &err);
                if (r < 0)
                        tell_error(source, path, r, &err);
        }
        return 0;
}

static int on_again(sd_event_source *event_source, void *userdata) {
        Source *source = userdata;
        _cleanup_error_ MrError err = {};

        (void) event_source;
        if (source_scan(source, true, &err) < 0)
                log_warning(NULL, NULL, "Cannot read %s again: %s", source->directory, err.message);
        return 0;
}

static int on_retry(sd_event_source *event_source, uint64_t usec, void *userdata) {
        (void) usec;
        return on_again(event_source, userdata);
}

/* A resource is refused while one of its name is being taken down; when that is over, the files are
 * read again. */
static void on_store_changed(void *userdata, const StoreEvent *event) {
        Source *source = userdata;

        if (event->change == STORE_DELETED && event->json && mr_tree_size(source->errors) > 0)
                (void) sd_event_source_set_enabled(source->again, SD_EVENT_ONESHOT);
}

static int make_sources(Source *source, sd_event *event, MrError *err) {
        int r = sd_event_add_defer(event, &source->again, on_again, source);

        if (r >= 0)
                r = sd_event_source_set_enabled(source->again, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &source->drop, on_drop, source);
        if (r >= 0)
                r = sd_event_source_set_enabled(source->drop, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(event, &source->retry, CLOCK_MONOTONIC, UINT64_MAX, 0,
                                      on_retry, source);
        if (r >= 0)
                r = sd_event_source_set_enabled(source->retry, SD_EVENT_OFF);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot set up the event loop") : 0;
}

int source_new(sd_event *event, const char *directory, const Registry *registry, Store *store,
               Source **ret, MrError *err) {
        _cleanup_(source_freep) Source *source = mr_new(Source, 1);

        source->registry = registry;
        source->store = store;
        source->errors = mr_tree_new_map();
        source->changed = mr_tree_new_map();
        source->directory = mr_strdup(directory);
        int r = make_sources(source, event, err);
        if (r >= 0)
                r = directory_watch_new(event, directory, on_changed, source, &source->watch, err);
        if (r < 0)
                return r;
        source->subscription = store_subscribe(store, on_store_changed, source);
        *ret = TAKE(source);
        return 0;
}

/* Files that went away while nobody looked. */
static int drop_vanished(Source *source, MrError *err) {
        _cleanup_resources_ StoreResources stored = {};
        _cleanup_free_ char *prefix = mr_strf("file:%s/", source->directory);
        Documents none = {};

        int r = store_list(source->store, NULL, NULL, &stored, err);
        for (size_t i = 0; r >= 0 && i < stored.n; i++) {
                const char *path = stored.items[i].source + strlen("file:");
                if (!mr_starts_with(stored.items[i].source, prefix))
                        continue;
                _cleanup_documents_ Documents documents = {};
                if (documents_read_path(source->registry, path, NULL, &documents, NULL) == -ENOENT)
                        r = drop_missing(source, path, &none, err);
        }
        return r;
}

int source_scan(Source *source, bool again, MrError *err) {
        int r = directory_watch_scan(source->watch, again, err);

        return r > 0 ? drop_vanished(source, err) : r;
}
