#pragma once

/* A job carries out one batch, step by step and in order, without ever holding up the event loop:
 * files between two turns of the loop, systemd by asynchronous calls, deletions in a child process.
 * It stops at the first failure. */

#include <systemd/sd-event.h>

#include "host-batch.h"
#include "host-units.h"

typedef struct HostJob HostJob;

typedef struct HostJobArgs {
        sd_event *event; /* borrowed, as all of these; they outlive the job */
        HostUnits *units;
        const HostConfig *config;
        const char *root; /* prefix of all paths, "" on a real host */
        /* Called once, from the loop: `err` is NULL when all steps succeeded, else it speaks of
         * step `n_done`. */
        void (*done)(void *userdata, size_t n_done, const MrError *err);
        void *userdata;
} HostJobArgs;

/* Starts in the next turn of the loop. */
int host_job_new(const HostJobArgs *args, HostBatch *take_batch, HostJob **ret,
                 MrError *err) _must_check_;
HostJob *host_job_free(HostJob *job);
DEFINE_CLEANUP(HostJob *, host_job_free);
