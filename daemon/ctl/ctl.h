#pragma once

/* millctl: one context, one table of verbs, one file per verb. A verb prints to ctl->out, explains
 * failures on ctl->errors and returns the exit code of the program. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/options.h"
#include "io/plugins.h"
#include "model/registry.h"

#define CTL_SOCKET "/run/millrace/api.sock"

enum {
        CTL_OK = 0,
        CTL_FAILED = 1,
        CTL_USAGE = 2,
        CTL_TIMEOUT = 3,
};

typedef struct Ctl {
        FILE *out, *errors;
        const char *socket;
        bool is_utf8;       /* the terminal shows lines and corners */
        Registry *registry; /* NULL until ctl_registry() */
        Plugins plugins;
        Options options; /* of the verb */
} Ctl;

void ctl_done(Ctl *ctl);
/* Parses and runs: the whole program but for its process. */
int ctl_main(Ctl *ctl, int argc, char *argv[]);

/* The kinds, from the operand plugins; loaded once. */
int ctl_registry(Ctl *ctl, const Registry **ret, MrError *err) _must_check_;
/* By name, plural or short name ("kafka", "Kafka", "k"); secrets count as a kind here. */
int ctl_kind(Ctl *ctl, const char *name, const MrKind **ret, MrError *err) _must_check_;
bool kind_is_secret(const MrKind *kind);
/* "kafka.kafka.strimzi.io/my-cluster", as kubectl names a resource. The caller frees it. */
char *kind_title(const MrKind *kind, const char *name);

/* Prints "millctl: …" and returns CTL_FAILED. */
int ctl_fail(Ctl *ctl, const MrError *err);
int ctl_fail_text(Ctl *ctl, const char *format, ...) _printf_(2, 3);
/* A hint how the verb is used; CTL_USAGE. */
int ctl_misused(Ctl *ctl, const char *format, ...) _printf_(2, 3);
/* "file:line:column: warning: path: message" for the warnings of a document or a plan. */
void ctl_print_warnings(Ctl *ctl, const char *source, const MrTree *warnings);
void ctl_print(Ctl *ctl, const MrBuf *text);

typedef struct Verb {
        const char *name;
        const char *options;   /* ids of the options it takes, see options.c */
        const char *arguments; /* for the usage line */
        const char *doc;       /* one line */
        const char *more;      /* further lines of its help; may be NULL */
        int (*run)(Ctl *ctl);
} Verb;

extern const Verb ctl_verbs[]; /* NULL name at the end */
const Verb *verb_find(const char *name);
void verb_print_help(Ctl *ctl, const Verb *verb);

int verb_apply(Ctl *ctl);
int verb_backup(Ctl *ctl);
int verb_restore(Ctl *ctl);
int verb_bundle(Ctl *ctl);
int verb_check(Ctl *ctl);
int verb_completion(Ctl *ctl);
int verb_delete(Ctl *ctl);
int verb_describe(Ctl *ctl);
int verb_crd(Ctl *ctl);
int verb_explain(Ctl *ctl);
int verb_get(Ctl *ctl);
int verb_help(Ctl *ctl);
int verb_hold(Ctl *ctl);
int verb_logs(Ctl *ctl);
int verb_plan(Ctl *ctl);
int verb_release(Ctl *ctl);
int verb_pause(Ctl *ctl);
int verb_resume(Ctl *ctl);
int verb_renew(Ctl *ctl);
int verb_discard(Ctl *ctl);
int verb_restart(Ctl *ctl);
int verb_secret(Ctl *ctl);
int verb_version(Ctl *ctl);
int verb_wait(Ctl *ctl);
