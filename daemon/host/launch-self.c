/* The launcher in a container: it brings itself along, and answers whether its successor is ready.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"

#define SELF "/proc/self/exe"
#define MAIN_PROCESS 1

static int send_all(int to, int from) {
        for (;;) {
                ssize_t n = sendfile(to, from, NULL, 1U << 20);

                if (n < 0 && errno != EINTR)
                        return -1;
                if (n == 0)
                        return 0;
        }
}

/* The copy is complete before it has its name. */
static int copy_to(const char *staged, const char *path) {
        _cleanup_(fd_close) int from = open(SELF, O_RDONLY | O_CLOEXEC);
        (void) unlink(staged);
        _cleanup_(fd_close) int to =
                open(staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0755);

        if (from < 0 || to < 0 || fchmod(to, 0755) < 0 || send_all(to, from) < 0)
                return -1;
        return rename(staged, path);
}

int self_copy(const char *path, Failure *failure) {
        _cleanup_(text_free) char *staged = text_format("%s.new", path);

        if (copy_to(staged, path) == 0)
                return 0;
        int saved = errno;
        (void) unlink(staged);
        return failure_set(failure, LAUNCH_NO_STORAGE,
                           "cannot write %s: %s; it must be in a volume that can be written", path,
                           strerror(saved));
}

int self_check_ready(const char *node_directory, Failure *failure) {
        _cleanup_(launch_done) Launch launch = {};

        if (launch_read(node_directory, &launch, failure) < 0)
                return -1;
        const char *port = ports_waiting(&launch, MAIN_PROCESS);
        return port ? failure_set(failure, LAUNCH_NOT_READY, "waiting for port %s", port) : 0;
}
