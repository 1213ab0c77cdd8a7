/* Secrets: keys with values as bytes. Their content never appears in an event, an error or a log.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-private.h"

static const StoreSecretValue *value_find(const StoreSecretValue *values, size_t n,
                                          const char *key) {
        for (size_t i = 0; i < n; i++)
                if (mr_streq(values[i].key, key))
                        return &values[i];
        return NULL;
}

typedef struct Comparison {
        const StoreSecretValue *values;
        size_t n;
        size_t n_equal;
        bool differs;
} Comparison;

static int secret_compare(void *userdata, const char *ns _unused_, const char *name _unused_,
                          const char *key, const void *data, size_t size) {
        Comparison *comparison = userdata;
        const StoreSecretValue *value = value_find(comparison->values, comparison->n, key);

        if (value && value->size == size && (size == 0 || memcmp(value->data, data, size) == 0))
                comparison->n_equal++;
        else
                comparison->differs = true;
        return 0;
}

static char *labels_text(const MrPairs *labels) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();
        _cleanup_buf_ MrBuf text = {};

        for (size_t i = 0; labels && i < labels->n; i++)
                mr_tree_set_string(map, labels->items[i].key, labels->items[i].value);
        mr_json_write(map, 0, &text);
        return mr_buf_take(&text);
}

/* 1 when the secret is there with these labels, and its creation time is returned; 0 otherwise. */
static int secret_head(Store *store, const char *ns, const char *name, const char *labels,
                       char **ret_created, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        int r = store_prepare(
                store, &statement, err,
                "SELECT created, labels FROM secret_objects WHERE ns = ? AND name = ?", "ss", ns,
                name);
        if (r == 0)
                r = store_step(store, statement, err);
        if (r <= 0)
                return r;
        *ret_created = mr_strdup(store_column(statement, 0));
        return mr_streq(store_column(statement, 1), labels);
}

/* Within a transaction. */
static int secret_write(Store *store, const char *ns, const StoreSecretPut *put, const char *labels,
                        const char *created, int64_t *ret_version, MrError *err) {
        int r = store_next_version(store, ret_version, err);

        if (r >= 0)
                r = store_execute(store, err, "DELETE FROM secrets WHERE ns = ? AND name = ?", "ss",
                                  ns, put->name);
        if (r >= 0)
                r = store_execute(store, err,
                                  "INSERT OR REPLACE INTO secret_objects VALUES(?, ?, ?, ?, ?)",
                                  "ssiss", ns, put->name, *ret_version, created, labels);
        for (size_t i = 0; r >= 0 && i < put->n; i++)
                r = store_execute(store, err, "INSERT INTO secrets VALUES(?, ?, ?, ?)", "sssb", ns,
                                  put->name, put->values[i].key, put->values[i].data,
                                  put->values[i].size);
        return r < 0 ? r : 0;
}

static void secret_emit(Store *store, StoreChange change, const char *ns, const char *name,
                        int64_t version) {
        store_backup_due(store);
        store_emit(store,
                   (StoreEvent){.change = change,
                                .version = version,
                                .kind = "Secret",
                                .ns = ns,
                                .name = name},
                   NULL);
}

/* Notes are remembered values: note/NAMESPACE/NAME/KEY. */
static char *note_key(const char *ns, const char *name, const char *key) {
        return mr_strf("note/%s/%s/%s", ns, name, key);
}

int store_secret_annotate(Store *store, const char *ns, const char *name, const char *key,
                          const char *value, MrError *err) {
        _cleanup_free_ char *path = note_key(ns, name, key);

        return store_remember(store, path, value, err);
}

typedef struct Written {
        bool is_changed, is_new;
        int64_t version;
} Written;

/* Within a transaction. */
static int secret_put(Store *store, const char *ns, const StoreSecretPut *put, Written *ret,
                      MrError *err) {
        _cleanup_free_ char *text = labels_text(put->labels), *created = NULL;
        Comparison comparison = {.values = put->values, .n = put->n};
        char now[TIME_TEXT_MAX];

        int same = secret_head(store, ns, put->name, text, &created, err);
        int r = same < 0
                        ? same
                        : store_secret_each(store, ns, put->name, secret_compare, &comparison, err);
        for (size_t i = 0; r >= 0 && i < put->notes.n; i++)
                r = store_secret_annotate(store, ns, put->name, put->notes.items[i].key,
                                          put->notes.items[i].value, err);
        if (r < 0 || (same && !comparison.differs && comparison.n_equal == put->n))
                return r;
        time_text(now_realtime_sec(), now);
        ret->is_changed = true;
        ret->is_new = !created;
        return secret_write(store, ns, put, text, created ? created : now, &ret->version, err);
}

int store_secrets_put(Store *store, const char *ns, const StoreSecretPut *puts, size_t n,
                      MrError *err) {
        _cleanup_transaction_ Transaction transaction = {};
        _cleanup_free_ Written *written = mr_new(Written, n);
        int r = store_begin(store, &transaction, err), n_changed = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = secret_put(store, ns, &puts[i], &written[i], err);
        if (r >= 0)
                r = store_commit(&transaction, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (!written[i].is_changed)
                        continue;
                n_changed++;
                secret_emit(store, written[i].is_new ? STORE_ADDED : STORE_MODIFIED, ns,
                            puts[i].name, written[i].version);
        }
        return n_changed;
}

int store_secret_put(Store *store, const char *ns, const char *name, const StoreSecretValue *values,
                     size_t n, const MrPairs *labels, MrError *err) {
        const StoreSecretPut put = {.name = name, .values = values, .n = n, .labels = labels};

        return store_secrets_put(store, ns, &put, 1, err);
}

int store_secret_annotations(Store *store, const char *ns, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *all = NULL, *result = mr_tree_new_map();
        _cleanup_free_ char *prefix = mr_strf("note/%s/", ns);

        int r = store_remembered(store, prefix, &all, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < mr_tree_size(all); i++) {
                const char *path = mr_tree_key(all, i) + strlen(prefix);
                size_t size = strcspn(path, "/");
                _cleanup_free_ char *name = mr_strndup(path, size);
                if (path[size])
                        mr_tree_set_string(mr_tree_need_map(result, name), path + size + 1,
                                           mr_tree_string(mr_tree_at(all, i)));
        }
        *ret = TAKE(result);
        return 0;
}

int store_secret_remove(Store *store, const char *ns, const char *name, MrError *err) {
        _cleanup_free_ char *notes = note_key(ns, name, "");
        _cleanup_transaction_ Transaction transaction = {};
        int64_t version = 0;

        int r = store_begin(store, &transaction, err);
        if (r == 0)
                r = store_execute(store, err, "DELETE FROM secrets WHERE ns = ? AND name = ?", "ss",
                                  ns, name);
        if (r >= 0)
                r = store_execute(store, err,
                                  "DELETE FROM remembered WHERE substr(key, 1, length(?1)) = ?1",
                                  "s", notes);
        if (r >= 0)
                r = store_execute(store, err,
                                  "DELETE FROM secret_objects WHERE ns = ? AND name = ?", "ss", ns,
                                  name);
        if (r <= 0)
                return r;
        r = store_next_version(store, &version, err);
        if (r == 0)
                r = store_commit(&transaction, err);
        if (r < 0)
                return r;
        secret_emit(store, STORE_DELETED, ns, name, version);
        return 1;
}

int store_secret_get(Store *store, const char *ns, const char *name, const char *key, MrBuf *out,
                     MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        int r = store_prepare(store, &statement, err,
                              "SELECT value FROM secrets WHERE ns = ? AND name = ? AND key = ?",
                              "sss", ns, name, key);
        if (r == 0)
                r = store_step(store, statement, err);
        if (r <= 0)
                return r;
        const void *data = sqlite3_column_blob(statement, 0);
        mr_buf_append(out, data ? data : "", (size_t) sqlite3_column_bytes(statement, 0));
        return 1;
}

int store_secret_each(Store *store, const char *ns, const char *name, StoreSecretFound found,
                      void *userdata, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        int r = store_prepare(
                store, &statement, err,
                "SELECT ns, name, key, value FROM secrets WHERE (?1 IS NULL OR ns = ?1) "
                "AND (?2 IS NULL OR name = ?2) ORDER BY ns, name, key",
                "ss", ns, name);
        while (r >= 0 && (r = store_step(store, statement, err)) == 1) {
                const void *data = sqlite3_column_blob(statement, 3);
                r = found(userdata, store_column(statement, 0), store_column(statement, 1),
                          store_column(statement, 2), data ? data : "",
                          (size_t) sqlite3_column_bytes(statement, 3));
        }
        return r;
}

static MrTree *secret_entry(sqlite3_stmt *row) {
        const char *labels = store_column(row, 4);
        MrTree *entry = mr_tree_new_map(), *map = NULL;

        mr_tree_set_string(entry, "namespace", store_column(row, 0));
        mr_tree_set_string(entry, "name", store_column(row, 1));
        mr_tree_set_int(entry, "version", sqlite3_column_int64(row, 2));
        mr_tree_set_string(entry, "creationTimestamp", store_column(row, 3));
        if (mr_json_read(labels, strlen(labels), NULL, &map, NULL) >= 0)
                mr_tree_set(entry, "labels", map);
        return entry;
}

static int add_annotations(Store *store, MrTree *list, MrError *err) {
        for (size_t i = 0; i < mr_tree_size(list); i++) {
                MrTree *entry = mr_tree_at(list, i);
                _cleanup_(mr_tree_freep) MrTree *all = NULL;
                _cleanup_free_ char *prefix = note_key(mr_tree_get_string(entry, "namespace"),
                                                       mr_tree_get_string(entry, "name"), "");
                int r = store_remembered(store, prefix, &all, err);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < mr_tree_size(all); k++)
                        mr_tree_set_string(mr_tree_need_map(entry, "annotations"),
                                           mr_tree_key(all, k) + strlen(prefix),
                                           mr_tree_string(mr_tree_at(all, k)));
        }
        return 0;
}

int store_secret_list(Store *store, const char *ns, MrTree **ret, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_list();

        int r = store_prepare(store, &statement, err,
                              "SELECT ns, name, version, created, labels FROM secret_objects "
                              "WHERE ?1 IS NULL OR ns = ?1 ORDER BY ns, name",
                              "s", ns);
        while (r >= 0 && (r = store_step(store, statement, err)) == 1)
                mr_tree_append(list, secret_entry(statement));
        if (r >= 0)
                r = add_annotations(store, list, err);
        if (r < 0)
                return r;
        *ret = TAKE(list);
        return 0;
}
