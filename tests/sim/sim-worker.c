/* Work in a thread, without the thread: it is done at once, and reported a moment later. */

#include "io/worker.h"

#include "sim.h"

const char sim_replaces_worker = 1;

typedef struct Task {
        struct Task *next;
        WorkerTask task;
        Worker *worker;
        bool is_cancelled;
} Task;

struct Worker {
        Task *tasks; /* not reported yet */
};

int worker_new(sd_event *event _unused_, Worker **ret, MrError *err _unused_) {
        *ret = mr_new(Worker, 1);
        return 0;
}

static void task_end(Task *task) {
        if (task->task.drop)
                task->task.drop(task->task.data);
        for (Task **at = task->worker ? &task->worker->tasks : NULL; at && *at; at = &(*at)->next)
                if (*at == task) {
                        *at = task->next;
                        break;
                }
        free(task);
}

/* What was cancelled is dropped when its time has come. */
static void report(Sim *sim _unused_, void *data) {
        Task *task = data;

        if (!task->is_cancelled && task->task.done)
                task->task.done(task->task.data, task->task.userdata);
        task_end(task);
}

int worker_run(Worker *worker, WorkerTask task, MrError *err _unused_) {
        Task *queued = mr_new(Task, 1);

        *queued = (Task){.task = task, .worker = worker, .next = worker->tasks};
        worker->tasks = queued;
        task.work(task.data);
        sim_at(sim_now, SIM_MSEC * (1 + sim_random(sim_now, 4)), report, queued);
        return 0;
}

void worker_cancel(Worker *worker, const void *userdata) {
        for (Task *task = worker->tasks; task; task = task->next)
                if (task->task.userdata == userdata)
                        task->is_cancelled = true;
}

Worker *worker_free(Worker *worker) {
        if (!worker)
                return NULL;
        for (Task *task = worker->tasks; task; task = task->next) {
                task->is_cancelled = true;
                task->worker = NULL;
        }
        free(worker);
        return NULL;
}

bool worker_is_busy(const Worker *worker) {
        return worker->tasks != NULL;
}
