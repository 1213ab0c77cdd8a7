#include "io/directory-watch.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

/* Long enough for a burst (an editor's rename dance), short enough not to be felt. */
#define QUIET_USEC 4000U
/* A directory that is never quiet is looked at anyway. */
#define PATIENCE_USEC 200000U
/* A file that stays open so long without being written is taken as it is. */
#define WRITER_USEC 30000000U

#define DIRECTORY_EVENTS                                                                           \
        (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_TO | IN_MOVED_FROM |        \
         IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define ANCESTOR_EVENTS                                                                            \
        (IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define GONE_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

/* What tells two states of a file apart without reading it. */
typedef struct Signature {
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec modified, changed;
} Signature;

typedef struct Document {
        char *name;
        Signature signature; /* as last reported; zero: never */
        bool is_seen;        /* by the scan that runs */
        bool is_written;     /* somebody has it open for writing */
} Document;

struct DirectoryWatch {
        char *directory;
        DirectoryChanged changed;
        void *userdata;
        sd_event *event;
        sd_event_source *source, *timer;
        int fd;              /* inotify */
        int watch;           /* descriptor of the one watch; -1: none */
        bool is_attached;    /* the watch is on the directory itself, not on an ancestor */
        uint64_t first_usec; /* of the burst under way; 0: none */
        bool awaits_writer;  /* the timer is set for the end of our patience with a writer */
        Document *documents; /* sorted by name */
        size_t n_documents, allocated;
};

bool directory_watch_is_document(const char *name) {
        if (name[0] == '.' || name[0] == '#')
                return false;
        return mr_ends_with(name, ".yaml") || mr_ends_with(name, ".yml") ||
               mr_ends_with(name, ".json");
}

static size_t document_place(const DirectoryWatch *watch, const char *name) {
        size_t low = 0, high = watch->n_documents;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(watch->documents[middle].name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static Document *document_need(DirectoryWatch *watch, const char *name) {
        size_t i = document_place(watch, name);

        if (i < watch->n_documents && mr_streq(watch->documents[i].name, name))
                return &watch->documents[i];
        MR_GROW(watch->documents, watch->n_documents, watch->allocated);
        memmove(&watch->documents[i + 1], &watch->documents[i],
                (watch->n_documents - i) * sizeof(Document));
        watch->documents[i] = (Document){.name = mr_strdup(name)};
        watch->n_documents++;
        return &watch->documents[i];
}

static void document_forget(DirectoryWatch *watch, size_t i) {
        free(watch->documents[i].name);
        watch->n_documents--;
        memmove(&watch->documents[i], &watch->documents[i + 1],
                (watch->n_documents - i) * sizeof(Document));
}

static bool same_time(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_signature(const Signature *a, const Signature *b) {
        return a->device == b->device && a->inode == b->inode && a->size == b->size &&
               same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

static void report(DirectoryWatch *watch, const char *name, bool is_removed) {
        _cleanup_free_ char *path = mr_strf("%s/%s", watch->directory, name);

        watch->changed(watch->userdata, path, is_removed);
}

/* 1 and its state for a regular file (symbolic links are followed), 0 when there is none, else a
 * negative errno. */
static int document_look(const Document *document, DIR *dir, Signature *ret) {
        struct stat st;

        if (!document->is_seen)
                return 0;
        if (fstatat(dirfd(dir), document->name, &st, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        *ret = (Signature){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
        return S_ISREG(st.st_mode) ? 1 : 0;
}

/* Compares the documents that were seen with what was reported, and forgets those that are gone.
 * One that cannot be looked at stays what it was. */
static void report_differences(DirectoryWatch *watch, DIR *dir, bool again) {
        for (size_t i = 0; i < watch->n_documents;) {
                Document *document = &watch->documents[i];
                Signature now = {};
                int r = document_look(document, dir, &now);

                if (r == 0) {
                        if (document->signature.inode != 0)
                                report(watch, document->name, true);
                        document_forget(watch, i);
                        continue;
                }
                if (r > 0 && !document->is_written &&
                    (again || !same_signature(&document->signature, &now))) {
                        document->signature = now;
                        report(watch, document->name, false);
                }
                i++;
        }
}

static int scan_names(DirectoryWatch *watch, DIR *dir, MrError *err) {
        for (size_t i = 0; i < watch->n_documents; i++)
                watch->documents[i].is_seen = false;
        for (;;) {
                errno = 0;
                struct dirent *entry = readdir(dir);

                if (!entry)
                        return errno ? mr_fail_errno(err, errno, NULL, "cannot list %s",
                                                     watch->directory)
                                     : 0;
                if (directory_watch_is_document(entry->d_name))
                        document_need(watch, entry->d_name)->is_seen = true;
        }
}

/* The longest existing part of the path: what must be watched until the directory appears. */
static char *nearest_ancestor(const char *directory) {
        char *path = mr_strdup(directory);

        for (char *slash; access(path, F_OK) < 0 && (slash = strrchr(path, '/')); *slash = '\0')
                if (slash == path) {
                        path[1] = '\0';
                        break;
                }
        return path;
}

static void detach(DirectoryWatch *watch) {
        if (watch->watch >= 0)
                (void) inotify_rm_watch(watch->fd, watch->watch);
        watch->watch = -1;
        watch->is_attached = false;
}

/* Moves the one watch to another path. Watching what is watched already changes nothing. */
static int watch_path(DirectoryWatch *watch, const char *path, uint32_t events) {
        int descriptor = inotify_add_watch(watch->fd, path, events);

        if (descriptor < 0)
                return -errno;
        if (descriptor != watch->watch)
                detach(watch);
        watch->watch = descriptor;
        return 0;
}

/* Puts the watch on the directory, or on the nearest ancestor while it does not exist. The
 * directory may appear between two looks, so an ancestor is taken only when it still is the nearest
 * one after that. An ancestor may have been exchanged without an event, so each scan does it again.
 */
static int attach(DirectoryWatch *watch, MrError *err) {
        for (int attempt = 0; attempt < 8; attempt++) {
                int r = watch_path(watch, watch->directory, DIRECTORY_EVENTS);

                watch->is_attached = r >= 0;
                if (r >= 0)
                        return 0;
                if (r != -ENOENT)
                        return mr_fail_errno(err, -r, NULL, "cannot watch %s", watch->directory);

                _cleanup_free_ char *ancestor = nearest_ancestor(watch->directory);
                r = watch_path(watch, ancestor, ANCESTOR_EVENTS);
                if (r < 0 && r != -ENOENT)
                        return mr_fail_errno(err, -r, NULL, "cannot watch %s", ancestor);

                _cleanup_free_ char *again = nearest_ancestor(watch->directory);
                if (r >= 0 && mr_streq(ancestor, again))
                        return 0;
        }
        return 0;
}

int directory_watch_scan(DirectoryWatch *watch, bool again, MrError *err) {
        int r = attach(watch, err);

        if (r < 0)
                return r;

        DIR *dir = opendir(watch->directory);
        if (!dir && errno == ENOENT)
                return 0;
        if (!dir)
                return mr_fail_errno(err, errno, NULL, "cannot open %s", watch->directory);
        r = scan_names(watch, dir, err);
        if (r >= 0)
                report_differences(watch, dir, again);
        closedir(dir);
        return r < 0 ? r : 1;
}

static int set_timer(DirectoryWatch *watch, uint64_t usec) {
        int r = sd_event_source_set_time(watch->timer, usec);

        return r < 0 ? r : sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

static void forget_writers(DirectoryWatch *watch) {
        for (size_t i = 0; i < watch->n_documents; i++)
                watch->documents[i].is_written = false;
}

static bool has_writers(const DirectoryWatch *watch) {
        for (size_t i = 0; i < watch->n_documents; i++)
                if (watch->documents[i].is_written)
                        return true;
        return false;
}

static int look(DirectoryWatch *watch) {
        _cleanup_error_ MrError err = {};
        uint64_t now;

        watch->first_usec = 0;
        if (directory_watch_scan(watch, false, &err) < 0)
                log_warning(NULL, NULL, "%s; the resources stay as they were read before.",
                            err.message);
        watch->awaits_writer = has_writers(watch);
        if (!watch->awaits_writer)
                return 0;
        int r = sd_event_now(watch->event, CLOCK_MONOTONIC, &now);
        return r < 0 ? r : set_timer(watch, now + WRITER_USEC);
}

static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata) {
        DirectoryWatch *watch = userdata;

        (void) source;
        (void) usec;
        if (watch->awaits_writer)
                forget_writers(watch);
        return look(watch);
}

static int schedule(DirectoryWatch *watch) {
        uint64_t now, due;
        int r = sd_event_now(watch->event, CLOCK_MONOTONIC, &now);

        if (r < 0)
                return r;
        watch->awaits_writer = false;
        if (watch->first_usec == 0)
                watch->first_usec = now;
        due = now + QUIET_USEC;
        if (due > watch->first_usec + PATIENCE_USEC)
                due = watch->first_usec + PATIENCE_USEC;
        return set_timer(watch, due);
}

/* A file that appears with one link was made by open(), and its writer has yet to write and
 * close it; one that was linked, or is a symbolic link, is complete. */
static bool is_being_made(const DirectoryWatch *watch, const char *name) {
        _cleanup_free_ char *path = mr_strf("%s/%s", watch->directory, name);
        struct stat st;

        return lstat(path, &st) >= 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static void note_writing(DirectoryWatch *watch, const struct inotify_event *event) {
        if (event->mask & IN_MODIFY ||
            (event->mask & IN_CREATE && is_being_made(watch, event->name)))
                document_need(watch, event->name)->is_written = true;
        else if (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM))
                document_need(watch, event->name)->is_written = false;
}

/* What events ask for. */
typedef struct Asked {
        unsigned soon; /* more may follow */
        unsigned now; /* documents that were put in place by rename(2), which makes them complete */
        uint32_t cookie; /* of a name that was left and may be taken as a document's next */
} Asked;

/* A file that is no document, and its content, are nobody's business; what documents that are links
 * lead through is. */
static bool is_idle(const DirectoryWatch *watch, const struct inotify_event *event) {
        _cleanup_free_ char *path = mr_strf("%s/%s", watch->directory, event->name);
        struct stat st;

        if (event->mask & (IN_MODIFY | IN_CLOSE_WRITE))
                return true;
        return event->mask & (IN_CREATE | IN_ATTRIB) &&
               (lstat(path, &st) < 0 || S_ISREG(st.st_mode));
}

static void handle_other(const DirectoryWatch *watch, const struct inotify_event *event,
                         Asked *asked) {
        if (is_idle(watch, event))
                return;
        asked->soon++;
        asked->cookie = event->mask & IN_MOVED_FROM ? event->cookie : 0;
}

static void handle_document(DirectoryWatch *watch, const struct inotify_event *event,
                            Asked *asked) {
        note_writing(watch, event);
        if (!(event->mask & IN_MOVED_TO)) {
                asked->soon++;
                return;
        }
        asked->now++;
        if (event->cookie == asked->cookie && asked->soon > 0)
                asked->soon--;
        asked->cookie = 0;
}

/* Events that were lost may have ended a writing we wait for. */
static void handle_event(DirectoryWatch *watch, const struct inotify_event *event, Asked *asked) {
        bool is_gone = event->mask & GONE_EVENTS || !watch->is_attached;

        if (event->len > 0 && event->wd == watch->watch && !is_gone) {
                if (directory_watch_is_document(event->name))
                        handle_document(watch, event, asked);
                else
                        handle_other(watch, event, asked);
                return;
        }
        asked->soon++;
        if (event->mask & IN_Q_OVERFLOW)
                forget_writers(watch);
        else if (event->wd == watch->watch && is_gone) {
                detach(watch);
                forget_writers(watch);
        }
}

/* What is put in place while all else is quiet is taken at once. Of a burst it may be only a part.
 */
static int respond(DirectoryWatch *watch, const Asked *asked) {
        if (asked->soon == 0 && asked->now == 0)
                return 0;
        if (asked->soon > 0 || asked->now > 1 || watch->first_usec != 0)
                return schedule(watch);
        return look(watch);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        DirectoryWatch *watch = userdata;
        char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t n = read(fd, buffer, sizeof(buffer));
        Asked asked = {};

        (void) source;
        (void) revents;
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        for (const char *p = buffer; p < buffer + n;) {
                const struct inotify_event *event = (const void *) p;

                handle_event(watch, event, &asked);
                p += sizeof(struct inotify_event) + event->len;
        }
        return respond(watch, &asked);
}

int directory_watch_new(sd_event *event, const char *directory, DirectoryChanged changed,
                        void *userdata, DirectoryWatch **ret, MrError *err) {
        _cleanup_(directory_watch_freep) DirectoryWatch *watch = mr_new(DirectoryWatch, 1);
        size_t n = strlen(directory);

        while (n > 1 && directory[n - 1] == '/')
                n--;
        *watch = (DirectoryWatch){
                .directory = mr_strndup(directory, n),
                .changed = changed,
                .userdata = userdata,
                .event = sd_event_ref(event),
                .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
                .watch = -1,
        };
        if (watch->fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot watch %s", directory);

        int r = sd_event_add_io(event, &watch->source, watch->fd, EPOLLIN, on_events, watch);
        if (r >= 0)
                r = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, 0, 1, on_quiet, watch);
        if (r >= 0)
                r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot watch %s", directory);
        *ret = TAKE(watch);
        return 0;
}

DirectoryWatch *directory_watch_free(DirectoryWatch *watch) {
        if (!watch)
                return NULL;
        sd_event_source_disable_unref(watch->timer);
        sd_event_source_disable_unref(watch->source);
        if (watch->fd >= 0)
                close(watch->fd);
        for (size_t i = 0; i < watch->n_documents; i++)
                free(watch->documents[i].name);
        free(watch->documents);
        free(watch->directory);
        sd_event_unref(watch->event);
        free(watch);
        return NULL;
}
