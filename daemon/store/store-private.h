#pragma once

/* What the files of the store share: the connection, statements, transactions and the change feed.
 */

#include <sqlite3.h>

#include "store/store.h"

typedef struct FeedItem FeedItem;

struct Store {
        sqlite3 *db;
        char *path;
        int64_t version;  /* highest resource version on disk */
        bool is_new;      /* made by this process */
        bool is_verified; /* the file is one of ours and undamaged */
        bool is_lazy;     /* the transaction under way is that of store_begin_lazy() */

        /* The change feed: `pending` are events not yet delivered, `history` those that
         * store_replay() knows. */
        FeedItem *pending_head, *pending_tail;
        FeedItem *history_head, *history_tail;
        size_t n_history, history_size;
        int64_t history_floor; /* events up to this version are forgotten */
        StoreSubscription *subscriptions;
        bool is_delivering;

        sd_event_source *backup_timer;
        bool is_backup_due;
        StoreBackupFailed backup_failed;
        void *backup_userdata;
};

/* Sets err and returns -errnum: for the answers that MrErrorKind has no errno for. */
int store_fail(MrError *err, int errnum, MrErrorKind kind, const char *format, ...) _printf_(4, 5);
/* The error of the last call on the connection. `what` is the sentence's begin: "cannot read the
 * hold". */
int store_sql_error(Store *store, MrError *err, const char *what);
int store_damaged(Store *store, MrError *err, const char *why);

/* Ends the use of a statement, which is kept for the next use of the same words. */
void store_statement_release(sqlite3_stmt *statement);
static inline _unused_ void store_statement_releasep(sqlite3_stmt **statement) {
        store_statement_release(*statement);
}
#define _cleanup_statement_ _cleanup_(store_statement_releasep)

/* Prepares a statement and binds its arguments: `types` has one letter each, 's' const char *
 * (NULL: null), 'i' int64_t, 'b' const void * and size_t. Text and blobs must outlive the
 * statement. */
int store_prepare(Store *store, sqlite3_stmt **ret, MrError *err, const char *sql,
                  const char *types, ...);
/* Runs one that yields no rows. Returns the number of rows it changed. */
int store_execute(Store *store, MrError *err, const char *sql, const char *types, ...);
/* The next row: 1, or 0 when there is none. */
int store_step(Store *store, sqlite3_stmt *statement, MrError *err);
/* Runs one or more without arguments, at opening. */
int store_run(Store *store, const char *sql, MrError *err);
/* The number in the first row; 0 when there is none. */
int store_query_int(Store *store, const char *sql, int64_t *ret, MrError *err);
const char *store_column(sqlite3_stmt *statement, int column); /* text, "" for null */

/* A transaction ends by store_commit(), or is undone when it leaves its scope. */
typedef struct Transaction {
        Store *store;
        int64_t version; /* the one before */
} Transaction;

int store_begin(Store *store, Transaction *ret, MrError *err);
/* For what is made again from elsewhere should the power fail: a status, the content of a file. Its
 * commit does not wait for the disk; the next one of the other kind does, for both. */
int store_begin_lazy(Store *store, Transaction *ret, MrError *err);
int store_commit(Transaction *transaction, MrError *err);
void store_transaction_done(Transaction *transaction);
#define _cleanup_transaction_ _cleanup_(store_transaction_done)
/* Within a transaction: the version of what is being written. */
int store_next_version(Store *store, int64_t *ret, MrError *err);

/* Queues an event, and delivers it unless a delivery is under way. Takes json. */
void store_emit(Store *store, StoreEvent event, char *take_json);
void store_feed_done(Store *store);

/* The version of the schema, in the header of the file. */
#define STORE_SCHEMA 2

/* Within a transaction: makes schema `from` (0: an empty file) the newest one. */
int store_upgrade(Store *store, int64_t from, MrError *err);
/* The same for the file of an older millraced: all of it, or nothing. */
int store_take_over(Store *store, int64_t from, MrError *err);
/* -EPERM, with who wrote it and what to do. */
int store_refuse_newer(Store *store, int64_t schema, MrError *err);
/* Notes which millraced has used the file, when it is another one than before. */
int store_note_program(Store *store, MrError *err);

void store_backup_due(Store *store);
void store_backup_done(Store *store);

/* "2026-01-31T12:00:00Z" */
