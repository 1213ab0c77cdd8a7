#pragma once

/* The file `millctl backup` writes: two lines that say what it is and how its key is had, and then,
 * sealed, a tar archive. The second line is JSON:
 *
 *      millrace-backup 1
 *      {"created":SECONDS,"host":NAME,"salt":BASE64}           the key is made from a passphrase,
 * or
 *      {"created":SECONDS,"host":NAME,"credential":BASE64}     systemd-creds(1) of the host knows
 * it
 */

#include <stddef.h>

#include "sdk/buf.h"
#include "sdk/error.h"

#define BACKUP_MAX (1024U * 1024 * 1024)

typedef struct BackupFile {
        char *name; /* "state.db", "etc/resources.d/my-cluster.yaml" */
        MrBuf content;
} BackupFile;

typedef struct Backup {
        BackupFile *items;
        size_t n;
} Backup;

void backup_done(Backup *backup); /* wipes */
/* A file to be added; its content is the caller's to fill. */
MrBuf *backup_add(Backup *backup, const char *name);
const BackupFile *backup_find(const Backup *backup, const char *name); /* NULL: not there */

/* The archive itself, and back: nothing is sealed. */
int backup_pack(const Backup *backup, MrBuf *out, MrError *err) _must_check_;
int backup_unpack(const MrBuf *packed, Backup *ret, MrError *err) _must_check_;

/* Without a passphrase (NULL) the key of the host is used. */
int backup_write(const Backup *backup, const char *passphrase, MrBuf *out,
                 MrError *err) _must_check_;
/* Whether a passphrase is needed. `ret_host` gets where it was made and may be NULL. */
int backup_needs_passphrase(const MrBuf *file, bool *ret, char **ret_host,
                            MrError *err) _must_check_;
int backup_read(const MrBuf *file, const char *passphrase, Backup *ret, MrError *err) _must_check_;
