/* Command lines of java, the short run that prepares storage, and becoming java. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

static void directory_close(DIR **directory) {
        if (*directory)
                (void) closedir(*directory);
}

static void owned_done(Words *owned) {
        for (size_t i = 0; i < owned->n; i++)
                free((void *) (uintptr_t) owned->items[i]);
        words_done(owned);
}

static bool has_suffix(const char *text, const char *suffix) {
        size_t n = strlen(text), m = strlen(suffix);

        return n >= m && strcmp(text + n - m, suffix) == 0;
}

static int program_check(const char *java, Failure *failure) {
        struct stat st;

        if (stat(java, &st) < 0)
                return failure_set(failure, LAUNCH_NO_SOFTWARE,
                                   "java not found at %s%s%s; install a Java 17 runtime or set "
                                   "'java' in /etc/millrace/hostd.yaml",
                                   java, errno == ENOENT ? "" : ": ",
                                   errno == ENOENT ? "" : strerror(errno));
        if (!S_ISREG(st.st_mode) || access(java, X_OK) < 0)
                return failure_set(failure, LAUNCH_NO_SOFTWARE,
                                   "%s is no program that can be run; install a Java 17 runtime or "
                                   "set 'java' in /etc/millrace/hostd.yaml",
                                   java);
        return 0;
}

/* A runtime says its version in the file 'release' above bin/. Without one nothing is known, and
 * java itself will tell. */
static int version_check(const char *java, Failure *failure) {
        _cleanup_(text_free) char *real = realpath(java, NULL);
        char *bin = real ? strstr(real, "/bin/java") : NULL;
        _cleanup_(text_free) char *release = NULL;
        _cleanup_(text_free) char *text = NULL;
        size_t size;

        if (!bin)
                return 0;
        *bin = '\0';
        release = text_format("%s/release", real);
        if (!file_read(release, &text, &size))
                return 0;

        const char *version = strstr(text, "JAVA_VERSION=\"");
        if (!version)
                return 0;
        long major = strtol(version + strlen("JAVA_VERSION=\""), NULL, 10);
        if (major >= 17)
                return 0;
        return failure_set(failure, LAUNCH_NO_SOFTWARE,
                           "%s is java %ld, and 17 is needed; install a Java 17 runtime or set "
                           "'java' in /etc/millrace/hostd.yaml",
                           java, major);
}

static int libs_check(const char *libs, Failure *failure) {
        _cleanup_(directory_close) DIR *directory = opendir(libs);

        if (!directory)
                return failure_set(failure, LAUNCH_NO_SOFTWARE,
                                   "cannot open %s: %s; the distribution is missing, see "
                                   "'distributions' in /etc/millrace/hostd.yaml",
                                   libs, strerror(errno));
        for (const struct dirent *entry; (entry = readdir(directory));)
                if (has_suffix(entry->d_name, ".jar"))
                        return 0;
        return failure_set(failure, LAUNCH_NO_SOFTWARE,
                           "%s holds no jars; the distribution is incomplete, see 'distributions' "
                           "in /etc/millrace/hostd.yaml",
                           libs);
}

void java_find(Launch *launch) {
        for (size_t i = 0; i < launch->other_java.n && access(launch->java, X_OK) < 0; i++)
                if (access(launch->other_java.items[i], X_OK) == 0)
                        launch->java = launch->other_java.items[i];
}

int java_check(const Launch *launch, Failure *failure) {
        if (program_check(launch->java, failure) < 0)
                return -1;
        if (version_check(launch->java, failure) < 0)
                return -1;
        return libs_check(launch->libs, failure);
}

static void owned_add(Words *words, Words *owned, char *take_word) {
        words_add(words, take_word);
        words_add(owned, take_word);
}

static void words_add_all(Words *words, const Words *more) {
        for (size_t i = 0; i < more->n; i++)
                words_add(words, more->items[i]);
}

static void archive_add(const Launch *launch, Words *words, Words *owned) {
        if (!launch->archive || access(launch->archive, R_OK) < 0)
                return;
        owned_add(words, owned, text_format("-XX:SharedArchiveFile=%s", launch->archive));
        words_add(words, "-Xshare:auto");
}

/* An agent brings libraries of its own, which would get in the way of others' where nobody asked
 * for the agent; where somebody did, java finds it by itself. */
static int is_library(const struct dirent *entry) {
        return has_suffix(entry->d_name, ".jar") && !strstr(entry->d_name, "javaagent") &&
               !strchr(entry->d_name, ':');
}

/* Java itself expands the asterisk. */
static char *class_path(const Launch *launch) {
        char *path = text_format("%s/*", launch->libs);
        struct dirent **entries;
        int n = launch->extras ? scandir(launch->extras, &entries, is_library, alphasort) : 0;

        for (int i = 0; i < n; i++) {
                char *longer = text_format("%s:%s/%s", path, launch->extras, entries[i]->d_name);
                free(path);
                path = longer;
                free(entries[i]);
        }
        if (launch->extras && n >= 0)
                free(entries);
        return path;
}

static void class_add(const Launch *launch, const char *class, Words *words, Words *owned) {
        words_add(words, "-cp");
        owned_add(words, owned, class_path(launch));
        words_add(words, class);
}

void java_command(const Launch *launch, Words *ret, Words *ret_owned) {
        words_add(ret, "java");
        archive_add(launch, ret, ret_owned);
        words_add_all(ret, &launch->options);
        class_add(launch, launch->main_class, ret, ret_owned);
        words_add_all(ret, &launch->arguments);
}

/* The short run shares the node's system properties, which say where its logging is configured, but
 * not its memory and not its ports. */
void java_prepare_command(const Launch *launch, Words *ret, Words *ret_owned) {
        static const char remote[] = "-Dcom.sun.management.";

        words_add(ret, "java");
        archive_add(launch, ret, ret_owned);
        words_add(ret, "-Xmx256m");
        words_add(ret, "-XX:+UseSerialGC");
        words_add(ret, "-XX:TieredStopAtLevel=1");
        for (size_t i = 0; i < launch->options.n; i++)
                if (strncmp(launch->options.items[i], "-D", 2) == 0 &&
                    strncmp(launch->options.items[i], remote, strlen(remote)) != 0)
                        words_add(ret, launch->options.items[i]);
        class_add(launch, launch->prepare_class, ret, ret_owned);
        words_add_all(ret, &launch->prepare_arguments);
}

static void environment_add(const char *name, Words *ret, Words *ret_owned) {
        const char *value = getenv(name);

        if (!value)
                return;
        char *text = text_format("%s=%s", name, value);
        words_add(ret_owned, text);
        words_add(ret, text);
}

/* Nothing else of what the launcher was started with reaches java. */
static void java_exec(const Launch *launch, const Words *command) {
        _cleanup_(words_done) Words environment = {};
        _cleanup_(owned_done) Words owned = {};

        words_add(&environment, "PATH=/usr/local/bin:/usr/bin:/bin");
        words_add(&environment, "LANG=C.UTF-8");
        environment_add("TZ", &environment, &owned);
        for (size_t i = 0; i < launch->environment.n; i++)
                environment_add(launch->environment.items[i], &environment, &owned);
        execve(launch->java, (char *const *) (uintptr_t) command->items,
               (char *const *) (uintptr_t) environment.items);
}

/* In the child. What the command prints may be credentials, so that it must not reach the journal;
 * errors may. */
_Noreturn static void prepare_child(const Launch *launch, pid_t parent, const Words *command) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
            dup2(null, STDOUT_FILENO) < 0)
                _exit(126);
        java_exec(launch, command);
        fprintf(stderr, "cannot run %s: %s\n", launch->java, strerror(errno));
        _exit(127);
}

static int prepare_outcome(const Launch *launch, int status, Failure *failure) {
        if (WIFSIGNALED(status))
                return failure_set(failure, LAUNCH_NOT_PREPARED,
                                   "%s was killed by signal %d; the storage is not prepared",
                                   launch->prepare_class, WTERMSIG(status));
        if (WEXITSTATUS(status) != 0)
                return failure_set(failure, LAUNCH_NOT_PREPARED,
                                   "%s failed with exit code %d; the lines above say why, and the "
                                   "storage is not prepared",
                                   launch->prepare_class, WEXITSTATUS(status));
        if (!storage_is_prepared(launch))
                return failure_set(failure, LAUNCH_NOT_PREPARED,
                                   "%s ended well, but %s is still missing", launch->prepare_class,
                                   launch->prepared);
        return 0;
}

int java_prepare(const Launch *launch, Failure *failure) {
        _cleanup_(words_done) Words command = {};
        _cleanup_(owned_done) Words owned = {};
        pid_t self = getpid();
        int status;

        notify_send("STATUS=preparing the storage\nEXTEND_TIMEOUT_USEC=300000000");
        java_prepare_command(launch, &command, &owned);

        pid_t child = fork();
        if (child < 0)
                return failure_set(failure, LAUNCH_NOT_PREPARED, "cannot start %s: %s",
                                   launch->java, strerror(errno));
        if (child == 0)
                prepare_child(launch, self, &command);
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return failure_set(failure, LAUNCH_NOT_PREPARED, "lost %s: %s",
                                           launch->prepare_class, strerror(errno));
        return prepare_outcome(launch, status, failure);
}

int java_become(const Launch *launch, Failure *failure) {
        _cleanup_(words_done) Words command = {};
        _cleanup_(owned_done) Words owned = {};

        java_command(launch, &command, &owned);
        java_exec(launch, &command);
        return failure_set(failure, LAUNCH_NO_SOFTWARE,
                           "cannot run %s: %s; install a Java 17 runtime or set 'java' in "
                           "/etc/millrace/hostd.yaml",
                           launch->java, strerror(errno));
}
