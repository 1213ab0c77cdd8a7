#pragma once

/* Host preflight: what a host needs to run Kafka well, found out by reading alone. Each check adds
 * findings; none needs root, and what cannot be read is said so. */

#include "sdk/buf.h"
#include "sdk/macros.h"
#include "sdk/tree.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum CheckLevel {
        CHECK_OK,
        CHECK_WARN,
        CHECK_FAIL,
        _CHECK_LEVEL_MAX,
} CheckLevel;

typedef struct Finding {
        CheckLevel level;
        char *what;   /* "vm.swappiness is 60" */
        char *advice; /* "set it to 1: …"; NULL when there is nothing to do */
} Finding;

typedef struct Check {
        const char *root; /* "" or, in tests, a directory with proc, sys, etc … below it */
        const char *data; /* where claims are made, unless hostd.yaml says otherwise */
        MrTree *config;   /* hostd.yaml; NULL when there is none that can be read */
        uint64_t heap;    /* bytes the nodes will take together; 0 unknown */
        Finding *findings;
        size_t n_findings, allocated;
} Check;

void check_done(Check *check);
void check_add(Check *check, CheckLevel level, const char *advice, const char *format, ...)
        _printf_(4, 5);
#define CHECK_HOSTD_CONFIG "/etc/millrace/hostd.yaml"

/* A file below the root, without the newline at its end; NULL when it cannot be read. The caller
 * frees it. */
char *check_read(const Check *check, const char *path);
/* The same as a number; -1 when there is none. */
int64_t check_read_int(const Check *check, const char *path);

/* All of them, in the order they are printed. */
void check_run(Check *check);
void check_config(Check *check); /* reads hostd.yaml, which others look into */
void check_system(Check *check); /* systemd, cgroups, SELinux */
void check_kernel(Check *check); /* swappiness, maps, descriptors, huge pages */
void check_memory(Check *check);
void check_java(Check *check);
void check_software(Check *check); /* the distributions that hostd.yaml names */
void check_storage(Check *check);
void check_network(Check *check); /* names, ports, firewall */
void check_clock(Check *check);
