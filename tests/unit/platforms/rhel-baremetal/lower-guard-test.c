/* Who may connect to a unit. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/facts.h"
#include "str.h"
#include "unit/platforms/platform-world.h"

typedef struct World {
        const MrPlugin *platform;
        MrParts *parts;
        MrFacts *facts;
        MrManifests *out;
        MrTree *host;
} World;

static void world_done(World *w) {
        mr_parts_free(w->parts);
        facts_free(w->facts);
        mr_manifests_free(w->out);
        mr_tree_free(w->host);
}
#define _cleanup_world_ _cleanup_(world_done) World

static World world(void) {
        static const char host[] =
                "{\"addresses\": [\"10.9.9.9\"], \"nameservers\": [\"10.9.9.1\"]}";
        World w = {
                .platform = platform_load("rhel-baremetal"),
                .parts = mr_parts_new(),
                .facts = facts_new(1, "rhel-baremetal"),
                .out = mr_manifests_new(),
        };

        assert_int_equal(mr_json_read(host, strlen(host), "host", &w.host, NULL), 0);
        facts_set_host(w.facts, w.host);
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_WORKLOAD,
                                       .workload = {.node = "n",
                                                    .role = "fish",
                                                    .group = "c-fish",
                                                    .software = "fish",
                                                    .version = "1",
                                                    .main_class = "a.Main"}});
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_ENDPOINT,
                                       .endpoint = {.node = "n", .name = "inner", .port = 1000}});
        return w;
}

/* Peers are separated by blanks; NULL means everybody. */
static void add(World *w, const char *name, int64_t port, const char *peers) {
        MrEndpoint endpoint = {.node = "n", .name = name, .listener = name, .port = port};
        MrArena *arena = mr_parts_arena(w->parts);
        char *state = NULL, *copy = mr_arena_strdup(arena, peers);

        endpoint.is_external = true;
        endpoint.is_guarded = peers != NULL;
        for (char *word = copy ? strtok_r(copy, " ", &state) : NULL; word;
             word = strtok_r(NULL, " ", &state))
                if (mr_streq(word, "pods"))
                        endpoint.has_other_peers = true;
                else
                        mr_strings_add(arena, &endpoint.peers, word);
        mr_parts_add(w->parts, (MrPart){.kind = MR_PART_ENDPOINT, .endpoint = endpoint});
}

/* The networks of the unit, separated by blanks. */
static char *networks(World *w) {
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf text = {};

        if (w->platform->platform->lower(w->platform->platform, "default", w->parts, w->facts,
                                         w->out, &err) < 0)
                fail_msg("%s", err.message);
        const MrTree *list = mr_tree_get(
                mr_tree_get(mr_manifests_find(w->out, "Unit", "default", "n")->body, "properties"),
                "networks");
        for (size_t i = 0; i < mr_tree_size(list); i++)
                mr_buf_printf(&text, "%s%s", i > 0 ? " " : "", mr_tree_string(mr_tree_at(list, i)));
        return mr_buf_take(&text);
}

static const char *warning(const World *w) {
        const char *reason, *message;

        if (mr_manifests_warnings(w->out) == 0)
                return "";
        mr_manifests_warning_at(w->out, 0, &reason, &message);
        return message;
}

static void without_peers_everybody_may_connect(void **state _unused_) {
        _cleanup_world_ w = world();

        add(&w, "a", 2000, NULL);
        _cleanup_free_ char *found = networks(&w);
        assert_string_equal(found, "");
        assert_string_equal(warning(&w), "");
}

static void peers_of_all_listeners_are_the_filter(void **state _unused_) {
        _cleanup_world_ w = world();

        add(&w, "a", 2000, "10.0.0.0/8 ::/0");
        add(&w, "b", 2001, "10.0.0.0/8 ::/0");
        _cleanup_free_ char *found = networks(&w);
        assert_string_equal(found, "10.0.0.0/8 ::/0 10.9.9.9 10.9.9.1");
        assert_string_equal(warning(&w), "");
}

static void different_peers_are_told(void **state _unused_) {
        static const char *const others[] = {"10.1.0.0/16", "10.0.0.0/8 10.1.0.0/16", "10.0.0.0/8"};

        for (size_t i = 0; i < MR_ELEMENTS(others); i++) {
                _cleanup_world_ w = world();
                add(&w, "a", 2000, i == 2 ? "10.0.0.0/8 10.1.0.0/16" : "10.0.0.0/8");
                add(&w, "b", 2001, others[i]);
                _cleanup_free_ char *found = networks(&w);
                assert_string_equal(found, "10.0.0.0/8 10.1.0.0/16 10.9.9.9 10.9.9.1");
                assert_non_null(strstr(warning(&w), "reaches all"));
        }
}

static void one_open_listener_opens_all(void **state _unused_) {
        _cleanup_world_ w = world();

        add(&w, "a", 2000, "10.0.0.0/8");
        add(&w, "b", 2001, NULL);
        _cleanup_free_ char *found = networks(&w);
        assert_string_equal(found, "");
        assert_non_null(strstr(warning(&w), "everybody may reach listener b"));
}

static void what_a_filter_cannot_tell_is_no_filter(void **state _unused_) {
        static const char *const peers[] = {"10.0.0.0/8 !10.1.0.0/16", "10.0.0.0/8 pods", "pods"};

        for (size_t i = 0; i < MR_ELEMENTS(peers); i++) {
                _cleanup_world_ w = world();
                add(&w, "a", 2000, peers[i]);
                _cleanup_free_ char *found = networks(&w);
                assert_string_equal(found, "");
                assert_non_null(strstr(warning(&w), "listener a has exceptions or selectors"));
        }
}

static void peers_restart_nobody(void **state _unused_) {
        _cleanup_world_ w = world(), other = world();

        add(&w, "a", 2000, NULL);
        add(&other, "a", 2000, "10.0.0.0/8");
        _cleanup_free_ char *none = networks(&w), *some = networks(&other);
        assert_string_not_equal(none, some);
        assert_string_equal(mr_manifests_node_at(w.out, 0)->fingerprint,
                            mr_manifests_node_at(other.out, 0)->fingerprint);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_peers_everybody_may_connect),
                cmocka_unit_test(peers_of_all_listeners_are_the_filter),
                cmocka_unit_test(different_peers_are_told),
                cmocka_unit_test(one_open_listener_opens_all),
                cmocka_unit_test(what_a_filter_cannot_tell_is_no_filter),
                cmocka_unit_test(peers_restart_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
