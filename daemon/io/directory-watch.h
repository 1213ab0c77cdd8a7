#pragma once

/* Watches a directory of documents (*.yaml, *.yml, *.json; no dot files, no editor backups) and
 * says which of them changed. Events of the kernel only say when to look: what changed is found
 * by comparing with what was there before, so nothing is lost when events are. A file somebody
 * is still writing is left alone until it is closed and quiet for a moment. A directory that
 * does not exist yet is noticed when it appears.
 *
 * When the directory itself vanishes nothing is reported as removed, because that is a mistake
 * (an unmounted disk) far more often than a wish; the comparison goes on when it is back. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "sdk/error.h"

typedef struct DirectoryWatch DirectoryWatch;

/* `path` is the directory joined with the file's name. On the loop, or from within
 * directory_watch_scan(). Must not free the watch. */
typedef void (*DirectoryChanged)(void *userdata, const char *path, bool is_removed);

/* Reports nothing before the first scan. */
int directory_watch_new(sd_event *event, const char *directory, DirectoryChanged changed,
                        void *userdata, DirectoryWatch **ret, MrError *err) _must_check_;
DirectoryWatch *directory_watch_free(DirectoryWatch *watch); /* takes NULL, returns NULL */
DEFINE_CLEANUP(DirectoryWatch *, directory_watch_free);

/* Looks now, and reports every file that was not reported in its present state, by name order.
 * With `again` it reports all files, changed or not. Returns 1 when the directory was there, 0
 * when it does not exist. */
int directory_watch_scan(DirectoryWatch *watch, bool again, MrError *err) _must_check_;
/* Whether a file of this name is one that is watched. */
bool directory_watch_is_document(const char *name);
