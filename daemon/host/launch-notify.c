/* Telling the service manager. The watcher is a grandchild, so that nobody has to collect it: the
 * main process becomes java, which would keep a dead child for ever. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"

#define POLL_MIN_MSEC 20
#define POLL_MAX_MSEC 200
#define EXTEND_EVERY_MSEC 5000
#define EXTEND_BY_USEC "60000000"
#define BARRIER_MSEC 5000

/* A leading '@' stands for an abstract address. Returns the length, 0 when there is no usable
 * address. */
static socklen_t address_fill(struct sockaddr_un *address) {
        const char *path = getenv("NOTIFY_SOCKET");
        size_t n = path ? strlen(path) : 0;

        if (n < 2 || n >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
                return 0;
        *address = (struct sockaddr_un){.sun_family = AF_UNIX};
        memcpy(address->sun_path, path, n);
        if (path[0] == '@')
                address->sun_path[0] = '\0';
        return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
}

/* Sends one datagram, with a descriptor when `pass` is one. */
static void datagram_send(const char *text, int pass) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct sockaddr_un address;
        socklen_t size = address_fill(&address);
        _cleanup_(fd_close) int fd = size > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
        struct iovec part = {.iov_base = (void *) (uintptr_t) text, .iov_len = strlen(text)};
        struct msghdr message = {
                .msg_name = &address, .msg_namelen = size, .msg_iov = &part, .msg_iovlen = 1};

        if (fd < 0)
                return;
        if (pass >= 0) {
                message.msg_control = &control;
                message.msg_controllen = sizeof(control);
                control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                                  .cmsg_type = SCM_RIGHTS,
                                                  .cmsg_len = CMSG_LEN(sizeof(int))};
                memcpy(CMSG_DATA(&control.header), &pass, sizeof(int));
        }
        (void) sendmsg(fd, &message, MSG_NOSIGNAL);
}

void notify_send(const char *format, ...) {
        _cleanup_(text_free) char *text = NULL;
        va_list args;

        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                abort();
        va_end(args);
        datagram_send(text, -1);
}

/* Returns once the service manager has read everything sent before: it finds out whose message one
 * is by the sender's cgroup, which a sender that has exited no longer has. */
static void notify_barrier(void) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        _cleanup_(fd_close) int reader = ends[0];
        datagram_send("BARRIER=1", ends[1]);
        (void) close(ends[1]);

        struct pollfd waiting = {.fd = reader};
        (void) poll(&waiting, 1, BARRIER_MSEC);
}

static int64_t now_msec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for a while; true when the process has ended meanwhile. Kernels before 5.3 have no pidfd.
 */
static bool process_wait(pid_t pid, int pidfd, int msec) {
        struct pollfd waiting = {.fd = pidfd, .events = POLLIN};

        if (poll(&waiting, pidfd >= 0 ? 1 : 0, msec) > 0)
                return true;
        return pidfd < 0 && kill(pid, 0) < 0 && errno == ESRCH;
}

/* Often at first, when a node that starts fast would be held up by a long pause. */
static int poll_interval(int64_t elapsed_msec) {
        int64_t interval = elapsed_msec / 100;

        return (int) (interval < POLL_MIN_MSEC   ? POLL_MIN_MSEC
                      : interval > POLL_MAX_MSEC ? POLL_MAX_MSEC
                                                 : interval);
}

static void watch(const Launch *launch, pid_t pid, int pidfd) {
        int64_t started = now_msec(), told = INT64_MIN / 2;
        const char *last = NULL;

        for (;;) {
                int64_t now = now_msec();
                const char *port = ports_waiting(launch, pid);

                if (!port) {
                        notify_send("READY=1\nSTATUS=running");
                        notify_barrier();
                        return;
                }
                if (port != last || now - told >= EXTEND_EVERY_MSEC) {
                        notify_send(
                                "STATUS=waiting for port %s\nEXTEND_TIMEOUT_USEC=" EXTEND_BY_USEC,
                                port);
                        last = port;
                        told = now;
                }
                if (process_wait(pid, pidfd, poll_interval(now - started))) {
                        notify_send("STATUS=java ended before port %s was bound; its own messages "
                                    "say why",
                                    port);
                        notify_barrier();
                        return;
                }
        }
}

void watcher_start(const Launch *launch) {
        struct sockaddr_un address;
        pid_t pid = getpid();

        if (address_fill(&address) == 0)
                return;

        _cleanup_(fd_close) int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        pid_t child = fork();

        if (child == 0) {
                if (fork() == 0) {
                        (void) prctl(PR_SET_NAME, "millrace-watch");
                        watch(launch, pid, pidfd);
                }
                _exit(0);
        }
        while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
                ;
        if (child < 0)
                notify_send("READY=1\nSTATUS=running, not watched: %s", strerror(errno));
}
