/* Reads the launch description: one KEY VALUE a line, written by millrace-hostd. A key that is not
 * known is an error, because starting a node without something it was told to have is worse than
 * not starting it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"

typedef enum KeyKind {
        KEY_TEXT,    /* once */
        KEY_PATH,    /* once, absolute */
        KEY_YES,     /* once, the word yes */
        KEY_TEXTS,   /* any number */
        KEY_PATHS,   /* any number, absolute */
        KEY_NAMES,   /* any number, names of files without a directory */
        KEY_CONTENT, /* any number, an absolute path and a text */
        KEY_PORTS,   /* any number, 1 to 65535 */
} KeyKind;

typedef struct Key {
        const char *name;
        KeyKind kind;
        size_t offset;
} Key;

static const Key keys[] = {
        {"fingerprint", KEY_TEXT, offsetof(Launch, fingerprint)},
        {"java", KEY_PATH, offsetof(Launch, java)},
        {"other-java", KEY_PATHS, offsetof(Launch, other_java)},
        {"libs", KEY_PATH, offsetof(Launch, libs)},
        {"extras", KEY_PATH, offsetof(Launch, extras)},
        {"archive", KEY_PATH, offsetof(Launch, archive)},
        {"directory", KEY_PATHS, offsetof(Launch, directories)},
        {"content", KEY_CONTENT, offsetof(Launch, contents)},
        {"prepared", KEY_PATH, offsetof(Launch, prepared)},
        {"prepared-too", KEY_PATHS, offsetof(Launch, prepared_too)},
        {"expect-prepared", KEY_YES, offsetof(Launch, expect_prepared)},
        {"expect-line", KEY_CONTENT, offsetof(Launch, expected_lines)},
        {"prepare-class", KEY_TEXT, offsetof(Launch, prepare_class)},
        {"prepare-argument", KEY_TEXTS, offsetof(Launch, prepare_arguments)},
        {"fill", KEY_NAMES, offsetof(Launch, fills)},
        {"variable", KEY_TEXTS, offsetof(Launch, variables)},
        {"place", KEY_PATH, offsetof(Launch, place)},
        {"environment", KEY_TEXTS, offsetof(Launch, environment)},
        {"option", KEY_TEXTS, offsetof(Launch, options)},
        {"class", KEY_TEXT, offsetof(Launch, main_class)},
        {"argument", KEY_TEXTS, offsetof(Launch, arguments)},
        {"ready", KEY_PORTS, offsetof(Launch, ready)},
};

#define ADVICE "; the daemon writes this file, and puts it right when it runs"

/* Where the parser is, for messages. */
typedef struct Place {
        const char *path;
        unsigned line;
} Place;

static int wrong(const Place *place, Failure *failure, const char *key, const char *what) {
        return failure_set(failure, LAUNCH_BAD_FILE, "%s:%u: %.60s: %s" ADVICE, place->path,
                           place->line, key, what);
}

static const Key *key_find(const char *name) {
        for (size_t i = 0; i < MR_ELEMENTS(keys); i++)
                if (strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        return NULL;
}

static bool path_is_direct(const char *path) {
        size_t n = strlen(path);

        return path[0] == '/' && !strstr(path, "/../") &&
               !(n >= 3 && strcmp(path + n - 3, "/..") == 0);
}

static bool port_is_valid(const char *text) {
        char *end = NULL;

        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        unsigned long port = strtoul(text, &end, 10);
        return errno == 0 && *end == '\0' && port >= 1 && port <= 65535;
}

static int content_add(const Place *place, const char *name, char *value, Words *contents,
                       Failure *failure) {
        char *space = strchr(value, ' ');

        if (!space)
                return wrong(place, failure, name, "a path and a text are needed");
        *space = '\0';
        if (!path_is_direct(value))
                return wrong(place, failure, name, "the path is not absolute, or contains '..'");
        words_add(contents, value);
        words_add(contents, space + 1);
        return 0;
}

static int key_store_one(const Place *place, const Key *key, char *value, Launch *launch,
                         Failure *failure) {
        const char **member = (const char **) (void *) ((char *) launch + key->offset);

        if (*member)
                return wrong(place, failure, key->name, "given twice");
        if (key->kind == KEY_YES && strcmp(value, "yes") != 0)
                return wrong(place, failure, key->name, "only 'yes' is known");
        *member = value;
        return 0;
}

static int key_store(const Place *place, const Key *key, char *value, Launch *launch,
                     Failure *failure) {
        Words *words = (Words *) (void *) ((char *) launch + key->offset);

        if ((key->kind == KEY_PATH || key->kind == KEY_PATHS) && !path_is_direct(value))
                return wrong(place, failure, key->name,
                             "the path is not absolute, or contains '..'");

        switch (key->kind) {
        case KEY_TEXT:
        case KEY_PATH:
        case KEY_YES:
                return key_store_one(place, key, value, launch, failure);
        case KEY_CONTENT:
                return content_add(place, key->name, value, words, failure);
        case KEY_PORTS:
                if (!port_is_valid(value))
                        return wrong(place, failure, key->name,
                                     "a port is a number from 1 to 65535");
                break;
        case KEY_NAMES:
                if (strchr(value, '/') || value[0] == '.' || value[0] == '\0')
                        return wrong(place, failure, key->name,
                                     "a file is named without its directory");
                break;
        case KEY_TEXTS:
        case KEY_PATHS:
                break;
        }
        words_add(words, value);
        return 0;
}

static int line_parse(const Place *place, char *line, Launch *launch, Failure *failure) {
        char *space = strchr(line, ' ');

        if (line[0] == '\0')
                return 0;
        if (!space)
                return wrong(place, failure, line, "a key and a value are needed");
        *space = '\0';

        const Key *key = key_find(line);
        if (!key)
                return wrong(place, failure, line, "unknown key");
        return key_store(place, key, space + 1, launch, failure);
}

static int launch_check(const char *path, const Launch *launch, Failure *failure) {
        const char *missing = !launch->java         ? "java"
                              : !launch->libs       ? "libs"
                              : !launch->main_class ? "class"
                                                    : NULL;

        if (missing)
                return failure_set(failure, LAUNCH_BAD_FILE, "%s: '%s' is missing" ADVICE, path,
                                   missing);
        if ((launch->prepare_class || launch->expect_prepared) && !launch->prepared)
                return failure_set(failure, LAUNCH_BAD_FILE, "%s: '%s' needs 'prepared'" ADVICE,
                                   path,
                                   launch->prepare_class ? "prepare-class" : "expect-prepared");
        return 0;
}

int launch_parse(char *take_text, size_t size, const char *path, Launch *ret, Failure *failure) {
        Place place = {.path = path};

        ret->text = take_text;
        if (strlen(take_text) != size)
                return failure_set(failure, LAUNCH_BAD_FILE, "%s: the file is binary" ADVICE, path);

        for (char *line = take_text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                place.line++;
                if (line_parse(&place, line, ret, failure) < 0)
                        return -1;
        }
        return launch_check(path, ret, failure);
}

int file_read(const char *path, char **ret, size_t *ret_size) {
        _cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_(text_free) char *text = NULL;
        size_t size = 0;

        if (fd < 0)
                return 0;
        text = malloc(LAUNCH_FILE_MAX + 2);
        if (!text)
                abort();

        for (;;) {
                ssize_t n = read(fd, text + size, LAUNCH_FILE_MAX + 1 - size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return 0;
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > LAUNCH_FILE_MAX) {
                        errno = EFBIG;
                        return 0;
                }
        }
        text[size] = '\0';
        *ret_size = size;
        *ret = TAKE(text);
        return 1;
}

/* One path a line. A node whose storage was never prepared has no such file. */
static int known_read(const char *node_directory, Launch *ret, Failure *failure) {
        _cleanup_(text_free) char *path = text_format("%s/.known", node_directory);
        size_t size = 0;

        if (!file_read(path, &ret->known_text, &size)) {
                if (errno == ENOENT)
                        return 0;
                return failure_set(failure, LAUNCH_BAD_FILE, "cannot read %s: %s" ADVICE, path,
                                   strerror(errno));
        }
        for (char *line = ret->known_text, *next; line && *line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                if (!path_is_direct(line))
                        return failure_set(failure, LAUNCH_BAD_FILE, "%s: %.200s is no path" ADVICE,
                                           path, line);
                words_add(&ret->known, line);
        }
        return 0;
}

int launch_read(const char *node_directory, Launch *ret, Failure *failure) {
        _cleanup_(text_free) char *path = text_format("%s/launch", node_directory);
        char *text = NULL;
        size_t size = 0;

        if (!file_read(path, &text, &size))
                return failure_set(failure, LAUNCH_BAD_FILE, "cannot read %s: %s" ADVICE, path,
                                   strerror(errno));

        if (launch_parse(text, size, path, ret, failure) < 0)
                return -1;
        return known_read(node_directory, ret, failure);
}

void launch_done(Launch *launch) {
        words_done(&launch->other_java);
        words_done(&launch->directories);
        words_done(&launch->prepared_too);
        words_done(&launch->expected_lines);
        words_done(&launch->known);
        free(launch->known_text);
        words_done(&launch->contents);
        words_done(&launch->prepare_arguments);
        words_done(&launch->fills);
        words_done(&launch->variables);
        words_done(&launch->environment);
        words_done(&launch->options);
        words_done(&launch->arguments);
        words_done(&launch->ready);
        free(launch->text);
        *launch = (Launch){};
}
