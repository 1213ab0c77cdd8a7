/* Which disk a claim gets, and which are never touched. The disks are files beneath a root of the
 * test, and the programs are played. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "host/disk.h"
#include "host/host-files.h"
#include "sdk/str.h"

#define UNIT "srv-disks-data\\x2da.mount"

static char root[64];
static const char *devices[] = {"/dev/one", "/dev/two"};
static const HostStorageClass class = {
        .name = "disks",
        .path = "/srv/disks",
        .devices = {.items = devices, .n = 2},
};

static void put(const char *path, const char *text) {
        _cleanup_free_ char *full = mr_strf("%s%s", root, path);
        FILE *file = fopen(full, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static char *get(const char *path) {
        _cleanup_free_ char *full = mr_strf("%s%s", root, path);
        _cleanup_buf_ MrBuf text = {};

        assert_int_equal(read_file_capped(full, 65536, &text, NULL), 0);
        return mr_buf_take(&text);
}

static bool says(const char *path, const char *text) {
        _cleanup_free_ char *content = get(path);

        return strstr(content, text) != NULL;
}

/* What a disk holds is its content: wipefs tells that, mkfs.xfs refuses it and makes "xfs". */
static int play(const char *const arguments[], MrBuf *out) {
        bool makes = mr_streq(arguments[0], "mkfs.xfs");
        const char *device = arguments[makes ? 2 : 4] + strlen(root);
        _cleanup_free_ char *content = get(device);

        if (!makes) {
                assert_string_equal(arguments[0], "wipefs");
                mr_buf_puts(out, content);
                return 0;
        }
        for (size_t i = 0; arguments[i]; i++)
                assert_string_not_equal(arguments[i], "-f");
        if (*content) {
                mr_buf_puts(out, "appears to contain an existing filesystem");
                return 1;
        }
        put(device, "xfs\n");
        return 0;
}

/* What xfs_growfs was told to do, and what it says. */
static char grown[160];
static const char *growfs_says;

static int play_growing(const char *const arguments[], MrBuf *out) {
        assert_string_equal(arguments[0], "xfs_growfs");
        assert_string_equal(arguments[1], "-d");
        assert_null(arguments[3]);
        (void) snprintf(grown, sizeof(grown), "%s", arguments[2] + strlen(root));
        mr_buf_puts(out, growfs_says);
        return strstr(growfs_says, "failed") ? 1 : 0;
}

static int lacking(const char *const arguments[] _unused_, MrBuf *out _unused_) {
        return -ENOENT;
}

static int set_up(void **state _unused_) {
        char dev[80];

        (void) snprintf(root, sizeof(root), "/tmp/disk-test-XXXXXX");
        if (!mkdtemp(root) || chmod(root, 0755) < 0)
                return -1;
        (void) snprintf(dev, sizeof(dev), "%s/dev", root);
        if (mkdir(dev, 0755) < 0)
                return -1;
        put("/dev/one", "");
        put("/dev/two", "");
        return 0;
}

static int tear_down(void **state _unused_) {
        _cleanup_free_ char *command = mr_strf("rm -rf '%s'", root);

        return system(command);
}

static int bring(const char *claim, MrError *err) {
        return disk_bring(&(Disk){.root = root, .class = &class, .claim = claim, .run = play}, err);
}

static void refused(const char *claim, const char *expected) {
        _cleanup_error_ MrError err = {};

        assert_true(bring(claim, &err) < 0);
        if (!strstr(err.message, expected))
                fail_msg("'%s' is not in '%s'", expected, err.message);
}

static void a_mount_unit_is_named_as_systemd_does(void **state _unused_) {
        static const char *const names[][2] = {
                {"/srv/disks/data-0-a", "srv-disks-data\\x2d0\\x2da.mount"},
                {"/.x/y z", "\\x2ex-y\\x20z.mount"},
                {"/a.b/c:d_e", "a.b-c:d_e.mount"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(names); i++) {
                _cleanup_free_ char *name = disk_unit_name(names[i][0]);
                assert_string_equal(name, names[i][1]);
        }
}

static void a_claim_takes_the_first_blank_disk(void **state _unused_) {
        assert_int_equal(bring("data-a", NULL), 1);
        assert_true(says("/dev/one", "xfs"));
        assert_true(says("/dev/two", ""));
        assert_true(
                says("/etc/systemd/system/" UNIT, "\nWhat=/dev/one\nWhere=/srv/disks/data-a\n"));
        assert_true(says("/etc/systemd/system/" UNIT, "\nType=xfs\n"));
}

static void a_claim_keeps_its_disk(void **state _unused_) {
        assert_int_equal(bring("data-a", NULL), 1);
        put("/dev/one", "xfs with data\n");
        assert_int_equal(bring("data-a", NULL), 0);
        assert_true(says("/dev/one", "xfs with data"));
        assert_int_equal(bring("data-b", NULL), 1);
        assert_true(says("/dev/two", "xfs"));
        refused("data-c", "no blank disk left for data-c: /dev/one belongs to another claim, "
                          "/dev/two belongs to another claim; add one");
}

static void what_shows_a_signature_is_left_alone(void **state _unused_) {
        put("/dev/one", "ext4\n");
        assert_int_equal(bring("data-a", NULL), 1);
        assert_true(says("/dev/one", "ext4"));
        assert_true(says("/etc/systemd/system/" UNIT, "\nWhat=/dev/two\n"));
        refused("data-b", "/dev/one holds ext4, /dev/two belongs to another claim");
        assert_true(says("/dev/one", "ext4"));
}

static void an_interruption_goes_on_with_the_same_disk(void **state _unused_) {
        assert_int_equal(bring("data-a", NULL), 1);
        /* As if the unit had been written, and nothing after that. */
        put("/dev/one", "");
        assert_int_equal(bring("data-a", NULL), 1);
        assert_true(says("/dev/one", "xfs"));
        assert_true(says("/dev/two", ""));
}

static void a_disk_that_has_grown_is_filled(void **state _unused_) {
        const Disk disk = {.root = root, .class = &class, .claim = "data-a", .run = play_growing};
        _cleanup_error_ MrError err = {};

        assert_int_equal(bring("data-a", NULL), 1);
        growfs_says = "meta-data=/dev/one\ndata blocks changed from 1 to 2\n";
        assert_int_equal(disk_grow(&disk, NULL), 0);
        assert_string_equal(grown, "/srv/disks/data-a");
        growfs_says = "meta-data=/dev/one\nxfs_growfs: XFS_IOC_FSGROWFSDATA xfsctl failed: "
                      "Read-only file system\n";
        assert_true(disk_grow(&disk, &err) < 0);
        assert_non_null(strstr(err.message, "of data-a cannot take all of /dev/one: xfs_growfs: "
                                            "XFS_IOC_FSGROWFSDATA xfsctl failed: Read-only file "
                                            "system; see"));
}

static void what_somebody_else_mounted_is_left_alone(void **state _unused_) {
        const Disk disk = {.root = root, .class = &class, .claim = "data-a", .run = play_growing};

        grown[0] = '\0';
        assert_int_equal(disk_grow(&disk, NULL), 0);
        assert_string_equal(grown, "");
}

static void the_size_of_a_disk_is_what_the_kernel_says(void **state _unused_) {
        struct stat st;
        _cleanup_fd_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0 && fstat(fd, &st) == 0);
        assert_int_equal(disk_size(root, fd), 0);
        _cleanup_free_ char *directory = mr_strf("/sys/dev/block/%u:%u", major(st.st_dev),
                                                 minor(st.st_dev)),
                            *path = mr_strf("%s/size", directory),
                            *command = mr_strf("mkdir -p '%s%s'", root, directory);
        assert_int_equal(system(command), 0);
        put(path, "819200\n");
        _cleanup_free_ char *full = mr_strf("%s%s", root, path);
        assert_int_equal(truncate(full, 65536), 0); /* the kernel says more than there is, too */
        assert_int_equal(disk_size(root, fd), 400 << 20);
        put(path, "9223372036854775807\n");
        assert_int_equal(disk_size(root, fd), 0);
}

static void what_is_missing_is_named(void **state _unused_) {
        _cleanup_error_ MrError err = {};
        _cleanup_free_ char *one = mr_strf("%s/dev/one", root), *two = mr_strf("%s/dev/two", root);

        assert_true(disk_bring(&(Disk){.root = root, .class = &class, .claim = "a", .run = lacking},
                               &err) < 0);
        assert_non_null(strstr(err.message, "wipefs is not installed; install util-linux"));
        assert_int_equal(unlink(one), 0);
        assert_int_equal(unlink(two), 0);
        refused("data-a", "/dev/one is not there, /dev/two is not there");
}

static void programs_are_run(void **state _unused_) {
        static const char *const shell[] = {"sh", "-c", "echo a; echo b >&2; exit 3", NULL},
                                 *const nothing[] = {"/nonexistent/program", NULL};
        _cleanup_buf_ MrBuf out = {};

        assert_int_equal(disk_run(shell, &out), 3);
        assert_string_equal(mr_buf_text(&out), "a\nb\n");
        assert_int_equal(disk_run(nothing, &out), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_mount_unit_is_named_as_systemd_does),
                TEST(a_claim_takes_the_first_blank_disk),
                TEST(a_claim_keeps_its_disk),
                TEST(what_shows_a_signature_is_left_alone),
                TEST(an_interruption_goes_on_with_the_same_disk),
                TEST(a_disk_that_has_grown_is_filled),
                TEST(what_somebody_else_mounted_is_left_alone),
                TEST(the_size_of_a_disk_is_what_the_kernel_says),
                TEST(what_is_missing_is_named),
                cmocka_unit_test(programs_are_run),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
