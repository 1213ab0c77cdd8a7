/* What a process learns only where it runs, such as the zone of its machine, reaches a container in
 * variables. The launcher writes them into copies of the files that refer to them. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"

#define REFERENCE "@{variable:"

/* The value of the variable that `name` begins with, as far as its first `n` characters; NULL: it
 * is none of those that are filled in. */
static const char *value_of(const Launch *launch, const char *name, size_t n) {
        for (size_t i = 0; i < launch->variables.n; i++) {
                const char *known = launch->variables.items[i];
                if (strlen(known) == n && strncmp(known, name, n) == 0) {
                        const char *value = getenv(known);
                        return value ? value : "";
                }
        }
        return NULL;
}

/* A reference to something else is not ours and stays as it is. */
static int text_write(const Launch *launch, const char *text, const char *path, FILE *to,
                      Failure *failure) {
        for (const char *at; (at = strstr(text, REFERENCE));) {
                const char *name = at + strlen(REFERENCE);
                size_t n = strcspn(name, "}");
                const char *value = name[n] == '}' ? value_of(launch, name, n) : NULL;

                fwrite(text, 1, (size_t) (at - text), to);
                text = value ? name + n + 1 : name;
                if (!value)
                        fputs(REFERENCE, to);
                else if (strpbrk(value, "\n\r\\"))
                        return failure_set(failure, LAUNCH_BAD_FILE,
                                           "%s: the variable %.*s has more than one line, or a "
                                           "backslash; give it a simple value",
                                           path, (int) n, name);
                else
                        fputs(value, to);
        }
        fputs(text, to);
        return 0;
}

/* The copy is as private as a file can be: only this process and its successor read it. */
static FILE *file_open(const char *path) {
        (void) unlink(path);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

        if (fd >= 0 && !file)
                (void) close(fd);
        return file;
}

static int file_fill(const char *from, const char *to, const Launch *launch, Failure *failure) {
        _cleanup_(text_free) char *text = NULL;
        size_t size = 0;

        if (!file_read(from, &text, &size))
                return failure_set(failure, LAUNCH_BAD_FILE, "cannot read %s: %s", from,
                                   strerror(errno));
        if (strlen(text) != size)
                return failure_set(failure, LAUNCH_BAD_FILE, "%s: the file is binary", from);
        FILE *file = file_open(to);
        int r = file ? text_write(launch, text, from, file, failure) : 0;
        bool is_bad = !file || ferror(file);
        if (file && fclose(file) != 0)
                is_bad = true;
        if (r == 0 && is_bad)
                return failure_set(failure, LAUNCH_NO_STORAGE,
                                   "cannot write %s: %s; it must be in a volume that can be "
                                   "written",
                                   to, strerror(errno));
        return r;
}

/* What a program before this one has found out is as good as a variable. */
static int place_read(const char *path, Failure *failure) {
        _cleanup_(text_free) char *text = NULL;
        char *rest = NULL;
        size_t size = 0;

        if (!file_read(path, &text, &size))
                return failure_set(failure, LAUNCH_BAD_FILE,
                                   "cannot read %s: %s; millrace-place has to run before", path,
                                   strerror(errno));
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                char *sign = strchr(line, '=');
                if (!sign || sign == line)
                        return failure_set(failure, LAUNCH_BAD_FILE,
                                           "%s: \"%.60s\" does not read NAME=VALUE", path, line);
                *sign = '\0';
                if (setenv(line, sign + 1, 1) < 0)
                        abort();
        }
        return 0;
}

int files_fill(const char *node_directory, const char *run_directory, const Launch *launch,
               Failure *failure) {
        if (launch->place && place_read(launch->place, failure) < 0)
                return -1;
        for (size_t i = 0; i < launch->fills.n; i++) {
                const char *name = launch->fills.items[i];
                _cleanup_(text_free) char *from = text_format("%s/%s", node_directory, name);
                _cleanup_(text_free) char *to = text_format("%s/%s", run_directory, name);

                if (file_fill(from, to, launch, failure) < 0)
                        return -1;
        }
        return 0;
}
