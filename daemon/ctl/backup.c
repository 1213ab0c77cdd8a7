#include "ctl/backup.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "crypto/seal.h"
#include "io/filter.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "sdk/tree.h"

#define MAGIC "millrace-backup 1\n"

DEFINE_CLEANUP(struct archive *, archive_read_free);
DEFINE_CLEANUP(struct archive *, archive_write_free);
DEFINE_CLEANUP(struct archive_entry *, archive_entry_free);

void backup_done(Backup *backup) {
        for (size_t i = 0; i < backup->n; i++) {
                free(backup->items[i].name);
                mr_buf_wipe(&backup->items[i].content);
        }
        free(backup->items);
        *backup = (Backup){};
}

MrBuf *backup_add(Backup *backup, const char *name) {
        backup->items = mr_realloc_array(backup->items, backup->n + 1, sizeof(*backup->items));
        backup->items[backup->n] = (BackupFile){.name = mr_strdup(name)};
        return &backup->items[backup->n++].content;
}

const BackupFile *backup_find(const Backup *backup, const char *name) {
        for (size_t i = 0; i < backup->n; i++)
                if (mr_streq(backup->items[i].name, name))
                        return &backup->items[i];
        return NULL;
}

/* --- the archive */

static la_ssize_t archive_take(struct archive *archive _unused_, void *userdata, const void *data,
                               size_t size) {
        mr_buf_append(userdata, data, size);
        return (la_ssize_t) size;
}

static bool pack_one(struct archive *archive, const BackupFile *file) {
        _cleanup_(archive_entry_freep) struct archive_entry *entry = archive_entry_new();

        archive_entry_set_pathname(entry, file->name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0600);
        archive_entry_set_size(entry, (la_int64_t) file->content.size);
        return archive_write_header(archive, entry) == ARCHIVE_OK &&
               archive_write_data(archive, mr_buf_text(&file->content), file->content.size) ==
                       (la_ssize_t) file->content.size;
}

int backup_pack(const Backup *backup, MrBuf *out, MrError *err) {
        _cleanup_(archive_write_freep) struct archive *archive = archive_write_new();

        bool ok = archive && archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK &&
                  archive_write_add_filter_gzip(archive) == ARCHIVE_OK &&
                  archive_write_open(archive, out, NULL, archive_take, NULL) == ARCHIVE_OK;
        for (size_t i = 0; ok && i < backup->n; i++)
                ok = pack_one(archive, &backup->items[i]);
        if (!ok || archive_write_close(archive) != ARCHIVE_OK)
                return mr_fail(err, MR_BUG, NULL, "the archive cannot be made: %s",
                               archive ? archive_error_string(archive) : "no memory");
        return 0;
}

static int unpack_one(struct archive *archive, struct archive_entry *entry, Backup *ret,
                      size_t *left) {
        MrBuf *content = backup_add(ret, archive_entry_pathname(entry));
        char chunk[16384];
        la_ssize_t n;

        while ((n = archive_read_data(archive, chunk, sizeof(chunk))) > 0 && (size_t) n <= *left) {
                mr_buf_append(content, chunk, (size_t) n);
                *left -= (size_t) n;
        }
        explicit_bzero(chunk, sizeof(chunk));
        return n == 0 ? 0 : -EBADMSG;
}

int backup_unpack(const MrBuf *packed, Backup *ret, MrError *err) {
        _cleanup_(archive_read_freep) struct archive *archive = archive_read_new();
        struct archive_entry *entry;
        size_t left = BACKUP_MAX;

        archive_read_support_format_tar(archive);
        archive_read_support_filter_gzip(archive);
        int r = archive_read_open_memory(archive, mr_buf_text(packed), packed->size);
        while (r == ARCHIVE_OK && (r = archive_read_next_header(archive, &entry)) == ARCHIVE_OK)
                if (unpack_one(archive, entry, ret, &left) < 0)
                        r = ARCHIVE_FATAL;
        if (r != ARCHIVE_EOF)
                return mr_fail(err, MR_INVALID, NULL, "the archive in the backup is broken");
        return 0;
}

/* --- the key */

/* The host keeps the secret, or its TPM does; we keep what only it can read. */
static int host_key(const char *verb, const void *input, size_t size, MrBuf *out, MrError *err) {
        char name[] = "--name=millrace-backup", dash[] = "-", program[] = "systemd-creds";
        _cleanup_free_ char *word = mr_strdup(verb);
        char *argv[] = {program, word, name, dash, dash, NULL};

        return filter_run(argv, input, size, out, err);
}

static int new_key(const char *passphrase, MrTree *head, uint8_t key[SEAL_KEY_SIZE], MrError *err) {
        uint8_t salt[SEAL_SALT_SIZE];
        _cleanup_buf_ MrBuf wrapped = {}, text = {};

        int r = passphrase ? seal_random(salt, sizeof(salt), err)
                           : seal_random(key, SEAL_KEY_SIZE, err);
        if (r >= 0)
                r = passphrase ? seal_derive(passphrase, salt, key, err)
                               : host_key("encrypt", key, SEAL_KEY_SIZE, &wrapped, err);
        if (r < 0)
                return r;
        if (passphrase)
                mr_base64(salt, sizeof(salt), &text);
        else
                mr_base64(mr_buf_text(&wrapped), wrapped.size, &text);
        mr_tree_set_string(head, passphrase ? "salt" : "credential", mr_buf_text(&text));
        return 0;
}

static int old_key(const char *passphrase, const MrTree *head, uint8_t key[SEAL_KEY_SIZE],
                   MrError *err) {
        const char *text = mr_tree_get_string(head, passphrase ? "salt" : "credential");
        _cleanup_(mr_buf_wipe) MrBuf bytes = {}, plain = {};

        if (!text || mr_unbase64(text, strlen(text), &bytes) < 0 ||
            (passphrase && bytes.size != SEAL_SALT_SIZE))
                return mr_fail(err, MR_INVALID, NULL, "the head of the backup is broken");
        if (passphrase)
                return seal_derive(passphrase, (const uint8_t *) bytes.data, key, err);
        int r = host_key("decrypt", mr_buf_text(&bytes), bytes.size, &plain, err);
        if (r >= 0 && plain.size != SEAL_KEY_SIZE)
                r = mr_fail(err, MR_INVALID, NULL, "the key in the backup is broken");
        if (r >= 0)
                memcpy(key, plain.data, SEAL_KEY_SIZE);
        return r;
}

/* --- the file */

int backup_write(const Backup *backup, const char *passphrase, MrBuf *out, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *head = mr_tree_new_map();
        _cleanup_(mr_buf_wipe) MrBuf packed = {};
        uint8_t key[SEAL_KEY_SIZE];
        struct utsname host;

        mr_tree_set_int(head, "created", now_realtime_sec());
        mr_tree_set_string(head, "host", uname(&host) == 0 ? host.nodename : "");
        int r = new_key(passphrase, head, key, err);
        if (r >= 0)
                r = backup_pack(backup, &packed, err);
        if (r >= 0) {
                mr_buf_puts(out, MAGIC);
                mr_json_write(head, 0, out);
                mr_buf_putc(out, '\n');
                _cleanup_free_ char *header = mr_strdup(mr_buf_text(out));
                r = seal_encrypt(key, header, mr_buf_text(&packed), packed.size, out, err);
        }
        explicit_bzero(key, sizeof(key));
        return r;
}

/* Where the head ends: after its second line. */
static int read_head(const MrBuf *file, MrTree **ret, size_t *ret_size, MrError *err) {
        const char *text = mr_buf_text(file);
        const char *json = text + strlen(MAGIC);
        const char *end = mr_starts_with(text, MAGIC) ? strchr(json, '\n') : NULL;

        if (!end || mr_json_read(json, (size_t) (end - json), NULL, ret, NULL) < 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "it is no backup that this version of millctl can read");
        *ret_size = (size_t) (end + 1 - text);
        return 0;
}

int backup_needs_passphrase(const MrBuf *file, bool *ret, char **ret_host, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *head = NULL;
        size_t size;

        int r = read_head(file, &head, &size, err);
        if (r < 0)
                return r;
        *ret = mr_tree_get_string(head, "salt") != NULL;
        if (ret_host)
                *ret_host = mr_strdup(mr_tree_get_string(head, "host"));
        return 0;
}

int backup_read(const MrBuf *file, const char *passphrase, Backup *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *head = NULL;
        _cleanup_(mr_buf_wipe) MrBuf packed = {};
        uint8_t key[SEAL_KEY_SIZE];
        size_t size = 0;

        int r = read_head(file, &head, &size, err);
        if (r >= 0)
                r = old_key(passphrase, head, key, err);
        if (r >= 0) {
                _cleanup_free_ char *header = mr_strndup(mr_buf_text(file), size);
                r = seal_decrypt(key, header, mr_buf_text(file) + size, file->size - size, &packed,
                                 err);
        }
        explicit_bzero(key, sizeof(key));
        return r < 0 ? r : backup_unpack(&packed, ret, err);
}
