/* Opening, checking and closing the file, statements and transactions. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-private.h"

#define STORE_APPLICATION 0x4d494c4c /* "MILL" in the header of the file */

int store_fail(MrError *err, int errnum, MrErrorKind kind, const char *format, ...) {
        va_list args;
        va_start(args, format);
        _cleanup_free_ char *text = mr_vstrf(format, args);
        va_end(args);
        (void) mr_fail(err, kind, NULL, "%s", text);
        return -errnum;
}

int store_damaged(Store *store, MrError *err, const char *why) {
        return mr_fail(
                err, MR_DENIED, NULL,
                "the state file %s is damaged (%s) and was left as it is; stop millraced, move %s "
                "and %s-wal "
                "aside, copy %s.backup to %s with the same owner and mode, and start it again",
                store->path, why, store->path, store->path, store->path, store->path);
}

int store_sql_error(Store *store, MrError *err, const char *what) {
        const char *text = sqlite3_errmsg(store->db);

        switch (sqlite3_errcode(store->db) & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return store_damaged(store, err, text);
        case SQLITE_FULL:
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "%s: no space left for %s; free some, nothing was changed", what,
                               store->path);
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
                return mr_fail(err, MR_TRANSIENT, NULL, "%s: %s on %s; nothing was changed", what,
                               text, store->path);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "%s: another program uses %s; stop the other one", what,
                               store->path);
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return mr_fail(err, MR_DENIED, NULL,
                               "%s: %s cannot be written (%s); check its owner and mode, and that "
                               "the file system is "
                               "not read-only",
                               what, store->path, text);
        case SQLITE_TOOBIG:
                return mr_fail(err, MR_INVALID, NULL, "%s: it is too big", what);
        default:
                return mr_fail(err, MR_BUG, NULL, "%s: %s", what, text);
        }
}

static int store_bind(sqlite3_stmt *statement, const char *types, va_list args) {
        for (int i = 1; *types; types++, i++) {
                int r;

                if (*types == 's') {
                        r = sqlite3_bind_text(statement, i, va_arg(args, const char *), -1,
                                              SQLITE_STATIC);
                } else if (*types == 'i') {
                        r = sqlite3_bind_int64(statement, i, va_arg(args, int64_t));
                } else {
                        const void *data = va_arg(args, const void *);
                        r = sqlite3_bind_blob64(statement, i, data ? data : "",
                                                va_arg(args, size_t), SQLITE_STATIC);
                }
                if (r != SQLITE_OK)
                        return r;
        }
        return SQLITE_OK;
}

/* A pragma may have its effect when it is compiled, so that running it again would do nothing:
 * https://sqlite.org/pragma.html */
static bool store_is_kept(const char *sql) {
        return !mr_starts_with(sql, "PRAGMA");
}

void store_statement_release(sqlite3_stmt *statement) {
        if (!statement)
                return;
        if (!store_is_kept(sqlite3_sql(statement))) {
                sqlite3_finalize(statement);
                return;
        }
        (void) sqlite3_reset(statement);
        (void) sqlite3_clear_bindings(statement);
}

/* The connection itself knows its statements. Each is stepped as soon as it is bound, so one that
 * is not busy is nobody's. */
static sqlite3_stmt *store_find_statement(const Store *store, const char *sql) {
        sqlite3_stmt *statement = NULL;

        while ((statement = sqlite3_next_stmt(store->db, statement)))
                if (!sqlite3_stmt_busy(statement) && mr_streq(sqlite3_sql(statement), sql))
                        return statement;
        return NULL;
}

static int store_vprepare(Store *store, sqlite3_stmt **ret, MrError *err, const char *sql,
                          const char *types, va_list args) {
        _cleanup_statement_ sqlite3_stmt *statement = store_find_statement(store, sql);
        unsigned flags = store_is_kept(sql) ? SQLITE_PREPARE_PERSISTENT : 0;

        if ((!statement &&
             sqlite3_prepare_v3(store->db, sql, -1, flags, &statement, NULL) != SQLITE_OK) ||
            store_bind(statement, types, args) != SQLITE_OK)
                return store_sql_error(store, err, "cannot use the state file");
        *ret = TAKE(statement);
        return 0;
}

int store_prepare(Store *store, sqlite3_stmt **ret, MrError *err, const char *sql,
                  const char *types, ...) {
        va_list args;
        va_start(args, types);
        int r = store_vprepare(store, ret, err, sql, types, args);
        va_end(args);
        return r;
}

int store_step(Store *store, sqlite3_stmt *statement, MrError *err) {
        int r = sqlite3_step(statement);

        if (r == SQLITE_ROW)
                return 1;
        if (r == SQLITE_DONE)
                return 0;
        return store_sql_error(store, err, "cannot use the state file");
}

int store_execute(Store *store, MrError *err, const char *sql, const char *types, ...) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;
        va_list args;
        va_start(args, types);
        int r = store_vprepare(store, &statement, err, sql, types, args);
        va_end(args);
        if (r < 0)
                return r;

        r = store_step(store, statement, err);
        return r < 0 ? r : sqlite3_changes(store->db);
}

const char *store_column(sqlite3_stmt *statement, int column) {
        const char *text = (const char *) sqlite3_column_text(statement, column);
        return text ? text : "";
}

static void store_wait_again(Store *store) {
        if (store->is_lazy)
                store->is_lazy = store_execute(store, NULL, "PRAGMA synchronous = FULL", "") < 0;
}

int store_begin(Store *store, Transaction *ret, MrError *err) {
        int r = store_execute(store, err, "BEGIN IMMEDIATE", "");
        if (r < 0)
                return r;
        *ret = (Transaction){.store = store, .version = store->version};
        return 0;
}

/* In a write-ahead log, NORMAL leaves out the sync of a commit and keeps the order of commits. */
int store_begin_lazy(Store *store, Transaction *ret, MrError *err) {
        int r = store_execute(store, err, "PRAGMA synchronous = NORMAL", "");
        if (r < 0)
                return r;
        store->is_lazy = true;
        r = store_begin(store, ret, err);
        if (r < 0)
                store_wait_again(store);
        return r;
}

int store_commit(Transaction *transaction, MrError *err) {
        int r = store_execute(transaction->store, err, "COMMIT", "");
        if (r < 0)
                return r;
        store_wait_again(transaction->store);
        transaction->store = NULL;
        return 0;
}

/* SQLite undoes some failed transactions by itself, in which case there is nothing left to roll
 * back. */
void store_transaction_done(Transaction *transaction) {
        Store *store = transaction->store;

        if (!store)
                return;
        if (!sqlite3_get_autocommit(store->db))
                (void) sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        store->version = transaction->version;
        store_wait_again(store);
}

int store_next_version(Store *store, int64_t *ret, MrError *err) {
        int r = store_execute(store, err, "UPDATE meta SET value = ? WHERE key = 'version'", "i",
                              store->version + 1);
        if (r < 0)
                return r;
        *ret = ++store->version;
        return 0;
}

int64_t store_version(const Store *store) {
        return store->version;
}

int store_query_int(Store *store, const char *sql, int64_t *ret, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        int r = store_prepare(store, &statement, err, sql, "");
        if (r < 0)
                return r;
        r = store_step(store, statement, err);
        if (r < 0)
                return r;
        *ret = r == 1 ? sqlite3_column_int64(statement, 0) : 0;
        return 0;
}

int store_run(Store *store, const char *sql, MrError *err) {
        if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
                return store_sql_error(store, err, "cannot open the state file");
        return 0;
}

/* The file is made before SQLite sees it, so that it never has another mode, not even for a moment.
 */
static int store_make_file(const char *path, bool *ret_is_new, MrError *err) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot open the state file %s", path);

        struct stat st;
        int r = fstat(fd, &st) < 0 ? -errno : 0;
        if (r == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
                r = fchmod(fd, 0600) < 0 ? -errno : 0;
        close(fd);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot protect the state file %s", path);
        if (!S_ISREG(st.st_mode))
                return mr_fail(err, MR_DENIED, NULL,
                               "the state file %s is no regular file; move it away", path);
        *ret_is_new = st.st_size == 0;
        return 0;
}

static int store_create_schema(Store *store, MrError *err) {
        _cleanup_free_ char *backup = mr_strf("%s.backup", store->path);
        _cleanup_free_ char *header = mr_strf("PRAGMA application_id = %d", STORE_APPLICATION);
        _cleanup_transaction_ Transaction transaction = {};

        if (access(backup, F_OK) == 0)
                return store_damaged(store, err, "it is empty or missing, and a backup exists");
        int r = store_run(store, "PRAGMA journal_mode = WAL", err);
        if (r == 0)
                r = store_begin(store, &transaction, err);
        if (r == 0)
                r = store_run(store, header, err);
        if (r == 0)
                r = store_upgrade(store, 0, err);
        return r < 0 ? r : store_commit(&transaction, err);
}

static int store_check_integrity(Store *store, MrError *err) {
        _cleanup_statement_ sqlite3_stmt *statement = NULL;

        int r = store_prepare(store, &statement, err, "PRAGMA quick_check(1)", "");
        if (r < 0)
                return r;
        r = store_step(store, statement, err);
        if (r < 0)
                return r;
        /* SQLite's answer has a headline. */
        const char *answer = r == 0 ? "no answer" : store_column(statement, 0),
                   *line = strchr(answer, '\n');
        return mr_streq(answer, "ok") ? 0 : store_damaged(store, err, line ? line + 1 : answer);
}

static int store_check(Store *store, MrError *err) {
        int64_t application = 0, number = 0;

        int r = store_query_int(store, "PRAGMA application_id", &application, err);
        if (r == 0)
                r = store_query_int(store, "PRAGMA user_version", &number, err);
        if (r < 0)
                return r;
        if (application != STORE_APPLICATION)
                return store_damaged(store, err, "it is a database of another program");
        if (number > STORE_SCHEMA)
                return store_refuse_newer(store, number, err);
        r = store_check_integrity(store, err);
        return r < 0 || number == STORE_SCHEMA ? r : store_take_over(store, number, err);
}

/* Exclusive locking keeps a second daemon out and needs no shared memory file; the write-ahead log
 * costs one sync a commit. Nothing here runs by itself: an idle store neither reads nor writes. */
static const char settings[] =
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA cache_size = -256;"
        "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;"
        "PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 1048576;";

/* A damaged file must stay as it is, so the log is not written back into it before it has been
 * checked. */
static int store_prepare_file(Store *store, bool is_new, MrError *err) {
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_extended_result_codes(store->db, 1);

        int r = store_run(store, settings, err);
        if (r == 0)
                r = is_new ? store_create_schema(store, err) : store_check(store, err);
        if (r == 0)
                r = store_query_int(store, "SELECT value FROM meta WHERE key = 'version'",
                                    &store->version, err);
        if (r == 0)
                r = store_note_program(store, err);
        if (r < 0)
                return r;
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        store->is_verified = true;
        store->history_floor = store->version;
        return 0;
}

int store_open(const char *path, Store **ret, MrError *err) {
        _cleanup_(store_freep) Store *store = mr_new(Store, 1);
        bool is_new = true;

        store->path = mr_strdup(path);
        if (!mr_streq(path, STORE_IN_MEMORY)) {
                int r = store_make_file(path, &is_new, err);
                if (r < 0)
                        return r;
        }
        if (sqlite3_open_v2(path, &store->db,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                            NULL) != SQLITE_OK)
                return store_sql_error(store, err, "cannot open the state file");
        int r = store_prepare_file(store, is_new, err);
        if (r < 0)
                return r;
        store->is_new = is_new;
        *ret = TAKE(store);
        return 0;
}

bool store_is_new(const Store *store) {
        return store->is_new;
}

static void store_close(Store *store) {
        sqlite3_stmt *statement;

        while (store->db && (statement = sqlite3_next_stmt(store->db, NULL)))
                sqlite3_finalize(statement);
        sqlite3_close(store->db);
}

Store *store_free(Store *store) {
        if (!store)
                return NULL;
        if (store->is_verified)
                (void) store_backup(store, NULL);
        store_backup_done(store);
        store_feed_done(store);
        store_close(store);
        free(store->path);
        free(store);
        return NULL;
}
