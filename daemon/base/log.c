#include "base/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/buf.h"

/* More fields than this in one entry are a mistake of ours; the rest is dropped. */
#define FIELDS_MAX 24

typedef enum Sink {
        SINK_TEXT,
        SINK_JSON,
        SINK_JOURNAL,
} Sink;

typedef struct Entry {
        LogField fields[FIELDS_MAX];
        size_t n_fields;
} Entry;

/* The one place of the program with state that nobody hands around: where entries go, and which. */
static struct {
        const char *identifier;
        Sink sink;
        int level;
} log_state = {.level = LOG_INFO};

static const struct {
        const char *name;
        int priority;
} level_names[] = {
        {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
        {"info", LOG_INFO}, {"debug", LOG_DEBUG},
};

/* systemd sets JOURNAL_STREAM to the device and inode of the socket it connected; when standard
 * error was redirected since, they differ and the journal is not where the output is expected. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        struct stat st;
        unsigned long long device, inode;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        if (sscanf(stream, "%llu:%llu", &device, &inode) != 2)
                return false;
        return (unsigned long long) st.st_dev == device && (unsigned long long) st.st_ino == inode;
}

void log_open(const char *identifier) {
        log_state.identifier = identifier;
        if (stderr_is_journal())
                log_state.sink = SINK_JOURNAL;
        else
                log_state.sink = isatty(STDERR_FILENO) ? SINK_TEXT : SINK_JSON;
}

void log_set_level(int priority) {
        log_state.level = priority;
}

int log_level(void) {
        return log_state.level;
}

int log_level_from_name(const char *name) {
        for (size_t i = 0; name && i < MR_ELEMENTS(level_names); i++)
                if (strcmp(level_names[i].name, name) == 0)
                        return level_names[i].priority;
        return -EINVAL;
}

const char *log_level_name(int priority) {
        for (size_t i = 0; i < MR_ELEMENTS(level_names); i++)
                if (level_names[i].priority == priority)
                        return level_names[i].name;
        return priority < LOG_ERR ? "error" : "debug";
}

static void entry_add(Entry *entry, const char *key, const char *value) {
        if (value && entry->n_fields < FIELDS_MAX)
                entry->fields[entry->n_fields++] = (LogField){key, value};
}

static void entry_add_scope(Entry *entry, const LogScope *scope) {
        entry_add(entry, "MILLRACE_KIND", scope->kind);
        entry_add(entry, "MILLRACE_NAMESPACE", scope->ns);
        entry_add(entry, "MILLRACE_NAME", scope->name);
        entry_add(entry, "MILLRACE_STATION", scope->station);
        entry_add(entry, "MILLRACE_NODE", scope->node);
}

/* The length of the UTF-8 sequence at s, 0 when it is none. Overlong forms are left to the
 * reader. */
static size_t utf8_length(const unsigned char *s) {
        size_t n = *s < 0x80             ? 1
                   : (*s & 0xe0) == 0xc0 ? 2
                   : (*s & 0xf0) == 0xe0 ? 3
                   : (*s & 0xf8) == 0xf0 ? 4
                                         : 0;

        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        return n;
}

static void append_json_string(MrBuf *buf, const char *text) {
        mr_buf_putc(buf, '"');
        for (const unsigned char *s = (const unsigned char *) text; *s;) {
                size_t n = utf8_length(s);

                if (n == 0)
                        mr_buf_puts(buf, "\\ufffd");
                else if (*s == '"' || *s == '\\')
                        mr_buf_printf(buf, "\\%c", *s);
                else if (*s < 0x20 || *s == 0x7f)
                        mr_buf_printf(buf, "\\u%04x", *s);
                else
                        mr_buf_append(buf, s, n);
                s += n ? n : 1;
        }
        mr_buf_putc(buf, '"');
}

static void write_all(const MrBuf *buf) {
        for (size_t done = 0; done < buf->size;) {
                ssize_t n = write(STDERR_FILENO, buf->data + done, buf->size - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return;
                done += (size_t) n;
        }
}

static void entry_write_json(const Entry *entry) {
        _cleanup_buf_ MrBuf buf = {};
        char when[TIME_TEXT_MAX];

        time_text(now_realtime_sec(), when);
        mr_buf_printf(&buf, "{\"TIME\": \"%s\"", when);
        for (size_t i = 0; i < entry->n_fields; i++) {
                mr_buf_printf(&buf, ", \"%s\": ", entry->fields[i].key);
                append_json_string(&buf, entry->fields[i].value);
        }
        mr_buf_puts(&buf, "}\n");
        write_all(&buf);
}

/* On a terminal a person reads; control characters of foreign text must not steer it. */
static void entry_write_text(int priority, const LogScope *scope, const char *message) {
        _cleanup_buf_ MrBuf buf = {};

        if (log_state.identifier)
                mr_buf_printf(&buf, "%s: ", log_state.identifier);
        if (priority <= LOG_WARNING || priority == LOG_DEBUG)
                mr_buf_printf(&buf, "%s: ", log_level_name(priority));
        if (scope && scope->kind && scope->name)
                mr_buf_printf(&buf, "%s/%s: ", scope->kind, scope->name);
        for (; *message; message++)
                mr_buf_putc(&buf,
                            (unsigned char) *message < 0x20 && *message != '\n' ? '?' : *message);
        mr_buf_putc(&buf, '\n');
        write_all(&buf);
}

static void entry_write_journal(const Entry *entry) {
        char *lines[FIELDS_MAX];
        struct iovec iov[FIELDS_MAX];

        for (size_t i = 0; i < entry->n_fields; i++) {
                lines[i] = mr_strf("%s=%s", entry->fields[i].key, entry->fields[i].value);
                iov[i] = (struct iovec){lines[i], strlen(lines[i])};
        }
        if (sd_journal_sendv(iov, (int) entry->n_fields) < 0)
                entry_write_json(entry);
        for (size_t i = 0; i < entry->n_fields; i++)
                free(lines[i]);
}

static void entry_fill(Entry *entry, const LogOrigin *origin, const LogScope *scope,
                       const char *message_id, const LogField *fields) {
        entry_add(entry, "SYSLOG_IDENTIFIER", log_state.identifier);
        entry_add(entry, "MESSAGE_ID", message_id);
        if (scope)
                entry_add_scope(entry, scope);
        for (; fields && fields->key; fields++)
                entry_add(entry, fields->key, fields->value);
        entry_add(entry, "CODE_FILE", origin->file);
        entry_add(entry, "CODE_FUNC", origin->function);
}

void log_write(int priority, LogOrigin origin, const LogScope *scope, const char *message_id,
               const LogField *fields, const char *format, ...) {
        if (priority > log_state.level)
                return;

        int saved_errno = errno;
        va_list args;
        va_start(args, format);
        _cleanup_free_ char *message = mr_vstrf(format, args);
        va_end(args);

        if (log_state.sink == SINK_TEXT) {
                entry_write_text(priority, scope, message);
        } else {
                char level[2] = {(char) ('0' + priority), '\0'};
                _cleanup_free_ char *line = mr_strf("%d", origin.line);
                Entry entry = {};

                entry_add(&entry, "MESSAGE", message);
                entry_add(&entry, "PRIORITY", level);
                entry_fill(&entry, &origin, scope, message_id, fields);
                entry_add(&entry, "CODE_LINE", line);
                if (log_state.sink == SINK_JOURNAL)
                        entry_write_journal(&entry);
                else
                        entry_write_json(&entry);
        }
        errno = saved_errno;
}
