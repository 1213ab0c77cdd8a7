#pragma once

/* spec.*.logging: levels of loggers in the spec, or a whole configuration in a ConfigMap, for the
 * two logging libraries Kafka has come with. Levels may be written in the way of either library;
 * they are carried over to the one in use. */

#include "config-map.h"
#include "part.h"

typedef enum LoggingType {
        LOGGING_INLINE,
        LOGGING_EXTERNAL,
} LoggingType;

typedef struct Logging {
        int type;
        MrPairs loggers;
        ConfigSource *source;
} Logging;

extern const MrField logging_fields[];
/* The rule of every logging row. */
int logging_rule(const void *object, MrError *err);

typedef enum LogLibrary {
        LOG_RELOAD4J, /* Kafka before 4, and ZooKeeper */
        LOG_LOG4J2,
} LogLibrary;

typedef struct LogRequest {
        const Logging *logging; /* NULL: the defaults */
        const char *where;      /* "spec.kafka.logging" */
        LogLibrary library;
        const MrPair *levels; /* the defaults: logger → level, a NULL key ends */
        /* Loggers that shall exist from the start, so that their levels can be set later; NULL
         * ends. May be NULL. */
        const char *const *prepared;
        const MrFacts *facts;
} LogRequest;

#define LOG_ROOT "root"

typedef struct LogFile {
        const char *name;    /* "log4j.properties" */
        const char *content; /* text of the file, for a file part */
        const char *option;  /* of the virtual machine, refers to the file */
        /* Of reload4j only, which reads its file once: the levels it sets, logger → level in
         * capitals, LOG_ROOT for the root; and every other line that differs from the defaults. */
        MrPairs levels;
        MrPairs fixed;
} LogFile;

/* What log4j2 is told to look for changes of its file. */
#define LOG_MONITOR_SEC "5"

int log_file_make(MrParts *parts, const LogRequest *request, LogFile *ret,
                  MrError *err) _must_check_;
