/* The class-data archive: the programs of a trial run write down which classes they load, and java
 * makes an archive of all of them, which every node maps instead of reading and verifying jars. An
 * archive that does not fit any more, because java or a jar changed, is ignored by java itself. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "fetch.h"
#include "sdk/str.h"
#include "sdk/tree.h"

#define LIST_MAX (4U * 1024 * 1024)
#define STATE_MAX 65536U
#define START_MSEC 180000
#define STOP_MSEC 30000
#define SETTLE_MSEC 2000
#define ARGUMENTS_MAX 24U

static void fd_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

static void pause_msec(int msec) {
        (void) poll(NULL, 0, msec);
}

char *fetch_java_identity(const char *java) {
        _cleanup_free_ char *real = realpath(java, NULL);
        struct stat st;

        if (!real || stat(real, &st) < 0)
                return mr_strdup("");
        return mr_strf("%s %lld %lld", real, (long long) st.st_size, (long long) st.st_mtim.tv_sec);
}

/* A command line of java: options, class path, class, arguments. */
typedef struct Command {
        const char *items[ARGUMENTS_MAX + 1];
        size_t n;
} Command;

static void command_add(Command *command, const char *word) {
        if (command->n < ARGUMENTS_MAX)
                command->items[command->n++] = word;
}

_Noreturn static void java_child(const char *java, const Command *command, const char *log,
                                 pid_t parent) {
        int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        const char *environment[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
            dup2(out, 2) < 0)
                _exit(126);
        execve(java, (char *const *) (uintptr_t) command->items,
               (char *const *) (uintptr_t) environment);
        _exit(127);
}

static int java_start(const char *java, const Command *command, const char *log, pid_t *ret,
                      MrError *err) {
        pid_t parent = getpid(), pid = fork();

        if (pid < 0)
                return mr_fail_errno(err, errno, NULL, "cannot start %s", java);
        if (pid == 0)
                java_child(java, command, log, parent);
        *ret = pid;
        return 0;
}

static bool has_ended(pid_t pid, int *ret_status) {
        return waitpid(pid, ret_status, WNOHANG) == pid;
}

static bool port_answers(unsigned port) {
        _cleanup_(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr = {htonl(INADDR_LOOPBACK)},
                                      .sin_port = htons((uint16_t) port)};

        return fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
}

static void java_stop(pid_t pid) {
        int status;

        if (pid <= 0)
                return;
        (void) kill(pid, SIGTERM);
        for (int waited = 0; waited < STOP_MSEC; waited += 50) {
                if (has_ended(pid, &status))
                        return;
                pause_msec(50);
        }
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);
}

static int java_end_check(const char *what, int status, MrError *err) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        if (WIFEXITED(status))
                return mr_fail(err, MR_TRANSIENT, NULL, "%s ended with exit code %d", what,
                               WEXITSTATUS(status));
        return mr_fail(err, MR_TRANSIENT, NULL, "%s was killed by signal %d", what,
                       WTERMSIG(status));
}

/* Waits until a program has started, or, without a port, until it has ended. *pid is 0 once it has.
 */
static int run_wait(const TrialRun *run, pid_t *pid, MrError *err) {
        for (int waited = 0; waited < START_MSEC; waited += 50) {
                int status;

                if (has_ended(*pid, &status)) {
                        *pid = 0;
                        if (run->port == 0)
                                return java_end_check(run->name, status, err);
                        return mr_fail(err, MR_TRANSIENT, NULL, "%s ended before it had started",
                                       run->name);
                }
                if (run->port > 0 && port_answers(run->port))
                        return 0;
                pause_msec(50);
        }
        return mr_fail(err, MR_TRANSIENT, NULL, "%s did not start within %d s", run->name,
                       START_MSEC / 1000);
}

/* The last words of a program, for the journal. */
static void log_show(const char *path) {
        _cleanup_buf_ MrBuf text = {};
        size_t lines = 0;

        if (read_file_capped(path, LIST_MAX, &text, NULL) < 0 || text.size == 0)
                return;
        const char *start = text.data + text.size - 1;
        for (; start > text.data && lines < 8; start--)
                lines += start[-1] == '\n';
        fprintf(stderr, "%s", start);
}

static int run_once(const Fetch *fetch, const Trial *trial, const TrialRun *run, pid_t *ret,
                    MrError *err) {
        _cleanup_free_ char *list =
                mr_strf("-XX:DumpLoadedClassList=%s/%s.list", trial->directory, run->name);
        _cleanup_free_ char *log4j =
                mr_strf("-Dlog4j.configuration=file:%s/log4j.properties", trial->directory);
        _cleanup_free_ char *log4j2 =
                mr_strf("-Dlog4j2.configurationFile=%s/log4j2.yaml", trial->directory);
        _cleanup_free_ char *path = mr_strf("%s/libs/*", fetch->directory);
        _cleanup_free_ char *log = mr_strf("%s/%s.log", trial->directory, run->name);
        Command command = {};

        command_add(&command, "java");
        command_add(&command, list);
        command_add(&command, "-Xmx256m");
        command_add(&command, "-XX:TieredStopAtLevel=1");
        command_add(&command, log4j);
        command_add(&command, log4j2);
        command_add(&command, "-cp");
        command_add(&command, path);
        command_add(&command, run->class_name);
        for (size_t i = 0; i < MR_ELEMENTS(run->arguments) && run->arguments[i]; i++)
                command_add(&command, run->arguments[i]);

        int r = java_start(fetch->java, &command, log, ret, err);
        if (r < 0)
                return r;
        r = run_wait(run, ret, err);
        if (r < 0)
                log_show(log);
        return r;
}

/* A program that is up goes on loading classes for a moment: connections, background threads. */
static int runs_do(const Fetch *fetch, const Trial *trial, MrError *err) {
        pid_t pids[TRIAL_RUNS_MAX] = {};
        int r = 0;

        for (size_t i = 0; i < trial->n_runs && r >= 0; i++) {
                r = run_once(fetch, trial, &trial->runs[i], &pids[i], err);
                if (r < 0 || trial->runs[i].stays || pids[i] == 0)
                        continue;
                pause_msec(SETTLE_MSEC);
                java_stop(pids[i]);
                pids[i] = 0;
        }
        for (size_t i = trial->n_runs; i > 0; i--)
                java_stop(pids[i - 1]);
        return r;
}

static int lists_join(const Trial *trial, const char *path, MrError *err) {
        _cleanup_buf_ MrBuf all = {};

        for (size_t i = 0; i < trial->n_runs; i++) {
                _cleanup_free_ char *list =
                        mr_strf("%s/%s.list", trial->directory, trial->runs[i].name);

                int r = read_file_capped(list, LIST_MAX, &all, err);
                if (r < 0)
                        return r;
        }
        return write_file_atomic(path, mr_buf_text(&all), all.size, 0600, err);
}

static int archive_dump(const Fetch *fetch, const Trial *trial, const char *target, MrError *err) {
        _cleanup_free_ char *list = mr_strf("%s/classes.list", trial->directory);
        _cleanup_free_ char *list_option = mr_strf("-XX:SharedClassListFile=%s", list);
        _cleanup_free_ char *archive_option = mr_strf("-XX:SharedArchiveFile=%s", target);
        _cleanup_free_ char *path = mr_strf("%s/libs/*", fetch->directory);
        _cleanup_free_ char *log = mr_strf("%s/dump.log", trial->directory);
        TrialRun run = {.name = "the dump"};
        Command command = {};
        pid_t pid;

        int r = lists_join(trial, list, err);
        if (r < 0)
                return r;
        command_add(&command, "java");
        command_add(&command, "-Xshare:dump");
        command_add(&command, "-Xmx512m");
        command_add(&command, "-XX:+UseG1GC");
        command_add(&command, list_option);
        command_add(&command, archive_option);
        command_add(&command, "-cp");
        command_add(&command, path);
        r = java_start(fetch->java, &command, log, &pid, err);
        if (r < 0)
                return r;
        r = run_wait(&run, &pid, err);
        java_stop(pid);
        if (r < 0)
                log_show(log);
        return r;
}

static int archive_place(const Fetch *fetch, const char *made, MrError *err) {
        if (chmod(made, 0644) < 0 || rename(made, fetch->classes) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot place %s", fetch->classes);
        return 0;
}

/* Whether the archive was made by the very java that is configured now. */
static bool archive_fits(const Fetch *fetch) {
        _cleanup_free_ char *path = mr_strf("%s.java", fetch->classes);
        _cleanup_free_ char *java = fetch_java_identity(fetch->java);
        _cleanup_buf_ MrBuf text = {};

        return access(fetch->classes, R_OK) == 0 &&
               read_file_capped(path, STATE_MAX, &text, NULL) >= 0 &&
               mr_streq(mr_buf_text(&text), java);
}

static int archive_sign(const Fetch *fetch, MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s.java", fetch->classes);
        _cleanup_free_ char *java = fetch_java_identity(fetch->java);

        return write_file_atomic(path, java, strlen(java), 0644, err);
}

static int archive_make(const Fetch *fetch, const Trial *trial, MrError *err) {
        _cleanup_free_ char *directory = mr_strf("%s/archives", fetch->base);
        _cleanup_free_ char *made = mr_strf("%s/.%s.jsa.new", directory, fetch->id);

        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                return mr_fail_errno(err, errno, NULL, "cannot make %s", directory);
        fetch_remove(made);

        int r = runs_do(fetch, trial, err);
        if (r < 0)
                return r;
        r = archive_dump(fetch, trial, made, err);
        if (r >= 0)
                r = archive_place(fetch, made, err);
        fetch_remove(made);
        return r < 0 ? r : archive_sign(fetch, err);
}

int fetch_classes(const Fetch *fetch, MrError *err) {
        _cleanup_free_ char *libs = mr_strf("%s/libs", fetch->directory);
        _cleanup_(trial_done) Trial trial = {};

        if (archive_fits(fetch))
                return 0;
        int r = trial_init(&trial, fetch->distribution->software, libs, err);
        if (r < 0)
                return r;
        if (trial.n_runs == 0)
                return 0;
        r = archive_make(fetch, &trial, err);
        return r < 0 ? r : 1;
}
