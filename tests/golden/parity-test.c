/* Objects on Kubernetes and OpenShift, field by field, against what Strimzi makes of the same
 * specs. `NAME.yaml` is a spec, `NAME.expected` what Strimzi makes of it: a line for each object,
 * and below it a line for each field. An object that is like one before says so in its line,
 * "KIND/NAME as [SPEC:]NAME", and has only the lines that differ; "-FIELD" is one it lacks. Pods of
 * Strimzi's own pod sets stand there as the sets of one they are here; of a file of options each
 * option is a field, of loggers the level of those that differ from the root's, of a secret the
 * names of its keys. Fields that an API server sets by itself are left out; parity-record.py makes
 * these files of recorded objects. A resource that is refused is a difference, too. Of a spec
 * called "…-deleted" there is what stays when the resource goes. Images are those that
 * `images.env` names, as in the settings of the platform.
 *
 * Every difference is explained in `explained.tsv`, and every explanation is of use. A pattern is
 * of "SPEC OBJECT FIELD", or of "SPEC OBJECT FIELD = THEIRS → OURS" when it says what the values
 * have to be. MILLRACE_SHOW=yes prints each difference with its explanation. */

#include <dirent.h>
#include <fnmatch.h>
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
#include "model/facts.h"
#include "reconcile/desire.h"
#include "str.h"
#include "unit/platforms/object-fields.h"

#define FOLDER "tests/golden/parity"
#define SHOWN_MAX 40

typedef struct Explanation {
        const char *sign, *pattern, *reason;
        size_t n;
} Explanation;

typedef struct World {
        Plugins plugins;
        Registry *registry;
        MrArena *arena;
        Explanation *explanations;
        size_t n_explanations, allocated;
        MrTree *expected; /* SPEC → OBJECT → FIELD → JSON */
        size_t n_unexplained, n_fields, n_specs;
        bool is_shown;
} World;

static const char *read_text(const World *world, const char *path) {
        _cleanup_buf_ MrBuf text = {};
        _cleanup_error_ MrError err = {};

        if (read_file_capped(path, MR_DOCUMENT_MAX, &text, &err) < 0)
                fail_msg("%s", err.message);
        mr_buf_puts(&text, "");
        return mr_arena_strdup(world->arena, mr_buf_text(&text));
}

static char *next_line(char **rest) {
        return strtok_r(NULL, "\n", rest);
}

static void read_explanations(World *world) {
        char *rest = mr_arena_strdup(world->arena, read_text(world, FOLDER "/explained.tsv"));

        for (char *line; (line = next_line(&rest));) {
                char *first = strchr(line, '\t'), *second = first ? strchr(first + 1, '\t') : NULL;
                if (!second || !second[1])
                        fail_msg("explained.tsv: no sign, pattern and reason: %s", line);
                *first = *second = '\0';
                MR_GROW(world->explanations, world->n_explanations, world->allocated);
                world->explanations[world->n_explanations++] =
                        (Explanation){.sign = line, .pattern = first + 1, .reason = second + 1};
        }
}

static int set_up(void **state) {
        World *world = mr_new(World, 1);
        const char *directory = getenv("MILLRACE_BUILD"), *source = getenv("MILLRACE_SOURCE");

        if (source && chdir(source) < 0)
                return -1;
        world->arena = mr_arena_new();
        if (setenv("STRIMZI_KAFKA_IMAGES", read_text(world, FOLDER "/images.env"), 1) < 0)
                return -1;
        world->expected = mr_tree_new_map();
        world->registry = registry_new();
        *state = world;
        return plugins_load(directory ? directory : "build", getuid(), NULL, NULL, &world->plugins,
                            NULL) < 0
                       ? -1
                       : plugins_register(&world->plugins, world->registry, NULL);
}

static int tear_down(void **state) {
        World *world = *state;

        mr_tree_free(world->expected);
        registry_free(world->registry);
        plugins_done(&world->plugins);
        mr_arena_free(world->arena);
        free(world->explanations);
        free(world);
        return 0;
}

static int make_objects(const World *world, const MrPlatformOps *platform, const Document *document,
                        const MrFacts *facts, bool is_deleted, MrTree *ret, MrError *err) {
        _cleanup_(desire_freep) Desire *desire = NULL;

        if (!mr_streq(document->resource.kind->name, "Kafka"))
                return 0;
        int r = desire_make(world->registry, platform, document, facts, NULL, &desire, err);
        if (r < 0)
                return r;
        object_fields(desire->wanted, ret);
        for (size_t i = 0; is_deleted && i < mr_manifests_size(desire->wanted); i++) {
                const MrManifest *manifest = mr_manifests_at(desire->wanted, i);
                _cleanup_free_ char *key = mr_strf("%s/%s", manifest->kind, manifest->name);
                if (!manifest->keep)
                        mr_tree_remove(ret, key);
        }
        return 0;
}

/* NULL and why when the resource is refused. */
static MrTree *our_objects(const World *world, const char *name, char **ret_refusal) {
        bool is_openshift = mr_starts_with(name, "openshift-") || mr_ends_with(name, "-route");
        _cleanup_free_ char *path = mr_strf(FOLDER "/%s.yaml", name);
        const MrPlugin *platform =
                plugins_find_platform(&world->plugins, is_openshift ? "openshift" : "kubernetes");
        _cleanup_(facts_freep) MrFacts *facts = facts_new(1767225600, platform->name);
        _cleanup_documents_ Documents documents = {};
        _cleanup_(mr_tree_freep) MrTree *host = mr_tree_new_map();
        _cleanup_error_ MrError err = {};
        MrTree *ret = mr_tree_new_map();

        int r = platform->platform->settings(platform->platform, NULL, host, &err);
        facts_set_host(facts, host);
        if (r >= 0)
                r = documents_read_path(world->registry, path, NULL, &documents, &err);
        for (size_t i = 0; i < documents.n; i++)
                facts_add_resource(facts, &documents.items[i]->resource);
        for (size_t i = 0; r >= 0 && i < documents.n; i++)
                r = make_objects(world, platform->platform, documents.items[i], facts,
                                 mr_ends_with(name, "-deleted"), ret, &err);
        if (r >= 0)
                return ret;
        *ret_refusal = mr_error_text(&err);
        return mr_tree_free(ret);
}

/* The first blank that is not within quotes. */
static char *path_end(char *text) {
        bool is_quoted = false;

        for (; *text && (is_quoted || *text != ' '); text++)
                is_quoted ^= *text == '"';
        return *text ? text : NULL;
}

/* "KIND/NAME" or "KIND/NAME as [SPEC:]NAME". */
static MrTree *their_object(const World *world, const char *spec, char *line) {
        char *base = strstr(line, " as ");

        if (base)
                *base = '\0';
        if (!base)
                return mr_tree_need_map(mr_tree_get(world->expected, spec), line);
        char *name = base + strlen(" as "), *colon = strchr(name, ':');
        if (colon)
                *colon = '\0';
        _cleanup_free_ char *key =
                mr_strf("%.*s/%s", (int) strcspn(line, "/"), line, colon ? colon + 1 : name);
        const MrTree *found = mr_tree_get(mr_tree_get(world->expected, colon ? name : spec), key);
        if (!found)
                fail_msg("%s: %s is like %s, which is not there", spec, line, key);
        mr_tree_set(mr_tree_get(world->expected, spec), line, mr_tree_copy(found));
        return mr_tree_get(mr_tree_get(world->expected, spec), line);
}

static const MrTree *their_objects(const World *world, const char *name) {
        _cleanup_free_ char *path = mr_strf(FOLDER "/%s.expected", name);
        char *rest = mr_arena_strdup(world->arena, read_text(world, path));
        MrTree *object = NULL;

        mr_tree_need_map(world->expected, name);
        for (char *line; (line = next_line(&rest));) {
                if (line[0] != ' ') {
                        object = their_object(world, name, line);
                } else if (line[1] == '-') {
                        mr_tree_remove(object, line + 2);
                } else {
                        char *space = path_end(line + 1);
                        assert_non_null(space);
                        *space = '\0';
                        mr_tree_set_string(object, line + 1, space + 1);
                }
        }
        return mr_tree_get(world->expected, name);
}

/* --- differences */

static bool explains(const Explanation *explanation, const char *sign, const char *field,
                     const char *with_values) {
        bool is_of_values = strstr(explanation->pattern, " = ");

        return mr_streq(explanation->sign, sign) &&
               fnmatch(explanation->pattern, is_of_values ? with_values : field, FNM_EXTMATCH) == 0;
}

static void differ(World *world, const char *sign, const char *name, const char *object,
                   const char *field, const char *theirs, const char *ours) {
        _cleanup_free_ char *what = mr_strf("%s %s%s%s", name, object, *field ? " " : "", field);
        _cleanup_free_ char *all =
                mr_strf("%s = %s → %s", what, theirs ? theirs : "nothing", ours ? ours : "nothing");

        for (size_t i = 0; i < world->n_explanations; i++) {
                Explanation *explanation = &world->explanations[i];
                if (!explains(explanation, sign, what, all))
                        continue;
                explanation->n++;
                if (world->is_shown)
                        print_message("%zu\t%s\t%s\n", i + 1, sign, all);
                return;
        }
        if (world->n_unexplained++ < SHOWN_MAX)
                print_error("%s %s\n", sign, all);
}

static void compare_fields(World *world, const char *name, const char *object, const MrTree *theirs,
                           const MrTree *ours) {
        for (size_t i = 0; i < mr_tree_size(theirs); i++) {
                const char *field = mr_tree_key(theirs, i);
                const char *their = mr_tree_string(mr_tree_at(theirs, i));
                const char *our = mr_tree_get_string(ours, field);
                world->n_fields++;
                if (!mr_streq(their, our))
                        differ(world, our ? "~" : "-", name, object, field, their, our);
        }
        for (size_t i = 0; i < mr_tree_size(ours); i++)
                if (!mr_tree_get(theirs, mr_tree_key(ours, i)))
                        differ(world, "+", name, object, mr_tree_key(ours, i), NULL,
                               mr_tree_string(mr_tree_at(ours, i)));
}

static void compare(World *world, const char *name) {
        const MrTree *theirs = their_objects(world, name);
        _cleanup_free_ char *refusal = NULL;
        _cleanup_(mr_tree_freep) MrTree *ours = our_objects(world, name, &refusal);

        world->n_specs++;
        if (refusal) {
                differ(world, "!", name, "refused", "", "objects", refusal);
                return;
        }
        for (size_t i = 0; i < mr_tree_size(theirs); i++) {
                const char *object = mr_tree_key(theirs, i);
                const MrTree *our = mr_tree_get(ours, object);
                if (our)
                        compare_fields(world, name, object, mr_tree_at(theirs, i), our);
                else
                        differ(world, "-", name, object, "", "an object", NULL);
        }
        for (size_t i = 0; i < mr_tree_size(ours); i++)
                if (!mr_tree_get(theirs, mr_tree_key(ours, i)))
                        differ(world, "+", name, mr_tree_key(ours, i), "", NULL, "an object");
}

static int is_spec(const struct dirent *entry) {
        return mr_ends_with(entry->d_name, ".yaml");
}

static void every_difference_is_explained(void **state) {
        World *world = *state;
        struct dirent **entries;
        int n = scandir(FOLDER, &entries, is_spec, alphasort);

        world->is_shown = getenv("MILLRACE_SHOW");
        read_explanations(world);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *name =
                        mr_strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 5);
                compare(world, name);
                free(entries[i]);
        }
        free(entries);
        assert_true(world->n_specs >= 92);
        assert_true(world->n_fields >= 40000);
        if (world->n_unexplained > 0)
                fail_msg("%zu differences are not explained", world->n_unexplained);
}

static void every_explanation_is_of_use(void **state) {
        const World *world = *state;
        size_t n_idle = 0;

        for (size_t i = 0; i < world->n_explanations; i++)
                if (world->explanations[i].n == 0) {
                        print_error("nothing differs like this: %s %s\n",
                                    world->explanations[i].sign, world->explanations[i].pattern);
                        n_idle++;
                }
        assert_true(world->n_explanations > 0);
        assert_int_equal(n_idle, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_difference_is_explained),
                cmocka_unit_test(every_explanation_is_of_use),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
