/* millctl backup and restore: the daemon's state and the administrator's files, in one sealed file.
 * They work on files and not through the daemon, which gives nobody a key of an authority. */

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "config.h"
#include "crypto/secret.h"
#include "ctl/backup.h"
#include "ctl/ctl-api.h"
#include "io/directory-watch.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store.h"

#define STATE "state.db"
#define USER "millrace"

/* What lies beside millraced.yaml and is somebody's own work. */
static const char *const settings[] = {"millraced.yaml", "hostd.yaml"};

/* --- the passphrase */

static int ask(const char *prompt, char **ret, MrError *err) {
        FILE *terminal = fopen("/dev/tty", "r+e");
        struct termios before, quiet;
        char *line = NULL;
        size_t size = 0;

        if (!terminal)
                return mr_fail(err, MR_INVALID, NULL,
                               "there is no terminal to ask for the passphrase; use "
                               "--passphrase-file FILE, or --host-key");
        fputs(prompt, terminal);
        fflush(terminal);
        (void) tcgetattr(fileno(terminal), &before);
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t) ECHO;
        (void) tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
        ssize_t n = getline(&line, &size, terminal);
        (void) tcsetattr(fileno(terminal), TCSAFLUSH, &before);
        fputc('\n', terminal);
        fclose(terminal);
        *ret = mr_strndup(n > 0 ? line : "", n > 0 ? strcspn(line, "\n") : 0);
        if (line)
                explicit_bzero(line, size);
        free(line);
        return 0;
}

static int read_passphrase(const char *path, char **ret, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        int r = read_file_capped(path, 4096, &text, err);
        if (r >= 0)
                *ret = mr_strndup(mr_buf_text(&text), strcspn(mr_buf_text(&text), "\n"));
        return r;
}

static int need_passphrase(const Options *options, bool twice, char **ret, MrError *err) {
        _cleanup_(secret_text_freep) char *again = NULL;

        int r = options->passphrase_file ? read_passphrase(options->passphrase_file, ret, err)
                                         : ask("Passphrase of the backup: ", ret, err);
        if (r >= 0 && strlen(*ret) < 8)
                r = mr_fail(err, MR_INVALID, NULL,
                            "the passphrase is too short; use 8 characters or more");
        if (r < 0 || !twice || options->passphrase_file)
                return r;
        r = ask("Once more: ", &again, err);
        return r < 0 || mr_streq(*ret, again)
                       ? r
                       : mr_fail(err, MR_INVALID, NULL, "the two passphrases differ");
}

/* --- backup */

static int add_file(Backup *backup, const char *name, const char *path, MrError *err) {
        _cleanup_error_ MrError missing = MR_ERROR_INIT;
        MrBuf *content = backup_add(backup, name);

        int r = read_file_capped(path, MR_DOCUMENT_MAX, content, &missing);
        if (r == -ENOENT) {
                free(backup->items[--backup->n].name);
                return 0;
        }
        return r < 0 ? mr_fail(err, MR_DENIED, NULL, "%s", missing.message) : 0;
}

static int add_resources(Backup *backup, const char *folder, MrError *err) {
        DIR *dir = opendir(folder);
        int r = 0;

        if (!dir)
                return errno == ENOENT ? 0
                                       : mr_fail_errno(err, errno, NULL, "cannot open %s", folder);
        for (struct dirent *entry; r >= 0 && (entry = readdir(dir));) {
                if (!directory_watch_is_document(entry->d_name))
                        continue;
                _cleanup_free_ char *name = mr_strf("resources/%s", entry->d_name),
                                    *path = mr_strf("%s/%s", folder, entry->d_name);
                r = add_file(backup, name, path, err);
        }
        closedir(dir);
        return r;
}

/* A daemon that runs has the state file for itself and a second copy beside it, which it refreshes
 * a moment after each change, or when asked. One that was stopped has left a fresh one. */
static int refresh_copy(Ctl *ctl, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *version = NULL;
        _cleanup_reply_ ApiReply reply = {};

        if (api_get(ctl, "/version", &version, NULL) < 0)
                return 0;
        return api_call(ctl, "POST", "/apis/millrace.io/v1/backups", NULL, NULL, &reply, err);
}

static int add_state(Backup *backup, const Config *config, MrError *err) {
        _cleanup_free_ char *copy = mr_strf("%s.backup", config->state);
        MrBuf *content = backup_add(backup, STATE);

        int r = read_file_capped(copy, BACKUP_MAX, content, err);
        if (r == -ENOENT) {
                mr_error_done(err);
                return mr_fail(err, MR_INVALID, NULL,
                               "there is no %s: millraced has kept nothing on this host yet", copy);
        }
        return r;
}

static int collect(const Config *config, Backup *backup, MrError *err) {
        int r = add_state(backup, config, err);

        for (size_t i = 0; r >= 0 && i < MR_ELEMENTS(settings); i++) {
                _cleanup_free_ char *path = mr_strf("/etc/millrace/%s", settings[i]);
                r = add_file(backup, settings[i], path, err);
        }
        return r < 0 ? r : add_resources(backup, config->resources, err);
}

static int backup(Ctl *ctl, const char *path, MrError *err) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(backup_done) Backup all = {};
        _cleanup_(secret_text_freep) char *passphrase = NULL;
        _cleanup_buf_ MrBuf file = {};

        int r = config_read(CONFIG_PATH, &config, err);
        if (r >= 0)
                r = refresh_copy(ctl, err);
        if (r >= 0)
                r = collect(config, &all, err);
        if (r >= 0 && !ctl->options.host_key)
                r = need_passphrase(&ctl->options, true, &passphrase, err);
        if (r >= 0)
                r = backup_write(&all, passphrase, &file, err);
        if (r >= 0)
                r = write_file_atomic(path, mr_buf_text(&file), file.size, 0600, err);
        if (r < 0)
                return r;
        fprintf(ctl->out, "%s: %zu files, %zu bytes, sealed with %s.\n", path, all.n, file.size,
                passphrase ? "the passphrase" : "the key of this host, which alone can read it");
        return 0;
}

/* --- restore */

static int check_stopped(Ctl *ctl, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;

        if (api_get(ctl, "/version", &answer, NULL) < 0)
                return 0;
        return mr_fail(err, MR_INVALID, NULL,
                       "millraced is running; stop it first: systemctl stop millraced");
}

static int give_to_daemon(const char *path, MrError *err) {
        const struct passwd *user = getpwnam(USER);

        if (geteuid() != 0 || !user)
                return 0;
        return chown(path, user->pw_uid, user->pw_gid) < 0
                       ? mr_fail_errno(err, errno, NULL, "cannot give %s to " USER, path)
                       : 0;
}

/* Opening checks what it is, its version, and that it is whole. */
static int check_state(const char *path, MrError *err) {
        Store *store = NULL;

        int r = store_open(path, &store, err);
        store_free(store);
        return r;
}

static int put_aside(Ctl *ctl, const char *path, MrError *err) {
        _cleanup_free_ char *aside = mr_strf("%s.before-restore", path),
                            *log = mr_strf("%s-wal", path), *copy = mr_strf("%s.backup", path),
                            *old_log = mr_strf("%s-wal", aside);

        if (rename(path, aside) < 0 && errno != ENOENT)
                return mr_fail_errno(err, errno, NULL, "cannot move %s aside", path);
        else if (access(aside, F_OK) == 0)
                fprintf(ctl->out, "%s: what was there before is %s now.\n", path, aside);
        (void) rename(log, old_log);
        (void) unlink(copy);
        return 0;
}

static int restore_state(Ctl *ctl, const char *path, const BackupFile *state, MrError *err) {
        _cleanup_free_ char *fresh = mr_strf("%s.restored", path), *folder = mr_strdup(path);

        *strrchr(folder, '/') = '\0';
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                return mr_fail_errno(err, errno, NULL, "cannot make %s", folder);
        int r = give_to_daemon(folder, err);
        if (r >= 0)
                r = write_file_atomic(fresh, mr_buf_text(&state->content), state->content.size,
                                      0600, err);
        if (r >= 0)
                r = check_state(fresh, err);
        if (r >= 0)
                r = give_to_daemon(fresh, err);
        if (r >= 0)
                r = put_aside(ctl, path, err);
        if (r >= 0 && rename(fresh, path) < 0)
                r = mr_fail_errno(err, errno, NULL, "cannot make %s", path);
        if (r < 0)
                (void) unlink(fresh);
        else
                fprintf(ctl->out, "%s: restored.\n", path);
        return r;
}

/* What stands on the host is newer than any backup. */
static int restore_file(Ctl *ctl, const char *path, const MrBuf *content, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf there = {};
        const struct passwd *user = getpwnam(USER);

        int r = read_file_capped(path, MR_DOCUMENT_MAX, &there, NULL);
        if (r >= 0) {
                bool is_same = there.size == content->size &&
                               memcmp(mr_buf_text(&there), mr_buf_text(content), there.size) == 0;
                fprintf(ctl->out, "%s: %s.\n", path,
                        is_same ? "is the same" : "differs from the backup, and is left as it is");
                return 0;
        }
        r = write_file_atomic(path, mr_buf_text(content), content->size, 0640, err);
        if (r >= 0 && geteuid() == 0 && user && chown(path, 0, user->pw_gid) < 0)
                r = mr_fail_errno(err, errno, NULL, "cannot let " USER " read %s", path);
        if (r >= 0)
                fprintf(ctl->out, "%s: restored.\n", path);
        return r;
}

static int restore_files(Ctl *ctl, const Config *config, const Backup *all, MrError *err) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < all->n; i++) {
                const BackupFile *file = &all->items[i];
                const char *name = strrchr(file->name, '/');
                if (mr_streq(file->name, STATE))
                        continue;
                _cleanup_free_ char *path = name ? mr_strf("%s%s", config->resources, name)
                                                 : mr_strf("/etc/millrace/%s", file->name);
                r = restore_file(ctl, path, &file->content, err);
        }
        return r;
}

static int open_backup(Ctl *ctl, const char *path, Backup *ret, MrError *err) {
        _cleanup_(secret_text_freep) char *passphrase = NULL;
        _cleanup_buf_ MrBuf file = {};
        bool is_needed = false;

        int r = read_file_capped(path, BACKUP_MAX, &file, err);
        if (r >= 0)
                r = backup_needs_passphrase(&file, &is_needed, NULL, err);
        if (r >= 0 && is_needed)
                r = need_passphrase(&ctl->options, false, &passphrase, err);
        if (r >= 0)
                r = backup_read(&file, passphrase, ret, err);
        if (r >= 0 && !backup_find(ret, STATE))
                r = mr_fail(err, MR_INVALID, NULL, "it holds no " STATE);
        return r < 0 ? mr_error_at(err, r, path, 0, 0) : 0;
}

static int restore(Ctl *ctl, const char *path, MrError *err) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(backup_done) Backup all = {};

        int r = check_stopped(ctl, err);
        if (r >= 0)
                r = open_backup(ctl, path, &all, err);
        if (r >= 0)
                r = config_read(CONFIG_PATH, &config, err);
        /* Files first: a daemon that finds its state without them would take clusters down. */
        if (r >= 0)
                r = restore_files(ctl, config, &all, err);
        if (r >= 0)
                r = restore_state(ctl, config->state, backup_find(&all, STATE), err);
        if (r >= 0)
                fprintf(ctl->out, "Now start the daemon: systemctl start millraced\n");
        return r;
}

static int run(Ctl *ctl, int (*verb)(Ctl *ctl, const char *path, MrError *err)) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (ctl->options.n_arguments != 1)
                return ctl_misused(ctl, "name the file of the backup");
        return verb(ctl, ctl->options.arguments[0], &err) < 0 ? ctl_fail(ctl, &err) : CTL_OK;
}

int verb_backup(Ctl *ctl) {
        return run(ctl, backup);
}

int verb_restore(Ctl *ctl) {
        return run(ctl, restore);
}
