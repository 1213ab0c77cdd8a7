/* Reading resources: rows become trees. */

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-resources.h"

void store_resource_done(StoreResource *resource) {
        free(resource->kind);
        free(resource->ns);
        free(resource->name);
        free(resource->uid);
        free(resource->source);
        mr_tree_free(resource->tree);
        *resource = (StoreResource){};
}

void store_resources_done(StoreResources *resources) {
        for (size_t i = 0; i < resources->n; i++)
                store_resource_done(&resources->items[i]);
        free(resources->items);
        *resources = (StoreResources){};
}

#define RESOURCE_COLUMNS                                                                           \
        "SELECT kind, ns, name, uid, source, generation, version, json FROM resources "

static int resource_from_row(Store *store, sqlite3_stmt *row, StoreResource *ret, MrError *err) {
        const char *json = store_column(row, 7);
        MrTree *tree = NULL;

        if (mr_json_read(json, strlen(json), NULL, &tree, NULL) < 0)
                return store_damaged(store, err, "a resource in it cannot be read");
        *ret = (StoreResource){
                .kind = mr_strdup(store_column(row, 0)),
                .ns = mr_strdup(store_column(row, 1)),
                .name = mr_strdup(store_column(row, 2)),
                .uid = mr_strdup(store_column(row, 3)),
                .source = mr_strdup(store_column(row, 4)),
                .generation = sqlite3_column_int64(row, 5),
                .version = sqlite3_column_int64(row, 6),
                .is_deleting =
                        mr_tree_get(mr_tree_get(tree, "metadata"), "deletionTimestamp") != NULL,
                .tree = tree,
        };
        return 0;
}

int store_get(Store *store, const char *kind, const char *ns, const char *name, StoreResource *ret,
              MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        int r = store_prepare(store, &statement, err,
                              RESOURCE_COLUMNS "WHERE kind = ? AND ns = ? AND name = ?", "sss",
                              kind, ns, name);
        if (r < 0)
                return r;
        r = store_step(store, statement, err);
        if (r < 0)
                return r;
        if (r == 0)
                return store_fail(err, ENOENT, MR_INVALID, "there is no %s %s in namespace %s",
                                  kind, name, ns);
        return resource_from_row(store, statement, ret, err);
}

int store_list(Store *store, const char *kind, const char *ns, StoreResources *ret, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_resources_ StoreResources list = {};
        size_t allocated = 0;

        int r = store_prepare(store, &statement, err,
                              RESOURCE_COLUMNS
                              "WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR ns = ?2) "
                              "ORDER BY kind, ns, name",
                              "ss", kind, ns);
        while (r >= 0 && (r = store_step(store, statement, err)) == 1) {
                MR_GROW(list.items, list.n, allocated);
                r = resource_from_row(store, statement, &list.items[list.n], err);
                if (r == 0)
                        list.n++;
        }
        if (r < 0)
                return r;
        *ret = list;
        list = (StoreResources){};
        return 0;
}
