/* tests/fields.tsv: the state of each field on each platform. Tables and platforms say it, and the
 * file keeps it, so that no field changes its state or gets lost unseen. To write it anew:
 * MILLRACE_UPDATE_GOLDEN=1; a line whose field is in no table any more is left for a person to
 * remove. */

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
#include "ctl/reference.h"
#include "io/plugins.h"
#include "model/registry.h"
#include "reconcile/ignored.h"
#include "str.h"

#define RECORDED "tests/fields.tsv"
#define HEADER "kind\tpath\tversions\thosts\tkubernetes\topenshift\n"

typedef struct World {
        Plugins plugins;
        Registry *registry;
        MrTree *recorded; /* "KIND\tPATH" → the rest of the line */
        MrTree *seen;
        MrBuf lines;
        size_t differences;
} World;

static void record(World *world, const char *line) {
        const char *path = strchr(line, '\t'), *rest = path ? strchr(path + 1, '\t') : NULL;

        if (!rest)
                fail_msg("%s: this line has too few columns: %s", RECORDED, line);
        _cleanup_free_ char *key = mr_strndup(line, (size_t) (rest - line));
        if (mr_tree_get(world->recorded, key))
                fail_msg("%s: %s is there twice", RECORDED, key);
        mr_tree_set_string(world->recorded, key, rest + 1);
}

static int set_up(void **state) {
        World *world = mr_new(World, 1);
        const char *directory = getenv("MILLRACE_BUILD"), *source = getenv("MILLRACE_SOURCE");
        _cleanup_buf_ MrBuf text = {};

        if (source && chdir(source) < 0)
                return -1;
        world->registry = registry_new();
        world->recorded = mr_tree_new_map();
        world->seen = mr_tree_new_map();
        if (plugins_load(directory ? directory : "build", getuid(), NULL, NULL, &world->plugins,
                         NULL) < 0 ||
            plugins_register(&world->plugins, world->registry, NULL) < 0)
                return -1;
        if (read_file_capped(RECORDED, MR_DOCUMENT_MAX, &text, NULL) < 0 &&
            !getenv("MILLRACE_UPDATE_GOLDEN"))
                return -1;
        mr_buf_puts(&text, "");
        for (char *memory = NULL, *line = strtok_r(text.data, "\n", &memory); line;
             line = strtok_r(NULL, "\n", &memory))
                if (!mr_starts_with(line, "kind\t"))
                        record(world, line);
        *state = world;
        return 0;
}

static int tear_down(void **state) {
        World *world = *state;

        registry_free(world->registry);
        plugins_done(&world->plugins);
        mr_tree_free(world->recorded);
        mr_tree_free(world->seen);
        mr_buf_done(&world->lines);
        free(world);
        return 0;
}

/* What a platform makes of a field, as the file says it. */
static void add_state(const World *world, const char *platform, const char *path, unsigned flags,
                      MrBuf *out) {
        const MrPlugin *plugin = plugins_find_platform(&world->plugins, platform);

        ignored_state(plugin ? plugin->platform : NULL, path, flags, out);
}

/* Which versions know a field is the file's own knowledge; what is new is in all of them. */
static void add_versions(const MrKind *kind, const char *recorded, MrBuf *out) {
        if (recorded) {
                mr_buf_append(out, recorded, strcspn(recorded, "\t"));
                return;
        }
        for (size_t i = 0; kind->versions[i]; i++)
                mr_buf_printf(out, "%s%s", i > 0 ? "," : "", kind->versions[i]);
}

static void add_field(void *userdata, const MrKind *kind, const char *path,
                      const MrField *field _unused_, unsigned flags) {
        static const char *const platforms[] = {"rhel-baremetal", "kubernetes", "openshift"};
        World *world = userdata;
        _cleanup_free_ char *key = mr_strf("%s\t%s", kind->name, path);
        const char *recorded = mr_tree_get_string(world->recorded, key);
        _cleanup_buf_ MrBuf rest = {};

        add_versions(kind, recorded, &rest);
        for (size_t i = 0; i < MR_ELEMENTS(platforms); i++) {
                mr_buf_putc(&rest, '\t');
                add_state(world, platforms[i], path, flags, &rest);
        }
        if (!mr_streq(recorded, mr_buf_text(&rest))) {
                world->differences++;
                if (world->differences <= 20 && !getenv("MILLRACE_UPDATE_GOLDEN"))
                        print_error("%s\n  in the file:   %s\n  in the tables: %s\n", key,
                                    recorded ? recorded : "(no line)", mr_buf_text(&rest));
        }
        mr_tree_set_bool(world->seen, key, true);
        mr_buf_printf(&world->lines, "%s\t%s\n", key, mr_buf_text(&rest));
}

static size_t count_lost(const World *world) {
        size_t n = 0;

        for (size_t i = 0; i < mr_tree_size(world->recorded); i++) {
                const char *key = mr_tree_key(world->recorded, i);
                if (mr_tree_get(world->seen, key))
                        continue;
                print_error("%s has a line for %s, which is in no table\n", RECORDED, key);
                n++;
        }
        return n;
}

static void the_file_says_what_the_tables_say(void **state) {
        World *world = *state;
        const MrKind *const *kinds = registry_kinds(world->registry);

        mr_buf_puts(&world->lines, HEADER);
        for (size_t i = 0; kinds[i]; i++)
                registry_walk(world->registry, kinds[i], add_field, world);
        assert_int_equal(count_lost(world), 0);
        if (getenv("MILLRACE_UPDATE_GOLDEN")) {
                FILE *file = fopen(RECORDED, "we");
                assert_non_null(file);
                assert_true(fputs(mr_buf_text(&world->lines), file) >= 0);
                assert_int_equal(fclose(file), 0);
                return;
        }
        if (world->differences > 0)
                fail_msg("%zu fields differ; MILLRACE_UPDATE_GOLDEN=1 writes %s anew",
                         world->differences, RECORDED);
}

/* What may have no effect yet, and what for it has to wait. Nothing is added to this; a line goes
 * when the last row under it works. */
static const struct {
        const char *start;
        const char *waits_for;
} later[] = {
        {"Kafka\tspec.cruiseControl", "moving partitions"},
        {"Kafka\tspec.entityOperator", "topics and users as resources"},
        {"Kafka\tspec.kafkaExporter", "the exporter"},
        {"Kafka\tspec.kafka.authorization.supportsAdminApi",
         "access control lists of users, which alone it is about"},
        {"KafkaUser\tspec.authentication.password", "users with passwords"},
        {"KafkaUser\tspec.authorization", "access control lists of users"},
        {"KafkaUser\tspec.quotas", "quotas of users"},
        {"KafkaUser\tspec.template", "secrets of users with labels of their own"},
};

static void what_has_no_effect_yet_has_its_reason(void **state) {
        const World *world = *state;
        size_t n[MR_ELEMENTS(later)] = {};

        for (size_t i = 0; i < mr_tree_size(world->recorded); i++) {
                const char *key = mr_tree_key(world->recorded, i);
                size_t k = 0;
                if (!strstr(mr_tree_string(mr_tree_at(world->recorded, i)), "\tnot yet"))
                        continue;
                while (k < MR_ELEMENTS(later) && !mr_starts_with(key, later[k].start))
                        k++;
                if (k == MR_ELEMENTS(later))
                        fail_msg("%s has no effect yet: make it work, or refuse it", key);
                n[k]++;
        }
        for (size_t k = 0; k < MR_ELEMENTS(later); k++)
                if (n[k] == 0)
                        fail_msg("%s, which waits for %s, works: take its line away",
                                 later[k].start, later[k].waits_for);
}

/* A platform that ignores everything, or a walk that finds nothing, would make all of this easy. */
static void the_file_is_about_something(void **state) {
        const World *world = *state;
        size_t n_works = 0;

        for (size_t i = 0; i < mr_tree_size(world->recorded); i++)
                n_works +=
                        strstr(mr_tree_string(mr_tree_at(world->recorded, i)), "\tworks\t") != NULL;
        assert_in_range(n_works, 80, 10000);
        assert_in_range(mr_tree_size(world->recorded), 200, 10000);
}

static void each_row_is_documented(void *userdata _unused_, const MrKind *kind, const char *path,
                                   const MrField *field, unsigned flags _unused_) {
        size_t n = field->doc ? strlen(field->doc) : 0;

        if (n < 10 || field->doc[n - 1] != '.')
                fail_msg("%s %s has no description that is a sentence", kind->name, path);
        for (const MrEnum *row = field->values; row && row->name; row++)
                if (mr_is_empty(row->doc))
                        fail_msg("%s %s: the value %s has no description", kind->name, path,
                                 row->name);
        if (field->pattern && mr_is_empty(field->form))
                fail_msg("%s %s: what matches the pattern is not said in words", kind->name, path);
        if ((field->type == MR_TYPE_ENUM) != (field->values != NULL))
                fail_msg("%s %s: only a row of an enumeration has values", kind->name, path);
}

static void everything_is_documented(void **state) {
        const World *world = *state;
        const MrKind *const *kinds = registry_kinds(world->registry);

        for (size_t i = 0; kinds[i]; i++)
                registry_walk(world->registry, kinds[i], each_row_is_documented, NULL);
}

/* Each field stands in both references of its kind, under its path and with its states. */
static void the_reference_has_every_field(void **state) {
        const World *world = *state;
        const MrKind *const *kinds = registry_kinds(world->registry);
        _cleanup_buf_ MrBuf markdown = {}, man = {};

        for (size_t i = 0; kinds[i]; i++) {
                reference_write(world->registry, &world->plugins, kinds[i], REFERENCE_MARKDOWN,
                                &markdown);
                reference_write(world->registry, &world->plugins, kinds[i], REFERENCE_MAN, &man);
        }
        size_t n = 0;
        for (const char *p = mr_buf_text(&man); (p = strstr(p, ".It Sy ")); p++)
                n++;
        assert_int_equal(n, mr_tree_size(world->recorded));
        for (size_t i = 0; i < mr_tree_size(world->recorded); i++) {
                const char *key = mr_tree_key(world->recorded, i);
                _cleanup_free_ char *heading = mr_strf("### `%s`\n", strchr(key, '\t') + 1);
                if (!strstr(mr_buf_text(&markdown), heading))
                        fail_msg("the reference lacks %s", key);
        }
        assert_non_null(strstr(mr_buf_text(&man),
                               "hosts ignored: hosts run units, and neither pods nor containers; "
                               "Kubernetes works; OpenShift works.\n"));
        assert_null(strstr(mr_buf_text(&man), "\n\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_file_says_what_the_tables_say),
                cmocka_unit_test(the_file_is_about_something),
                cmocka_unit_test(what_has_no_effect_yet_has_its_reason),
                cmocka_unit_test(everything_is_documented),
                cmocka_unit_test(the_reference_has_every_field),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
