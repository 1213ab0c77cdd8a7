#pragma once

/* Work that would hold up the event loop (making keys) runs in one thread of its own, task after
 * task. The thread is started when there is work and ends when there is none, so an idle program
 * has one thread. Everything but `work` runs on the loop. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "sdk/error.h"

typedef struct Worker Worker;

typedef struct WorkerTask {
        void (*work)(void *data); /* in the thread; touches nothing but `data` */
        void (*done)(void *data,
                     void *userdata); /* on the loop, when the work is done; may be NULL */
        void (*drop)(
                void *data); /* on the loop, last, also when done was not called; may be NULL */
        void *data;          /* the task's own until drop */
        void *userdata;      /* borrowed: the owner, by which tasks are cancelled */
} WorkerTask;

int worker_new(sd_event *event, Worker **ret, MrError *err) _must_check_;
/* Drops what waits without doing it, waits for the task that runs, and drops that too: no `done`
 * is called any more. Not to be called from within `done` or `drop`. Takes NULL, returns NULL. */
Worker *worker_free(Worker *worker);
DEFINE_CLEANUP(Worker *, worker_free);

/* Queues a task. On failure nothing was queued and `data` still belongs to the caller. */
int worker_run(Worker *worker, WorkerTask task, MrError *err) _must_check_;
/* Forgets the tasks of an owner that goes away: their `done` is never called. A task at work
 * runs to its end in the thread, and is dropped on the loop after that. */
void worker_cancel(Worker *worker, const void *userdata);
/* Whether anything waits, runs or was not reported yet. */
bool worker_is_busy(const Worker *worker);
