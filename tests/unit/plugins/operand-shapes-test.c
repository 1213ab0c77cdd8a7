/* Shapes of clusters as they change: ids of pools, roles, controllers, nodes that are left over,
 * versions of protocol and metadata. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "str.h"

#define LISTENERS "listeners: [{name: plain, port: 9092, type: internal, tls: false}]"
#define ZOOKEEPER_CLUSTER(version, config)                                                         \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\n"                 \
        "spec: {kafka: {version: " version ", replicas: 2, " LISTENERS ", config: {" config        \
        "}, storage: {type: persistent-claim, size: 1Gi}}, zookeeper: {replicas: 1, "              \
        "storage: {type: persistent-claim, size: 1Gi}}}\n"
#define KRAFT_CLUSTER(more)                                                                        \
        "apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\n"                      \
        "spec: {kafka: {" more LISTENERS "}}\n"
#define POOL(name, replicas, roles, annotations)                                                   \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: {name: " name        \
        ", labels: {strimzi.io/cluster: c}, annotations: {" annotations                            \
        "}}\nspec: {replicas: " replicas ", roles: [" roles                                        \
        "], storage: {type: persistent-claim, size: 1Gi}}\n"
#define RUNNING "{\"state\": \"running\"}"
/* A node of the cluster that was told its roles. */
#define TOLD(version, applied)                                                                     \
        "{\"state\": \"running\", \"owner\": \"default/c\", \"role\": \"kafka\", \"version\": "    \
        "\"" version "\", \"settings\": {" applied "}, \"applied\": {" applied "}}"
#define BROKER "\"process.roles\": \"broker\""
#define CONTROLLER "\"process.roles\": \"controller\""
#define BOTH "\"process.roles\": \"broker,controller\""

static World *world_of(const char *yaml) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        World *world = world_new();

        if (world_read(world, yaml, &err) < 0)
                fail_msg("%s: %s", err.path, err.message);
        return world;
}

static MrParts *parts_of(const World *world) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrParts *parts = mr_parts_new();

        if (world_parts(world, world_find(world, "Kafka", "c"), parts, &err) < 0)
                fail_msg("%s: %s", err.path ? err.path : "", err.message);
        return parts;
}

static void assert_refused(const World *world, const char *path, const char *message) {
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_true(world_parts(world, world_find(world, "Kafka", "c"), parts, &err) < 0);
        assert_int_equal(err.kind, MR_INVALID);
        if (path)
                assert_string_equal(err.path, path);
        if (!strstr(err.message, message))
                fail_msg("'%s' is not in '%s'", message, err.message);
}

static bool is_wanted(const MrParts *parts, const char *node) {
        return mr_parts_find_workload(parts, node) != NULL;
}

static const char *setting_of(const MrParts *parts, const char *node, const char *key) {
        const MrPart *part = mr_parts_find_workload(parts, node);

        if (!part)
                fail_msg("%s is not wanted", node);
        return mr_pairs_get(&part->workload.settings, key);
}

static bool is_warned(const MrParts *parts, const char *reason, const char *message) {
        for (size_t i = 0; i < mr_parts_warnings(parts); i++) {
                const char *found_reason, *found;
                mr_parts_warning_at(parts, i, &found_reason, &found);
                if (mr_streq(found_reason, reason) && strstr(found, message))
                        return true;
        }
        return false;
}

/* The nodes of the cluster, "c-a-0 c-a-2 …". */
static void assert_nodes(const World *world, const char *expected) {
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        _cleanup_buf_ MrBuf text = {};

        for (size_t i = 0; i < mr_parts_size(parts); i++)
                if (mr_parts_at(parts, i)->kind == MR_PART_WORKLOAD &&
                    mr_streq(mr_parts_at(parts, i)->workload.role, "kafka"))
                        mr_buf_printf(&text, "%s%s", text.size ? " " : "",
                                      mr_parts_at(parts, i)->workload.node);
        assert_string_equal(mr_buf_text(&text), expected);
}

static const MrNodeHealth *health_of(const World *world, MrArena *arena, const char *node) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrHealth health = {};

        if (world_health(world, world_find(world, "Kafka", "c"), arena, &health, &err) < 0)
                fail_msg("%s", err.message);
        for (size_t i = 0; i < health.n; i++)
                if (mr_streq(health.items[i].node, node))
                        return &health.items[i];
        return NULL;
}

/* --- ids */

static void next_ids_are_taken_in_their_order(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("") POOL(
                "a", "5", "broker", "strimzi.io/next-node-ids: \"[100-102, 7]\"")
                                                               POOL("b", "1", "controller", ""));

        assert_nodes(world, "c-a-0 c-a-7 c-a-100 c-a-101 c-a-102 c-b-1");
}

static void a_range_may_run_downwards(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("") POOL(
                "a", "2", "broker, controller", "strimzi.io/next-node-ids: \" [ 20 - 10 ] \""));

        assert_nodes(world, "c-a-19 c-a-20");
}

static void next_ids_that_others_have_are_passed_over(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("") POOL(
                "a", "2", "broker, controller", "") POOL("b", "2", "broker",
                                                         "strimzi.io/next-node-"
                                                         "ids: \"[0-3]\""));

        world_see_nodes(world, "{\"c-a-0\": " RUNNING ", \"c-a-1\": " RUNNING "}");
        assert_nodes(world, "c-a-0 c-a-1 c-b-2 c-b-3");
}

static void remove_ids_go_first(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("") POOL(
                "a", "2", "broker", "strimzi.io/remove-node-ids: \"[9, 1, 0-5]\"")
                                                               POOL("b", "1", "controller", ""));

        world_see_nodes(world,
                        "{\"c-a-0\": " RUNNING ", \"c-a-1\": " RUNNING ", \"c-a-2\": " RUNNING
                        ", \"c-a-4\": " RUNNING ", \"c-b-3\": " RUNNING "}");
        world_see_view(world, "kafka", "{\"partitions\": {\"hosted\": {\"4\": 1}}}");
        assert_nodes(world, "c-a-2 c-a-4 c-b-3");
}

static void ids_may_be_any_number(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "2", "broker, controller", ""));

        world_see_nodes(world, "{\"c-a-5000\": " RUNNING ", \"c-a-1-7\": " RUNNING
                               ", \"c-a-01\": " RUNNING "}");
        assert_nodes(world, "c-a-0 c-a-5000");
}

static void a_surplus_node_keeps_its_id_to_itself(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("") POOL(
                "a", "1", "broker, controller", "") POOL("b", "2", "broker", ""));

        world_see_nodes(world, "{\"c-a-0\": " RUNNING ", \"c-b-1\": " RUNNING
                               ", \"c-a-2\": " TOLD("4.3.1", BROKER) "}");
        world_see_view(world, "kafka", "{\"partitions\": {\"hosted\": {\"2\": 4}}}");
        assert_nodes(world, "c-a-0 c-b-1 c-b-3 c-a-2");
}

static void storage_that_outlived_its_node_is_taken_again(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "3", "broker, controller", ""));

        world_see_nodes(world, "{\"c-a-0\": " RUNNING ", \"c-a-1\": " RUNNING "}");
        world_see_claims(world, "{\"default/data-c-a-4\": {}, \"default/data-c-a-0\": {}}");
        assert_nodes(world, "c-a-0 c-a-1 c-a-4");
}

static void storage_left_over_displaces_no_node(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "2", "broker, controller", ""));

        world_see_nodes(world, "{\"c-a-1\": " RUNNING ", \"c-a-2\": " RUNNING "}");
        world_see_claims(world, "{\"default/data-c-a-0\": {}}");
        assert_nodes(world, "c-a-1 c-a-2");
}

static void ids_that_are_no_list_are_reported(void **state _unused_) {
        static const char *const wrong[] = {"1, 2", "[1",    "[1,]", "[a]",
                                            "[1-]", "[1 2]", "[] x", "[12345678901]"};

        for (size_t i = 0; i < MR_ELEMENTS(wrong); i++) {
                _cleanup_free_ char *yaml =
                        mr_strf("%s", KRAFT_CLUSTER("") POOL("a", "1", "broker, controller",
                                                             "strimzi.io/next-node-ids: \"@\""));
                char *at = strchr(yaml, '@');
                _cleanup_free_ char *text =
                        mr_strf("%.*s%s%s", (int) (at - yaml), yaml, wrong[i], at + 1);
                _cleanup_(world_freep) World *world = world_of(text);
                _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
                if (!is_warned(parts, "NodeIds", "strimzi.io/next-node-ids of pool a"))
                        fail_msg("'%s' was taken for a list", wrong[i]);
                assert_true(is_wanted(parts, "c-a-0"));
        }
}

static void an_empty_list_is_a_list(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("") POOL(
                "a", "1", "broker, controller", "strimzi.io/remove-node-ids: \"[ ]\""));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_int_equal(mr_parts_warnings(parts), 0);
}

/* --- roles */

static void a_broker_with_partitions_stays_a_broker(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("") POOL("a", "1", "controller", "") POOL("b", "1", "broker", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-1\": " TOLD("4.3.1",
                                                                                       BROKER) "}");
        world_see_view(world, "kafka",
                       "{\"partitions\": {\"hosted\": {\"0\": 3}}, \"quorum\": "
                       "{\"voters\": {\"0\": {}}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "c-a-0", "process.roles"), "broker,controller");
        assert_true(is_warned(parts, "RoleChange", "c-a-0 stays a broker: it hosts partitions"));
}

static void an_empty_broker_may_become_a_controller_only(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("") POOL("a", "1", "controller", "") POOL("b", "1", "broker", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-1\": " TOLD("4.3.1",
                                                                                       BROKER) "}");
        world_see_view(world, "kafka",
                       "{\"partitions\": {\"hosted\": {\"1\": 3}}, \"quorum\": "
                       "{\"voters\": {\"0\": {}}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "c-a-0", "process.roles"), "controller");
        assert_int_equal(mr_parts_warnings(parts), 0);
}

static void roles_are_kept_while_nothing_is_known(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("") POOL("a", "1", "controller", "") POOL("b", "1", "broker", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-1\": " TOLD("4.3.1",
                                                                                       BROKER) "}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "c-a-0", "process.roles"), "broker,controller");
        assert_true(is_warned(parts, "RoleChange", "not known yet"));
}

static void a_controller_stays_a_controller(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("") POOL("a", "1", "broker", "") POOL("b", "1", "controller", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-1\": " TOLD(
                                       "4.3.1", CONTROLLER) "}");
        world_see_view(world, "kafka", "{\"quorum\": {\"voters\": {\"0\": {}, \"1\": {}}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "c-a-0", "process.roles"), "broker,controller");
        assert_true(is_warned(parts, "RoleChange", "c-a-0 stays a controller"));
}

static void a_broker_does_not_become_a_controller(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("version: 3.9.1, ") POOL(
                "a", "1", "broker, controller", "") POOL("b", "1", "controller", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("3.9.1", BROKER) ", \"c-b-1\": " TOLD(
                                       "3.9.1", CONTROLLER
                                       ", \"controller.quorum.voters\": \"1@h:9090\"") "}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "c-a-0", "process.roles"), "broker");
        assert_true(is_warned(parts, "RoleChange", "c-a-0 stays a broker only"));
        assert_null(strstr(setting_of(parts, "c-b-1", "controller.quorum.voters"), "c-a-0"));
}

static void a_controller_may_become_a_broker_as_well(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", CONTROLLER) "}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "c-a-0", "process.roles"), "broker,controller");
        assert_int_equal(mr_parts_warnings(parts), 0);
}

/* --- the quorum */

static void a_founder_that_has_no_claim_yet_is_still_a_founder(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "3", "broker, controller", ""));

        /* The daemon ended after the first claim: nothing has been formatted. */
        world_see_claims(world, "{\"default/data-c-a-0\": {\"quorum\": \"kraft-dynamic\", "
                                "\"directory_id\": \"AAAAAAAAAAAAAAAAAAAAAA\"}}");
        assert_nodes(world, "c-a-0 c-a-1 c-a-2");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_int_equal(mr_parts_warnings(parts), 0);
}

static void a_new_controller_waits_until_it_is_known_who_votes(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "2", "broker, controller", ""));

        world_see_claims(world,
                         "{\"default/data-c-a-0\": {\"quorum\": \"kraft-dynamic\", "
                         "\"directory_id\": \"AAAAAAAAAAAAAAAAAAAAAA\", \"prepared\": true}}");
        assert_nodes(world, "c-a-0");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_true(is_warned(parts, "ControllerScaling",
                              "c-a-1 is not made: it is not known yet who votes"));
}

static void who_joined_without_a_vote_has_no_directory_of_the_quorum(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "2", "broker, controller", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) "}");
        world_see_view(world, "kafka", "{\"quorum\": {\"voters\": {\"0\": {}}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_null(parts_find(parts, MR_PART_VOLUME, "c-a-1", "data")->volume.directory_id);
        assert_non_null(parts_find(parts, MR_PART_VOLUME, "c-a-0", "data")->volume.directory_id);
}

static void a_joined_controller_without_a_vote_may_go(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""));

        world_see_nodes(world,
                        "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-a-1\": " TOLD("4.3.1", BOTH) "}");
        world_see_view(world, "kafka",
                       "{\"partitions\": {\"hosted\": {}}, \"quorum\": "
                       "{\"voters\": {\"0\": {}}}}");
        assert_nodes(world, "c-a-0");
}

#define SPEAKS(port)                                                                               \
        BOTH ", \"controller.listener.names\": \"CONTROLPLANE-9090\", "                            \
             "\"advertised.listeners\": \"PLAIN-9092://h:1,CONTROLPLANE-9090://h:" port "\""
#define VOTER "{\"lag\": 0, \"last_caught_up_ms\": 1000}"

/* "KEY=VALUE KEY …" of all settings with this scope. */
static char *members_of(const MrParts *parts, const char *scope) {
        _cleanup_buf_ MrBuf out = {};

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind != MR_PART_SETTING || !mr_streq(part->setting.scope, scope))
                        continue;
                mr_buf_printf(&out, "%s%s%s%s", out.size > 0 ? " " : "", part->setting.key,
                              part->setting.value ? "=" : "",
                              part->setting.value ? part->setting.value : "");
        }
        return mr_buf_take(&out);
}

static void assert_members(const World *world, const char *scope, const char *expected) {
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        _cleanup_free_ char *members = members_of(parts, scope);

        assert_string_equal(members ? members : "", expected);
}

#define THREE                                                                                      \
        "{\"c-a-0\": " TOLD("4.3.1", SPEAKS("2")) ", \"c-a-1\": " TOLD(                            \
                "4.3.1", SPEAKS("3")) ", \"c-a-2\": " TOLD("4.3.1", SPEAKS("4")) "}"

/* Of a cluster that is to have this many controllers and has three. */
static void assert_votes(const char *yaml, const char *view, const char *expected) {
        _cleanup_(world_freep) World *world = world_of(yaml);

        world_see_nodes(world, THREE);
        world_see_view(world, "kafka", view);
        assert_nodes(world, "c-a-0 c-a-1 c-a-2");
        assert_members(world, "voter/", expected);
}

static void who_follows_gets_a_vote(void **state _unused_) {
        static const char yaml[] = KRAFT_CLUSTER("") POOL("a", "3", "broker, controller", "");

        assert_votes(yaml,
                     "{\"quorum\": {\"leader\": 0, \"voters\": {\"0\": " VOTER "}}, "
                     "\"voters\": {\"\": {\"0/d0\": \"votes\"}}, "
                     "\"observers\": {\"1\": {\"directory\": \"d1\", \"lag\": 100000}}}",
                     "");
        assert_votes(yaml,
                     "{\"quorum\": {\"leader\": 0, \"voters\": {\"0\": " VOTER "}}, "
                     "\"voters\": {\"\": {\"0/d0\": \"votes\"}}, "
                     "\"observers\": {\"1\": {\"directory\": \"d1\", \"lag\": 3}, "
                     "\"2\": {\"directory\": \"d2\", \"lag\": 0}}}",
                     "1/d1=CONTROLPLANE-9090://h:3");
}

static void who_leaves_loses_its_vote_first(void **state _unused_) {
        static const char yaml[] = KRAFT_CLUSTER("") POOL("a", "2", "broker, controller", "");

#define VIEW(one)                                                                                  \
        "{\"partitions\": {\"hosted\": {}}, \"quorum\": {\"leader\": 0, \"voters\": "              \
        "{\"0\": " VOTER ", \"1\": " one ", \"2\": " VOTER "}}, "                                  \
        "\"voters\": {\"\": {\"0/d0\": \"votes\", \"1/d1\": \"votes\", \"2/d2\": \"votes\"}}}"
        assert_votes(yaml, VIEW(VOTER), "2/d2");
        /* Without a majority of the others it keeps it. */
        assert_votes(yaml, VIEW("{\"lag\": -1, \"last_caught_up_ms\": -1}"), "");
}

/* One that is left is a majority of itself, if it has everything. */
static void of_two_controllers_one_may_leave(void **state _unused_) {
        static const char yaml[] = KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""),
                          nodes[] = "{\"c-a-0\": " TOLD("4.3.1", SPEAKS("2")) ", \"c-a-1\": " TOLD(
                                  "4.3.1", SPEAKS("3")) "}";

        for (int is_late = 0; is_late < 2; is_late++) {
                _cleanup_(world_freep) World *world = world_of(yaml);
                _cleanup_free_ char *view =
                        mr_strf("{\"partitions\": {\"hosted\": {}}, \"quorum\": {\"leader\": 1, "
                                "\"voters\": {\"0\": %s, \"1\": " VOTER "}}, "
                                "\"voters\": {\"\": {\"0/d0\": \"votes\", \"1/d1\": \"votes\"}}}",
                                is_late ? "{\"lag\": 9, \"last_caught_up_ms\": -1}" : VOTER);
                world_see_nodes(world, nodes);
                world_see_view(world, "kafka", view);
                assert_members(world, "voter/", is_late ? "" : "1/d1");
        }
}

static void a_broker_that_is_gone_is_not_registered(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""));

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-5\": " TOLD("4.3.1",
                                                                                       BROKER) "}");
        world_see_view(world, "kafka",
                       "{\"partitions\": {\"hosted\": {\"8\": 1}}, \"quorum\": {\"leader\": 0, "
                       "\"voters\": {\"0\": " VOTER "}}, \"registrations\": {\"\": {\"0\": "
                       "\"fenced\", \"5\": \"fenced\", \"7\": \"fenced\", \"8\": "
                       "\"fenced\"}}}");
        assert_members(world, "registration/", "7");
}

static void old_metadata_means_a_static_quorum(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("version: 4.1.1, metadataVersion: \"3.8\", ")
                                 POOL("a", "1", "broker, controller", ""));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_string_equal(parts_find(parts, MR_PART_VOLUME, "c-a-0", "data")->volume.quorum,
                            "kraft-static");
}

/* --- nodes that are left over */

static void a_leftover_goes_when_nothing_is_on_it(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""));
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-1\": " TOLD(
                                       "4.3.1", BROKER) ", \"c-b-2\": " TOLD("4.3.1", BROKER) "}");
        world_see_view(world, "kafka", "{\"partitions\": {\"hosted\": {\"0\": 1, \"2\": 5}}}");
        assert_true(health_of(world, arena, "c-b-1")->may_stop);
        assert_false(health_of(world, arena, "c-b-2")->may_stop);
        assert_non_null(strstr(health_of(world, arena, "c-b-2")->in_the_way, "5 partitions"));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_true(is_warned(parts, "ScaleDownPreventionCheck", "c-b-2 hosts 5 partitions"));
}

static void a_leftover_stays_while_nothing_is_known(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""));
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-1\": " TOLD("4.3.1",
                                                                                       BROKER) "}");
        world_see_view(world, "kafka",
                       "{\"error\": \"no answer\", \"partitions\": {\"hosted\": {}}}");
        assert_false(health_of(world, arena, "c-b-1")->may_stop);
}

static void a_leftover_that_votes_stays(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""));
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) ", \"c-b-1\": " TOLD(
                                       "4.3.1", CONTROLLER) "}");
        world_see_view(world, "kafka",
                       "{\"partitions\": {\"hosted\": {}}, \"quorum\": "
                       "{\"voters\": {\"0\": {}, \"1\": {}}}}");
        assert_false(health_of(world, arena, "c-b-1")->may_stop);
        assert_non_null(strstr(health_of(world, arena, "c-b-1")->in_the_way, "votes"));
}

static void what_others_made_is_no_leftover(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") POOL("a", "1", "broker, controller", ""));
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        world_see_nodes(world, "{\"c-b-1\": {\"state\": \"running\", \"owner\": \"default/d\", "
                               "\"role\": \"kafka\"}, \"c-zookeeper-0\": {\"state\": \"running\", "
                               "\"owner\": \"default/c\", \"role\": \"zookeeper\"}}");
        assert_null(health_of(world, arena, "c-b-1"));
        assert_null(health_of(world, arena, "c-zookeeper-0"));
}

/* --- storage */

#define STORED(storage)                                                                            \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: {name: a, labels: "  \
        "{strimzi.io/cluster: c}}\nspec: {replicas: 1, roles: [broker, controller], "              \
        "storage: " storage "}\n"
#define JBOD(volumes) "{type: jbod, volumes: [" volumes "]}"
#define DISK(id, size) "{id: " id ", type: persistent-claim, size: " size "}"
#define MADE(id, more)                                                                             \
        "\"default/data-" id "-c-a-0\": {\"node\": \"c-a-0\", \"directory\": \"/d/" id "\"" more "}"

static const MrVolume *volume_of(const MrParts *parts, const char *name) {
        const MrPart *part = parts_find(parts, MR_PART_VOLUME, "c-a-0", name);

        return part ? &part->volume : NULL;
}

static void a_node_may_have_a_class_of_its_own(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(KRAFT_CLUSTER("") STORED(
                "{type: persistent-claim, size: 1Gi, class: slow, overrides: [{broker: 0, class: "
                "fast}, {broker: 1, class: other}]}"));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_string_equal(volume_of(parts, "data")->storage_class, "fast");
}

static void what_a_disk_is_stays(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("") STORED("{type: persistent-claim, size: 1Gi, class: fast}"));

        world_see_claims(world, "{\"default/data-c-a-0\": {\"node\": \"c-a-0\", \"storage_class\": "
                                "\"slow\", \"ephemeral\": true, \"size\": 5}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(volume_of(parts, "data")->storage_class, "slow");
        assert_true(volume_of(parts, "data")->is_ephemeral);
        assert_true(is_warned(parts, "StorageChange", "data-c-a-0 stays in class slow"));
        assert_true(is_warned(parts, "StorageChange", "data-c-a-0 stays ephemeral"));
}

static void a_disk_grows_and_does_not_shrink(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") STORED(JBOD(DISK("0", "1Gi") ", " DISK("1", "3Gi"))));

        world_see_claims(world, "{" MADE("0", ", \"size\": 2147483648") ", " MADE(
                                        "1", ", \"size\": 2147483648") "}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_int_equal(volume_of(parts, "data-0")->size, UINT64_C(2) << 30);
        assert_int_equal(volume_of(parts, "data-1")->size, UINT64_C(3) << 30);
        assert_true(is_warned(parts, "StorageChange", "data-0-c-a-0 keeps its size"));
}

static void a_volume_goes_when_no_replica_is_on_it(void **state _unused_) {
        static const struct {
                const char *log_dirs, *why; /* NULL: it goes */
        } cases[] = {
                {"{}", "not known yet"},
                {"{\"0\": {\"/d/0/kafka-log0\": 1}}", "not known yet"},
                {"{\"0\": {\"/d/1/kafka-log0\": -1}}", "not known yet"},
                {"{\"1\": {\"/d/1/kafka-log0\": 0}}", "not known yet"},
                {"{\"0\": {\"/d/1/kafka-log0\": 3}}", "3 replicas are on it"},
                {"{\"0\": {\"/d/1/kafka-log0\": 0, \"/d/10/kafka-log0\": 4}}", NULL},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(world_freep) World *world =
                        world_of(KRAFT_CLUSTER("") STORED(JBOD(DISK("0", "1Gi"))));
                _cleanup_free_ char *view = mr_strf("{\"log_dirs\": %s}", cases[i].log_dirs);
                world_see_nodes(world, "{\"c-a-0\": " TOLD("4.3.1", BOTH) "}");
                world_see_claims(world, "{" MADE("0", "") ", " MADE("1", ", \"size\": 7") "}");
                world_see_view(world, "kafka", view);
                _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
                assert_int_equal(volume_of(parts, "data-1") != NULL, cases[i].why != NULL);
                if (cases[i].why && !is_warned(parts, "StorageChange", cases[i].why))
                        fail_msg("no warning of '%s' with %s", cases[i].why, cases[i].log_dirs);
        }
}

static void the_metadata_of_a_controller_stays(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") STORED(JBOD(DISK("0", "1Gi") ", " DISK("1", "1Gi"))));

        world_see_claims(world,
                         "{" MADE("1", ", \"directory_id\": \"AAAAAAAAAAAAAAAAAAAAAA\"") "}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "c-a-0", "metadata.log.dir"),
                            "@{dir:data-1}/kafka-log0");
        assert_string_equal(volume_of(parts, "data-1")->directory_id, "AAAAAAAAAAAAAAAAAAAAAA");
        assert_null(volume_of(parts, "data-0")->directory_id);
}

static void storage_of_another_form_is_refused(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") STORED(JBOD(DISK("0", "1Gi"))));

        world_see_claims(world, "{\"default/data-c-a-0\": {\"node\": \"c-a-0\"}}");
        assert_refused(world, NULL, "its data is in data-c-a-0");
}

static void a_claim_of_an_earlier_life_is_none_of_ours(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("") STORED(JBOD(DISK("0", "1Gi"))));

        world_see_claims(world, "{\"default/data-1-c-a-0\": {\"directory\": \"/d/1\"}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_null(volume_of(parts, "data-1"));
        assert_int_equal(mr_parts_warnings(parts), 0);
}

/* --- versions */

#define PROTOCOL "inter.broker.protocol.version"
#define SPOKE(protocol) "\"" PROTOCOL "\": \"" protocol "\""

static void assert_protocol(const World *world, const char *expected) {
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_string_equal(setting_of(parts, "c-kafka-0", PROTOCOL), expected);
}

static void the_protocol_is_that_of_the_release(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("3.8.1", ""));

        assert_protocol(world, "3.8");
}

static void the_protocol_follows_when_every_broker_runs_the_release(void **state _unused_) {
        _cleanup_(world_freep) World *before = world_of(ZOOKEEPER_CLUSTER("3.9.1", ""));
        _cleanup_(world_freep) World *after = world_of(ZOOKEEPER_CLUSTER("3.9.1", ""));

        world_see_nodes(before,
                        "{\"c-kafka-0\": " TOLD("3.9.1", SPOKE("3.8")) ", \"c-kafka-1\": " TOLD(
                                "3.8.1", SPOKE("3.8")) "}");
        assert_protocol(before, "3.8");
        world_see_nodes(after,
                        "{\"c-kafka-0\": " TOLD("3.9.1", SPOKE("3.8")) ", \"c-kafka-1\": " TOLD(
                                "3.9.1", SPOKE("3.8")) "}");
        assert_protocol(after, "3.9");
}

static void a_protocol_that_was_asked_for_is_used(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(ZOOKEEPER_CLUSTER("3.9.1", PROTOCOL ": \"3.8\""));

        assert_protocol(world, "3.8");
}

static void a_protocol_the_release_does_not_speak_is_refused(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(ZOOKEEPER_CLUSTER("3.8.1", PROTOCOL ": \"3.9\""));

        assert_refused(world, "spec.kafka.config." PROTOCOL, "no protocol newer than 3.8");
}

static void the_protocol_never_goes_back(void **state _unused_) {
        _cleanup_(world_freep) World *release = world_of(ZOOKEEPER_CLUSTER("3.8.1", ""));
        _cleanup_(world_freep) World *asked =
                world_of(ZOOKEEPER_CLUSTER("3.9.1", PROTOCOL ": 3.8-IV0"));

        world_see_nodes(release, "{\"c-kafka-1\": " TOLD("3.9.1", SPOKE("3.9")) "}");
        assert_refused(release, "spec.kafka.version", "at least 3.9");
        world_see_nodes(asked, "{\"c-kafka-1\": " TOLD("3.9.1", SPOKE("3.9")) "}");
        assert_refused(asked, "spec.kafka.config." PROTOCOL, "protocol 3.9 already");
}

static const char *format_argument(const MrParts *parts, const char *node, const char *option) {
        const MrStrings *arguments =
                &mr_parts_find_workload(parts, node)->workload.prepare_arguments;

        for (size_t i = 0; i + 1 < arguments->n; i++)
                if (mr_streq(arguments->items[i], option))
                        return arguments->items[i + 1];
        return NULL;
}

static void a_short_metadata_version_is_the_newest_of_its_release(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("version: 4.1.1, metadataVersion: \"4.0\", ")
                                 POOL("a", "1", "broker, controller", ""));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_string_equal(format_argument(parts, "c-a-0", "-r"), "4.0-IV3");
}

static void metadata_a_release_does_not_know_is_refused(void **state _unused_) {
        _cleanup_(world_freep) World *newer =
                world_of(KRAFT_CLUSTER("version: 4.0.0, metadataVersion: \"4.1\", ")
                                 POOL("a", "1", "broker, controller", ""));
        _cleanup_(world_freep) World *older =
                world_of(KRAFT_CLUSTER("version: 4.0.0, metadataVersion: \"3.2\", ")
                                 POOL("a", "1", "broker, controller", ""));

        assert_refused(newer, "spec.kafka.metadataVersion", "one up to 4.0-IV3");
        assert_refused(older, "spec.kafka.metadataVersion", "3.3-IV3 or a newer");
}

static void metadata_never_goes_back(void **state _unused_) {
        _cleanup_(world_freep) World *release = world_of(
                KRAFT_CLUSTER("version: 4.0.0, ") POOL("a", "1", "broker, controller", ""));
        _cleanup_(world_freep) World *asked =
                world_of(KRAFT_CLUSTER("version: 4.1.1, metadataVersion: \"4.0\", ")
                                 POOL("a", "1", "broker, controller", ""));

        world_see_view(release, "kafka", "{\"features\": {\"\": {\"metadata.version\": \"27\"}}}");
        assert_refused(release, "spec.kafka.version", "has version 4.1-IV1");
        world_see_view(asked, "kafka", "{\"features\": {\"\": {\"metadata.version\": \"27\"}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(asked);
        assert_true(is_warned(parts, "MetadataVersion", "stays at version 4.1-IV1"));
}

static void metadata_follows_when_every_node_runs_the_release(void **state _unused_) {
        static const struct {
                const char *version, *level, *expected;
        } cases[] = {
                {"4.1.1", "25", "27"},
                {"4.0.2", "25", NULL},
                {"4.1.1", "27", NULL},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(world_freep) World *world = world_of(
                        KRAFT_CLUSTER("version: 4.1.1, ") POOL("a", "1", "broker, controller", ""));
                _cleanup_free_ char *nodes =
                        mr_strf("{\"c-a-0\": {\"state\": \"running\", \"version\": \"%s\", "
                                "\"applied\": {" BOTH "}}}",
                                cases[i].version);
                _cleanup_free_ char *view = mr_strf(
                        "{\"features\": {\"\": {\"metadata.version\": \"%s\"}}}", cases[i].level);
                world_see_nodes(world, nodes);
                world_see_view(world, "kafka", view);
                _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
                const MrPart *part =
                        parts_find(parts, MR_PART_SETTING, "feature/", "metadata.version");
                assert_int_equal(part != NULL, cases[i].expected != NULL);
                if (part)
                        assert_string_equal(part->setting.value, cases[i].expected);
        }
}

/* Before 4.0 nobody can see who is registered, so one that left then is still there. */
static void metadata_wait_until_who_left_is_not_registered(void **state _unused_) {
        static const char *const registered[] = {"", ", \"3\": \"fenced\""};

        for (size_t i = 0; i < MR_ELEMENTS(registered); i++) {
                _cleanup_(world_freep) World *world = world_of(
                        KRAFT_CLUSTER("version: 4.1.1, ") POOL("a", "1", "broker, controller", ""));
                _cleanup_free_ char *view = mr_strf(
                        "{\"features\": {\"\": {\"metadata.version\": \"25\"}}, \"partitions\": "
                        "{\"hosted\": {}}, \"registrations\": {\"\": {\"0\": \"active\"%s}}}",
                        registered[i]);
                world_see_nodes(world, "{\"c-a-0\": " TOLD("4.1.1", BOTH) "}");
                world_see_view(world, "kafka", view);
                _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
                assert_int_equal(
                        !parts_find(parts, MR_PART_SETTING, "feature/", "metadata.version"),
                        i == 1);
                assert_int_equal(!parts_find(parts, MR_PART_SETTING, "registration/", "3"), i == 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(next_ids_are_taken_in_their_order),
                cmocka_unit_test(a_range_may_run_downwards),
                cmocka_unit_test(next_ids_that_others_have_are_passed_over),
                cmocka_unit_test(remove_ids_go_first),
                cmocka_unit_test(ids_may_be_any_number),
                cmocka_unit_test(a_surplus_node_keeps_its_id_to_itself),
                cmocka_unit_test(storage_that_outlived_its_node_is_taken_again),
                cmocka_unit_test(storage_left_over_displaces_no_node),
                cmocka_unit_test(ids_that_are_no_list_are_reported),
                cmocka_unit_test(an_empty_list_is_a_list),
                cmocka_unit_test(a_broker_with_partitions_stays_a_broker),
                cmocka_unit_test(an_empty_broker_may_become_a_controller_only),
                cmocka_unit_test(roles_are_kept_while_nothing_is_known),
                cmocka_unit_test(a_controller_stays_a_controller),
                cmocka_unit_test(a_broker_does_not_become_a_controller),
                cmocka_unit_test(a_controller_may_become_a_broker_as_well),
                cmocka_unit_test(a_founder_that_has_no_claim_yet_is_still_a_founder),
                cmocka_unit_test(a_new_controller_waits_until_it_is_known_who_votes),
                cmocka_unit_test(who_joined_without_a_vote_has_no_directory_of_the_quorum),
                cmocka_unit_test(a_joined_controller_without_a_vote_may_go),
                cmocka_unit_test(who_follows_gets_a_vote),
                cmocka_unit_test(who_leaves_loses_its_vote_first),
                cmocka_unit_test(of_two_controllers_one_may_leave),
                cmocka_unit_test(a_broker_that_is_gone_is_not_registered),
                cmocka_unit_test(old_metadata_means_a_static_quorum),
                cmocka_unit_test(a_leftover_goes_when_nothing_is_on_it),
                cmocka_unit_test(a_leftover_stays_while_nothing_is_known),
                cmocka_unit_test(a_leftover_that_votes_stays),
                cmocka_unit_test(what_others_made_is_no_leftover),
                cmocka_unit_test(a_node_may_have_a_class_of_its_own),
                cmocka_unit_test(what_a_disk_is_stays),
                cmocka_unit_test(a_disk_grows_and_does_not_shrink),
                cmocka_unit_test(a_volume_goes_when_no_replica_is_on_it),
                cmocka_unit_test(the_metadata_of_a_controller_stays),
                cmocka_unit_test(storage_of_another_form_is_refused),
                cmocka_unit_test(a_claim_of_an_earlier_life_is_none_of_ours),
                cmocka_unit_test(the_protocol_is_that_of_the_release),
                cmocka_unit_test(the_protocol_follows_when_every_broker_runs_the_release),
                cmocka_unit_test(a_protocol_that_was_asked_for_is_used),
                cmocka_unit_test(a_protocol_the_release_does_not_speak_is_refused),
                cmocka_unit_test(the_protocol_never_goes_back),
                cmocka_unit_test(a_short_metadata_version_is_the_newest_of_its_release),
                cmocka_unit_test(metadata_a_release_does_not_know_is_refused),
                cmocka_unit_test(metadata_never_goes_back),
                cmocka_unit_test(metadata_follows_when_every_node_runs_the_release),
                cmocka_unit_test(metadata_wait_until_who_left_is_not_registered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
