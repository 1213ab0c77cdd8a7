/* Plans on paper of every example and every spec of this folder, on every platform, against
 * recorded ones, and the message for every file that is refused. Of the many specs in `parity` only
 * a digest of each object is kept: `millctl plan --platform NAME -f FILE -o manifests` shows what
 * has changed. To record anew: MILLRACE_UPDATE_GOLDEN=1. */

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "io/documents.h"
#include "io/plugins.h"
#include "reconcile/offline.h"
#include "str.h"

#define RECORDED "tests/golden/plans"

static const char *const platforms[] = {"rhel-baremetal", "kubernetes", "openshift"};

typedef struct Digests {
        const MrPlugin *platform, *like; /* of `like` only what differs is told */
        MrBuf out;
} Digests;

typedef struct World {
        Plugins plugins;
        Registry *registry;
        const MrPlugin *platform; /* of hosts, where nothing else is said */
        Digests *digests;         /* one for each platform */
} World;

static int set_up(void **state) {
        World *world = mr_new(World, 1);
        const char *directory = getenv("MILLRACE_BUILD"), *source = getenv("MILLRACE_SOURCE");
        _cleanup_error_ MrError err = {};

        if (source && chdir(source) < 0)
                return -1;
        world->registry = registry_new();
        if (plugins_load(directory ? directory : "build", getuid(), NULL, NULL, &world->plugins,
                         &err) < 0 ||
            plugins_register(&world->plugins, world->registry, &err) < 0) {
                print_error("%s\n", err.message);
                return -1;
        }
        world->platform = plugins_find_platform(&world->plugins, "rhel-baremetal");
        world->digests = mr_new(Digests, MR_ELEMENTS(platforms));
        *state = world;
        return world->platform ? 0 : -1;
}

static int tear_down(void **state) {
        World *world = *state;

        registry_free(world->registry);
        plugins_done(&world->plugins);
        free(world->digests);
        free(world);
        return 0;
}

static bool is_recording(void) {
        return getenv("MILLRACE_UPDATE_GOLDEN") != NULL;
}

/* Compares line by line, so that what differs can be seen. */
static size_t compare(const char *path, const char *text) {
        _cleanup_buf_ MrBuf recorded = {};
        _cleanup_error_ MrError err = {};

        if (is_recording()) {
                FILE *file = fopen(path, "we");
                assert_non_null(file);
                assert_true(fputs(text, file) >= 0);
                assert_int_equal(fclose(file), 0);
                return 0;
        }
        if (read_file_capped(path, MR_DOCUMENT_MAX, &recorded, &err) < 0) {
                print_error("%s; MILLRACE_UPDATE_GOLDEN=1 records it\n", err.message);
                return 1;
        }
        const char *a = mr_buf_text(&recorded), *b = text;
        for (unsigned line = 1; *a || *b; line++) {
                size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
                if (n != m || memcmp(a, b, n) != 0 || a[n] != b[m]) {
                        print_error("%s:%u:\n  recorded: %.*s\n  now:      %.*s\n", path, line,
                                    (int) n, a, (int) m, b);
                        return 1;
                }
                a += n + (a[n] == '\n');
                b += m + (b[m] == '\n');
        }
        return 0;
}

static void add_warnings(const MrTree *warnings, MrBuf *out) {
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *warning = mr_tree_at(warnings, i);
                const char *path = mr_tree_get_string(warning, "path");
                mr_buf_printf(out, "warning: %s%s%s\n", path ? path : "", path ? ": " : "",
                              mr_tree_get_string(warning, "message"));
        }
}

static void plan(const World *world, const MrPlugin *platform, const char *path,
                 OfflineFormat format, MrBuf *out) {
        _cleanup_documents_ Documents documents = {};
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list(), *host = mr_tree_new_map();
        const MrPlatformOps *ops = platform->platform;
        _cleanup_error_ MrError err = {};

        int r = documents_read_path(world->registry, path, NULL, &documents, &err);
        if (r >= 0 && ops->settings)
                r = ops->settings(ops, NULL, host, &err);
        OfflineArgs args = {
                .registry = world->registry,
                .platform = platform,
                .documents = documents.items,
                .n_documents = documents.n,
                .format = format,
                .host = host,
        };
        if (r >= 0)
                r = offline_plan(&args, out, warnings, &err);
        if (r < 0) {
                _cleanup_free_ char *text = mr_error_text(&err);
                fail_msg("%s", text);
        }
        if (format == OFFLINE_TEXT)
                add_warnings(warnings, out);
}

static size_t check_on(const World *world, const char *name_of_platform, const char *path,
                       const char *name) {
        static const char *const suffixes[] = {
                [OFFLINE_TEXT] = "text", [OFFLINE_MANIFESTS] = "manifests"};
        const MrPlugin *platform = plugins_find_platform(&world->plugins, name_of_platform);
        bool is_first = platform == world->platform;
        size_t n = 0;

        assert_non_null(platform);
        for (OfflineFormat format = OFFLINE_TEXT; format < _OFFLINE_FORMAT_MAX; format++) {
                _cleanup_buf_ MrBuf once = {}, again = {};
                plan(world, platform, path, format, &once);
                plan(world, platform, path, format, &again);
                assert_string_equal(mr_buf_text(&once), mr_buf_text(&again));
                if (format == OFFLINE_JSON)
                        continue;
                _cleanup_free_ char *recorded =
                        mr_strf(RECORDED "/%s%s%s.%s", is_first ? "" : name_of_platform,
                                is_first ? "" : "/", name, suffixes[format]);
                n += compare(recorded, mr_buf_text(&once));
        }
        return n;
}

static size_t check_plan(const World *world, const char *path, const char *name) {
        size_t n = 0;

        for (size_t i = 0; i < MR_ELEMENTS(platforms); i++)
                n += check_on(world, platforms[i], path, name);
        return n;
}

static int is_yaml(const struct dirent *entry) {
        return mr_ends_with(entry->d_name, ".yaml");
}

/* Calls `check` for each file and expects it to find no difference. */
static void for_each(const World *world, const char *folder, size_t at_least,
                     size_t (*check)(const World *world, const char *path, const char *name)) {
        struct dirent **entries;
        int n = scandir(folder, &entries, is_yaml, alphasort);
        size_t differences = 0;

        assert_true(n >= (int) at_least);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = mr_strf("%s/%s", folder, entries[i]->d_name);
                _cleanup_free_ char *name =
                        mr_strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 5);
                differences += check(world, path, name);
                free(entries[i]);
        }
        free(entries);
        assert_int_equal(differences, 0);
}

static void plans_of_the_examples(void **state) {
        for_each(*state, "etc/examples", 3, check_plan);
}

static void plans_of_the_specs(void **state) {
        for_each(*state, "tests/golden/specs", 5, check_plan);
}

/* --- digests */

/* Each object of a plan as TITLE → the digest of its text. */
static MrTree *digests_of(const World *world, const MrPlugin *platform, const char *path) {
        _cleanup_documents_ Documents documents = {};
        MrTree *ret = mr_tree_new_map();
        _cleanup_buf_ MrBuf out = {};

        int r = documents_read_path(world->registry, path, NULL, &documents, NULL);
        OfflineArgs args = {
                .registry = world->registry,
                .platform = platform,
                .documents = documents.items,
                .n_documents = documents.n,
                .format = OFFLINE_MANIFESTS,
        };
        if (r < 0 || offline_plan(&args, &out, NULL, NULL) < 0) {
                mr_tree_set_string(ret, "refused", "");
                return ret;
        }
        for (const char *at = strstr(mr_buf_text(&out), "---\n# "); at;) {
                const char *title = at + strlen("---\n# "), *next = strstr(title, "\n---\n# ");
                size_t n = next ? (size_t) (next - title) : strlen(title);
                _cleanup_free_ char *key = mr_strndup(title, strcspn(title, "\n"));
                char digest[MR_DIGEST_MAX];
                mr_digest(title, n, digest);
                digest[16] = '\0';
                mr_tree_set_string(ret, key, digest);
                at = next ? next + 1 : NULL;
        }
        return ret;
}

static size_t add_digests(const World *world, const char *path, const char *name) {
        for (size_t i = 0; i < MR_ELEMENTS(platforms); i++) {
                Digests *digests = &world->digests[i];
                _cleanup_(mr_tree_freep) MrTree *own = digests_of(world, digests->platform, path);
                _cleanup_(mr_tree_freep) MrTree *other =
                        digests->like ? digests_of(world, digests->like, path) : NULL;
                mr_buf_printf(&digests->out, "%s\n", name);
                for (size_t k = 0; k < mr_tree_size(own); k++) {
                        const char *key = mr_tree_key(own, k);
                        const char *digest = mr_tree_string(mr_tree_at(own, k));
                        if (!mr_streq(digest, mr_tree_get_string(other, key)))
                                mr_buf_printf(&digests->out, " %s %s\n", key, digest);
                }
                for (size_t k = 0; k < mr_tree_size(other); k++)
                        if (!mr_tree_get(own, mr_tree_key(other, k)))
                                mr_buf_printf(&digests->out, " -%s\n", mr_tree_key(other, k));
        }
        return 0;
}

static void digests_of_the_specs_that_are_compared(void **state) {
        World *world = *state;
        size_t n = 0;

        for (size_t i = 0; i < MR_ELEMENTS(platforms); i++) {
                world->digests[i].platform = plugins_find_platform(&world->plugins, platforms[i]);
                if (mr_streq(platforms[i], "openshift"))
                        world->digests[i].like =
                                plugins_find_platform(&world->plugins, "kubernetes");
        }
        for_each(world, "tests/golden/parity", 75, add_digests);
        for (size_t i = 0; i < MR_ELEMENTS(platforms); i++) {
                _cleanup_free_ char *recorded = mr_strf(RECORDED "/%s.digests", platforms[i]);
                n += compare(recorded, mr_buf_text(&world->digests[i].out));
                mr_buf_done(&world->digests[i].out);
        }
        assert_int_equal(n, 0);
}

/* --- refusals */

/* Everything between a file and its plan may refuse it. */
static size_t check_refusal(const World *world, const char *path, const char *name) {
        _cleanup_documents_ Documents documents = {};
        _cleanup_buf_ MrBuf out = {};
        _cleanup_error_ MrError err = {};
        _cleanup_free_ char *recorded = mr_strf("tests/golden/bad/%s.message", name);

        int r = documents_read_path(world->registry, path, NULL, &documents, &err);
        OfflineArgs args = {
                .registry = world->registry,
                .platform = world->platform,
                .documents = documents.items,
                .n_documents = documents.n,
        };
        if (r >= 0)
                r = offline_plan(&args, &out, NULL, &err);
        if (r >= 0) {
                print_error("%s is not refused\n", path);
                return 1;
        }
        _cleanup_free_ char *text = mr_error_text(&err), *line = mr_strf("%s\n", text);
        /* What is wrong; what to do. What is missing may still come. */
        if (!strchr(text, ';') || strlen(text) > 600 ||
            (mr_error_kind(&err, r) != MR_INVALID && mr_error_kind(&err, r) != MR_TRANSIENT)) {
                print_error("%s: says too little, too much, or of another kind: %s\n", path, text);
                return 1;
        }
        return compare(recorded, line);
}

static void messages_of_what_is_refused(void **state) {
        for_each(*state, "tests/golden/bad", 30, check_refusal);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plans_of_the_examples),
                cmocka_unit_test(plans_of_the_specs),
                cmocka_unit_test(digests_of_the_specs_that_are_compared),
                cmocka_unit_test(messages_of_what_is_refused),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
