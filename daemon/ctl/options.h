#pragma once

/* Options of all verbs: one table, from which parsing, help and completion are made. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/buf.h"
#include "sdk/error.h"

typedef struct Options {
        const char **files; /* -f, in order */
        size_t n_files;
        const char *ns; /* NULL: not given */
        bool all_namespaces;
        const char *output;
        bool watch;
        const char *reason;
        const char *platform;
        bool recursive;
        const char *condition; /* --for */
        int64_t timeout_sec;   /* -1: not given */
        bool follow;
        const char *lines;
        const char *since;
        bool no_wait;
        const char *selector;
        const char *heap; /* of `check` */
        const char *passphrase_file;
        bool host_key;
        bool help;
        char **arguments; /* what is no option, borrowed */
        size_t n_arguments;
} Options;

/* One row of the table. */
typedef struct Option {
        char id;           /* how verbs name it */
        char letter;       /* "-f"; 0: none */
        const char *name;  /* "filename" */
        const char *value; /* "FILE"; NULL: a flag */
        const char *doc;
} Option;

extern const Option ctl_options[]; /* id 0 at the end */

/* Reads the options named by `allowed`; argv[0] is the verb. -EINVAL with a message for people. */
int options_read(const char *allowed, int argc, char *argv[], Options *ret,
                 MrError *err) _must_check_;
void options_done(Options *options);
/* "5m", "1h30m", "90", "2s" → seconds. */
int options_duration(const char *text, int64_t *ret) _must_check_;
