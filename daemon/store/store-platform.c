/* Resources that the platform keeps: here they are copies. */

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-write.h"

/* What it is there, it is here. */
static void take_over(MrTree *object, const MrTree *from) {
        static const char *const fields[] = {"uid", "creationTimestamp"};
        MrTree *metadata = mr_tree_need_map(object, "metadata");

        for (size_t i = 0; i < MR_ELEMENTS(fields); i++) {
                const MrTree *value = mr_tree_get(mr_tree_get(from, "metadata"), fields[i]);
                if (value)
                        mr_tree_set(metadata, fields[i], mr_tree_copy(value));
        }
}

static int64_t generation_of(const MrTree *object, int64_t otherwise) {
        return mr_tree_get_int(mr_tree_get(object, "metadata"), "generation", otherwise);
}

static int insert(Store *store, const MrTree *object, const ObjectKey *key, StoreResource *ret,
                  MrError *err) {
        _cleanup_write_ Write write = {.change = STORE_ADDED,
                                       .source = STORE_SOURCE_PLATFORM,
                                       .is_lazy = true,
                                       .generation = generation_of(object, 1)};
        const MrTree *status = mr_tree_get(object, "status");

        write.object = object_accept(object, key);
        take_over(write.object, object);
        if (status)
                mr_tree_set(write.object, "status", mr_tree_copy(status));
        int r = write_commit(store, &write, ret, err);
        return r < 0 ? r : 1;
}

static int replace(Store *store, const MrTree *object, const ObjectKey *key, StoreResource *stored,
                   StoreResource *ret, MrError *err) {
        _cleanup_write_ Write write = {
                .change = STORE_MODIFIED, .source = STORE_SOURCE_PLATFORM, .is_lazy = true};

        write.object = object_accept(object, key);
        object_inherit(write.object, stored->tree);
        bool is_same = object_content_equal(write.object, stored->tree);
        write.generation = generation_of(object, stored->generation + !is_same);
        if (write.generation == stored->generation && mr_tree_equal(write.object, stored->tree)) {
                if (ret) {
                        *ret = *stored;
                        *stored = (StoreResource){};
                }
                return 0;
        }
        int r = write_commit(store, &write, ret, err);
        return r < 0 ? r : 1;
}

static int check_other(const MrTree *object, const StoreResource *stored, MrError *err) {
        const char *uid = mr_tree_get_string(mr_tree_get(object, "metadata"), "uid");

        if (mr_starts_with(stored->source, "file:"))
                return store_fail(err, EEXIST, MR_CONFLICT,
                                  "%s %s/%s is in the file %s already; remove one of the two",
                                  stored->kind, stored->ns, stored->name,
                                  stored->source + strlen("file:"));
        if (!mr_streq(stored->source, STORE_SOURCE_PLATFORM))
                return store_fail(err, EEXIST, MR_CONFLICT,
                                  "%s %s/%s was created with millctl already; delete it with "
                                  "millctl, or use another name",
                                  stored->kind, stored->ns, stored->name);
        if (stored->is_deleting || !mr_streq(uid, stored->uid))
                return store_fail(err, ESTALE, MR_CONFLICT,
                                  "the former %s %s/%s is being deleted and is not gone yet",
                                  stored->kind, stored->ns, stored->name);
        return 0;
}

int store_put_platform_resource(Store *store, const MrTree *object, StoreResource *ret,
                                MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        ObjectKey key;

        int r = object_key(object, &key, err);
        if (r == 0)
                r = write_find(store, &key, &stored, err);
        if (r < 0)
                return r;
        if (r == 0)
                return insert(store, object, &key, ret, err);
        r = check_other(object, &stored, err);
        return r < 0 ? r : replace(store, object, &key, &stored, ret, err);
}

int store_delete_platform_resource(Store *store, const char *kind, const char *ns, const char *name,
                                   MrError *err) {
        _cleanup_resource_ StoreResource stored = {};

        int r = store_get(store, kind, ns, name, &stored, err);
        if (r >= 0 && !mr_streq(stored.source, STORE_SOURCE_PLATFORM))
                r = store_fail(err, ENOENT, MR_INVALID,
                               "there is no %s %s in namespace %s from the cluster", kind, name,
                               ns);
        return r < 0 ? r : write_deletion(store, &stored, err);
}
