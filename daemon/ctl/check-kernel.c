/* Settings of the kernel that brokers depend on. */

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ctl/check.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define MAPS_NEEDED 262144
#define MAPS_FILE_MAX (256U * 1024 * 1024)

static void check_swappiness(Check *check) {
        int64_t value = check_read_int(check, "/proc/sys/vm/swappiness");

        if (value < 0)
                return check_add(check, CHECK_WARN, "look at it as root: sysctl vm.swappiness",
                                 "vm.swappiness cannot be read");
        check_add(check, value > 1 ? CHECK_WARN : CHECK_OK,
                  "a swapped-out broker stalls its clients; echo vm.swappiness=1 > "
                  "/etc/sysctl.d/60-millrace.conf",
                  "vm.swappiness is %lld", (long long) value);
}

static size_t count_lines(const MrBuf *text) {
        size_t n = 0;

        for (size_t i = 0; i < text->size; i++)
                n += text->data[i] == '\n';
        return n;
}

/* The process with the most maps among those we may look into; few but our own without root. */
static size_t most_maps(const Check *check) {
        _cleanup_free_ char *proc = mr_strf("%s/proc", check->root);
        DIR *dir = opendir(proc);
        size_t most = 0;

        for (struct dirent *entry; dir && (entry = readdir(dir));) {
                int64_t pid;
                _cleanup_free_ char *path = mr_strf("%s/%s/maps", proc, entry->d_name);
                _cleanup_buf_ MrBuf maps = {};
                if (mr_parse_int(entry->d_name, &pid) < 0 ||
                    read_file_capped(path, MAPS_FILE_MAX, &maps, NULL) < 0)
                        continue;
                size_t n = count_lines(&maps);
                most = n > most ? n : most;
        }
        if (dir)
                closedir(dir);
        return most;
}

static void check_maps(Check *check) {
        int64_t limit = check_read_int(check, "/proc/sys/vm/max_map_count");
        size_t used = most_maps(check);

        if (limit < 0)
                return check_add(check, CHECK_WARN, "look at it as root: sysctl vm.max_map_count",
                                 "vm.max_map_count cannot be read");
        check_add(check, limit < MAPS_NEEDED ? CHECK_WARN : CHECK_OK,
                  "each log segment takes two maps, and a broker without maps dies; "
                  "echo vm.max_map_count=262144 >> /etc/sysctl.d/60-millrace.conf",
                  "vm.max_map_count is %lld", (long long) limit);
        if (used * 10 >= (size_t) limit * 8)
                check_add(check, CHECK_FAIL, "raise vm.max_map_count before the process dies",
                          "a process uses %zu of %lld maps", used, (long long) limit);
}

/* "used unused-but-allocated limit" */
static void check_descriptors(Check *check) {
        _cleanup_free_ char *text = check_read(check, "/proc/sys/fs/file-nr");
        char *end = NULL;

        if (!text)
                return check_add(check, CHECK_WARN, "look at it as root: sysctl fs.file-nr",
                                 "fs.file-nr cannot be read");
        unsigned long long used = strtoull(text, &end, 10);
        (void) strtoull(end, &end, 10);
        unsigned long long limit = strtoull(end, NULL, 10);
        check_add(check, limit > 0 && used >= limit / 10 * 8 ? CHECK_FAIL : CHECK_OK,
                  "raise fs.file-max", "%llu of %llu file descriptors are in use", used, limit);
}

static void check_huge_pages(Check *check) {
        _cleanup_free_ char *text =
                check_read(check, "/sys/kernel/mm/transparent_hugepage/enabled");

        if (!text)
                return check_add(check, CHECK_OK, NULL,
                                 "transparent huge pages are not in the kernel");
        check_add(check, strstr(text, "[always]") ? CHECK_WARN : CHECK_OK,
                  "they cost latency; echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, "
                  "and put "
                  "transparent_hugepage=madvise on the kernel command line",
                  "transparent huge pages: %s", text);
}

void check_kernel(Check *check) {
        check_swappiness(check);
        check_maps(check);
        check_descriptors(check);
        check_huge_pages(check);
}
