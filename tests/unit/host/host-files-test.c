/* Files, claims and nodes in a directory of its own, with what a service user may have planted
 * there. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/host-claims.h"
#include "host/host-node.h"
#include "sdk/str.h"

typedef struct Fixture {
        char *root;
        HostConfig *config;
        uid_t uid;
        gid_t gid;
} Fixture;

static void shell(const Fixture *f, const char *format, ...) _printf_(2, 3);
static void shell(const Fixture *f, const char *format, ...) {
        _cleanup_free_ char *script = NULL;
        va_list args;

        va_start(args, format);
        script = mr_vstrf(format, args);
        va_end(args);
        _cleanup_free_ char *command = mr_strf("cd '%s' && { %s; }", f->root, script);
        assert_int_equal(system(command), 0);
}

static bool shell_says(const Fixture *f, const char *test) {
        _cleanup_free_ char *command = mr_strf("cd '%s' && { %s; }", f->root, test);

        return system(command) == 0;
}

/* "nobody" stands for the service user; the name of its group differs between distributions. */
static int setup(void **state) {
        char template[] = "/tmp/millrace-files-XXXXXX";
        const struct passwd *user = getpwnam("nobody");
        const struct group *group = user ? getgrgid(user->pw_gid) : NULL;
        Fixture *f = mr_new(Fixture, 1);

        *state = f;
        if (!group || !mkdtemp(template))
                return -1;
        f->root = mr_strdup(template);
        f->uid = user->pw_uid;
        f->gid = user->pw_gid;
        _cleanup_free_ char *text =
                mr_strf("classes:\n"
                        "  - {name: kafka, user: nobody, group: %s}\n"
                        "  - {name: other, user: bin, group: bin}\n"
                        "storage_classes:\n"
                        "  - {name: directory, path: /data}\n"
                        "  - {name: fast, path: /fast}\n"
                        "  - {name: disks, path: /disks, devices: [/dev/sdb]}\n"
                        "distributions:\n"
                        "  - {software: kafka, version: 3.9.1, directory: /opt/kafka}\n",
                        group->gr_name);
        shell(f, "mkdir -p etc/systemd/system etc/millrace/nodes && chmod 755 .");
        return host_config_parse(text, strlen(text), "hostd.yaml", &f->config, NULL);
}

static int teardown(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *command = mr_strf("rm -rf '%s'", f->root);

        int r = system(command);
        host_config_free(f->config);
        free(f->root);
        free(f);
        return r;
}

static void need_root(void) {
        if (geteuid() != 0)
                skip();
}

static void expect_error(int r, MrError *err, MrErrorKind kind, const char *words) {
        assert_true(r < 0);
        if (!err->message || !strstr(err->message, words))
                fail_msg("'%s', expected '%s'", err->message, words);
        assert_int_equal(err->kind, kind);
        mr_error_done(err);
}

static HostStep claim_step(const Fixture *f, HostIdentity *identity) {
        *identity = (HostIdentity){
                .cluster = "default/a", .cluster_id = "id-of-a", .role = "kafka", .node_id = 0};
        return (HostStep){.op = HOST_CLAIM_CREATE,
                          .claim = "data-a-0",
                          .class_name = "kafka",
                          .storage_class = "directory",
                          .base = "/data",
                          .identity = identity,
                          .class = host_config_class(f->config, "kafka"),
                          .cluster_id = "id-of-a"};
}

static HostDir base_open(const Fixture *f) {
        HostDir dir = HOST_DIR_INIT;

        assert_int_equal(host_dir_open(f->root, "/data", true, &dir, NULL), 0);
        assert_true(dir.fd >= 0);
        return dir;
}

/* --- files */

static void a_file_is_written_once_and_whole(void **state) {
        Fixture *f = *state;
        _cleanup_dir_ HostDir dir = base_open(f);
        _cleanup_buf_ MrBuf text = {};

        assert_int_equal(host_file_write(&dir, "x", "one\n", 4, getegid(), 0640, NULL), 1);
        assert_int_equal(host_file_write(&dir, "x", "one\n", 4, getegid(), 0640, NULL), 0);
        assert_int_equal(host_file_write(&dir, "x", "one\n", 4, getegid(), 0644, NULL), 1);
        assert_int_equal(host_file_write(&dir, "x", "two\n", 4, getegid(), 0644, NULL), 1);
        assert_int_equal(host_file_read(&dir, "x", 10, &text, NULL), 1);
        assert_string_equal(mr_buf_text(&text), "two\n");
        assert_true(
                shell_says(f, "test \"$(stat -c %a data/x)\" = 644 && test \"$(ls -A data)\" = x"));
        HostAccess own = {.uid = geteuid(), .gid = getegid(), .mode = 0600};
        assert_int_equal(host_file_write_for(&dir, "x", "two\n", 4, own, NULL), 1);
        assert_int_equal(host_file_write_for(&dir, "x", "two\n", 4, own, NULL), 0);
        assert_true(shell_says(f, "test \"$(stat -c %a data/x)\" = 600"));
        if (geteuid() == 0) {
                own.uid = own.gid = 65534;
                assert_int_equal(host_file_write_for(&dir, "x", "two\n", 4, own, NULL), 1);
                assert_true(shell_says(f, "test \"$(stat -c %u:%g:%a data/x)\" = 65534:65534:600"));
        }
        assert_int_equal(host_file_remove(&dir, "x", NULL), 1);
        assert_int_equal(host_file_remove(&dir, "x", NULL), 0);
        assert_int_equal(host_file_read(&dir, "x", 10, &text, NULL), 0);
}

static void a_link_in_place_of_a_file_is_replaced_not_followed(void **state) {
        Fixture *f = *state;
        _cleanup_dir_ HostDir dir = base_open(f);
        _cleanup_buf_ MrBuf text = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        shell(f, "echo secret > victim && ln -s ../victim data/x && ln -s . data/loop && mkfifo "
                 "data/pipe");
        expect_error(host_file_read(&dir, "x", 100, &text, &err), &err, MR_INVALID,
                     "symbolic link");
        expect_error(host_file_read(&dir, "pipe", 100, &text, &err), &err, MR_INVALID,
                     "no regular file");
        expect_error(host_file_read(&dir, "loop/x", 100, &text, &err), &err, MR_INVALID,
                     "symbolic link");
        expect_error(host_file_read(&dir, "../victim", 100, &text, &err), &err, MR_INVALID,
                     "cannot read");
        assert_int_equal(host_file_write(&dir, "x", "new\n", 4, getegid(), 0644, NULL), 1);
        assert_true(shell_says(f, "test ! -L data/x && test \"$(cat victim)\" = secret"));
}

static void a_file_that_is_too_large_is_not_read(void **state) {
        Fixture *f = *state;
        _cleanup_dir_ HostDir dir = base_open(f);
        _cleanup_buf_ MrBuf text = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(host_file_write(&dir, "x", "12345", 5, getegid(), 0644, NULL), 1);
        expect_error(host_file_read(&dir, "x", 4, &text, &err), &err, MR_TRANSIENT, "too large");
}

static void a_directory_others_can_write_is_refused(void **state) {
        Fixture *f = *state;
        HostDir dir = HOST_DIR_INIT;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        shell(f, "mkdir open owned && chmod 777 open");
        expect_error(host_dir_open(f->root, "/open", false, &dir, &err), &err, MR_DENIED,
                     "chmod go-w");
        need_root();
        shell(f, "chown nobody owned");
        expect_error(host_dir_open(f->root, "/owned", false, &dir, &err), &err, MR_DENIED,
                     "chown root");
        assert_int_equal(dir.fd, -1);
}

static void advice_follows_the_error(void **state) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) state;
        expect_error(host_path_fail(&err, ENOSPC, "write", "/d", "x"), &err, MR_TRANSIENT,
                     "cannot write /d/x: No space left on device; the disk is full");
        expect_error(host_path_fail(&err, EROFS, "write", "/d", "x"), &err, MR_TRANSIENT,
                     "mount it writable");
        expect_error(host_path_fail(&err, EACCES, "write", "/d", NULL), &err, MR_DENIED,
                     "cannot write /d: Permission denied");
        expect_error(host_path_fail(&err, ELOOP, "open", "/d", "x"), &err, MR_INVALID,
                     "symbolic link");
}

static void a_full_disk_leaves_the_old_file(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_free_ char *large = mr_malloc(1 << 20);

        need_root();
        shell(f, "mkdir data");
        if (!shell_says(f, "mount -t tmpfs -o size=64k,mode=755 tiny data 2>/dev/null"))
                skip();
        memset(large, 'x', 1 << 20);
        {
                _cleanup_dir_ HostDir dir = base_open(f);

                assert_int_equal(host_file_write(&dir, "x", "old\n", 4, getegid(), 0644, NULL), 1);
                int r = host_file_write(&dir, "x", large, 1 << 20, getegid(), 0644, &err);
                expect_error(r, &err, MR_TRANSIENT, "the disk is full");
                assert_true(shell_says(
                        f, "test \"$(cat data/x)\" = old && test \"$(ls -A data)\" = x"));
                shell(f, "mount -o remount,ro data");
                r = host_file_write(&dir, "x", "new\n", 4, getegid(), 0644, &err);
                expect_error(r, &err, MR_TRANSIENT, "read-only");
        }
        shell(f, "umount data");
}

/* --- removal */

static void a_tree_is_removed_without_following_links(void **state) {
        Fixture *f = *state;
        _cleanup_dir_ HostDir dir = base_open(f);

        shell(f, "mkdir -p keep data/t/a/b && echo precious > keep/file && ln -s \"$PWD/keep\" "
                 "data/t/link && "
                 "ln -s \"$PWD/keep/file\" data/t/a/link && ln keep/file data/t/a/hard && mkfifo "
                 "data/t/pipe && echo x > data/t/a/b/c");
        assert_int_equal(host_tree_remove(&dir, "t", NULL), 1);
        assert_int_equal(host_tree_remove(&dir, "t", NULL), 0);
        assert_true(
                shell_says(f, "test \"$(cat keep/file)\" = precious && test -z \"$(ls -A data)\""));
}

static void a_very_deep_tree_is_removed(void **state) {
        Fixture *f = *state;
        _cleanup_dir_ HostDir dir = base_open(f);

        shell(f, "mkdir data/t && cd data/t && for i in $(seq 1000); do mkdir d && echo x > f && "
                 "cd -P d; done");
        assert_int_equal(host_tree_remove(&dir, "t", NULL), 1);
        assert_true(shell_says(f, "test -z \"$(ls -A data)\""));
}

/* --- claims */

static void a_claim_is_made_once_with_its_identity(void **state) {
        Fixture *f = *state;
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);

        need_root();
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 0);
        assert_true(shell_says(f, "test \"$(stat -c '%U %a' data/data-a-0 data/data-a-0/data "
                                  "data/data-a-0/identity.json | tr '\\n' ' ')\" = "
                                  "'root 755 nobody 750 root 644 '"));
        assert_true(
                shell_says(f, "grep -q '\"cluster_id\": \"id-of-a\"' data/data-a-0/identity.json"));
}

static void a_claim_of_another_cluster_is_left_alone(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);
        HostDir base = HOST_DIR_INIT;

        need_root();
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        identity.cluster = "default/b";
        identity.cluster_id = "id-of-b";
        int r = host_claim_create(f->root, f->config, &step, &err);
        expect_error(r, &err, MR_INVALID,
                     "holds data of cluster default/a (id id-of-a), not of default/b (id id-of-b); "
                     "move it away");
        identity = (HostIdentity){
                .cluster = "default/a", .cluster_id = "id-of-a", .role = "kafka", .node_id = 7};
        r = host_claim_create(f->root, f->config, &step, &err);
        expect_error(r, &err, MR_INVALID, "holds data of kafka 0");
        step.cluster_id = "id-of-b";
        r = host_claim_remove(f->root, f->config, &step, &base, &err);
        expect_error(r, &err, MR_INVALID, "so it is not removed");
        assert_true(shell_says(f, "test -d data/data-a-0/data"));
}

static void data_without_an_identity_is_left_alone(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);
        HostDir base = HOST_DIR_INIT;

        need_root();
        shell(f, "mkdir -p data/data-a-0/data");
        expect_error(host_claim_create(f->root, f->config, &step, &err), &err, MR_INVALID,
                     "no identity.json tells whose it is");
        expect_error(host_claim_remove(f->root, f->config, &step, &base, &err), &err, MR_INVALID,
                     "remove it by hand");
        shell(f, "echo '{\"cluster\":' > data/data-a-0/identity.json");
        assert_true(host_claim_create(f->root, f->config, &step, &err) < 0);
        assert_non_null(strstr(err.source, "identity.json"));
}

static void an_interrupted_claim_is_completed(void **state) {
        Fixture *f = *state;
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);

        need_root();
        shell(f, "mkdir -p data/data-a-0 data/.data-a-0.new");
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        shell(f, "rmdir data/data-a-0/data");
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        shell(f, "chown root:root data/data-a-0/data && chmod 700 data/data-a-0/data");
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        assert_true(shell_says(f, "test \"$(stat -c '%U %a' data/data-a-0/data)\" = 'nobody 750'"));
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 0);
}

static void a_link_in_place_of_a_claim_is_not_followed(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);

        need_root();
        shell(f, "mkdir -p data victim && ln -s ../victim data/data-a-0");
        expect_error(host_claim_create(f->root, f->config, &step, &err), &err, MR_INVALID,
                     "symbolic link");
        shell(f,
              "rm data/data-a-0 && mkdir data/data-a-0 && ln -s ../../victim data/data-a-0/data");
        expect_error(host_claim_create(f->root, f->config, &step, &err), &err, MR_INVALID, "data");
        assert_true(shell_says(
                f, "test \"$(stat -c %U victim)\" = root && test -z \"$(ls -A victim)\""));
}

static void a_claim_lives_in_one_storage_class(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);

        need_root();
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        step.base = "/fast";
        step.storage_class = "fast";
        expect_error(host_claim_create(f->root, f->config, &step, &err), &err, MR_INVALID,
                     "in storage class directory");
}

static HostStep disk_step(const Fixture *f, HostIdentity *identity) {
        HostStep step = claim_step(f, identity);

        step.storage_class = "disks";
        step.base = "/disks";
        step.storage = host_config_storage_class(f->config, "disks");
        return step;
}

static void nothing_is_written_where_a_disk_should_be(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostIdentity identity;
        HostStep step = disk_step(f, &identity);

        need_root();
        expect_error(host_claim_create(f->root, f->config, &step, &err), &err, MR_TRANSIENT,
                     "the disk of claim data-a-0 is not mounted; see systemctl status "
                     "'disks-data\\x2da\\x2d0.mount'");
        assert_false(host_claim_find_mounted(f->root, &step));
        shell(f, "test -z \"$(ls disks/data-a-0)\"");
}

static bool is_outgrown(const Fixture *f) {
        _cleanup_(mr_tree_freep) MrTree *claims = mr_tree_new_map();
        _cleanup_(host_usage_freep) HostUsage *usage = host_usage_new();

        assert_int_equal(host_claims_observe(f->root, f->config, usage, claims, NULL), 0);
        const MrTree *claim = mr_tree_get(claims, "data-a-0");
        assert_null(mr_tree_get(claim, "disk"));
        return mr_tree_get_bool(claim, "outgrown", false);
}

/* Its size is what the kernel's table says, which is a file here. */
static void resize(const Fixture *f, int sectors) {
        _cleanup_free_ char *where = mr_strf("%s/disks/data-a-0", f->root);
        struct stat st;

        assert_int_equal(stat(where, &st), 0);
        shell(f, "d=sys/dev/block/%u:%u; mkdir -p $d && echo %d >$d/size", major(st.st_dev),
              minor(st.st_dev), sectors);
}

static void watch_the_disk_grow(const Fixture *f, const HostStep *step) {
        assert_false(is_outgrown(f)); /* nobody could tell how large it was */
        resize(f, 2048);
        assert_false(is_outgrown(f));
        assert_true(host_claim_create(f->root, f->config, step, NULL) >= 0);
        assert_false(is_outgrown(f));
        HostStep before = *step;
        before.disk = host_claim_disk_size(f->root, step);
        assert_int_equal(before.disk, 2048 * 512);
        resize(f, 4096);
        assert_true(is_outgrown(f));
        /* What it grew by since it was looked at is still to come. */
        assert_true(host_claim_create(f->root, f->config, &before, NULL) >= 0);
        assert_true(is_outgrown(f));
        assert_true(host_claim_create(f->root, f->config, step, NULL) >= 0);
        assert_false(is_outgrown(f));
}

/* A file system in memory stands for the disk. */
static void a_disk_is_emptied_where_it_is(void **state) {
        Fixture *f = *state;
        HostIdentity identity;
        HostStep step = disk_step(f, &identity);
        _cleanup_dir_ HostDir base = HOST_DIR_INIT;
        _cleanup_(mr_tree_freep) MrTree *claims = mr_tree_new_map();
        _cleanup_(host_usage_freep) HostUsage *usage = host_usage_new();
        _cleanup_free_ char *where = mr_strf("%s/disks/data-a-0", f->root);

        need_root();
        shell(f, "mkdir -p disks/data-a-0");
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("disk", where, "tmpfs", 0, "size=1048576,mode=0755") < 0)
                skip();
        assert_true(host_claim_find_mounted(f->root, &step));
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        assert_int_equal(host_claims_observe(f->root, f->config, usage, claims, NULL), 0);
        assert_int_equal(mr_tree_get_int(mr_tree_get(claims, "data-a-0"), "capacity", 0), 1048576);
        watch_the_disk_grow(f, &step);
        assert_int_equal(host_claim_remove(f->root, f->config, &step, &base, NULL), 2);
        assert_int_equal(host_claims_sweep(&base, NULL), 0);
        shell(f, "test -z \"$(ls -A disks/data-a-0)\"");
        host_dir_done(&base);
        base = HOST_DIR_INIT;
        assert_int_equal(umount2(where, MNT_DETACH), 0);
}

static void a_claim_is_removed_in_two_moves(void **state) {
        Fixture *f = *state;
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);
        _cleanup_dir_ HostDir base = HOST_DIR_INIT;

        need_root();
        step.base = NULL;
        assert_int_equal(host_claim_remove(f->root, f->config, &step, &base, NULL), 0);
        step.base = "/data";
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        shell(f, "mkdir keep && echo precious > keep/file && ln -s \"$PWD/keep\" "
                 "data/data-a-0/data/evil && "
                 "echo x > data/data-a-0/data/00.log && mkdir data/other");
        assert_int_equal(host_claim_remove(f->root, f->config, &step, &base, NULL), 1);
        assert_true(shell_says(
                f, "test ! -e data/data-a-0 && test \"$(ls -A data | grep -c removed)\" = 1"));
        assert_int_equal(host_claims_sweep(&base, NULL), 0);
        assert_true(shell_says(
                f, "test \"$(ls -A data)\" = other && test \"$(cat keep/file)\" = precious"));
}

static void claims_are_observed(void **state) {
        Fixture *f = *state;
        _cleanup_(host_usage_freep) HostUsage *usage = host_usage_new();
        _cleanup_(mr_tree_freep) MrTree *claims = mr_tree_new_map();
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);

        need_root();
        step.size = 1000;
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        shell(f, "head -c 100000 /dev/zero > data/data-a-0/data/log && ln -s / "
                 "data/data-a-0/data/evil && mkdir -p data/lost+found "
                 "data/.removed-x data/empty data/stray/data && ln -s / data/link && echo x > "
                 "data/file && "
                 "mkdir -p data/broken/data && echo '{' > data/broken/identity.json");
        assert_int_equal(host_claims_observe(f->root, f->config, usage, claims, NULL), 0);
        assert_int_equal(mr_tree_size(claims), 3);
        MrTree *claim = mr_tree_get(claims, "data-a-0");
        assert_string_equal(mr_tree_get_string(claim, "path"), "/data/data-a-0");
        assert_in_range(mr_tree_get_int(claim, "used", 0), 98304, 200000);
        assert_string_equal(mr_tree_get_string(mr_tree_get(claim, "identity"), "cluster_id"),
                            "id-of-a");
        assert_string_equal(mr_tree_get_string(claim, "class"), "kafka");
        assert_int_equal(mr_tree_get_int(claim, "size", 0), 1000);
        assert_int_equal(mr_tree_type(mr_tree_get(mr_tree_get(claims, "stray"), "identity")),
                         MR_TREE_NULL);
        assert_non_null(mr_tree_get_string(mr_tree_get(claims, "broken"), "message"));
}

/* Once the marker was seen the claim holds data, and has lost it when the marker is gone. */
static void data_is_known_by_its_marker(void **state) {
        Fixture *f = *state;
        static const char *const commands[] = {"true",
                                               "mkdir data/data-a-0/data/log && "
                                               "echo x > data/data-a-0/data/log/marker",
                                               "rm data/data-a-0/data/log/marker"};
        HostIdentity identity;
        HostStep step = claim_step(f, &identity);

        need_root();
        step.marker = "log/marker";
        assert_int_equal(host_claim_create(f->root, f->config, &step, NULL), 1);
        for (size_t i = 0; i < MR_ELEMENTS(commands); i++) {
                _cleanup_(host_usage_freep) HostUsage *usage = host_usage_new();
                _cleanup_(mr_tree_freep) MrTree *claims = mr_tree_new_map();
                shell(f, "%s", commands[i]);
                assert_int_equal(host_claims_observe(f->root, f->config, usage, claims, NULL), 0);
                const MrTree *claim = mr_tree_get(claims, "data-a-0");
                assert_int_equal(mr_tree_get_bool(claim, "prepared", false), i > 0);
                assert_int_equal(mr_tree_get_bool(claim, "lost", false), i == 2);
        }
}

/* --- nodes */

static HostStep unit_step(const Fixture *f, HostProperties *properties) {
        return (HostStep){.op = HOST_UNIT_WRITE,
                          .instance = "a-0",
                          .class_name = "kafka",
                          .name = "server.properties",
                          .content = "a=b\n",
                          .class = host_config_class(f->config, "kafka"),
                          .properties = properties};
}

static HostProperties *properties_of(const Fixture *f, MrArena *arena, MrTree **ret_tree) {
        static const char text[] = "{\"software\":\"kafka\",\"version\":\"3.9.1\",\"main_class\":"
                                   "\"kafka.Kafka\",\"fingerprint\":\"f0\","
                                   "\"volumes\":[{\"name\":\"data\",\"claim\":\"data-a-0\","
                                   "\"storage_class\":\"directory\"}]}";
        HostProperties *properties = NULL;

        assert_int_equal(mr_json_read(text, strlen(text), NULL, ret_tree, NULL), 0);
        assert_int_equal(host_properties_decode(*ret_tree, f->config, arena, &properties, NULL), 0);
        return properties;
}

static HostNode node_seen(const Fixture *f, HostDigests *digests) {
        HostNode node = {};

        assert_int_equal(host_node_observe(f->root, f->config, digests, "a-0", &node, NULL), 0);
        return node;
}

static void a_unit_needs_its_claims(void **state) {
        Fixture *f = *state;
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostStep step = unit_step(f, properties_of(f, arena, &tree));
        HostIdentity identity;
        HostStep claim = claim_step(f, &identity);

        need_root();
        expect_error(host_node_unit_write(f->root, f->config, &step, &err), &err, MR_INVALID,
                     "does not exist");
        claim.class = host_config_class(f->config, "other");
        assert_int_equal(host_claim_create(f->root, f->config, &claim, NULL), 1);
        expect_error(host_node_unit_write(f->root, f->config, &step, &err), &err, MR_INVALID,
                     "does not belong to nobody");
        assert_true(shell_says(f, "test ! -e etc/systemd/system/kafka@a-0.service.d && test ! -e "
                                  "etc/millrace/nodes/a-0"));
}

static void a_node_is_written_seen_and_removed(void **state) {
        Fixture *f = *state;
        _cleanup_(host_digests_freep) HostDigests *digests = host_digests_new();
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        HostStep step = unit_step(f, properties_of(f, arena, &tree));
        HostIdentity identity;
        HostStep claim = claim_step(f, &identity);
        bool dropin = false;

        need_root();
        assert_int_equal(host_claim_create(f->root, f->config, &claim, NULL), 1);
        assert_int_equal(host_node_file_write(f->root, &step, NULL), 1);
        HostNode node = node_seen(f, digests);
        assert_string_equal(node.class_name, "kafka");
        assert_null(node.properties);
        host_node_done(&node);

        assert_int_equal(host_node_unit_write(f->root, f->config, &step, NULL), 1);
        assert_int_equal(host_node_unit_write(f->root, f->config, &step, NULL), 0);
        assert_true(shell_says(
                f, "test \"$(stat -c '%U %a' etc/millrace/nodes/a-0 etc/millrace/nodes/a-0/launch "
                   "etc/systemd/system/kafka@a-0.service.d/50-millrace.conf | tr '\\n' ' ')\" = "
                   "'root 750 root 640 root 644 '"));
        node = node_seen(f, digests);
        assert_int_equal(node.dropin, HOST_DROPIN_INTACT);
        assert_true(mr_tree_equal(node.properties, tree));
        assert_string_equal(mr_tree_get_string(node.files, "server.properties"),
                            "77e7ce77c707a8147bb65a710ac1af3fca02c8dd2be36762ec9611d90fb5c041");
        assert_int_equal(mr_tree_size(node.files), 1);
        assert_false(node.is_enabled);
        assert_false(node.is_masked);
        host_node_done(&node);

        shell(f, "touch etc/systemd/system/kafka@a-0.service.d/override.conf");
        assert_int_equal(host_node_unit_remove(f->root, &step, &dropin, NULL), 1);
        assert_true(dropin);
        assert_int_equal(host_node_unit_remove(f->root, &step, &dropin, NULL), 0);
        assert_true(shell_says(f, "test ! -e etc/millrace/nodes/a-0 && test \"$(ls "
                                  "etc/systemd/system/kafka@a-0.service.d)\" = override.conf"));
        node = node_seen(f, digests);
        assert_null(node.class_name);
        host_node_done(&node);
}

static void drift_of_a_node_is_seen(void **state) {
        static const struct {
                const char *script;
                HostDropin dropin;
        } drifts[] = {
                {"echo '# x' >> etc/systemd/system/kafka@a-0.service.d/50-millrace.conf",
                 HOST_DROPIN_EDITED},
                {"rm etc/systemd/system/kafka@a-0.service.d/50-millrace.conf", HOST_DROPIN_MISSING},
                {"rm -r etc/systemd/system/kafka@a-0.service.d", HOST_DROPIN_MISSING},
                {"echo x >> etc/millrace/nodes/a-0/launch", HOST_DROPIN_EDITED},
                {"rm etc/millrace/nodes/a-0/launch", HOST_DROPIN_MISSING},
        };
        Fixture *f = *state;
        _cleanup_(host_digests_freep) HostDigests *digests = host_digests_new();
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        HostStep step = unit_step(f, properties_of(f, arena, &tree));
        HostIdentity identity;
        HostStep claim = claim_step(f, &identity);

        need_root();
        assert_int_equal(host_claim_create(f->root, f->config, &claim, NULL), 1);
        for (size_t i = 0; i < MR_ELEMENTS(drifts); i++) {
                assert_true(host_node_unit_write(f->root, f->config, &step, NULL) >= 0);
                shell(f, "%s", drifts[i].script);
                HostNode node = node_seen(f, digests);
                assert_int_equal(node.dropin, drifts[i].dropin);
                host_node_done(&node);
        }
        assert_int_equal(host_node_unit_write(f->root, f->config, &step, NULL), 1);
        assert_int_equal(host_node_file_write(f->root, &step, NULL), 1);
        shell(f, "echo c=d > etc/millrace/nodes/a-0/server.properties; ln -s /dev/null "
                 "etc/systemd/system/kafka@a-0.service; "
                 "mkdir etc/systemd/system/multi-user.target.wants && ln -s x "
                 "etc/systemd/system/multi-user.target.wants/kafka@a-0.service; "
                 "echo '{}' > etc/millrace/nodes/a-0/manifest.json");
        HostNode node = node_seen(f, digests);
        assert_non_null(strstr(node.message, "edited"));
        assert_string_not_equal(mr_tree_get_string(node.files, "server.properties"),
                                "77e7ce77c707a8147bb65a710ac1af3fca02c8dd2be36762ec9611d90fb5c041");
        host_node_done(&node);
        assert_int_equal(host_node_unit_write(f->root, f->config, &step, NULL), 1);
        node = node_seen(f, digests);
        assert_true(node.is_masked);
        assert_true(node.is_enabled);
        host_node_done(&node);
}

static void an_instance_keeps_its_class(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostStep step = unit_step(f, NULL);

        need_root();
        assert_int_equal(host_node_file_write(f->root, &step, NULL), 1);
        step.class_name = "other";
        step.class = host_config_class(f->config, "other");
        expect_error(host_node_file_write(f->root, &step, &err), &err, MR_INVALID, "another class");
}

static void the_runtime_copy_is_only_data(void **state) {
        _cleanup_(host_digests_freep) HostDigests *digests = host_digests_new();
        Fixture *f = *state;

        shell(f,
              "mkdir -p run/kafka/a-0 run/kafka/a-2 && echo "
              "'{\"properties\":{\"fingerprint\":\"f\"}}' > run/kafka/a-0/manifest.json && "
              "ln -s a-0 run/kafka/a-1 && ln -s ../a-0/manifest.json run/kafka/a-2/manifest.json");
        _cleanup_(mr_tree_freep) MrTree *found =
                host_node_running(f->root, digests, "kafka", "a-0");
        assert_string_equal(mr_tree_get_string(found, "fingerprint"), "f");
        assert_null(host_node_running(f->root, digests, "kafka", "a-1"));
        assert_null(host_node_running(f->root, digests, "kafka", "a-2"));
        assert_null(host_node_running(f->root, digests, "kafka", "a-3"));
        shell(f, "echo '[1]' > run/kafka/a-0/manifest.json");
        assert_null(host_node_running(f->root, digests, "kafka", "a-0"));
        shell(f, "head -c 2000000 /dev/zero > run/kafka/a-0/manifest.json");
        assert_null(host_node_running(f->root, digests, "kafka", "a-0"));
        shell(f, "rm run/kafka/a-0/manifest.json && mkfifo run/kafka/a-0/manifest.json");
        assert_null(host_node_running(f->root, digests, "kafka", "a-0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(a_file_is_written_once_and_whole),
                TEST(a_link_in_place_of_a_file_is_replaced_not_followed),
                TEST(a_file_that_is_too_large_is_not_read),
                TEST(a_directory_others_can_write_is_refused),
                TEST(advice_follows_the_error),
                TEST(a_full_disk_leaves_the_old_file),
                TEST(a_tree_is_removed_without_following_links),
                TEST(a_very_deep_tree_is_removed),
                TEST(a_claim_is_made_once_with_its_identity),
                TEST(a_claim_of_another_cluster_is_left_alone),
                TEST(data_without_an_identity_is_left_alone),
                TEST(an_interrupted_claim_is_completed),
                TEST(a_link_in_place_of_a_claim_is_not_followed),
                TEST(a_claim_lives_in_one_storage_class),
                TEST(a_claim_is_removed_in_two_moves),
                TEST(nothing_is_written_where_a_disk_should_be),
                TEST(a_disk_is_emptied_where_it_is),
                TEST(claims_are_observed),
                TEST(data_is_known_by_its_marker),
                TEST(a_unit_needs_its_claims),
                TEST(a_node_is_written_seen_and_removed),
                TEST(drift_of_a_node_is_seen),
                TEST(an_instance_keeps_its_class),
                TEST(the_runtime_copy_is_only_data),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
