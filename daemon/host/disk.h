#pragma once

/* Storage of class device: one whole disk for each claim. millrace-disk, which alone may open block
 * devices, takes the first blank one that hostd.yaml lists, makes a file system on it and writes
 * the mount unit; mounting is systemd's. A disk that shows any signature is never touched. */

#include "host-config.h"

#define DISK_UNITS_DIRECTORY "/etc/systemd/system"
#define DISK_MESSAGES_DIRECTORY "/run/millrace-disk"

typedef struct Disk {
        const char *root; /* prefix of every path, for tests; "" on a real host */
        const HostStorageClass *class;
        const char *claim;
        /* Runs a program and waits for it; what it prints is added to `out`. Returns its exit code,
         * or -errno. NULL: disk_run(). */
        int (*run)(const char *const arguments[], MrBuf *out);
} Disk;

/* "/srv/a b/c" → "srv-a\x20b-c.mount". The caller frees. */
char *disk_unit_name(const char *path);
/* Where the claim is mounted. The caller frees. */
char *disk_mount_point(const HostStorageClass *class, const char *claim);

/* Makes the claim's disk ready to be mounted. Returns 1 when something was made, 0 when it was all
 * there. */
int disk_bring(const Disk *disk, MrError *err) _must_check_;
/* Makes the file system of a claim that is mounted as large as its disk is by now. What somebody
 * else has mounted there is his. */
int disk_grow(const Disk *disk, MrError *err) _must_check_;
/* Bytes of the disk on which an open directory is, as the kernel knows it; 0: nobody can tell. */
int64_t disk_size(const char *root, int fd);

int disk_run(const char *const arguments[], MrBuf *out);
