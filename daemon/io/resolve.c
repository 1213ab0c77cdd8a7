#include "io/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sdk/alloc.h"

/* Shared by the loop and the thread. Whoever lets go last frees it, so a Resolve can be freed at
 * once while its thread still waits for a name server. */
typedef struct ResolveJob {
        atomic_uint n_ref;
        char *host;
        char service[8];
        int notify_fd;
        int result;       /* of getaddrinfo(): 0 or EAI_* */
        int result_errno; /* when result is EAI_SYSTEM */
        struct addrinfo *addresses;
} ResolveJob;

struct Resolve {
        ResolveJob *job;
        sd_event_source *source;
        ResolveDone done;
        void *userdata;
};

static void job_unref(ResolveJob *job) {
        if (atomic_fetch_sub(&job->n_ref, 1) > 1)
                return;
        if (job->addresses)
                freeaddrinfo(job->addresses);
        if (job->notify_fd >= 0)
                close(job->notify_fd);
        free(job->host);
        free(job);
}

static void job_look_up(ResolveJob *job, int flags) {
        struct addrinfo hints = {
                .ai_family = AF_UNSPEC,
                .ai_socktype = SOCK_STREAM,
                .ai_flags = flags | AI_NUMERICSERV,
        };

        job->result = getaddrinfo(job->host, job->service, &hints, &job->addresses);
        job->result_errno = job->result == EAI_SYSTEM ? errno : 0;
}

static void job_notify(ResolveJob *job) {
        /* The counter of a fresh eventfd cannot overflow by one, so this write does not fail. */
        (void) eventfd_write(job->notify_fd, 1);
}

static void *job_run(void *userdata) {
        ResolveJob *job = userdata;

        job_look_up(job, AI_ADDRCONFIG);
        job_notify(job);
        job_unref(job);
        return NULL;
}

/* The thread must not take the signals that the loop waits for. */
static int job_start_thread(ResolveJob *job) {
        pthread_attr_t attributes;
        sigset_t all, before;
        pthread_t thread;

        int r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        atomic_fetch_add(&job->n_ref, 1);
        r = pthread_create(&thread, &attributes, job_run, job);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void) pthread_attr_destroy(&attributes);
        if (r != 0)
                job_unref(job);
        return -r;
}

static int resolve_fail(const ResolveJob *job, MrError *err) {
        if (job->result == EAI_SYSTEM)
                return mr_fail_errno(err, job->result_errno, NULL, "cannot resolve %s", job->host);
        return mr_fail(err, MR_TRANSIENT, NULL, "cannot resolve %s: %s", job->host,
                       gai_strerror(job->result));
}

static int on_resolved(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Resolve *resolve = userdata;
        ResolveJob *job = resolve->job;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) fd;
        (void) revents;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (job->result == 0 && job->addresses) {
                atomic_fetch_add(&job->n_ref, 1);
                resolve->done(NULL, job->addresses, resolve->userdata);
                job_unref(job);
                return 0;
        }
        (void) resolve_fail(job, &err);
        resolve->done(&err, NULL, resolve->userdata);
        return 0;
}

int resolve_start(sd_event *event, const char *host, uint16_t port, ResolveDone done,
                  void *userdata, Resolve **ret, MrError *err) {
        _cleanup_(resolve_freep) Resolve *resolve = mr_new(Resolve, 1);
        ResolveJob *job = mr_new(ResolveJob, 1);

        *resolve = (Resolve){.job = job, .done = done, .userdata = userdata};
        atomic_init(&job->n_ref, 1);
        job->host = mr_strdup(host);
        (void) snprintf(job->service, sizeof(job->service), "%u", (unsigned) port);
        job->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (job->notify_fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make an event descriptor");

        int r = sd_event_add_io(event, &resolve->source, job->notify_fd, EPOLLIN, on_resolved,
                                resolve);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot watch a descriptor");

        job_look_up(job, AI_NUMERICHOST);
        if (job->result == EAI_NONAME) {
                r = job_start_thread(job);
                if (r < 0)
                        return mr_fail_errno(err, -r, NULL, "cannot start a thread to resolve %s",
                                             host);
        } else
                job_notify(job);

        *ret = TAKE(resolve);
        return 0;
}

Resolve *resolve_free(Resolve *resolve) {
        if (!resolve)
                return NULL;
        sd_event_source_disable_unref(resolve->source);
        job_unref(resolve->job);
        free(resolve);
        return NULL;
}
