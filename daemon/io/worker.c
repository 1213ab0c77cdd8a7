#include "io/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sdk/alloc.h"

typedef struct Job {
        WorkerTask task;
        bool is_cancelled; /* touched on the loop only */
        struct Job *next;
} Job;

/* Jobs in the order in which they came. */
typedef struct Queue {
        Job *first, *last;
} Queue;

struct Worker {
        sd_event_source *source;
        int fd; /* an eventfd: the thread tells the loop that a job is finished */
        pthread_t thread;
        bool is_joinable; /* a thread was started and not joined yet */

        pthread_mutex_t lock; /* guards what follows */
        bool is_running;      /* the thread has not decided to end */
        Queue waiting;
        Job *current; /* at work in the thread */
        Queue finished;
};

static void queue_push(Queue *queue, Job *job) {
        job->next = NULL;
        if (queue->last)
                queue->last->next = job;
        else
                queue->first = job;
        queue->last = job;
}

static Job *queue_pop(Queue *queue) {
        Job *job = queue->first;

        if (!job)
                return NULL;
        queue->first = job->next;
        if (!queue->first)
                queue->last = NULL;
        return job;
}

static void job_end(Job *job, bool report) {
        if (report && !job->is_cancelled && job->task.done)
                job->task.done(job->task.data, job->task.userdata);
        if (job->task.drop)
                job->task.drop(job->task.data);
        free(job);
}

static void queue_drop(Queue *queue) {
        for (Job *job; (job = queue_pop(queue));)
                job_end(job, false);
}

/* In the thread: takes the next job, after handing over the one that is done. The thread ends on
 * NULL, and from then on the loop knows by is_running that it must start another one. */
static Job *worker_turn(Worker *worker, Job *done) {
        const uint64_t one = 1;

        pthread_mutex_lock(&worker->lock);
        if (done)
                queue_push(&worker->finished, done);
        Job *job = worker->current = queue_pop(&worker->waiting);
        worker->is_running = job != NULL;
        pthread_mutex_unlock(&worker->lock);
        /* The counter cannot overflow, and the descriptor lives until the thread is joined. */
        if (done && write(worker->fd, &one, sizeof(one)) < 0)
                return job;
        return job;
}

static void *worker_thread(void *userdata) {
        Worker *worker = userdata;

        for (Job *job = NULL; (job = worker_turn(worker, job));)
                job->task.work(job->task.data);
        return NULL;
}

static Job *worker_next_finished(Worker *worker) {
        pthread_mutex_lock(&worker->lock);
        Job *job = queue_pop(&worker->finished);
        pthread_mutex_unlock(&worker->lock);
        return job;
}

static void worker_join(Worker *worker) {
        if (worker->is_joinable)
                pthread_join(worker->thread, NULL);
        worker->is_joinable = false;
}

static int on_finished(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Worker *worker = userdata;
        uint64_t count;

        (void) source;
        (void) revents;
        if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
                return -errno;
        for (Job *job; (job = worker_next_finished(worker));)
                job_end(job, true);

        pthread_mutex_lock(&worker->lock);
        bool is_running = worker->is_running;
        pthread_mutex_unlock(&worker->lock);
        if (!is_running)
                worker_join(worker);
        return 0;
}

int worker_new(sd_event *event, Worker **ret, MrError *err) {
        _cleanup_(worker_freep) Worker *worker = mr_new(Worker, 1);

        pthread_mutex_init(&worker->lock, NULL);
        worker->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (worker->fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make an event descriptor");

        int r = sd_event_add_io(event, &worker->source, worker->fd, EPOLLIN, on_finished, worker);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot watch the worker thread");
        (void) sd_event_source_set_description(worker->source, "worker");
        *ret = TAKE(worker);
        return 0;
}

Worker *worker_free(Worker *worker) {
        Queue waiting;

        if (!worker)
                return NULL;
        pthread_mutex_lock(&worker->lock);
        waiting = worker->waiting;
        worker->waiting = (Queue){};
        pthread_mutex_unlock(&worker->lock);

        worker_join(worker);
        queue_drop(&waiting);
        queue_drop(&worker->finished);
        sd_event_source_disable_unref(worker->source);
        if (worker->fd >= 0)
                close(worker->fd);
        pthread_mutex_destroy(&worker->lock);
        free(worker);
        return NULL;
}

/* Signals belong to the loop: the new thread gets none. */
static int worker_start(Worker *worker) {
        sigset_t all, before;

        worker_join(worker);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int r = pthread_create(&worker->thread, NULL, worker_thread, worker);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        worker->is_joinable = r == 0;
        return -r;
}

int worker_run(Worker *worker, WorkerTask task, MrError *err) {
        Job *job = mr_new(Job, 1);

        job->task = task;
        pthread_mutex_lock(&worker->lock);
        bool was_running = worker->is_running;
        queue_push(&worker->waiting, job);
        worker->is_running = true;
        pthread_mutex_unlock(&worker->lock);
        if (was_running)
                return 0;

        int r = worker_start(worker);
        if (r < 0) {
                /* Without a thread nobody else looks at the queue, and this job is alone in it. */
                worker->waiting = (Queue){};
                worker->is_running = false;
                free(job);
                return mr_fail_errno(err, -r, NULL, "cannot start the worker thread");
        }
        return 0;
}

static void queue_cancel(Queue *queue, const void *userdata) {
        for (Job *job = queue->first; job; job = job->next)
                if (job->task.userdata == userdata)
                        job->is_cancelled = true;
}

/* Takes the jobs of an owner out of a queue. */
static Queue queue_take(Queue *queue, const void *userdata) {
        Queue kept = {}, taken = {};

        for (Job *job; (job = queue_pop(queue));)
                queue_push(job->task.userdata == userdata ? &taken : &kept, job);
        *queue = kept;
        return taken;
}

void worker_cancel(Worker *worker, const void *userdata) {
        pthread_mutex_lock(&worker->lock);
        Queue taken = queue_take(&worker->waiting, userdata);
        queue_cancel(&worker->finished, userdata);
        if (worker->current && worker->current->task.userdata == userdata)
                worker->current->is_cancelled = true;
        pthread_mutex_unlock(&worker->lock);
        queue_drop(&taken);
}

bool worker_is_busy(const Worker *worker) {
        return worker->is_joinable || worker->finished.first;
}
