/* The host preflight, on hosts that are directories. */

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/check.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

typedef struct Host {
        char root[32];
        Check check;
} Host;

static int remove_entry(const char *path, const struct stat *st _unused_, int flag _unused_,
                        struct FTW *ftw _unused_) {
        return remove(path);
}

static void put(Host *host, const char *path, const char *text) {
        _cleanup_free_ char *full = mr_strf("%s%s", host->root, path);

        for (char *slash = strchr(full + strlen(host->root) + 1, '/'); slash;
             slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void) mkdir(full, 0755);
                *slash = '/';
        }
        FILE *file = fopen(full, "w");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

/* A host on which everything is as it should be. */
static int set_up(void **state) {
        Host *host = mr_new(Host, 1);

        (void) snprintf(host->root, sizeof(host->root), "/tmp/check-test-XXXXXX");
        *state = host;
        if (!mkdtemp(host->root))
                return -1;
        host->check.root = host->root;
        host->check.data = "/data/millrace";
        put(host, "/proc/1/comm", "systemd\n");
        put(host, "/run/systemd/version", "252.39-1\n");
        put(host, "/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
        put(host, "/proc/sys/vm/swappiness", "1\n");
        put(host, "/proc/sys/vm/max_map_count", "262144\n");
        put(host, "/proc/sys/fs/file-nr", "1000\t0\t100000\n");
        put(host, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
        put(host, "/proc/meminfo", "MemTotal:       16000000 kB\nMemFree: 1 kB\n");
        put(host, "/usr/lib/jvm/j/bin/java", "");
        put(host, "/usr/lib/jvm/j/release", "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.12\"\n");
        put(host, "/usr/bin/x", "");
        _cleanup_free_ char *link = mr_strf("%s/usr/bin/java", host->root),
                            *java = mr_strf("%s/usr/lib/jvm/j/bin/java", host->root);
        assert_int_equal(symlink(java, link), 0);
        put(host, "/data/millrace/x", "");
        put(host, "/opt/kafka/libs/x", "");
        put(host, "/etc/millrace/hostd.yaml",
            "distributions: [{software: kafka, version: 3.9.1, directory: /opt/kafka}]\n");
        put(host, "/proc/self/mountinfo",
            "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
            "2 1 8:2 / /data rw,noatime shared:2 - xfs /dev/sdb1 rw\n"
            "3 1 8:3 / /database rw shared:3 - nfs4 x:/y rw\n");
        put(host, "/proc/net/tcp",
            "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0\n");
        put(host, "/proc/net/tcp6", "  sl  local_address\n");
        return 0;
}

static int tear_down(void **state) {
        Host *host = *state;

        check_done(&host->check);
        int r = nftw(host->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(host);
        return r;
}

static CheckLevel level_of(Host *host, const char *words) {
        for (size_t i = 0; i < host->check.n_findings; i++)
                if (strstr(host->check.findings[i].what, words))
                        return host->check.findings[i].level;
        print_message("nothing was said about %s\n", words);
        for (size_t i = 0; i < host->check.n_findings; i++)
                print_message("%s\n", host->check.findings[i].what);
        fail();
        return _CHECK_LEVEL_MAX;
}

static void a_good_host_has_nothing_to_change(void **state) {
        Host *host = *state;

        check_run(&host->check);
        for (size_t i = 0; i < host->check.n_findings; i++) {
                /* The space is that of the disk the test runs on. */
                if (host->check.findings[i].level != CHECK_OK &&
                    !strstr(host->check.findings[i].what, "are free"))
                        fail_msg("%s", host->check.findings[i].what);
                assert_true((host->check.findings[i].level == CHECK_OK) ==
                            !host->check.findings[i].advice);
        }
        assert_true(host->check.n_findings >= 15);
}

static void each_flaw_is_found_and_comes_with_advice(void **state) {
        Host *host = *state;
        static const struct {
                const char *path, *text, *words;
                CheckLevel level;
        } flaws[] = {
                {"/proc/1/comm", "init\n", "process 1 is init", CHECK_FAIL},
                {"/run/systemd/version", "239\n", "systemd is version 239", CHECK_FAIL},
                {"/sys/fs/cgroup/cgroup.controllers", "cpu\n", "without the memory controller",
                 CHECK_WARN},
                {"/proc/sys/vm/swappiness", "60\n", "vm.swappiness is 60", CHECK_WARN},
                {"/proc/sys/vm/max_map_count", "65530\n", "vm.max_map_count is 65530", CHECK_WARN},
                {"/proc/sys/fs/file-nr", "90000\t0\t100000\n", "90000 of 100000", CHECK_FAIL},
                {"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n",
                 "huge pages", CHECK_WARN},
                {"/proc/meminfo", "MemTotal: 500000 kB\n", "GiB of memory", CHECK_FAIL},
                {"/usr/lib/jvm/j/release", "JAVA_VERSION=\"1.8.0_402\"\n", "Java 8", CHECK_FAIL},
                {"/usr/lib/jvm/j/release", "JAVA_VERSION=\"11.0.2\"\n", "Java 11", CHECK_FAIL},
                {"/proc/self/mountinfo", "1 0 8:1 / / rw,relatime - ext4 x rw\n",
                 "on the root file system", CHECK_WARN},
                {"/proc/self/mountinfo", "1 0 8:1 / / rw - nfs4 x rw\n", "is on nfs4", CHECK_FAIL},
                {"/proc/net/tcp", "  sl\n   0: 00000000:2384 00000000:0000 0A 0\n",
                 "9092 (Kafka's clients)", CHECK_WARN},
                {"/proc/77/comm", "firewalld\n", "zone public cannot be read", CHECK_WARN},
                {"/etc/millrace/hostd.yaml", "java: /opt/java/bin/java\n",
                 "there is no /opt/java/bin/java", CHECK_FAIL},
                {"/etc/millrace/hostd.yaml", "java: [\n",
                 "/etc/millrace/hostd.yaml:2:", CHECK_FAIL},
                {"/etc/millrace/hostd.yaml", "address: h1\n", "no distribution of Kafka is named",
                 CHECK_WARN},
                {"/etc/millrace/hostd.yaml",
                 "distributions: [{software: kafka, version: 3.9.1, directory: /data}]\n",
                 "/data holds no libs/", CHECK_FAIL},
                {"/sys/fs/selinux/enforce", "1", "SELinux is enforcing", CHECK_OK},
        };

        for (size_t i = 0; i < MR_ELEMENTS(flaws); i++) {
                _cleanup_free_ char *full = mr_strf("%s%s", host->root, flaws[i].path);
                char old[4096] = {};
                FILE *file = fopen(full, "r");
                if (file) {
                        (void) !fread(old, 1, sizeof(old) - 1, file);
                        fclose(file);
                }
                put(host, flaws[i].path, flaws[i].text);
                check_run(&host->check);
                assert_int_equal(level_of(host, flaws[i].words), flaws[i].level);
                check_done(&host->check);
                if (file)
                        put(host, flaws[i].path, old);
                else
                        assert_int_equal(unlink(full), 0);
        }
}

static void the_zone_says_who_is_let_in(void **state) {
        Host *host = *state;

        put(host, "/proc/77/comm", "firewalld\n");
        put(host, "/etc/firewalld/firewalld.conf", "# zones\nDefaultZone=work\nLockdown=no\n");
        put(host, "/etc/firewalld/zones/work.xml", "<zone><service name=\"ssh\"/></zone>");
        check_network(&host->check);
        assert_int_equal(level_of(host, "zone work does not let clients"), CHECK_WARN);
        check_done(&host->check);
        put(host, "/etc/firewalld/zones/work.xml",
            "<zone><service name=\"ssh\"/><service name=\"millrace-kafka\"/></zone>");
        check_network(&host->check);
        assert_int_equal(level_of(host, "zone work lets clients of Kafka in"), CHECK_OK);
}

static void java_is_the_one_nodes_start_with(void **state) {
        Host *host = *state;

        put(host, "/opt/java/release", "JAVA_VERSION=\"11.0.2\"\n");
        put(host, "/opt/java/bin/java", "");
        put(host, "/etc/millrace/hostd.yaml", "java: /opt/java/bin/java\n");
        check_config(&host->check);
        check_java(&host->check);
        assert_int_equal(level_of(host, "Java 11 in "), CHECK_FAIL);
}

static void a_port_in_use_by_a_connection_is_not_taken(void **state) {
        Host *host = *state;

        put(host, "/proc/net/tcp", "  sl\n   0: 0100007F:2384 0100007F:1234 01 0\n");
        check_network(&host->check);
        assert_int_equal(level_of(host, "ports of Kafka and ZooKeeper are free"), CHECK_OK);
}

static void heaps_leave_half_of_the_memory(void **state) {
        Host *host = *state;

        host->check.heap = 6ULL * 1024 * 1024 * 1024;
        check_memory(&host->check);
        assert_int_equal(level_of(host, "heaps take 6.0 of"), CHECK_OK);
        check_done(&host->check);
        host->check.heap = 12ULL * 1024 * 1024 * 1024;
        check_memory(&host->check);
        assert_int_equal(level_of(host, "heaps take 12.0 of"), CHECK_WARN);
}

static void a_directory_others_can_write_is_no_place_for_data(void **state) {
        Host *host = *state;
        _cleanup_free_ char *data = mr_strf("%s/data/millrace", host->root);

        assert_int_equal(chmod(data, 0777), 0);
        check_storage(&host->check);
        assert_int_equal(level_of(host, "mode 0777"), CHECK_FAIL);
}

static void each_storage_class_is_looked_at(void **state) {
        Host *host = *state;

        put(host, "/database/x", "");
        put(host, "/etc/millrace/hostd.yaml",
            "storage_classes:\n- {name: directory, path: /data/millrace}\n"
            "- {name: slow, path: /database/claims}\n"
            "- {name: disks, path: /disks, devices: [/dev/sdx]}\n");
        check_config(&host->check);
        check_storage(&host->check);
        assert_int_equal(level_of(host, "/data/millrace is on xfs"), CHECK_OK);
        assert_int_equal(level_of(host, "/database is on nfs4"), CHECK_FAIL);
        for (size_t i = 0; i < host->check.n_findings; i++)
                assert_null(strstr(host->check.findings[i].what, "/disks"));
}

static void nodes_must_be_able_to_read_kafka(void **state) {
        Host *host = *state;
        _cleanup_free_ char *libs = mr_strf("%s/opt/kafka/libs", host->root);

        check_config(&host->check);
        check_software(&host->check);
        assert_int_equal(level_of(host, "kafka 3.9.1 is in /opt/kafka"), CHECK_OK);
        check_done(&host->check);
        assert_int_equal(chmod(libs, 0700), 0);
        check_config(&host->check);
        check_software(&host->check);
        assert_int_equal(level_of(host, "/opt/kafka, which not everybody may read"), CHECK_FAIL);
}

static void what_cannot_be_read_is_said(void **state) {
        Host *host = *state;
        Check empty = {.root = "/tmp/there-is-no-such-host", .data = "/data"};

        check_run(&empty);
        assert_true(empty.n_findings >= 10);
        check_done(&empty);
        (void) host;
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_good_host_has_nothing_to_change),
                TEST(each_flaw_is_found_and_comes_with_advice),
                TEST(the_zone_says_who_is_let_in),
                TEST(java_is_the_one_nodes_start_with),
                TEST(a_port_in_use_by_a_connection_is_not_taken),
                TEST(heaps_leave_half_of_the_memory),
                TEST(a_directory_others_can_write_is_no_place_for_data),
                TEST(each_storage_class_is_looked_at),
                TEST(nodes_must_be_able_to_read_kafka),
                TEST(what_cannot_be_read_is_said),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
