/* Writing resources. Each function is one transaction and, once that is on disk, one event. */

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/resource.h"
#include "sdk/str.h"
#include "store/store-write.h"

/* `version` is that of RFC 9562. */
static void uid_write(uint8_t b[16], uint8_t version, char ret[37]) {
        b[6] = (uint8_t) ((b[6] & 0x0f) | version << 4);
        b[8] = (uint8_t) ((b[8] & 0x3f) | 0x80);
        snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                 b[13], b[14], b[15]);
}

static void uid_new(char ret[37]) {
        uint8_t b[16];

        if (getrandom(b, sizeof(b), 0) != sizeof(b))
                abort();
        uid_write(b, 4, ret);
}

/* The same for whoever reads the same file. */
static void uid_of_key(const ObjectKey *key, char ret[37]) {
        _cleanup_free_ char *text = mr_resource_key(key->kind, key->ns, key->name);
        uint8_t b[EVP_MAX_MD_SIZE];

        if (EVP_Digest(text, strlen(text), b, NULL, EVP_sha256(), NULL) != 1)
                abort();
        uid_write(b, 8, ret);
}

void write_done(Write *write) {
        mr_tree_free(write->object);
}

static void write_stamp(Write *write, int64_t version) {
        MrTree *metadata = mr_tree_get(write->object, "metadata");
        _cleanup_free_ char *text = mr_strf("%lld", (long long) version);

        mr_tree_set_string(metadata, "resourceVersion", text);
        mr_tree_set_int(metadata, "generation", write->generation);
}

static int write_row(Store *store, const Write *write, const ObjectKey *key, int64_t version,
                     const char *json, MrError *err) {
        if (write->change == STORE_DELETED)
                return store_execute(store, err,
                                     "DELETE FROM resources WHERE kind = ? AND ns = ? AND name = ?",
                                     "sss", key->kind, key->ns, key->name);
        return store_execute(store, err,
                             "INSERT OR REPLACE INTO resources(kind, ns, name, uid, source, "
                             "generation, version, json)"
                             " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                             "sssssiis", key->kind, key->ns, key->name,
                             mr_tree_get_string(mr_tree_get(write->object, "metadata"), "uid"),
                             write->source, write->generation, version, json);
}

static void write_return(Write *write, const ObjectKey *key, int64_t version, StoreResource *ret) {
        const MrTree *metadata = mr_tree_get(write->object, "metadata");

        *ret = (StoreResource){
                .kind = mr_strdup(key->kind),
                .ns = mr_strdup(key->ns),
                .name = mr_strdup(key->name),
                .uid = mr_strdup(mr_tree_get_string(metadata, "uid")),
                .source = mr_strdup(write->source),
                .generation = write->generation,
                .version = version,
                .is_deleting = mr_tree_get(metadata, "deletionTimestamp") != NULL,
                .tree = TAKE(write->object),
        };
}

int write_commit(Store *store, Write *write, StoreResource *ret, MrError *err) {
        _cleanup_transaction_ Transaction transaction = {};
        _cleanup_buf_ MrBuf json = {};
        ObjectKey key;
        int64_t version = 0;

        int r = object_key(write->object, &key, err);
        if (r == 0)
                r = write->is_lazy ? store_begin_lazy(store, &transaction, err)
                                   : store_begin(store, &transaction, err);
        if (r == 0)
                r = store_next_version(store, &version, err);
        if (r < 0)
                return r;
        write_stamp(write, version);
        mr_json_write(write->object, 0, &json);
        r = write_row(store, write, &key, version, mr_buf_text(&json), err);
        if (r >= 0)
                r = store_commit(&transaction, err);
        if (r < 0)
                return r;

        if (!write->is_status_only)
                store_backup_due(store);
        _cleanup_(mr_tree_freep) MrTree *names = TAKE(write->object);
        StoreEvent event = {.change = write->change,
                            .version = version,
                            .kind = key.kind,
                            .ns = key.ns,
                            .name = key.name,
                            .is_status_only = write->is_status_only};
        if (ret) {
                write->object = mr_tree_copy(names);
                write_return(write, &key, version, ret);
        }
        store_emit(store, event, mr_buf_take(&json));
        return 0;
}

int write_find(Store *store, const ObjectKey *key, StoreResource *ret, MrError *err) {
        int r = store_get(store, key->kind, key->ns, key->name, ret, NULL);

        if (r == -ENOENT)
                return 0;
        if (r < 0) /* Once more for its message. */
                return store_get(store, key->kind, key->ns, key->name, ret, err);
        return 1;
}

/* A store that forgets everything with the program would know a file by another uid each time. */
static int insert(Store *store, const MrTree *object, const ObjectKey *key, const char *source,
                  StoreResource *ret, MrError *err) {
        _cleanup_write_ Write write = {.change = STORE_ADDED,
                                       .source = source,
                                       .is_lazy = mr_starts_with(source, "file:"),
                                       .generation = 1};
        char uid[37], now[TIME_TEXT_MAX];

        write.object = object_accept(object, key);
        MrTree *metadata = mr_tree_get(write.object, "metadata");
        if (write.is_lazy && mr_streq(store->path, STORE_IN_MEMORY))
                uid_of_key(key, uid);
        else
                uid_new(uid);
        time_text(now_realtime_sec(), now);
        mr_tree_set_string(metadata, "uid", uid);
        mr_tree_set_string(metadata, "creationTimestamp", now);
        return write_commit(store, &write, ret, err);
}

static int fail_exists(const StoreResource *stored, MrError *err) {
        if (stored->is_deleting)
                return store_fail(err, EEXIST, MR_CONFLICT,
                                  "%s %s/%s is being deleted; wait until it is gone and try again",
                                  stored->kind, stored->ns, stored->name);
        return store_fail(err, EEXIST, MR_CONFLICT, "%s %s/%s exists already", stored->kind,
                          stored->ns, stored->name);
}

int store_create(Store *store, const MrTree *object, StoreResource *ret, MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        ObjectKey key;

        int r = object_key(object, &key, err);
        if (r == 0)
                r = write_find(store, &key, &stored, err);
        if (r < 0)
                return r;
        return r == 1 ? fail_exists(&stored, err) : insert(store, object, &key, "api", ret, err);
}

/* Values that were declared immutable stay, until their resource is deleted. */
static int check_immutable(const MrTree *object, const StoreResource *stored, MrError *err) {
        static const char *const fields[] = {"immutable", "data", "binaryData", "stringData"};

        if (!mr_tree_get_bool(stored->tree, "immutable", false))
                return 0;
        for (size_t i = 0; i < MR_ELEMENTS(fields); i++)
                if (!mr_tree_equal(mr_tree_get(object, fields[i]),
                                   mr_tree_get(stored->tree, fields[i])))
                        return mr_fail(err, MR_INVALID, fields[i],
                                       "the %s %s is immutable; delete it and make it anew, or "
                                       "use another name",
                                       stored->kind, stored->name);
        return 0;
}

static int replace(Store *store, const MrTree *object, const ObjectKey *key, const char *source,
                   StoreResource *stored, StoreResource *ret, MrError *err) {
        _cleanup_write_ Write write = {.change = STORE_MODIFIED,
                                       .source = source,
                                       .is_lazy = mr_starts_with(source, "file:"),
                                       .generation = stored->generation};

        int r = check_immutable(object, stored, err);
        if (r < 0)
                return r;
        write.object = object_accept(object, key);
        object_inherit(write.object, stored->tree);
        if (mr_streq(source, stored->source) && mr_tree_equal(write.object, stored->tree)) {
                if (ret) {
                        *ret = *stored;
                        *stored = (StoreResource){};
                }
                return 0;
        }
        if (!object_content_equal(write.object, stored->tree))
                write.generation++;
        r = write_commit(store, &write, ret, err);
        return r < 0 ? r : 1;
}

static int check_not_from_file(const StoreResource *stored, MrError *err) {
        if (mr_streq(stored->source, STORE_SOURCE_PLATFORM))
                return store_fail(err, EPERM, MR_DENIED,
                                  "%s %s/%s is kept by the API server of the cluster and is "
                                  "read-only here; change it there, with kubectl",
                                  stored->kind, stored->ns, stored->name);
        if (!mr_starts_with(stored->source, "file:"))
                return 0;
        return store_fail(err, EPERM, MR_DENIED,
                          "%s %s/%s comes from the file %s and is read-only here; change the file",
                          stored->kind, stored->ns, stored->name, stored->source + strlen("file:"));
}

static int fail_stale(const StoreResource *stored, MrError *err) {
        return store_fail(
                err, ESTALE, MR_CONFLICT,
                "%s %s/%s has changed since it was read; read it again and repeat the change",
                stored->kind, stored->ns, stored->name);
}

static int check_same(const MrTree *object, const StoreResource *stored, MrError *err) {
        const MrTree *metadata = mr_tree_get(object, "metadata");
        const char *version = mr_tree_get_string(metadata, "resourceVersion");
        const char *uid = mr_tree_get_string(metadata, "uid");
        int64_t number;

        if (!mr_is_empty(version) &&
            (mr_parse_int(version, &number) < 0 || number != stored->version))
                return fail_stale(stored, err);
        if (!mr_is_empty(uid) && !mr_streq(uid, stored->uid))
                return fail_stale(stored, err);
        return 0;
}

int store_update(Store *store, const MrTree *object, StoreResource *ret, MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        ObjectKey key;

        int r = object_key(object, &key, err);
        if (r == 0)
                r = store_get(store, key.kind, key.ns, key.name, &stored, err);
        if (r == 0)
                r = check_not_from_file(&stored, err);
        if (r == 0)
                r = check_same(object, &stored, err);
        return r < 0 ? r : replace(store, object, &key, stored.source, &stored, ret, err);
}

int store_update_status(Store *store, const char *kind, const char *ns, const char *name,
                        const MrTree *status, int64_t expected, MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_write_ Write write = {
                .change = STORE_MODIFIED, .is_status_only = true, .is_lazy = true};

        int r = store_get(store, kind, ns, name, &stored, err);
        if (r < 0)
                return r;
        if (expected != 0 && expected != stored.version)
                return fail_stale(&stored, err);
        if (mr_tree_equal(status, mr_tree_get(stored.tree, "status")))
                return 0;
        write.source = stored.source;
        write.generation = stored.generation;
        write.object = TAKE(stored.tree);
        mr_tree_set(write.object, "status", mr_tree_copy(status));
        r = write_commit(store, &write, NULL, err);
        return r < 0 ? r : 1;
}

int write_deletion(Store *store, StoreResource *stored, MrError *err) {
        _cleanup_write_ Write write = {.change = STORE_MODIFIED,
                                       .source = stored->source,
                                       .generation = stored->generation + 1};
        char now[TIME_TEXT_MAX];

        if (stored->is_deleting)
                return 0;
        time_text(now_realtime_sec(), now);
        write.object = TAKE(stored->tree);
        mr_tree_set_string(mr_tree_get(write.object, "metadata"), "deletionTimestamp", now);
        int r = write_commit(store, &write, NULL, err);
        return r < 0 ? r : 1;
}

int store_delete(Store *store, const char *kind, const char *ns, const char *name, MrError *err) {
        _cleanup_resource_ StoreResource stored = {};

        int r = store_get(store, kind, ns, name, &stored, err);
        if (r == 0)
                r = check_not_from_file(&stored, err);
        return r < 0 ? r : write_deletion(store, &stored, err);
}

int store_delete_file_resource(Store *store, const char *kind, const char *ns, const char *name,
                               MrError *err) {
        _cleanup_resource_ StoreResource stored = {};

        int r = store_get(store, kind, ns, name, &stored, err);
        return r < 0 ? r : write_deletion(store, &stored, err);
}

int store_remove(Store *store, const char *kind, const char *ns, const char *name, MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_write_ Write write = {.change = STORE_DELETED};

        int r = store_get(store, kind, ns, name, &stored, err);
        if (r < 0)
                return r;
        write.source = stored.source;
        write.generation = stored.generation;
        write.object = TAKE(stored.tree);
        return write_commit(store, &write, NULL, err);
}

int store_put_file_resource(Store *store, const char *path, const MrTree *object,
                            StoreResource *ret, MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_free_ char *source = mr_strf("file:%s", path);
        ObjectKey key;

        int r = object_key(object, &key, err);
        if (r == 0)
                r = write_find(store, &key, &stored, err);
        if (r < 0)
                return r;
        if (r == 0) {
                r = insert(store, object, &key, source, ret, err);
                return r < 0 ? r : 1;
        }
        if (mr_streq(stored.source, STORE_SOURCE_PLATFORM))
                return store_fail(err, EEXIST, MR_CONFLICT,
                                  "%s %s/%s is kept by the API server of the cluster already; "
                                  "delete it there, or take it out of the file",
                                  key.kind, key.ns, key.name);
        if (mr_streq(stored.source, "api"))
                return store_fail(err, EEXIST, MR_CONFLICT,
                                  "%s %s/%s was created through the API already; delete it with "
                                  "millctl, or take it "
                                  "out of the file",
                                  key.kind, key.ns, key.name);
        if (stored.is_deleting)
                return fail_exists(&stored, err);
        return replace(store, object, &key, source, &stored, ret, err);
}
