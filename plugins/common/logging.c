/* The configuration of a logging library: defaults with what the spec says laid over them, or a
 * text of the user's with what millrace needs added. */

#include "logging.h"

#include <ctype.h>
#include <string.h>

#include "properties.h"
#include "str.h"

#define LOGGER_1 "log4j.logger."
#define ROOT_1 "log4j.rootLogger"
#define LOGGER_2 "logger."
#define ROOT_2 "rootLogger"

static const MrEnum types[] = {
        {"inline", LOGGING_INLINE, "Levels in the spec."},
        {"external", LOGGING_EXTERNAL, "A whole configuration in a ConfigMap."},
        {},
};

const MrField logging_fields[] = {
        MR_ENUM("type", Logging, type, types, .flags = MR_REQUIRED,
                .doc = "Where the configuration of logging is: inline or external."),
        MR_MAP("loggers", Logging, loggers,
               .doc = "With type inline: options of the logging library, laid over the defaults, "
                      "such as log4j.logger.kafka.log: DEBUG before Kafka 4 and "
                      "logger.log.name: kafka.log, logger.log.level: DEBUG from 4 on. Levels may "
                      "be written in either way."),
        MR_OBJECT("valueFrom", Logging, source, ConfigSource, config_source_fields,
                  .doc = "With type external: where the configuration is, in the format of Java "
                         "properties."),
        {},
};

/* "WARN" of " warn , CONSOLE"; NULL when it is no level. */
static const char *level_of(const char *value, char ret[8]) {
        size_t n = 0;

        while (isblank((unsigned char) *value))
                value++;
        while (isalpha((unsigned char) value[n]) && n < 7) {
                ret[n] = (char) toupper((unsigned char) value[n]);
                n++;
        }
        ret[n] = '\0';
        value += n;
        value += strspn(value, " \t");
        if ((*value && *value != ',') ||
            !mr_matches(ret, "ALL|TRACE|DEBUG|INFO|WARN|ERROR|FATAL|OFF"))
                return NULL;
        return ret;
}

/* Whether a key says the level of the root in a way Strimzi's files had before there was one for
 * all: "kafka.root.logger.level", "zookeeper.root.logger". */
static bool is_root_variable(const char *key) {
        return mr_ends_with(key, ".root.logger.level") || mr_ends_with(key, ".root.logger");
}

static bool is_root_1(const char *key) {
        return mr_streq(key, ROOT_1) || mr_streq(key, "log4j.rootCategory");
}

/* The logger whose level a key of reload4j sets, NULL when it sets none. */
static const char *logger_1(const char *key) {
        if (is_root_1(key) || is_root_variable(key))
                return LOG_ROOT;
        if (mr_starts_with(key, LOGGER_1))
                return key + strlen(LOGGER_1);
        return mr_starts_with(key, "log4j.category.") ? key + strlen("log4j.category.") : NULL;
}

/* Whether a key of log4j2 sets a level: "rootLogger.level", "logger.ID.level", or the short forms
 * "rootLogger" and "logger.ID". */
static bool is_level_2(const char *key) {
        if (mr_streq(key, ROOT_2) || mr_streq(key, ROOT_2 ".level"))
                return true;
        if (!mr_starts_with(key, LOGGER_2))
                return false;
        const char *dot = strchr(key + strlen(LOGGER_2), '.');
        return !dot || mr_streq(dot, ".level");
}

static int fail_level(const MrPair *pair, MrError *err) {
        _cleanup_buf_ MrBuf path = {};

        mr_buf_puts(&path, "loggers");
        mr_tree_path_key(&path, pair->key);
        return mr_fail(err, MR_INVALID, mr_buf_text(&path),
                       "\"%s\" is no level; use ALL, TRACE, DEBUG, INFO, WARN, ERROR, FATAL or OFF",
                       pair->value);
}

int logging_rule(const void *object, MrError *err) {
        const Logging *logging = object;
        char level[8];

        if (logging->type == LOGGING_EXTERNAL && (!logging->source || !logging->source->config_map))
                return mr_fail(err, MR_INVALID, "valueFrom",
                               "the type external needs valueFrom.configMapKeyRef; add it, or use "
                               "the type inline");
        for (size_t i = 0; i < logging->loggers.n; i++) {
                const MrPair *pair = &logging->loggers.items[i];
                if ((logger_1(pair->key) || is_level_2(pair->key)) && !level_of(pair->value, level))
                        return fail_level(pair, err);
        }
        return 0;
}

typedef struct Making {
        MrArena *arena;
        MrParts *parts;
        const LogRequest *request;
        MrPairs lines;
} Making;

static void set(Making *making, const char *key, const char *value) {
        mr_pairs_set(making->arena, &making->lines, key, value);
}

static void set_defaults_1(Making *making) {
        set(making, ROOT_1, "INFO, CONSOLE");
        set(making, "log4j.appender.CONSOLE", "org.apache.log4j.ConsoleAppender");
        set(making, "log4j.appender.CONSOLE.layout", "org.apache.log4j.PatternLayout");
        set(making, "log4j.appender.CONSOLE.layout.ConversionPattern",
            "%d{ISO8601} %p %m (%c) [%t]%n");
        for (const MrPair *pair = making->request->levels; pair->key; pair++)
                set(making, mr_arena_strf(making->arena, LOGGER_1 "%s", pair->key), pair->value);
}

/* Ids of the loggers Strimzi's own files name, which users refer to. */
static const MrPair known_ids[] = {
        {"authorizer", "kafka.authorizer.logger"},
        {"controller", "org.apache.kafka.controller"},
        {"kafka", "kafka"},
        {"logcleaner", "org.apache.kafka.storage.internals.log.LogCleaner"},
        {"orgapachekafka", "org.apache.kafka"},
        {"requestchannel", "kafka.network.RequestChannel$"},
        {"requestlogger", "kafka.request.logger"},
        {"statechange", "state.change.logger"},
};

/* The id under which log4j2's lines speak of a logger: the one that is there, a known one, or its
 * name without what an id cannot hold. */
static const char *id_of(Making *making, const char *logger) {
        for (size_t i = 0; i < making->lines.n; i++) {
                const MrPair *line = &making->lines.items[i];
                if (mr_starts_with(line->key, LOGGER_2) && mr_ends_with(line->key, ".name") &&
                    mr_streq(line->value, logger)) {
                        const char *id = line->key + strlen(LOGGER_2);
                        return mr_arena_strf(making->arena, "%.*s",
                                             (int) (strlen(id) - strlen(".name")), id);
                }
        }
        for (size_t i = 0; i < MR_ELEMENTS(known_ids); i++)
                if (mr_streq(known_ids[i].value, logger))
                        return known_ids[i].key;
        char *id = mr_arena_strdup(making->arena, logger);
        for (char *c = id; *c; c++)
                if (!isalnum((unsigned char) *c))
                        *c = '_';
        return id;
}

static void set_level_2(Making *making, const char *logger, const char *level) {
        if (mr_streq(logger, LOG_ROOT)) {
                set(making, ROOT_2 ".level", level);
                return;
        }
        const char *id = id_of(making, logger);
        set(making, mr_arena_strf(making->arena, LOGGER_2 "%s.name", id), logger);
        set(making, mr_arena_strf(making->arena, LOGGER_2 "%s.level", id), level);
}

static void set_defaults_2(Making *making) {
        set(making, "name", "Kafka");
        set(making, "appender.console.type", "Console");
        set(making, "appender.console.name", "STDOUT");
        set(making, "appender.console.layout.type", "PatternLayout");
        set(making, "appender.console.layout.pattern", "%d{ISO8601} %p %m (%c) [%t]%n");
        set(making, ROOT_2 ".level", "INFO");
        set(making, ROOT_2 ".appenderRefs", "console");
        set(making, ROOT_2 ".appenderRef.console.ref", "STDOUT");
        set(making, "monitorInterval", LOG_MONITOR_SEC);
        for (const MrPair *pair = making->request->levels; pair->key; pair++)
                set_level_2(making, pair->key, pair->value);
}

/* A logger that a user calls by another id has one level, the user's: of two ids for one logger
 * nobody knows which counts. */
static void call_otherwise(Making *making, const char *logger, const char *id) {
        const char *other = id_of(making, logger);
        const char *prefix = mr_arena_strf(making->arena, LOGGER_2 "%s.", other);
        const MrPairs *asked = &making->request->logging->loggers;
        MrPairs left = {};

        for (size_t i = 0; i < asked->n; i++)
                if (mr_starts_with(asked->items[i].key, prefix))
                        return;
        for (size_t i = 0; !mr_streq(other, id) && i < making->lines.n; i++)
                if (!mr_starts_with(making->lines.items[i].key, prefix))
                        mr_pairs_set(making->arena, &left, making->lines.items[i].key,
                                     making->lines.items[i].value);
        if (left.n > 0)
                making->lines = left;
}

/* "log" of "logger.log.level" and of "logger.log". */
static const char *id_in(MrArena *arena, const char *key) {
        const char *id = key + strlen(LOGGER_2);

        return mr_arena_strf(arena, "%.*s", (int) strcspn(id, "."), id);
}

/* The logger behind an id of log4j2, by the user's lines or as known; NULL when nothing says. */
static const char *logger_2(const Making *making, const char *id) {
        _cleanup_free_ char *key = mr_strf(LOGGER_2 "%s.name", id);
        const char *name = mr_pairs_get(&making->request->logging->loggers, key);

        for (size_t i = 0; !name && i < MR_ELEMENTS(known_ids); i++)
                if (mr_streq(known_ids[i].key, id))
                        name = known_ids[i].value;
        return name;
}

static void warn_of_id(Making *making, const char *key, const char *id) {
        mr_parts_warn(making->parts, "Logging",
                      "%s.loggers.%s has no effect: no logger.%s.name says which logger it means; "
                      "add it",
                      making->request->where, key, id);
}

static void warn_of_library(Making *making, const char *key) {
        bool is_1 = making->request->library == LOG_RELOAD4J;

        mr_parts_warn(making->parts, "Logging",
                      "%s.loggers.%s has no effect: this release of Kafka logs with %s, whose "
                      "options begin with %s; write it for that",
                      making->request->where, key, is_1 ? "reload4j" : "log4j2",
                      is_1 ? "log4j." : "logger., rootLogger. or appender.");
}

/* What the root's line of the defaults says beside the level: ", CONSOLE". */
static const char *root_appenders(const Making *making) {
        const char *comma = strchr(mr_pairs_get(&making->lines, ROOT_1), ',');
        return comma ? comma : "";
}

static void lay_1(Making *making, const MrPair *pair) {
        char level[8] = "";

        if (mr_starts_with(pair->key, "log4j.") &&
            !(is_root_1(pair->key) && !strchr(pair->value, ','))) {
                set(making, is_root_1(pair->key) ? ROOT_1 : pair->key, pair->value);
        } else if (is_root_1(pair->key) || is_root_variable(pair->key) ||
                   mr_starts_with(pair->key, ROOT_2)) {
                if (is_level_2(pair->key) || logger_1(pair->key))
                        set(making, ROOT_1,
                            mr_arena_strf(making->arena, "%s%s", level_of(pair->value, level),
                                          root_appenders(making)));
        } else if (is_level_2(pair->key)) {
                const char *id = id_in(making->arena, pair->key), *logger = logger_2(making, id);
                if (logger)
                        set(making, mr_arena_strf(making->arena, LOGGER_1 "%s", logger),
                            mr_arena_strdup(making->arena, level_of(pair->value, level)));
                else
                        warn_of_id(making, pair->key, id);
        } else if (!(mr_starts_with(pair->key, LOGGER_2) && mr_ends_with(pair->key, ".name")))
                warn_of_library(making, pair->key);
}

static void lay_2(Making *making, const MrPair *pair) {
        const char *logger = logger_1(pair->key);
        char level[8] = "";

        if (logger) {
                set_level_2(making, mr_arena_strdup(making->arena, logger),
                            mr_arena_strdup(making->arena, level_of(pair->value, level)));
                return;
        }
        if (mr_starts_with(pair->key, "log4j.")) {
                warn_of_library(making, pair->key);
                return;
        }
        if (mr_starts_with(pair->key, LOGGER_2) && is_level_2(pair->key)) {
                const char *id = id_in(making->arena, pair->key), *name = logger_2(making, id);
                if (!name) {
                        warn_of_id(making, pair->key, id);
                        return;
                }
                call_otherwise(making, name, id);
                set(making, mr_arena_strf(making->arena, LOGGER_2 "%s.name", id), name);
        }
        set(making, pair->key, pair->value);
}

/* "${name}" at the start of a value stands for another line. */
static const char *resolve(const MrPairs *lines, MrArena *arena, const char *value) {
        const char *end = mr_starts_with(value, "${") ? strchr(value, '}') : NULL;
        _cleanup_free_ char *name = end ? mr_strndup(value + 2, (size_t) (end - value - 2)) : NULL;
        const char *found = name ? mr_pairs_get(lines, name) : NULL;

        return found ? mr_arena_strf(arena, "%s%s", found, end + 1) : value;
}

static void read_level(const MrPairs *lines, const MrPair *line, const char *logger, MrArena *arena,
                       LogFile *ret) {
        const char *value = resolve(lines, arena, line->value), *comma = strchr(value, ',');
        char level[8] = "";

        if (level_of(value, level))
                mr_pairs_set(arena, &ret->levels, logger, mr_arena_strdup(arena, level));
        else if (!mr_streq(value, "INHERITED"))
                mr_pairs_set(arena, &ret->fixed, line->key, value);
        if (comma)
                mr_pairs_set(arena, &ret->fixed, mr_arena_strf(arena, "%s (appenders)", line->key),
                             comma + 1 + strspn(comma + 1, " "));
}

/* What of reload4j's lines can change while the process runs, and what cannot. */
static LogFile read_lines(const MrPairs *lines, MrArena *arena) {
        LogFile file = {};

        for (size_t i = 0; i < lines->n; i++) {
                const MrPair *line = &lines->items[i];
                const char *logger = logger_1(line->key);
                if (logger && !is_root_variable(line->key))
                        read_level(lines, line, logger, arena, &file);
                else if (!logger)
                        mr_pairs_set(arena, &file.fixed, line->key, line->value);
        }
        return file;
}

/* Leaves of `fixed` only what differs from the defaults. */
static MrPairs beside_defaults(MrArena *arena, const MrPairs *fixed, const MrPairs *defaults) {
        MrPairs result = {};

        for (size_t i = 0; i < fixed->n; i++)
                if (!mr_streq(mr_pairs_get(defaults, fixed->items[i].key), fixed->items[i].value))
                        mr_pairs_set(arena, &result, fixed->items[i].key, fixed->items[i].value);
        for (size_t i = 0; i < defaults->n; i++)
                if (!mr_pairs_get(fixed, defaults->items[i].key))
                        mr_pairs_set(arena, &result, defaults->items[i].key, "");
        return result;
}

/* What a user wrote is text and holds no references. */
static MrPairs as_literals(Making *making, const MrPairs *pairs) {
        MrPairs result = {};

        for (size_t i = 0; i < pairs->n; i++)
                mr_pairs_set(making->arena, &result,
                             mr_parts_literal(making->parts, pairs->items[i].key),
                             mr_parts_literal(making->parts, pairs->items[i].value));
        return result;
}

static const char *as_content(Making *making, const char *text) {
        return mr_parts_literal(making->parts, text);
}

/* A user's text stays as it is; what it lacks comes behind it. */
static const char *extended(Making *making, const char *text, const MrPairs *missing) {
        if (missing->n == 0)
                return text;
        _cleanup_buf_ MrBuf out = {};
        mr_buf_printf(&out, "%s%s\n", text, mr_ends_with(text, "\n") ? "" : "\n");
        mr_buf_puts(&out, properties_text(making->arena, missing));
        return mr_arena_strdup(making->arena, mr_buf_text(&out));
}

static MrPairs missing_loggers(Making *making, const MrPairs *lines) {
        MrPairs missing = {};

        for (const char *const *name = making->request->prepared; name && *name; name++) {
                const char *key = mr_arena_strf(making->arena, LOGGER_1 "%s", *name);
                const char *old = mr_arena_strf(making->arena, "log4j.category.%s", *name);
                if (!mr_pairs_get(lines, key) && !mr_pairs_get(lines, old))
                        mr_pairs_set(making->arena, &missing, key, "INHERITED");
        }
        return missing;
}

static void make_1(Making *making, const char *text, LogFile *ret) {
        MrArena *arena = making->arena;

        set_defaults_1(making);
        MrPairs standard = read_lines(&making->lines, arena).fixed;
        const Logging *logging = making->request->logging;
        for (size_t i = 0; !text && logging && i < logging->loggers.n; i++)
                lay_1(making, &logging->loggers.items[i]);
        if (text)
                making->lines = properties_read(arena, text);
        MrPairs missing = missing_loggers(making, &making->lines);
        *ret = read_lines(&making->lines, arena);
        ret->fixed = beside_defaults(arena, &ret->fixed, &standard);
        ret->fixed = as_literals(making, &ret->fixed);
        ret->levels = as_literals(making, &ret->levels);
        for (size_t i = 0; !text && i < missing.n; i++)
                set(making, missing.items[i].key, missing.items[i].value);
        ret->content = as_content(making, text ? extended(making, text, &missing)
                                               : properties_text(arena, &making->lines));
        ret->name = "log4j.properties";
        ret->option = "-Dlog4j.configuration=file:@{file:log4j.properties}";
}

static void make_2(Making *making, const char *text, LogFile *ret) {
        MrArena *arena = making->arena;
        const Logging *logging = making->request->logging;
        MrPairs missing = {};

        set_defaults_2(making);
        for (size_t i = 0; !text && logging && i < logging->loggers.n; i++)
                lay_2(making, &logging->loggers.items[i]);
        if (text) {
                MrPairs lines = properties_read(arena, text);
                if (!mr_pairs_get(&lines, "monitorInterval"))
                        mr_pairs_set(arena, &missing, "monitorInterval", LOG_MONITOR_SEC);
        }
        ret->content = as_content(making, text ? extended(making, text, &missing)
                                               : properties_text(arena, &making->lines));
        ret->name = "log4j2.properties";
        ret->option = "-Dlog4j2.configurationFile=@{file:log4j2.properties}";
}

int log_file_make(MrParts *parts, const LogRequest *request, LogFile *ret, MrError *err) {
        Making making = {.arena = mr_parts_arena(parts), .parts = parts, .request = request};
        const Logging *logging = request->logging;
        const char *text = NULL;

        int r = logging && logging->type == LOGGING_EXTERNAL
                        ? config_source_text(logging->source, request->where, request->facts, &text,
                                             err)
                        : 0;
        if (r < 0)
                return r;
        *ret = (LogFile){};
        if (request->library == LOG_RELOAD4J)
                make_1(&making, text, ret);
        else
                make_2(&making, text, ret);
        return 0;
}
