/* Remembered values and holds: small tables without history. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-private.h"

int store_remember(Store *store, const char *key, const char *value, MrError *err) {
        int r = value ? store_execute(store, err,
                                      "INSERT INTO remembered VALUES(?1, ?2) ON CONFLICT(key) DO "
                                      "UPDATE SET value = ?2 WHERE value <> ?2",
                                      "ss", key, value)
                      : store_execute(store, err, "DELETE FROM remembered WHERE key = ?", "s", key);

        if (r > 0)
                store_backup_due(store);
        return r;
}

static int remembers(Store *store, const char *key, const char *value, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        int r = store_prepare(store, &statement, err,
                              "SELECT 1 FROM remembered WHERE key = ? AND value = ?", "ss", key,
                              value);
        return r < 0 ? r : store_step(store, statement, err);
}

/* Nothing new means no transaction: an idle pass does not write. */
int store_remember_all(Store *store, const MrPairs *pairs, MrError *err) {
        _cleanup_transaction_ Transaction transaction = {};
        int r = 1;

        for (size_t i = 0; i < pairs->n && r == 1; i++)
                r = remembers(store, pairs->items[i].key, pairs->items[i].value, err);
        if (r < 0)
                return r;
        if (r == 1)
                return 0;

        r = store_begin(store, &transaction, err);
        for (size_t i = 0; r >= 0 && i < pairs->n; i++)
                r = store_remember(store, pairs->items[i].key, pairs->items[i].value, err);
        if (r >= 0)
                r = store_commit(&transaction, err);
        return r < 0 ? r : 1;
}

int store_remembered(Store *store, const char *prefix, MrTree **ret, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();

        int r = store_prepare(store, &statement, err,
                              "SELECT key, value FROM remembered WHERE substr(key, 1, length(?1)) "
                              "= ?1 ORDER BY key",
                              "s", prefix);
        while (r >= 0 && (r = store_step(store, statement, err)) == 1)
                mr_tree_set_string(map, store_column(statement, 0), store_column(statement, 1));
        if (r < 0)
                return r;
        *ret = TAKE(map);
        return 0;
}

static void hold_emit(Store *store, StoreChange change, const char *ns, const char *node) {
        store_backup_due(store);
        store_emit(store,
                   (StoreEvent){.change = change,
                                .version = store->version,
                                .kind = "Hold",
                                .ns = ns,
                                .name = node},
                   NULL);
}

int store_hold(Store *store, const char *ns, const char *node, const char *reason, MrError *err) {
        int r = store_execute(store, err,
                              "INSERT INTO holds VALUES(?1, ?2, ?3, ?4) ON CONFLICT(ns, node) DO "
                              "UPDATE SET reason = ?3 "
                              "WHERE reason <> ?3",
                              "sssi", ns, node, reason ? reason : "", now_realtime_sec());
        if (r > 0)
                hold_emit(store, STORE_ADDED, ns, node);
        return r;
}

int store_release(Store *store, const char *ns, const char *node, MrError *err) {
        int r = store_execute(store, err, "DELETE FROM holds WHERE ns = ? AND node = ?", "ss", ns,
                              node);
        if (r > 0)
                hold_emit(store, STORE_DELETED, ns, node);
        return r;
}

int store_holds(Store *store, const char *ns, MrTree **ret, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_list();

        int r = store_prepare(store, &statement, err,
                              "SELECT ns, node, reason, since FROM holds WHERE ?1 IS NULL OR ns = "
                              "?1 ORDER BY ns, node",
                              "s", ns);
        while (r >= 0 && (r = store_step(store, statement, err)) == 1) {
                MrTree *hold = mr_tree_append(list, mr_tree_new_map());
                mr_tree_set_string(hold, "namespace", store_column(statement, 0));
                mr_tree_set_string(hold, "node", store_column(statement, 1));
                mr_tree_set_string(hold, "reason", store_column(statement, 2));
                mr_tree_set_int(hold, "since", sqlite3_column_int64(statement, 3));
        }
        if (r < 0)
                return r;
        *ret = TAKE(list);
        return 0;
}
