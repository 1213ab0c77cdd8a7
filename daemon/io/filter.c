#include "io/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

#define SIZE_MAX_KIB 1024U

extern char **environ;

typedef struct Pipes {
        int in[2], out[2], errors[2];
} Pipes;

static void close_end(int *fd) {
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

static void pipes_done(Pipes *pipes) {
        for (int i = 0; i < 2; i++) {
                close_end(&pipes->in[i]);
                close_end(&pipes->out[i]);
                close_end(&pipes->errors[i]);
        }
}

static int pipes_open(Pipes *pipes) {
        *pipes = (Pipes){{-1, -1}, {-1, -1}, {-1, -1}};
        if (pipe2(pipes->in, O_CLOEXEC) < 0 || pipe2(pipes->out, O_CLOEXEC) < 0 ||
            pipe2(pipes->errors, O_CLOEXEC) < 0)
                return -errno;
        return 0;
}

static int spawn(char *const argv[], Pipes *pipes, pid_t *ret) {
        posix_spawn_file_actions_t actions;

        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawn_file_actions_adddup2(&actions, pipes->in[0], STDIN_FILENO);
        (void) posix_spawn_file_actions_adddup2(&actions, pipes->out[1], STDOUT_FILENO);
        (void) posix_spawn_file_actions_adddup2(&actions, pipes->errors[1], STDERR_FILENO);
        int r = posix_spawnp(ret, argv[0], &actions, NULL, argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        close_end(&pipes->in[0]);
        close_end(&pipes->out[1]);
        close_end(&pipes->errors[1]);
        return -r;
}

static void read_all(int fd, MrBuf *out) {
        char chunk[4096];

        for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR);)
                if (n > 0 && out->size < SIZE_MAX_KIB * 1024)
                        mr_buf_append(out, chunk, (size_t) n);
        explicit_bzero(chunk, sizeof(chunk));
}

/* What fits into a pipe is written before anything is read, so neither side waits for the other. */
static int talk(Pipes *pipes, const void *input, size_t size, MrBuf *out, MrBuf *errors) {
        const char *data = input;

        while (size > 0) {
                ssize_t n = write(pipes->in[1], data, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t) n;
        }
        close_end(&pipes->in[1]);
        read_all(pipes->out[0], out);
        read_all(pipes->errors[0], errors);
        return 0;
}

int filter_run(char *const argv[], const void *input, size_t size, MrBuf *out, MrError *err) {
        _cleanup_(pipes_done) Pipes pipes;
        _cleanup_buf_ MrBuf errors = {};
        int status = 0;
        pid_t pid;

        int r = pipes_open(&pipes);
        if (r >= 0 && size > 4096)
                r = -EFBIG;
        if (r >= 0)
                r = spawn(argv, &pipes, &pid);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot run %s", argv[0]);
        r = talk(&pipes, input, size, out, &errors);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "%s does not listen", argv[0]);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return mr_fail(err, MR_DENIED, NULL, "%s failed: %s", argv[0],
                               errors.size > 0 ? mr_buf_text(&errors) : "it said nothing");
        return 0;
}
