#pragma once

/* Structured logging for the shell of the programs: pure code returns, the shell logs, once,
 * where an error stops travelling. An entry goes to the journal when standard error is connected
 * to it, and otherwise to standard error: as plain text on a terminal, as one JSON object a line
 * with the same field names everywhere else.
 *
 *      log_notice(&scope, MSG_PART_APPLIED, "Applied %s.", key);
 *      log_fields(LOG_NOTICE, &scope, MSG_PART_APPLIED,
 *                 LOG_FIELDS({"MILLRACE_ACTION", "restart"}), "Applied %s.", key);
 *
 * Messages never contain key material or passwords. errno survives each call. */

#include <syslog.h>

#include "sdk/macros.h"

/* What an entry speaks about. All strings are borrowed; NULL leaves a field out. */
typedef struct LogScope {
        const char *kind;    /* MILLRACE_KIND, "Kafka" */
        const char *ns;      /* MILLRACE_NAMESPACE */
        const char *name;    /* MILLRACE_NAME */
        const char *station; /* MILLRACE_STATION: "decode", "observe", "apply" … */
        const char *node;    /* MILLRACE_NODE */
} LogScope;

/* One more field of an entry: an upper-case journal field name and its value; a NULL value is
 * left out. */
typedef struct LogField {
        const char *key;
        const char *value;
} LogField;

#define LOG_FIELDS(...) ((const LogField[]){__VA_ARGS__, {}})

/* Chooses the sink. `identifier` (a literal) names the program. Without this call entries go out
 * as text. */
void log_open(const char *identifier);
/* Entries less important than this syslog priority are dropped; the default is LOG_INFO. */
void log_set_level(int priority);
int log_level(void);
/* "debug", "info", "notice", "warning", "error" → the syslog priority, -EINVAL otherwise; and
 * back. */
int log_level_from_name(const char *name);
const char *log_level_name(int priority);

/* Where in the source an entry was made. */
typedef struct LogOrigin {
        const char *file;
        const char *function;
        int line;
} LogOrigin;

/* `scope`, `message_id` (32 hex digits) and `fields` (ends with {}) may be NULL. */
void log_write(int priority, LogOrigin origin, const LogScope *scope, const char *message_id,
               const LogField *fields, const char *format, ...) _printf_(6, 7);

#define LOG_HERE ((LogOrigin){__FILE__, __func__, __LINE__})
#define log_fields(priority, scope, id, fields, ...)                                               \
        log_write((priority), LOG_HERE, (scope), (id), (fields), __VA_ARGS__)
#define log_debug(scope, id, ...) log_write(LOG_DEBUG, LOG_HERE, (scope), (id), NULL, __VA_ARGS__)
#define log_info(scope, id, ...) log_write(LOG_INFO, LOG_HERE, (scope), (id), NULL, __VA_ARGS__)
#define log_notice(scope, id, ...) log_write(LOG_NOTICE, LOG_HERE, (scope), (id), NULL, __VA_ARGS__)
#define log_warning(scope, id, ...)                                                                \
        log_write(LOG_WARNING, LOG_HERE, (scope), (id), NULL, __VA_ARGS__)
#define log_error(scope, id, ...) log_write(LOG_ERR, LOG_HERE, (scope), (id), NULL, __VA_ARGS__)
