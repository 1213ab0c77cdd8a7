/* Planning many clusters of three ZooKeeper nodes and three brokers from files, with nothing but
 * this process.
 *
 *      plan PLATFORM SPEC CLUSTERS...
 *
 * On a host the steps are printed, elsewhere the objects. SPEC is the YAML of one cluster whose
 * names begin with "my-". For each number of clusters that many files are written, read, planned
 * and printed in a process of its own: one line with milliseconds and KiB of memory a cluster. */

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/documents.h"
#include "io/plugins.h"
#include "reconcile/offline.h"
#include "sdk/str.h"

#define NAME "my-"

static double now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static void fail(const MrError *err) {
        _cleanup_free_ char *text = mr_error_text(err);

        fprintf(stderr, "plan: %s\n", text);
        _exit(1);
}

static char *read_spec(const char *path) {
        _cleanup_buf_ MrBuf text = {};
        char chunk[4096];
        FILE *file = fopen(path, "re");

        for (size_t n; file && (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
                mr_buf_append(&text, chunk, n);
        if (!file || fclose(file) != 0) {
                perror(path);
                _exit(1);
        }
        return mr_buf_take(&text);
}

static void write_cluster(const char *folder, const char *spec, int number) {
        _cleanup_free_ char *path = mr_strf("%s/%05d.yaml", folder, number);
        FILE *file = fopen(path, "we");

        for (const char *at; file && (at = strstr(spec, NAME)); spec = at + strlen(NAME))
                fprintf(file, "%.*sc%05d-", (int) (at - spec), spec, number);
        if (!file || fputs(spec, file) < 0 || fclose(file) != 0) {
                perror(path);
                _exit(1);
        }
}

static void remove_folder(const char *folder, int clusters) {
        for (int i = 0; i < clusters; i++) {
                _cleanup_free_ char *path = mr_strf("%s/%05d.yaml", folder, i);
                (void) unlink(path);
        }
        (void) rmdir(folder);
}

static bool is_host(const MrPlugin *platform) {
        return mr_streq(platform->name, "rhel-baremetal");
}

static void plan_all(const Registry *registry, const MrPlugin *platform, const char *folder) {
        _cleanup_documents_ Documents documents = {};
        _cleanup_buf_ MrBuf out = {};
        _cleanup_error_ MrError err = {};

        if (documents_read_path(registry, folder, NULL, &documents, &err) < 0)
                fail(&err);
        OfflineArgs args = {
                .registry = registry,
                .platform = platform,
                .documents = documents.items,
                .n_documents = documents.n,
                .format = is_host(platform) ? OFFLINE_TEXT : OFFLINE_MANIFESTS,
        };
        if (offline_plan(&args, &out, NULL, &err) < 0)
                fail(&err);
        if (!strstr(mr_buf_text(&out), is_host(platform) ? "start    " : "kind: StatefulSet"))
                _exit(1);
}

static long peak_kib(void) {
        struct rusage usage;

        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
}

static void measure(const char *name, const char *spec, int clusters) {
        char folder[] = "/tmp/millrace-bench-plan-XXXXXX";
        _cleanup_free_ char *text = read_spec(spec);
        _cleanup_(plugins_done) Plugins plugins = {};
        _cleanup_(registry_freep) Registry *registry = registry_new();
        _cleanup_error_ MrError err = {};
        unsigned owner;
        _cleanup_free_ char *directory = plugins_directory(&owner);

        if (plugins_load(directory, owner, NULL, NULL, &plugins, &err) < 0 ||
            plugins_register(&plugins, registry, &err) < 0)
                fail(&err);
        const MrPlugin *platform = plugins_find_platform(&plugins, name);
        if (!platform || !mkdtemp(folder))
                _exit(1);
        for (int i = 0; i < clusters; i++)
                write_cluster(folder, text, i);
        long before_kib = peak_kib();
        double before_ms = now_ms();
        plan_all(registry, platform, folder);
        printf("%d %.3f %.1f\n", clusters, (now_ms() - before_ms) / clusters,
               (double) (peak_kib() - before_kib) / clusters);
        fflush(stdout);
        remove_folder(folder, clusters);
}

int main(int argc, char **argv) {
        for (int i = 3; i < argc; i++) {
                int status = 1;
                pid_t pid = fork();
                if (pid == 0) {
                        measure(argv[1], argv[2], atoi(argv[i]));
                        return 0;
                }
                if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
                        return 1;
        }
        return argc < 4;
}
