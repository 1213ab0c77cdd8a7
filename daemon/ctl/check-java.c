/* Java, the memory it will share with the page cache, and what it runs. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/check.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

/* Kafka 4's; the launcher starts no node with less. */
#define JAVA_NEEDED 17
#define GIBIBYTE (1024ULL * 1024 * 1024)

/* "MemTotal:       24689192 kB" */
static uint64_t memory_total(const Check *check) {
        _cleanup_free_ char *text = check_read(check, "/proc/meminfo");
        const char *at = text ? strstr(text, "MemTotal:") : NULL;

        return at ? strtoull(at + strlen("MemTotal:"), NULL, 10) * 1024 : 0;
}

void check_memory(Check *check) {
        uint64_t total = memory_total(check);
        double size = (double) total / (double) GIBIBYTE;

        if (total == 0)
                return check_add(check, CHECK_WARN, "see whether /proc is mounted",
                                 "the size of memory cannot be read");
        check_add(check,
                  total < GIBIBYTE       ? CHECK_FAIL
                  : total < 4 * GIBIBYTE ? CHECK_WARN
                                         : CHECK_OK,
                  "brokers want memory for their heap and at least as much for the page cache",
                  "%.1f GiB of memory", size);
        if (check->heap > 0)
                check_add(check, check->heap * 2 > total ? CHECK_WARN : CHECK_OK,
                          "leave at least half of the memory to the page cache: smaller heaps, or "
                          "more memory",
                          "heaps take %.1f of %.1f GiB", (double) check->heap / (double) GIBIBYTE,
                          size);
}

#define JAVA_DEFAULT "/usr/bin/java"

/* /usr/bin/java → /usr/lib/jvm/x/bin/java → /usr/lib/jvm/x. */
static char *java_home(const Check *check, const char *program) {
        _cleanup_free_ char *path = mr_strf("%s%s", check->root, program);
        char *real = realpath(path, NULL);

        for (int k = 0; real && k < 2 && strrchr(real, '/'); k++)
                *strrchr(real, '/') = '\0';
        return real;
}

/* JAVA_VERSION="17.0.12" in the file `release` → 17; "1.8.0_x" → 8; -1 unknown. */
static int java_version(const char *home) {
        const Check plain = {.root = ""};
        _cleanup_free_ char *path = mr_strf("%s/release", home);
        _cleanup_free_ char *text = check_read(&plain, path);
        const char *at = text ? strstr(text, "JAVA_VERSION=\"") : NULL;

        if (!at)
                return -1;
        at += strlen("JAVA_VERSION=\"");
        return mr_starts_with(at, "1.") ? atoi(at + 2) : atoi(at);
}

void check_java(Check *check) {
        /* The program nodes are started with. */
        const char *chosen = mr_tree_get_string(check->config, "java"),
                   *program = chosen ? chosen : JAVA_DEFAULT;
        _cleanup_free_ char *home = java_home(check, program);
        int version = home ? java_version(home) : -1;

        if (!home)
                return check_add(
                        check, CHECK_FAIL,
                        "install a Java 17 runtime: apt install openjdk-17-jre-headless, or dnf "
                        "install java-17-openjdk-headless; or set 'java' in " CHECK_HOSTD_CONFIG,
                        "there is no %s", program);
        if (version < 0)
                return check_add(check, CHECK_WARN, "run java -version; 17 is wanted",
                                 "the version of the java in %s is unknown", home);
        check_add(check, version < JAVA_NEEDED ? CHECK_FAIL : CHECK_OK,
                  "nodes start with Java 17 or newer only; install it, or set 'java' "
                  "in " CHECK_HOSTD_CONFIG,
                  "Java %d in %s", version, home);
}

/* An archive is looked at when it is fetched. */
static void check_distribution(Check *check, const MrTree *distribution) {
        const char *directory = mr_tree_get_string(distribution, "directory"),
                   *version = mr_tree_get_string(distribution, "version");
        _cleanup_free_ char *libs = directory ? mr_strf("%s%s/libs", check->root, directory) : NULL;
        struct stat st;

        if (!directory)
                return;
        if (stat(libs, &st) < 0 || !S_ISDIR(st.st_mode))
                return check_add(check, CHECK_FAIL,
                                 "unpack a distribution there, or name another directory "
                                 "in " CHECK_HOSTD_CONFIG,
                                 "%s holds no libs/", directory);
        check_add(check, st.st_mode & S_IXOTH ? CHECK_OK : CHECK_FAIL,
                  "nodes run as users of their own: chmod -R o+rX DIRECTORY", "%s %s is in %s%s",
                  mr_tree_get_string(distribution, "software"), version ? version : "", directory,
                  st.st_mode & S_IXOTH ? "" : ", which not everybody may read");
}

void check_software(Check *check) {
        const MrTree *distributions = mr_tree_get(check->config, "distributions");

        for (size_t i = 0; i < mr_tree_size(distributions); i++)
                check_distribution(check, mr_tree_at(distributions, i));
        if (mr_tree_size(distributions) == 0)
                check_add(check, CHECK_WARN,
                          "say in " CHECK_HOSTD_CONFIG " where Kafka lies, or from where it is "
                          "fetched: distributions",
                          "no distribution of Kafka is named");
}
