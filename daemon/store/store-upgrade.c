/* The schema, version by version. A new file goes through all of them, and one of an older
 * millraced through those that it lacks: so both end up the same. */

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-private.h"

static const char *const versions[] = {
        [1] = "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
              "INSERT INTO meta VALUES('version', 0);"
              "CREATE TABLE resources(kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, "
              "uid TEXT "
              "NOT NULL,"
              " generation INTEGER NOT NULL, version INTEGER NOT NULL, source TEXT NOT NULL, json "
              "TEXT "
              "NOT NULL,"
              " PRIMARY KEY(kind, ns, name));"
              "CREATE TABLE secret_objects(ns TEXT NOT NULL, name TEXT NOT NULL, version INTEGER "
              "NOT "
              "NULL,"
              " created TEXT NOT NULL, labels TEXT NOT NULL, PRIMARY KEY(ns, name)) WITHOUT ROWID;"
              "CREATE TABLE secrets(ns TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value "
              "BLOB "
              "NOT NULL,"
              " PRIMARY KEY(ns, name, key));"
              "CREATE TABLE remembered(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
              "CREATE TABLE holds(ns TEXT NOT NULL, node TEXT NOT NULL, reason TEXT NOT NULL, "
              "since "
              "INTEGER NOT NULL,"
              " PRIMARY KEY(ns, node)) WITHOUT ROWID;",
        /* Who has used the file: a millraced that is too old for it names the one that is not. */
        [2] = "CREATE TABLE programs(version TEXT NOT NULL, since INTEGER NOT NULL);",
};

int store_upgrade(Store *store, int64_t from, MrError *err) {
        _cleanup_free_ char *header = mr_strf("PRAGMA user_version = %d", STORE_SCHEMA);
        int r = 0;

        for (int64_t version = from + 1; r == 0 && version <= STORE_SCHEMA; version++)
                r = store_run(store, versions[version], err);
        return r < 0 ? r : store_run(store, header, err);
}

int store_take_over(Store *store, int64_t from, MrError *err) {
        _cleanup_transaction_ Transaction transaction = {};

        if (from < 1)
                return store_damaged(store, err, "it does not say which schema it has");
        int r = store_begin(store, &transaction, err);
        if (r == 0)
                r = store_upgrade(store, from, err);
        return r < 0 ? r : store_commit(&transaction, err);
}

/* A newer file may lack the table, or have another one: then the name is left out. */
static char *last_program(Store *store) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        if (store_prepare(store, &statement, NULL,
                          "SELECT version FROM programs ORDER BY rowid DESC LIMIT 1", "") < 0 ||
            store_step(store, statement, NULL) != 1)
                return NULL;
        return mr_strdup(store_column(statement, 0));
}

int store_refuse_newer(Store *store, int64_t schema, MrError *err) {
        _cleanup_free_ char *program = last_program(store);

        return mr_fail(err, MR_DENIED, NULL,
                       "the state file %s was written by a newer millraced (%s%sschema %lld; this "
                       "is " MILLRACE_VERSION ", which knows schema %d) and was left as it is; "
                       "install that version again, or restore a backup from before it: millctl "
                       "restore",
                       store->path, program ? program : "", program ? ", " : "", (long long) schema,
                       STORE_SCHEMA);
}

int store_note_program(Store *store, MrError *err) {
        _cleanup_free_ char *last = last_program(store);

        if (mr_streq(last, MILLRACE_VERSION))
                return 0;
        int r = store_execute(store, err, "INSERT INTO programs VALUES(?, ?)", "si",
                              MILLRACE_VERSION, now_realtime_sec());
        return r < 0 ? r : 0;
}
