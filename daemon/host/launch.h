#pragma once

/* The launcher: the main process of a node's unit. It reads NODEDIR/launch, prepares storage,
 * leaves a watcher behind that tells the service manager when the node's ports are bound, and
 * becomes java. It is linked statically and without libmillrace, because it also runs inside
 * container images that have no libraries of ours. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "sdk/macros.h"

#define LAUNCH_FILE_MAX (1024U * 1024)

/* Exit codes; systemctl shows the names that <sysexits.h> and the LSB give them. */
enum {
        LAUNCH_NOT_READY = 1,     /* FAILURE: only --ready says so */
        LAUNCH_USAGE = 2,         /* INVALIDARGUMENT */
        LAUNCH_NO_SOFTWARE = 5,   /* NOTINSTALLED: java or the distribution is missing */
        LAUNCH_BAD_FILE = 6,      /* NOTCONFIGURED: the launch description is wrong */
        LAUNCH_BAD_STORAGE = 65,  /* DATAERR: the disk of a known node is empty */
        LAUNCH_PORT_TAKEN = 69,   /* UNAVAILABLE */
        LAUNCH_NOT_PREPARED = 70, /* SOFTWARE: the prepare command failed */
        LAUNCH_NO_STORAGE = 73,   /* CANTCREAT: a directory or file cannot be made */
};

/* Why the launcher gives up: "what is wrong; what to do", and the exit code that goes with it. */
typedef struct Failure {
        int code;
        char *text; /* owned */
} Failure;

void failure_done(Failure *failure);
/* Sets the failure and returns -1, so that a caller can write return failure_set(…). */
int failure_set(Failure *failure, int code, const char *format, ...) _printf_(3, 4);

/* A list of borrowed strings that always ends with NULL once it holds something. */
typedef struct Words {
        const char **items;
        size_t n;
        size_t allocated;
} Words;

void words_add(Words *words, const char *word);
void words_done(Words *words);

static inline void text_free(char **text) {
        free(*text);
}

static inline void fd_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

/* Like asprintf, but out of memory ends the program. */
char *text_format(const char *format, ...) _printf_(1, 2);

typedef struct Launch {
        char *text; /* the file; every string below points into it */
        const char *fingerprint;
        const char *java;
        Words other_java; /* where it may be instead: images do not agree */
        const char *libs;
        const char *extras; /* directory with more jars, or NULL */
        const char *archive;
        const char *prepared;
        const char *prepare_class;
        const char *main_class;
        const char *expect_prepared; /* "yes", or NULL */
        Words prepared_too;   /* the same of further disks, which may have been added later */
        Words expected_lines; /* path and line by turns */
        Words known;          /* files that must be there; from a file beside this one */
        char *known_text;     /* owned */
        Words directories;
        Words contents; /* path and text by turns */
        Words prepare_arguments;
        Words fills;     /* names of files of the node directory, copied with variables replaced */
        Words variables; /* names of those variables */
        const char *place; /* a file with values of some of them, NAME=VALUE, or NULL */
        Words environment; /* names of variables that are passed on */
        Words options;
        Words arguments;
        Words ready; /* port numbers as text, checked */
} Launch;

/* launch-file.c: the description. */
int launch_read(const char *node_directory, Launch *ret, Failure *failure) _must_check_;
/* `take_text` is NUL-terminated, has `size` bytes and belongs to *ret afterwards, also on failure.
 */
int launch_parse(char *take_text, size_t size, const char *path, Launch *ret,
                 Failure *failure) _must_check_;
void launch_done(Launch *launch);
/* Reads a whole file of at most LAUNCH_FILE_MAX bytes. Returns 0 and sets errno on failure, else 1.
 */
int file_read(const char *path, char **ret, size_t *ret_size) _must_check_;

/* launch-storage.c: directories, files, and what was there before. */
int manifest_copy(const char *node_directory, const char *run_directory,
                  Failure *failure) _must_check_;
int storage_check(const Launch *launch, Failure *failure) _must_check_;
int storage_make(const Launch *launch, Failure *failure) _must_check_;
bool storage_is_prepared(const Launch *launch);

/* launch-fill.c: copies in the run directory of files that say "@{variable:NAME}". */
int files_fill(const char *node_directory, const char *run_directory, const Launch *launch,
               Failure *failure) _must_check_;

/* launch-java.c: the runtime and its command lines. */
/* Chooses another java where the one that is named is missing. */
void java_find(Launch *launch);
int java_check(const Launch *launch, Failure *failure) _must_check_;
void java_command(const Launch *launch, Words *ret, Words *ret_owned);
void java_prepare_command(const Launch *launch, Words *ret, Words *ret_owned);
int java_prepare(const Launch *launch, Failure *failure) _must_check_;
/* Returns only on failure. */
int java_become(const Launch *launch, Failure *failure) _must_check_;

/* launch-ports.c: who listens where. */
int ports_check_free(const Launch *launch, Failure *failure) _must_check_;
/* The first port of `ready` that the process `pid` has not bound yet, NULL when all are bound. */
const char *ports_waiting(const Launch *launch, pid_t pid);
/* One line of /proc/net/tcp: true when it is a listening socket. */
bool port_line_parse(const char *line, uint16_t *ret_port, uint64_t *ret_inode);

/* launch-notify.c: what the service manager is told. All of it is silent without $NOTIFY_SOCKET. */
void notify_send(const char *format, ...) _printf_(1, 2);
/* Forks the watcher, which follows this very process through its exec. */
void watcher_start(const Launch *launch);

/* launch-self.c: the launcher in a container. */
/* Writes this very program to `path`, so that an image with java and without us can run it. */
int self_copy(const char *path, Failure *failure) _must_check_;
/* Whether the process 1 has bound all ports of the description: the check of readiness. */
int self_check_ready(const char *node_directory, Failure *failure) _must_check_;
