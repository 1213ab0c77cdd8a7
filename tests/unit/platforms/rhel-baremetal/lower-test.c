/* Parts become the objects of a host, through the front door of the platform. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/facts.h"
#include "str.h"
#include "unit/platforms/platform-world.h"

typedef struct World {
        const MrPlugin *platform;
        MrParts *parts;
        MrFacts *facts;
        MrManifests *out;
        MrTree *host, *claims;
        const char *ns;
} World;

static void world_done(World *w) {
        mr_parts_free(w->parts);
        facts_free(w->facts);
        mr_manifests_free(w->out);
        mr_tree_free(w->host);
        mr_tree_free(w->claims);
}
#define _cleanup_world_ _cleanup_(world_done) World

static World world(const char *ns) {
        return (World){.platform = platform_load("rhel-baremetal"),
                       .parts = mr_parts_new(),
                       .facts = facts_new(1, "rhel-baremetal"),
                       .out = mr_manifests_new(),
                       .ns = ns};
}

static int lower(World *w, MrError *err) {
        mr_manifests_free(w->out);
        w->out = mr_manifests_new();
        return w->platform->platform->lower(w->platform->platform, w->ns, w->parts, w->facts,
                                            w->out, err);
}

static void lower_well(World *w) {
        _cleanup_error_ MrError err = {};

        if (lower(w, &err) < 0) {
                _cleanup_free_ char *text = mr_error_text(&err);
                fail_msg("%s", text);
        }
}

static void see_host(World *w, const char *json) {
        mr_tree_free(w->host);
        assert_int_equal(mr_json_read(json, strlen(json), "host", &w->host, NULL), 0);
        facts_set_host(w->facts, w->host);
}

static MrWorkload *add_node(World *w, const char *node) {
        MrPart *part = mr_parts_add(w->parts, (MrPart){
                                                      .kind = MR_PART_WORKLOAD,
                                                      .workload = {.node = node,
                                                                   .role = "fish",
                                                                   .group = "c-fish",
                                                                   .software = "fish",
                                                                   .version = "1.0",
                                                                   .main_class = "a.Main",
                                                                   .stop_timeout_sec = 9},
                                              });
        return &part->workload;
}

static void add_endpoint(World *w, const char *node, const char *name, int64_t port) {
        mr_parts_add(
                w->parts,
                (MrPart){
                        .kind = MR_PART_ENDPOINT,
                        .endpoint = {.node = node, .name = name, .group = "c-fish", .port = port},
                });
}

static void add_file(World *w, const char *node, const char *name, const char *content,
                     MrFileEffect effect) {
        mr_parts_add(
                w->parts,
                (MrPart){
                        .kind = MR_PART_FILE,
                        .file = {.node = node, .name = name, .content = content, .effect = effect},
                });
}

static MrVolume *add_volume(World *w, const char *node, const char *claim) {
        MrPart *part = mr_parts_add(w->parts, (MrPart){
                                                      .kind = MR_PART_VOLUME,
                                                      .volume = {.node = node,
                                                                 .name = "data",
                                                                 .claim = claim,
                                                                 .size = 1024,
                                                                 .cluster = "default/c",
                                                                 .cluster_id = "id",
                                                                 .role = "fish",
                                                                 .node_id = 3},
                                              });
        return &part->volume;
}

static int64_t port_of(const World *w, const char *node, const char *endpoint) {
        const MrAddress *address = mr_manifests_find_address(w->out, node, endpoint);

        assert_non_null(address);
        return address->port;
}

static const MrManifest *unit(const World *w, const char *node) {
        const MrManifest *manifest = mr_manifests_find(w->out, "Unit", w->ns, node);

        assert_non_null(manifest);
        return manifest;
}

static const MrTree *property(const World *w, const char *node, const char *path) {
        return mr_tree_find(mr_tree_get(unit(w, node)->body, "properties"), path, false);
}

static const char *fingerprint(const World *w) {
        static char copy[MR_DIGEST_MAX];
        const char *text = mr_manifests_node_at(w->out, 0)->fingerprint;

        assert_non_null(text);
        memcpy(copy, text, strlen(text) + 1);
        return copy;
}

/* --- ports */

static void the_first_node_gets_the_standard_ports(void **state _unused_) {
        _cleanup_world_ w = world("default");

        for (int i = 0; i < 3; i++) {
                const char *node = mr_arena_strf(mr_parts_arena(w.parts), "n%d", i);
                add_endpoint(&w, node, "a", 9092);
                add_endpoint(&w, node, "b", 9093);
        }
        lower_well(&w);
        assert_int_equal(port_of(&w, "n0", "a"), 9092);
        assert_int_equal(port_of(&w, "n0", "b"), 9093);
        assert_int_equal(port_of(&w, "n1", "a"), 9102);
        assert_int_equal(port_of(&w, "n1", "b"), 9103);
        assert_int_equal(port_of(&w, "n2", "a"), 9112);
        assert_string_equal(mr_pairs_get(mr_manifests_remembered(w.out), "port/default/n1/a"),
                            "9092/9102");
}

static void what_was_given_once_stays(void **state _unused_) {
        _cleanup_world_ w = world("default");

        facts_remember(w.facts, "port/default/n0/a", "9092/9152");
        add_endpoint(&w, "n0", "a", 9092);
        add_endpoint(&w, "n0", "b", 9093);
        add_endpoint(&w, "n1", "a", 9092);
        lower_well(&w);
        assert_int_equal(port_of(&w, "n0", "a"), 9152);
        assert_int_equal(port_of(&w, "n0", "b"), 9153);
        assert_int_equal(port_of(&w, "n1", "a"), 9092);
}

static void another_standard_port_makes_it_void(void **state _unused_) {
        _cleanup_world_ w = world("default");

        facts_remember(w.facts, "port/default/n0/a", "9092/9152");
        facts_remember(w.facts, "port/default/n0/b", "nonsense");
        add_endpoint(&w, "n0", "a", 9094);
        add_endpoint(&w, "n0", "b", 9093);
        lower_well(&w);
        assert_int_equal(port_of(&w, "n0", "a"), 9094);
        assert_int_equal(port_of(&w, "n0", "b"), 9093);
}

static void ports_of_others_are_taken(void **state _unused_) {
        _cleanup_world_ w = world("default");

        see_host(&w, "{\"taken_ports\": {\"9093\": \"default/x0/a\", \"9102\": \"other/n0/a\", "
                     "\"9113\": \"default/n0/gone\"}}");
        add_endpoint(&w, "n0", "a", 9092);
        add_endpoint(&w, "n0", "b", 9093);
        lower_well(&w);
        assert_int_equal(port_of(&w, "n0", "a"), 9112);
        assert_int_equal(port_of(&w, "n0", "b"), 9113);
}

static void add_fixed_endpoint(World *w, const char *node, const char *name, int64_t port) {
        mr_parts_add(w->parts, (MrPart){
                                       .kind = MR_PART_ENDPOINT,
                                       .endpoint = {.node = node,
                                                    .name = name,
                                                    .group = "c-fish",
                                                    .port = port,
                                                    .is_fixed = true},
                               });
}

static void a_port_chosen_for_a_node_stays(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_endpoint(&w, "n0", "a", 9092);
        add_endpoint(&w, "n1", "a", 9092);
        add_fixed_endpoint(&w, "n1", "b", 9102);
        facts_remember(w.facts, "port/default/n1/b", "9102/9112");
        see_host(&w,
                 "{\"taken_ports\": {\"9102\": \"default/n1/old\", \"9112\": \"default/n1/b\"}}");
        lower_well(&w);
        assert_int_equal(port_of(&w, "n0", "a"), 9092);
        assert_int_equal(port_of(&w, "n1", "b"), 9102);
        assert_int_equal(port_of(&w, "n1", "a"), 9112);
}

static void a_port_of_somebody_else_is_refused(void **state _unused_) {
        _cleanup_world_ w = world("default");
        _cleanup_error_ MrError err = {};

        see_host(&w, "{\"taken_ports\": {\"9102\": \"default/n10/a\"}}");
        add_fixed_endpoint(&w, "n1", "a", 9102);
        assert_int_equal(lower(&w, &err), -EINVAL);
        assert_non_null(strstr(err.message, "port 9102 of n1 is in use"));
}

static void a_port_chosen_twice_is_refused(void **state _unused_) {
        _cleanup_world_ w = world("default");
        _cleanup_error_ MrError err = {};

        add_fixed_endpoint(&w, "n0", "a", 9102);
        add_fixed_endpoint(&w, "n1", "a", 9102);
        assert_int_equal(lower(&w, &err), -EINVAL);
        assert_non_null(strstr(err.message, "port 9102 of n1 is in use"));
}

static void a_chosen_port_takes_a_remembered_one(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_endpoint(&w, "n0", "a", 9092);
        add_fixed_endpoint(&w, "n1", "a", 9102);
        facts_remember(w.facts, "port/default/n0/a", "9092/9102");
        lower_well(&w);
        assert_int_equal(port_of(&w, "n1", "a"), 9102);
        assert_int_equal(port_of(&w, "n0", "a"), 9092);
}

static void ports_end_somewhere(void **state _unused_) {
        _cleanup_world_ w = world("default");
        _cleanup_error_ MrError err = {};

        add_endpoint(&w, "n0", "a", 65535);
        add_endpoint(&w, "n1", "a", 65535);
        assert_true(lower(&w, &err) < 0);
        assert_int_equal(err.kind, MR_INVALID);
        assert_non_null(strstr(err.message, "no free ports"));
}

/* --- volumes and files */

static void a_volume_has_an_identity(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "n");
        add_volume(&w, "n", "data-n");
        lower_well(&w);
        const MrManifest *volume = mr_manifests_find(w.out, "Volume", "default", "data-n");
        assert_true(volume->keep);
        assert_string_equal(
                mr_tree_string(mr_tree_find(volume->body, "identity.cluster_id", false)), "id");
        assert_int_equal(mr_tree_get_int(volume->body, "size", 0), 1024);
        assert_false(mr_tree_get_bool(volume->body, "delete", true));
        assert_non_null(strstr(volume->payload, "\"size\":1024"));
        assert_non_null(strstr(volume->payload, "\"class\":\"fish\""));
}

/* --- whose data it is */

#define OURS                                                                                       \
        "\"cluster\": \"default/c\", \"cluster_id\": \"id\", \"role\": \"fish\", \"node_id\": 3"

static void see_claims(World *w, const char *json) {
        mr_tree_free(w->claims);
        assert_int_equal(mr_json_read(json, strlen(json), "claims", &w->claims, NULL), 0);
        facts_set_claims(w->facts, "default", w->claims);
}

static const char *why_pending(World *w) {
        lower_well(w);
        const MrNodeWanted *node = mr_manifests_node_at(w->out, 0);
        const MrManifest *unit = mr_manifests_find(w->out, "Unit", "default", "n");

        /* A node that must not start has no fingerprint to restart for, and its unit waits. */
        assert_true(!node->pending == !unit->pending && !node->pending == !!node->fingerprint);
        return node->pending ? node->pending : "";
}

static MrVolume *known_volume(World *w) {
        add_node(w, "n");
        MrVolume *volume = add_volume(w, "n", "data-n");
        volume->marker = "log/meta";
        return volume;
}

static void an_empty_disk_of_a_new_node_is_welcome(void **state _unused_) {
        _cleanup_world_ w = world("default");

        known_volume(&w);
        assert_string_equal(why_pending(&w), "");
        see_claims(&w, "{\"default/data-n\": {" OURS ", \"prepared\": false, \"lost\": false}}");
        assert_string_equal(why_pending(&w), "");
        assert_string_equal(mr_pairs_get(mr_manifests_remembered(w.out), "claim/default/data-n"),
                            "n made");
}

static void an_empty_disk_of_a_known_node_stops_it(void **state _unused_) {
        _cleanup_world_ w = world("default");

        known_volume(&w);
        see_claims(&w, "{\"default/data-n\": {" OURS ", \"prepared\": true, \"lost\": true}}");
        assert_non_null(strstr(why_pending(&w), "the disk of a known node is empty: data-n"));
        assert_non_null(strstr(why_pending(&w), "millctl renew n"));
}

static void a_disk_that_is_gone_is_as_good_as_empty(void **state _unused_) {
        _cleanup_world_ w = world("default");

        known_volume(&w);
        facts_remember(w.facts, "claim/default/data-n", "n prepared");
        assert_non_null(strstr(why_pending(&w), "the disk of a known node is empty"));
        assert_non_null(mr_manifests_find(w.out, "Volume", "default", "data-n")->pending);
        facts_remember(w.facts, "claim/default/data-n", "n made");
        assert_string_equal(why_pending(&w), "");
}

static void what_may_be_empty_begins_anew(void **state _unused_) {
        _cleanup_world_ w = world("default");

        known_volume(&w)->may_be_empty = true;
        see_claims(&w, "{\"default/data-n\": {" OURS ", \"prepared\": true, \"lost\": true}}");
        assert_string_equal(why_pending(&w), "");
        assert_non_null(strstr(mr_manifests_find(w.out, "Volume", "default", "data-n")->payload,
                               "\"anew\":true"));
}

static void a_node_that_was_renewed_begins_anew(void **state _unused_) {
        _cleanup_world_ w = world("default");

        known_volume(&w);
        see_claims(&w, "{\"default/data-n\": {" OURS ", \"prepared\": true, \"lost\": true}}");
        facts_remember(w.facts, "renew/default/m", "");
        assert_non_null(strstr(why_pending(&w), "is empty"));
        facts_remember(w.facts, "renew/default/n", "");
        assert_string_equal(why_pending(&w), "");
        assert_non_null(strstr(mr_manifests_find(w.out, "Volume", "default", "data-n")->payload,
                               "\"anew\":true"));
}

static void data_that_is_there_is_remembered(void **state _unused_) {
        _cleanup_world_ w = world("default");

        known_volume(&w);
        see_claims(&w, "{\"default/data-n\": {" OURS ", \"prepared\": true, \"lost\": false}}");
        assert_string_equal(why_pending(&w), "");
        assert_string_equal(mr_pairs_get(mr_manifests_remembered(w.out), "claim/default/data-n"),
                            "n prepared");
        assert_null(
                strstr(mr_manifests_find(w.out, "Volume", "default", "data-n")->payload, "anew"));
}

static void a_foreign_disk_stops_its_node(void **state _unused_) {
        static const struct {
                const char *claim, *why;
        } cases[] = {
                {"\"cluster\": \"default/d\", \"cluster_id\": \"id\", \"role\": \"fish\", "
                 "\"node_id\": 3",
                 "data-n holds data of cluster default/d with id id"},
                {"\"cluster\": \"default/c\", \"cluster_id\": \"ie\", \"role\": \"fish\", "
                 "\"node_id\": 3",
                 "data-n holds data of cluster default/c with id ie"},
                {"\"cluster\": \"default/c\", \"cluster_id\": \"id\", \"role\": \"bird\", "
                 "\"node_id\": 0",
                 "data-n holds data of bird 0, not of fish 3"},
                {"\"cluster\": \"default/c\", \"cluster_id\": \"id\", \"role\": \"fish\", "
                 "\"node_id\": 0",
                 "data-n holds data of fish 0, not of fish 3"},
                {"\"path\": \"/x\"", "nothing tells whose the data of data-n is"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_world_ w = world("default");
                _cleanup_free_ char *json = mr_strf("{\"default/data-n\": {%s}}", cases[i].claim);
                known_volume(&w)->may_be_empty = true;
                facts_remember(w.facts, "renew/default/n", "");
                see_claims(&w, json);
                if (!strstr(why_pending(&w), cases[i].why))
                        fail_msg("'%s' is not in '%s'", cases[i].why, why_pending(&w));
        }
}

static bool is_warned_of(const World *w, const char *what, const char *text) {
        for (size_t i = 0; i < mr_manifests_warnings(w->out); i++) {
                const char *reason, *message;
                mr_manifests_warning_at(w->out, i, &reason, &message);
                if (mr_streq(reason, what) && strstr(message, text))
                        return true;
        }
        return false;
}

static bool is_warned(const World *w, const char *text) {
        return is_warned_of(w, "DiskTooSmall", text);
}

static void a_disk_that_is_too_small_is_told(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "n");
        add_volume(&w, "n", "data-0-n")->size = UINT64_C(100) << 30;
        add_volume(&w, "n", "data-1-n")->size = UINT64_C(10) << 30;
        see_host(&w, "{\"storage\": {\"directory\": {\"size\": 64424509440}}}");
        see_claims(&w, "{\"default/data-0-n\": {" OURS ", \"capacity\": 53687091200}, "
                       "\"default/data-1-n\": {" OURS ", \"capacity\": 10500000000}}");
        lower_well(&w);
        assert_true(is_warned(&w, "data-0-n asks for 100.0 GiB, but its disk has 50.0 GiB"));
        assert_false(is_warned(&w, "data-1-n asks"));
        assert_true(is_warned(&w, "storage class directory ask for 110.0 GiB, but its disk has "
                                  "60.0 GiB"));
}

static void a_full_disk_is_told(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "n");
        add_volume(&w, "n", "data-0-n");
        add_volume(&w, "n", "data-1-n");
        see_host(&w, "{\"storage\": {\"directory\": {\"size\": 1000000, \"free\": 20000}}}");
        see_claims(&w, "{\"default/data-0-n\": {" OURS ", \"capacity\": 1000, \"used\": 980}, "
                       "\"default/data-1-n\": {" OURS ", \"capacity\": 1000, \"used\": 981}}");
        lower_well(&w);
        assert_false(is_warned_of(&w, "DiskFull", "data-0-n"));
        assert_true(
                is_warned_of(&w, "DiskFull", "the disk of data-1-n is nearly full; nodes that"));
        assert_false(is_warned_of(&w, "DiskFull", "storage class"));
}

static void a_full_disk_of_a_class_is_told(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "n");
        add_volume(&w, "n", "data-0-n")->size = 0;
        see_host(&w, "{\"storage\": {\"directory\": {\"size\": 1000000, \"free\": 19999}}}");
        lower_well(&w);
        assert_true(is_warned_of(&w, "DiskFull", "the disk of storage class directory is nearly"));
}

static void what_exceeds_its_limit_is_told(void **state _unused_) {
        _cleanup_world_ w = world("default");
        MrVolume *volumes[] = {add_volume(&w, "n", "data-0-n"), NULL, NULL};

        add_node(&w, "n");
        volumes[0]->is_ephemeral = true;
        volumes[0]->size = UINT64_C(1) << 30;
        volumes[1] = add_volume(&w, "n", "data-1-n");
        volumes[1]->is_ephemeral = true;
        volumes[1]->size = UINT64_C(3) << 30;
        volumes[2] = add_volume(&w, "n", "data-2-n");
        volumes[2]->size = UINT64_C(1) << 30;
        see_claims(&w, "{\"default/data-0-n\": {" OURS ", \"used\": 2147483648}, "
                       "\"default/data-1-n\": {" OURS ", \"used\": 2147483648}, "
                       "\"default/data-2-n\": {" OURS ", \"used\": 2147483648}}");
        lower_well(&w);
        assert_true(is_warned_of(&w, "SizeLimitExceeded",
                                 "data-0-n holds 2.0 GiB, more than its sizeLimit of 1.0 GiB"));
        assert_false(is_warned_of(&w, "SizeLimitExceeded", "data-1-n"));
        assert_false(is_warned_of(&w, "SizeLimitExceeded", "data-2-n"));
}

static void a_limit_nobody_can_watch_is_told(void **state _unused_) {
        _cleanup_world_ w = world("default");
        MrVolume *volumes[] = {add_volume(&w, "n", "data-0-n"), NULL, NULL};

        add_node(&w, "n");
        volumes[0]->is_ephemeral = true;
        volumes[1] = add_volume(&w, "n", "data-1-n");
        volumes[1]->is_ephemeral = true;
        volumes[1]->size = 0;
        volumes[2] = add_volume(&w, "n", "data-2-n");
        see_claims(&w, "{\"default/data-0-n\": {" OURS ", \"used\": null}, "
                       "\"default/data-1-n\": {" OURS ", \"used\": null}, "
                       "\"default/data-2-n\": {" OURS ", \"used\": null}}");
        lower_well(&w);
        assert_true(is_warned_of(&w, "SizeLimitUnknown", "data-0-n holds more files than"));
        assert_false(is_warned_of(&w, "SizeLimitUnknown", "data-1-n"));
        assert_false(is_warned_of(&w, "SizeLimitUnknown", "data-2-n"));
        assert_false(is_warned_of(&w, "SizeLimitExceeded", "data-"));
}

static void only_some_volumes_go_with_their_node(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_volume(&w, "n", "a")->delete_claim = true;
        add_volume(&w, "n", "b")->is_ephemeral = true;
        lower_well(&w);
        assert_false(mr_manifests_find(w.out, "Volume", "default", "a")->keep);
        assert_false(mr_manifests_find(w.out, "Volume", "default", "b")->keep);
}

static void a_file_has_its_references_resolved(void **state _unused_) {
        _cleanup_world_ w = world("default");

        see_host(&w, "{\"address\": \"h1\", \"storage_classes\": {\"directory\": \"/data\"}, "
                     "\"distributions\": [{\"software\": "
                     "\"fish\", \"version\": \"1.0\", \"state\": \"ready\", \"directory\": "
                     "\"/opt/fish\"}]}");
        add_node(&w, "n");
        add_volume(&w, "n", "data-n");
        add_endpoint(&w, "n", "e", 9092);
        add_endpoint(&w, "m", "e", 9092);
        facts_add_secret(w.facts, "s", "k", "hidden");
        add_file(&w, "n", "f",
                 "@{addr:m}:@{port:m/e} @{bind:e} @{dir:data} @{file:g} @{lib} a@{at}@{addr:m}",
                 MR_EFFECT_NONE);
        add_file(&w, "n", "key", "<@{secret:s/k}>", MR_EFFECT_RESTART);
        lower_well(&w);
        const MrManifest *file = mr_manifests_find(w.out, "File", "default", "n/f");
        const MrManifest *key = mr_manifests_find(w.out, "File", "default", "n/key");
        assert_string_equal(
                file->payload,
                "h1:9102 9092 /data/data-n/data /etc/millrace/nodes/n/g /opt/fish/libs a@h1");
        assert_false(file->is_secret || file->restarts || file->pending);
        assert_true(key->is_secret && key->restarts);
        assert_string_equal(key->payload, "<hidden>");
}

static void a_missing_secret_keeps_the_node_waiting(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "n");
        add_file(&w, "n", "key", "@{secret:s/k}", MR_EFFECT_RESTART);
        lower_well(&w);
        assert_string_equal(mr_manifests_find(w.out, "File", "default", "n/key")->pending,
                            "secret s");
        assert_string_equal(unit(&w, "n")->pending, "secret s");
        assert_null(mr_manifests_node_at(w.out, 0)->fingerprint);
        assert_string_equal(mr_manifests_node_at(w.out, 0)->pending, "secret s");
}

static void references_that_lead_nowhere(void **state _unused_) {
        static const char *const texts[] = {"@{dir:none}", "@{port:m/none}", "@{bind:none}",
                                            "@{what:ever}"};

        for (size_t i = 0; i < MR_ELEMENTS(texts); i++) {
                _cleanup_world_ w = world("default");
                _cleanup_error_ MrError err = {};
                add_node(&w, "n");
                add_file(&w, "n", "f", texts[i], MR_EFFECT_NONE);
                assert_true(lower(&w, &err) < 0);
                assert_int_equal(err.kind, MR_BUG);
        }
}

static void another_namespace_has_names_of_its_own(void **state _unused_) {
        _cleanup_world_ w = world("sea");

        add_node(&w, "n");
        add_volume(&w, "n", "data-n");
        add_file(&w, "n", "f", "@{file:f} @{dir:data}", MR_EFFECT_NONE);
        lower_well(&w);
        assert_string_equal(mr_manifests_find(w.out, "File", "sea", "n/f")->payload,
                            "/etc/millrace/nodes/sea_n/f /var/lib/millrace-data/sea_data-n/data");
        assert_string_equal(mr_tree_string(property(&w, "n", "volumes[0].claim")), "sea_data-n");
}

/* --- units */

static void a_unit_gathers_what_its_node_needs(void **state _unused_) {
        _cleanup_world_ w = world("default");
        MrWorkload *node = add_node(&w, "n");
        MrArena *arena = mr_parts_arena(w.parts);

        mr_strings_add(arena, &node->arguments, "@{file:f}");
        mr_strings_add(arena, &node->jvm_options, "-Xmx1g");
        mr_strings_add(arena, &node->directories, "@{dir:data}/log");
        mr_pairs_set(arena, &node->contents, "@{dir:data}/myid", "1");
        mr_pairs_set(arena, &node->settings, "key", "@{bind:e}");
        node->prepare_class = "a.Format";
        node->prepared_path = "@{dir:data}/meta";
        mr_strings_add(arena, &node->prepare_arguments, "format");
        node->memory_limit = 4096;
        add_volume(&w, "n", "data-n");
        add_endpoint(&w, "n", "e", 9092);
        MrPart *ready = mr_parts_add(w.parts, (MrPart){
                                                      .kind = MR_PART_ENDPOINT,
                                                      .endpoint = {.node = "n",
                                                                   .name = "r",
                                                                   .port = 9095,
                                                                   .is_ready_check = true},
                                              });
        lower_well(&w);
        assert_string_equal(mr_tree_get_string(unit(&w, "n")->body, "class"), "fish");
        assert_string_equal(mr_tree_get_string(unit(&w, "n")->body, "dropin"), "intact");
        assert_string_equal(mr_tree_string(property(&w, "n", "arguments[0]")),
                            "/etc/millrace/nodes/n/f");
        assert_string_equal(mr_tree_string(property(&w, "n", "jvm_options[0]")), "-Xmx1g");
        assert_string_equal(mr_tree_string(property(&w, "n", "directories[0]")),
                            "/var/lib/millrace-data/data-n/data/log");
        assert_string_equal(
                mr_tree_string(
                        property(&w, "n", "contents[\"/var/lib/millrace-data/data-n/data/myid\"]")),
                "1");
        assert_string_equal(mr_tree_string(property(&w, "n", "settings.key")), "9092");
        assert_string_equal(mr_tree_string(property(&w, "n", "prepare_class")), "a.Format");
        assert_string_equal(mr_tree_string(property(&w, "n", "prepared_path")),
                            "/var/lib/millrace-data/data-n/data/meta");
        assert_int_equal(mr_tree_int(property(&w, "n", "ready_ports[0]"), 0), ready->endpoint.port);
        assert_int_equal(mr_tree_size(property(&w, "n", "ready_ports")), 1);
        assert_int_equal(mr_tree_int(property(&w, "n", "memory_limit"), 0), 4096);
        assert_string_equal(mr_tree_string(property(&w, "n", "fingerprint")), fingerprint(&w));
        assert_string_equal(mr_tree_get_string(mr_manifests_node_at(w.out, 0)->settings, "key"),
                            "9092");
        assert_non_null(mr_manifests_find(w.out, "Distribution", "", "fish-1.0"));
}

/* What a change of each thing does to the fingerprint: restart or none. */
static void the_fingerprint_decides_about_restarts(void **state _unused_) {
        _cleanup_world_ w = world("default");
        MrWorkload *node = add_node(&w, "n");
        MrArena *arena = mr_parts_arena(w.parts);
        char before[MR_DIGEST_MAX];

        add_file(&w, "n", "quiet", "1", MR_EFFECT_NONE);
        MrPart *loud = mr_parts_add(w.parts, (MrPart){
                                                     .kind = MR_PART_FILE,
                                                     .file = {.node = "n",
                                                              .name = "loud",
                                                              .content = "1",
                                                              .effect = MR_EFFECT_RESTART},
                                             });
        lower_well(&w);
        memcpy(before, fingerprint(&w), sizeof(before));
        node->memory_limit = 7;
        node->cpu_limit = 7;
        node->stop_timeout_sec = 7;
        mr_strings_add(arena, &node->directories, "/x");
        ((MrPart *) (uintptr_t) mr_parts_at(w.parts, 1))->file.content = "2";
        lower_well(&w);
        assert_string_equal(fingerprint(&w), before);
        loud->file.content = "2";
        lower_well(&w);
        assert_string_not_equal(fingerprint(&w), before);
        loud->file.content = "1";
        mr_pairs_set(arena, &node->settings, "k", "v");
        lower_well(&w);
        assert_string_not_equal(fingerprint(&w), before);
        node->settings = (MrPairs){};
        node->version = "2.0";
        lower_well(&w);
        assert_string_not_equal(fingerprint(&w), before);
        node->version = "1.0";
        lower_well(&w);
        assert_string_equal(fingerprint(&w), before);
}

static void a_distribution_that_is_not_there(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "n");
        see_host(&w, "{\"distributions\": []}");
        lower_well(&w);
        assert_non_null(strstr(unit(&w, "n")->pending, "add it to distributions"));
        see_host(&w, "{\"distributions\": [{\"software\": \"fish\", \"version\": \"1.0\", "
                     "\"state\": \"failed\", \"message\": "
                     "\"wrong checksum\"}]}");
        lower_well(&w);
        assert_string_equal(unit(&w, "n")->pending,
                            "the distribution of fish 1.0, which is failed: wrong checksum");
        see_host(&w, "{\"distributions\": [{\"software\": \"fish\", \"version\": \"1.0\", "
                     "\"state\": \"ready\"}]}");
        lower_well(&w);
        assert_null(unit(&w, "n")->pending);
}

static const char *file_text(const World *w, const char *name) {
        return mr_manifests_find(w->out, "File", w->ns, name)->payload;
}

static void jars_are_found_by_name(void **state _unused_) {
        _cleanup_world_ w = world("default");

        see_host(&w,
                 "{\"distributions\": [{\"software\": \"fish\", \"version\": \"1.0\", \"state\": "
                 "\"ready\", \"directory\": \"/opt/fish\", \"libs\": [\"fin-other-1.jar\", "
                 "\"fin-1.2.jar\", \"gill.jar\"], \"extras\": \"/opt/more\", \"extra_jars\": "
                 "[\"gill-3.jar\"]}]}");
        add_node(&w, "c-fish-0");
        add_file(&w, "c-fish-0", "f", "@{jar:fin} @{jar:gill} @{jar:tail}", MR_EFFECT_NONE);
        lower_well(&w);
        assert_string_equal(file_text(&w, "c-fish-0/f"),
                            "/opt/fish/libs/fin-1.2.jar /opt/more/gill-3.jar "
                            "/opt/fish/libs/tail.jar");
}

static void labels_of_the_host(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "c-fish-0");
        add_file(&w, "c-fish-0", "f", "[@{label:zone}]", MR_EFFECT_NONE);
        add_file(&w, "c-fish-0", "g", "[@{variable:zone}]", MR_EFFECT_NONE);
        lower_well(&w);
        assert_string_equal(file_text(&w, "c-fish-0/f"), "[<label zone of the host>]");
        see_host(&w, "{\"labels\": {\"zone\": \"west\"}}");
        lower_well(&w);
        assert_string_equal(file_text(&w, "c-fish-0/f"), "[west]");
        assert_string_equal(file_text(&w, "c-fish-0/g"), "[west]");
        see_host(&w, "{\"labels\": {}}");
        lower_well(&w);
        assert_string_equal(file_text(&w, "c-fish-0/f"), "[]");
}

static void what_a_file_is_for_the_process(void **state _unused_) {
        _cleanup_world_ w = world("default");

        add_node(&w, "c-fish-0");
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_FILE,
                                       .file = {.node = "c-fish-0",
                                                .name = "secret",
                                                .content = "x",
                                                .is_private = true,
                                                .effect = MR_EFFECT_RELOAD}});
        add_file(&w, "c-fish-0", "f", "x", MR_EFFECT_RESTART);
        lower_well(&w);
        const MrManifest *secret = mr_manifests_find(w.out, "File", "default", "c-fish-0/secret");
        assert_true(secret->is_private && secret->reloads && !secret->restarts);
        const MrManifest *other = mr_manifests_find(w.out, "File", "default", "c-fish-0/f");
        assert_true(!other->is_private && !other->reloads && other->restarts);
}

/* A port for metrics that is taken already moves alone. */
static void endpoints_aside_move_alone(void **state _unused_) {
        static const char *const nodes[] = {"a-0", "b-0", "b-1"};
        _cleanup_world_ w = world("default");

        for (size_t i = 0; i < MR_ELEMENTS(nodes); i++) {
                add_node(&w, nodes[i]);
                add_endpoint(&w, nodes[i], "clients", i == 0 ? 1000 : 2000);
                mr_parts_add(w.parts, (MrPart){.kind = MR_PART_ENDPOINT,
                                               .endpoint = {.node = nodes[i],
                                                            .name = "metrics",
                                                            .group = "g",
                                                            .port = 9404,
                                                            .is_aside = true}});
        }
        lower_well(&w);
        assert_int_equal(port_of(&w, "a-0", "metrics"), 9404);
        assert_int_equal(port_of(&w, "b-0", "clients"), 2000);
        assert_int_equal(port_of(&w, "b-0", "metrics"), 9414);
        assert_int_equal(port_of(&w, "b-1", "clients"), 2010);
        assert_int_equal(port_of(&w, "b-1", "metrics"), 9424);
}

static void several_nodes_on_one_host_are_told(void **state _unused_) {
        _cleanup_world_ w = world("default");
        const char *reason, *message;

        add_node(&w, "a");
        lower_well(&w);
        assert_int_equal(mr_manifests_warnings(w.out), 0);
        add_node(&w, "b");
        add_node(&w, "c");
        lower_well(&w);
        assert_int_equal(mr_manifests_warnings(w.out), 1);
        mr_manifests_warning_at(w.out, 0, &reason, &message);
        assert_string_equal(reason, "SharedHost");
        assert_non_null(strstr(message, "all 3 nodes of c-fish"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_node_gets_the_standard_ports),
                cmocka_unit_test(what_was_given_once_stays),
                cmocka_unit_test(another_standard_port_makes_it_void),
                cmocka_unit_test(ports_of_others_are_taken),
                cmocka_unit_test(a_port_chosen_for_a_node_stays),
                cmocka_unit_test(a_port_chosen_twice_is_refused),
                cmocka_unit_test(a_port_of_somebody_else_is_refused),
                cmocka_unit_test(a_chosen_port_takes_a_remembered_one),
                cmocka_unit_test(ports_end_somewhere),
                cmocka_unit_test(a_volume_has_an_identity),
                cmocka_unit_test(an_empty_disk_of_a_new_node_is_welcome),
                cmocka_unit_test(an_empty_disk_of_a_known_node_stops_it),
                cmocka_unit_test(a_disk_that_is_gone_is_as_good_as_empty),
                cmocka_unit_test(what_may_be_empty_begins_anew),
                cmocka_unit_test(a_node_that_was_renewed_begins_anew),
                cmocka_unit_test(data_that_is_there_is_remembered),
                cmocka_unit_test(a_foreign_disk_stops_its_node),
                cmocka_unit_test(a_disk_that_is_too_small_is_told),
                cmocka_unit_test(what_exceeds_its_limit_is_told),
                cmocka_unit_test(a_limit_nobody_can_watch_is_told),
                cmocka_unit_test(a_full_disk_is_told),
                cmocka_unit_test(a_full_disk_of_a_class_is_told),
                cmocka_unit_test(only_some_volumes_go_with_their_node),
                cmocka_unit_test(a_file_has_its_references_resolved),
                cmocka_unit_test(a_missing_secret_keeps_the_node_waiting),
                cmocka_unit_test(references_that_lead_nowhere),
                cmocka_unit_test(another_namespace_has_names_of_its_own),
                cmocka_unit_test(a_unit_gathers_what_its_node_needs),
                cmocka_unit_test(the_fingerprint_decides_about_restarts),
                cmocka_unit_test(a_distribution_that_is_not_there),
                cmocka_unit_test(jars_are_found_by_name),
                cmocka_unit_test(labels_of_the_host),
                cmocka_unit_test(what_a_file_is_for_the_process),
                cmocka_unit_test(endpoints_aside_move_alone),
                cmocka_unit_test(several_nodes_on_one_host_are_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
