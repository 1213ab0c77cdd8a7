/* Java and the memory it will share with the page cache. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/check.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "sdk/tree.h"

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

#define HOSTD_CONFIG "/etc/millrace/hostd.yaml"
#define JAVA_DEFAULT "/usr/bin/java"

/* The program nodes are started with. */
static char *java_program(const Check *check) {
        _cleanup_free_ char *text = check_read(check, HOSTD_CONFIG);
        _cleanup_(mr_tree_freep) MrTree *config = NULL;

        if (text && mr_yaml_read(text, strlen(text), HOSTD_CONFIG, &config, NULL, NULL) < 0)
                config = NULL;
        const char *java = config ? mr_tree_get_string(mr_tree_at(config, 0), "java") : NULL;
        return mr_strdup(java ? java : JAVA_DEFAULT);
}

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
        _cleanup_free_ char *program = java_program(check);
        _cleanup_free_ char *home = java_home(check, program);
        int version = home ? java_version(home) : -1;

        if (!home)
                return check_add(
                        check, CHECK_FAIL,
                        "install a Java 17 runtime: apt install openjdk-17-jre-headless, or dnf "
                        "install java-17-openjdk-headless; or set 'java' in " HOSTD_CONFIG,
                        "there is no %s", program);
        if (version < 0)
                return check_add(check, CHECK_WARN, "run java -version; 17 is wanted",
                                 "the version of the java in %s is unknown", home);
        check_add(check, version < JAVA_NEEDED ? CHECK_FAIL : CHECK_OK,
                  "nodes start with Java 17 or newer only; install it, or set 'java' "
                  "in " HOSTD_CONFIG,
                  "Java %d in %s", version, home);
}
