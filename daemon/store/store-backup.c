/* The second copy of the state: lost keys cannot be made again, and old specs must not come back,
 * so every change of anything but a status refreshes it. */

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-private.h"

/* Many secrets change together when a cluster is made; one copy a moment later serves them all. */
#define BACKUP_DELAY_USEC (250 * 1000)

static int backup_copy(Store *store, const char *to, MrError *err) {
        sqlite3 *copy = NULL;
        int r = sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

        if (r == SQLITE_OK) {
                sqlite3_backup *backup = sqlite3_backup_init(copy, "main", store->db, "main");
                if (backup) {
                        (void) sqlite3_backup_step(backup, -1);
                        r = sqlite3_backup_finish(backup);
                } else {
                        r = sqlite3_errcode(copy);
                }
        }
        sqlite3_close(copy);
        if (r != SQLITE_OK)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "cannot write the backup %s.backup: %s; check the free space",
                               store->path, sqlite3_errstr(r));
        return 0;
}

static void backup_sync_folder(const char *path) {
        _cleanup_free_ char *copy = mr_strdup(path);
        int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0) {
                (void) fsync(fd);
                close(fd);
        }
}

/* The old copy stays until the new one is complete on disk. */
static int backup_replace(Store *store, MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s.backup", store->path);
        _cleanup_free_ char *fresh = mr_strf("%s.new", path);

        if (unlink(fresh) < 0 && errno != ENOENT)
                return mr_fail_errno(err, errno, NULL, "cannot replace %s", fresh);
        int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make %s", fresh);
        close(fd);

        int r = backup_copy(store, fresh, err);
        if (r == 0 && rename(fresh, path) < 0)
                r = mr_fail_errno(err, errno, NULL, "cannot replace %s", path);
        if (r < 0) {
                (void) unlink(fresh);
                return r;
        }
        backup_sync_folder(path);
        return 0;
}

int store_backup(Store *store, MrError *err) {
        if (!store->is_backup_due)
                return 0;
        int r = backup_replace(store, err);
        if (r == 0)
                store->is_backup_due = false;
        return r;
}

static int backup_on_timer(sd_event_source *source _unused_, uint64_t usec _unused_,
                           void *userdata) {
        Store *store = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (store_backup(store, &err) < 0 && store->backup_failed)
                store->backup_failed(store->backup_userdata, &err);
        return 0;
}

int store_attach_event(Store *store, sd_event *event, StoreBackupFailed failed, void *userdata,
                       MrError *err) {
        int r = sd_event_add_time_relative(event, &store->backup_timer, CLOCK_MONOTONIC, 0, 0,
                                           backup_on_timer, store);
        if (r >= 0)
                r = sd_event_source_set_enabled(store->backup_timer, store->is_backup_due
                                                                             ? SD_EVENT_ONESHOT
                                                                             : SD_EVENT_OFF);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot make the timer of the backup");
        store->backup_failed = failed;
        store->backup_userdata = userdata;
        return 0;
}

void store_backup_due(Store *store) {
        if (mr_streq(store->path, ":memory:"))
                return;
        store->is_backup_due = true;
        if (store->backup_timer) {
                (void) sd_event_source_set_time_relative(store->backup_timer, BACKUP_DELAY_USEC);
                (void) sd_event_source_set_enabled(store->backup_timer, SD_EVENT_ONESHOT);
        }
}

void store_backup_done(Store *store) {
        if (store->backup_timer)
                (void) sd_event_source_set_enabled(store->backup_timer, SD_EVENT_OFF);
        store->backup_timer = sd_event_source_unref(store->backup_timer);
}
