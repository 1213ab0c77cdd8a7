#pragma once

/* millrace-fetch SOFTWARE-VERSION: makes one distribution of hostd.yaml ready, as a user who owns
 * nothing else. It copies or downloads the archive, checks its SHA-512, unpacks it beside its final
 * place and renames it there, so that nobody ever sees a part of it; then it makes the class-data
 * archive with which nodes start faster. What it is doing, and why it failed, is left in a state
 * file for millrace-hostd. */

#include "host/host-config.h"

#define FETCH_SIZE_MAX (1024LL * 1024 * 1024)         /* of an archive */
#define FETCH_UNPACKED_MAX (4LL * 1024 * 1024 * 1024) /* of everything in it */
#define FETCH_ENTRIES_MAX 20000U

typedef struct Fetch {
        const HostDistribution *distribution; /* borrowed */
        const char *java;                     /* borrowed */
        const char *base; /* HOST_DIST_DIRECTORY, elsewhere in tests; borrowed */
        char *id;         /* "kafka-3.9.1" */
        char *directory;  /* holds libs/ */
        char *classes;    /* the class-data archive */
        char *state;      /* the state file */
} Fetch;

void fetch_init(Fetch *fetch, const HostConfig *config, const HostDistribution *distribution,
                const char *base);
void fetch_done(Fetch *fetch);
#define _cleanup_fetch_ _cleanup_(fetch_done)

/* Everything, from the state "fetching" to "ready" or "failed". */
int fetch_run(const Fetch *fetch, MrError *err) _must_check_;
/* Writes the state file, and one line for the journal. */
void fetch_tell(const Fetch *fetch, const char *state, const char *format, ...) _printf_(3, 4);
/* Removes a file or a whole directory; what is not there is fine. */
void fetch_remove(const char *path);

/* fetch-source.c: brings the archive to `path`, and checks it. */
int fetch_source(const Fetch *fetch, const char *path, MrError *err) _must_check_;

/* fetch-unpack.c: unpacks a tarball into the new directory `directory`, without its leading
 * directory. Only regular files and directories beneath it are ever made. */
int fetch_unpack(const char *archive, const char *directory, MrError *err) _must_check_;

/* fetch-classes.c: the class-data archive. Returns 1 when it was made, 0 when there is a fitting
 * one. */
int fetch_classes(const Fetch *fetch, MrError *err) _must_check_;
/* Identifies the java program: an archive fits only the one that made it. The caller frees it. */
char *fetch_java_identity(const char *java);

/* One program of a trial run. */
typedef struct TrialRun {
        const char *name;
        const char *class_name;
        const char *arguments[6]; /* NULL at the end */
        unsigned port;            /* bound when it has started; 0: the program ends by itself */
        bool stays;               /* runs on while the next ones run */
} TrialRun;

#define TRIAL_RUNS_MAX 4U

/* fetch-trial.c: what is run to find out which classes nodes load. */
typedef struct Trial {
        char *directory; /* temporary; everything of the trial lies in it */
        TrialRun runs[TRIAL_RUNS_MAX];
        size_t n_runs;
        MrArena *arena;
} Trial;

/* Writes the configurations of a trial of the software in `libs`. No runs: there is nothing to try.
 */
int trial_init(Trial *trial, const char *software, const char *libs, MrError *err) _must_check_;
void trial_done(Trial *trial);
