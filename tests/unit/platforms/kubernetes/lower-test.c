/* Parts become the objects of a Kubernetes API, through the front door of both platforms with one.
 */

#include <errno.h>
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

static World world(const char *platform) {
        return (World){.platform = platform_load(platform),
                       .parts = mr_parts_new(),
                       .facts = facts_new(1, platform),
                       .out = mr_manifests_new()};
}

static int lower(World *w, MrError *err) {
        mr_manifests_free(w->out);
        w->out = mr_manifests_new();
        int r = w->platform->platform->lower(w->platform->platform, "ns", w->parts, w->facts,
                                             w->out, err);
        return r < 0 ? r
                     : w->platform->platform->lower_secrets(w->platform->platform, "ns", w->parts,
                                                            w->facts, w->out, err);
}

static void must_lower(World *w) {
        _cleanup_error_ MrError err = {};

        if (lower(w, &err) < 0)
                fail_msg("%s", err.message);
}

static void add_node(World *w, const char *node) {
        MrWorkload workload = {.node = node,
                               .role = "db",
                               .group = "c-db",
                               .software = "db",
                               .version = "1.0.0",
                               .main_class = "a.Main",
                               .service = "c-nodes",
                               .account = "c",
                               .stop_timeout_sec = 30};

        mr_pairs_set(mr_parts_arena(w->parts), &workload.selector, "node", node);
        mr_parts_add(w->parts, (MrPart){.kind = MR_PART_WORKLOAD, .workload = workload});
        mr_parts_add(w->parts, (MrPart){.kind = MR_PART_ENDPOINT,
                                        .endpoint = {.node = node,
                                                     .name = "tcp-out",
                                                     .port = 32001,
                                                     .inner_port = 9094,
                                                     .is_ready_check = true}});
}

static MrPart *add_file(World *w, const char *name, const char *content, MrFileEffect effect) {
        return mr_parts_add(
                w->parts,
                (MrPart){
                        .kind = MR_PART_FILE,
                        .file = {.node = "n", .name = name, .content = content, .effect = effect}});
}

static void add_service(World *w, MrReach reach, MrRouting routing) {
        static const MrServicePort port = {.name = "tcp-out", .port = 9094};

        mr_parts_add(w->parts, (MrPart){.kind = MR_PART_SERVICE,
                                        .service = {.name = "c-out-0",
                                                    .route = "c-out-0",
                                                    .node = "n",
                                                    .reach = reach,
                                                    .routing = routing,
                                                    .ports = &port,
                                                    .n_ports = 1}});
}

static void see_host(World *w, const char *json) {
        mr_tree_free(w->host);
        assert_int_equal(mr_json_read(json, strlen(json), NULL, &w->host, NULL), 0);
        facts_set_host(w->facts, w->host);
}

static const MrManifest *find(const World *w, const char *kind, const char *name) {
        return mr_manifests_find(w->out, kind, "ns", name);
}

static const char *text_at(const World *w, const char *kind, const char *name, const char *path) {
        const MrManifest *manifest = find(w, kind, name);

        assert_non_null(manifest);
        return mr_tree_string(mr_tree_find(manifest->body, path, false));
}

static int64_t number_at(const World *w, const char *kind, const char *name, const char *path) {
        const MrManifest *manifest = find(w, kind, name);

        assert_non_null(manifest);
        return mr_tree_int(mr_tree_find(manifest->body, path, false), -1);
}

static void a_secret_never_gets_into_a_config_map(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        facts_add_secret(w.facts, "s", "k", "hunter2");
        add_file(&w, "plain", "a=b\n", MR_EFFECT_NONE);
        add_file(&w, "mixed", "password=@{secret:s/k}\n", MR_EFFECT_NONE);
        add_file(&w, "whole", "@{secret:s/k}", MR_EFFECT_NONE);
        must_lower(&w);
        for (size_t i = 0; i < mr_manifests_size(w.out); i++) {
                _cleanup_buf_ MrBuf text = {};
                mr_json_write(mr_manifests_at(w.out, i)->body, 0, &text);
                assert_null(strstr(mr_buf_text(&text), "hunter2"));
        }
        assert_string_equal(text_at(&w, "ConfigMap", "n", "data.plain"), "a=b\n");
        assert_null(text_at(&w, "ConfigMap", "n", "data.mixed"));
        /* What is nothing but a secret is mounted from where it is. */
        const MrManifest *own = find(&w, "Secret", "n-files");
        assert_true(own->is_secret);
        assert_non_null(strstr(own->payload, "password=hunter2"));
        assert_null(strstr(own->payload, "whole"));
        const char *sources = "spec.template.spec.volumes[node].projected.sources";
        const MrTree *list = mr_tree_find(find(&w, "StatefulSet", "n")->body, sources, false);
        assert_int_equal(mr_tree_size(list), 3);
        assert_string_equal(mr_tree_string(mr_tree_find(mr_tree_at(list, 2), "secret.name", false)),
                            "s");
}

static const char *fingerprint(const World *w) {
        return text_at(w, "StatefulSet", "n",
                       "spec.template.metadata.annotations[\"millrace.io/fingerprint\"]");
}

static void only_what_needs_a_restart_changes_the_fingerprint(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        MrPart *soft = add_file(&w, "soft", "1", MR_EFFECT_NONE),
               *hard = add_file(&w, "hard", "1", MR_EFFECT_RESTART);
        must_lower(&w);
        _cleanup_free_ char *first = mr_strdup(fingerprint(&w));
        soft->file.content = "2";
        must_lower(&w);
        assert_string_equal(fingerprint(&w), first);
        assert_string_equal(mr_manifests_node_at(w.out, 0)->fingerprint, first);
        hard->file.content = "2";
        must_lower(&w);
        _cleanup_free_ char *second = mr_strdup(fingerprint(&w));
        assert_string_not_equal(second, first);
        /* Static settings stand in files that need none. */
        MrPart *node = mr_parts_edit(w.parts, 0);
        mr_pairs_set(mr_parts_arena(w.parts), &node->workload.settings, "a", "b");
        must_lower(&w);
        assert_string_not_equal(fingerprint(&w), second);
}

static void what_is_missing_is_waited_for(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        add_file(&w, "whole", "@{secret:s/k}", MR_EFFECT_RESTART);
        must_lower(&w);
        assert_string_equal(find(&w, "StatefulSet", "n")->pending, "secret s");
        assert_string_equal(fingerprint(&w), "pending");
        assert_null(mr_manifests_node_at(w.out, 0)->fingerprint);
        assert_null(find(&w, "ConfigMap", "n")->pending);
}

static void a_name_too_long_for_its_pod_is_refused(void **state _unused_) {
        static const char name[] = "a123456789b123456789c123456789d123456789e123456789f12";
        _cleanup_world_ w = world("kubernetes");
        _cleanup_error_ MrError err = {};

        assert_int_equal(strlen(name), 53);
        add_node(&w, name);
        assert_true(lower(&w, &err) < 0);
        assert_non_null(strstr(err.message, "52 characters"));
        _cleanup_world_ shorter = world("kubernetes");
        add_node(&shorter, name + 1);
        must_lower(&shorter);
}

static const char *file_of(World *w) {
        must_lower(w);
        return text_at(w, "ConfigMap", "n", "data.f");
}

static void clients_are_led_through_the_service_of_the_node(void **state _unused_) {
        static const char text[] = "@{host:n/tcp-out}:@{port:n/tcp-out} @{addr:n} @{bind:tcp-out}";
        _cleanup_world_ inside = world("kubernetes"), balanced = world("kubernetes"),
                        routed = world("openshift"), bare = world("kubernetes");

        add_node(&bare, "n");
        add_file(&bare, "f", text, MR_EFFECT_NONE);
        assert_string_equal(file_of(&bare), "n-0.c-nodes.ns.svc:9094 n-0.c-nodes.ns.svc 9094");
        add_node(&inside, "n");
        add_service(&inside, MR_REACH_INSIDE, MR_ROUTING_NONE);
        add_file(&inside, "f", text, MR_EFFECT_NONE);
        assert_string_equal(file_of(&inside), "c-out-0.ns.svc:9094 n-0.c-nodes.ns.svc 9094");
        add_node(&routed, "n");
        add_service(&routed, MR_REACH_INSIDE, MR_ROUTING_ROUTE);
        add_file(&routed, "f", text, MR_EFFECT_NONE);
        see_host(&routed, "{\"services\": {\"ns/c-out-0\": {\"host\": \"r.example.com\"}}}");
        assert_string_equal(file_of(&routed), "r.example.com:443 n-0.c-nodes.ns.svc 9094");
        /* The balancer's address comes later, and the node waits for it. */
        add_node(&balanced, "n");
        add_service(&balanced, MR_REACH_BALANCER, MR_ROUTING_NONE);
        add_file(&balanced, "f", text, MR_EFFECT_NONE);
        (void) file_of(&balanced);
        assert_string_equal(find(&balanced, "StatefulSet", "n")->pending,
                            "the address of service c-out-0");
        assert_non_null(find(&balanced, "ConfigMap", "n")->pending);
        see_host(&balanced, "{\"services\": {\"ns/c-out-0\": {\"host\": \"192.0.2.1\"}}}");
        assert_string_equal(file_of(&balanced), "192.0.2.1:9094 n-0.c-nodes.ns.svc 9094");
        assert_null(find(&balanced, "StatefulSet", "n")->pending);
}

static void only_openshift_has_routes_and_assigns_users(void **state _unused_) {
        static const char user[] = "spec.template.spec.securityContext.runAsUser";
        _cleanup_world_ k = world("kubernetes"), o = world("openshift");
        const char *reason, *message;

        add_node(&k, "n");
        add_service(&k, MR_REACH_INSIDE, MR_ROUTING_ROUTE);
        must_lower(&k);
        assert_null(find(&k, "Route", "c-out-0"));
        assert_int_equal(mr_manifests_warnings(k.out), 1);
        mr_manifests_warning_at(k.out, 0, &reason, &message);
        assert_string_equal(reason, "NoRoutes");
        assert_int_equal(number_at(&k, "StatefulSet", "n", user), 1000);
        add_node(&o, "n");
        add_service(&o, MR_REACH_INSIDE, MR_ROUTING_ROUTE);
        must_lower(&o);
        assert_string_equal(text_at(&o, "Route", "c-out-0", "spec.tls.termination"), "passthrough");
        assert_int_equal(mr_manifests_warnings(o.out), 0);
        assert_int_equal(number_at(&o, "StatefulSet", "n", user), -1);
}

static void a_set_of_one_waits_for_nobody(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        must_lower(&w);
        assert_int_equal(number_at(&w, "StatefulSet", "n", "spec.replicas"), 1);
        assert_string_equal(text_at(&w, "StatefulSet", "n", "spec.updateStrategy.type"),
                            "OnDelete");
        assert_string_equal(text_at(&w, "StatefulSet", "n", "spec.podManagementPolicy"),
                            "Parallel");
        /* Without rights and without a way to get them. */
        const MrTree *container = mr_tree_find(find(&w, "StatefulSet", "n")->body,
                                               "spec.template.spec.containers[0]", false);
        assert_false(mr_tree_get_bool(mr_tree_get(container, "securityContext"),
                                      "allowPrivilegeEscalation", true));
        assert_int_equal(mr_tree_int(mr_tree_find(container, "ports[0].containerPort", false), 0),
                         9094);
}

static void quantities_are_written_short(void **state _unused_) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } cases[] = {{UINT64_C(100) << 30, "100Gi"},
                     {UINT64_C(1) << 40, "1Ti"},
                     {UINT64_C(5000000000), "5G"},
                     {1025, "1025"}};

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_world_ w = world("kubernetes");
                mr_parts_add(w.parts, (MrPart){.kind = MR_PART_VOLUME,
                                               .volume = {.node = "n",
                                                          .name = "data",
                                                          .claim = "data-n",
                                                          .role = "db",
                                                          .size = cases[i].bytes}});
                must_lower(&w);
                assert_string_equal(text_at(&w, "PersistentVolumeClaim", "data-n",
                                            "spec.resources.requests.storage"),
                                    cases[i].text);
                /* Data stays unless its deletion was asked for. */
                assert_true(find(&w, "PersistentVolumeClaim", "data-n")->keep);
        }
}

#define CONTAINER "spec.template.spec.containers[0]."
#define INIT "spec.template.spec.initContainers[0]."

static void labels_of_the_machine_reach_the_pod(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        add_file(&w, "f", "zone=@{label:topology.kubernetes.io/zone}\nown=@{variable:OWN}\n",
                 MR_EFFECT_RESTART);
        add_file(&w, "g", "@{file:f} @{file:g}", MR_EFFECT_RESTART);
        must_lower(&w);
        assert_string_equal(text_at(&w, "ConfigMap", "n", "data.f"),
                            "zone=@{variable:MILLRACE_ZONE}\nown=@{variable:OWN}\n");
        assert_string_equal(text_at(&w, "ConfigMap", "n", "data.g"),
                            "/run/millrace/f /etc/millrace/node/g");
        const char *launch = text_at(&w, "ConfigMap", "n", "data.launch");
        assert_non_null(strstr(launch, "\nfill f\nvariable MILLRACE_ZONE\nvariable OWN\n"));
        assert_string_equal(text_at(&w, "StatefulSet", "n", CONTAINER "env[0].name"),
                            "MILLRACE_ZONE");
        assert_string_equal(
                text_at(&w, "StatefulSet", "n", CONTAINER "env[0].valueFrom.fieldRef.fieldPath"),
                "metadata.labels['topology.kubernetes.io/zone']");
        assert_null(mr_tree_find(find(&w, "StatefulSet", "n")->body, CONTAINER "env[1]", false));
        assert_int_equal(mr_manifests_warnings(w.out), 0);
}

static void a_whole_name_has_the_domain(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        mr_parts_edit(w.parts, 1)->endpoint.with_domain = true;
        add_file(&w, "f", "@{host:n/tcp-out} @{addr:n}", MR_EFFECT_NONE);
        must_lower(&w);
        assert_string_equal(text_at(&w, "ConfigMap", "n", "data.f"),
                            "n-0.c-nodes.ns.svc.cluster.local n-0.c-nodes.ns.svc");
}

static MrTree *json(const char *text) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(text, strlen(text), NULL, &tree, NULL), 0);
        return tree;
}

static void volumes_differ_from_node_to_node(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");
        _cleanup_(mr_tree_freep) MrTree *pod =
                json("{\"templatedVolumes\": [{\"name\": \"keys\", \"secret\": {\"secretName\": "
                     "\"s-{nodeId}\", \"defaultMode\": 256, \"items\": [{\"key\": "
                     "\"{nodePodName}.key\", \"path\": \"{nodeID}\"}]}}]}");

        add_node(&w, "n");
        mr_parts_edit(w.parts, 0)->workload.pod = pod;
        mr_parts_edit(w.parts, 0)->workload.node_id = 7;
        must_lower(&w);
#define KEYS "spec.template.spec.volumes[keys].secret."
        assert_string_equal(text_at(&w, "StatefulSet", "n", KEYS "secretName"), "s-7");
        assert_int_equal(number_at(&w, "StatefulSet", "n", KEYS "defaultMode"), 256);
        assert_string_equal(text_at(&w, "StatefulSet", "n", KEYS "items[0].key"), "n.key");
        assert_string_equal(text_at(&w, "StatefulSet", "n", KEYS "items[0].path"), "{nodeID}");
        assert_int_equal(mr_manifests_warnings(w.out), 0);
}

static void storage_of_the_machine_is_passed_on(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");
        _cleanup_(mr_tree_freep) MrTree *resources =
                json("{\"limits\": {\"ephemeral-storage\": \"2Gi\", \"memory\": \"9Gi\"}}");

        add_node(&w, "n");
        mr_parts_edit(w.parts, 0)->workload.resources = resources;
        must_lower(&w);
        assert_string_equal(
                text_at(&w, "StatefulSet", "n", CONTAINER "resources.limits.ephemeral-storage"),
                "2Gi");
        assert_null(text_at(&w, "StatefulSet", "n", CONTAINER "resources.limits.memory"));
}

static void images_are_those_of_the_version(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        must_lower(&w);
        assert_string_equal(text_at(&w, "StatefulSet", "n", CONTAINER "image"), "apache/db:1.0.0");
        see_host(&w, "{\"images\": {\"db\": {\"1.0.0\": \"r/db:a\", \"2.0.0\": \"r/db:b\"}}}");
        must_lower(&w);
        assert_string_equal(text_at(&w, "StatefulSet", "n", CONTAINER "image"), "r/db:a");
        /* Whoever names some has no others. */
        _cleanup_error_ MrError err = {};
        mr_parts_edit(w.parts, 0)->workload.version = "3.0.0";
        assert_true(lower(&w, &err) < 0);
        assert_non_null(strstr(err.message, "no image of db 3.0.0, only of 1.0.0, 2.0.0"));
        mr_parts_edit(w.parts, 0)->workload.image = "own";
        must_lower(&w);
        assert_string_equal(text_at(&w, "StatefulSet", "n", CONTAINER "image"), "own");
}

static void the_launcher_comes_from_the_image_of_the_settings(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        must_lower(&w);
        assert_string_equal(text_at(&w, "StatefulSet", "n", INIT "image"),
                            "millrace/launcher:" MILLRACE_VERSION);
        see_host(&w, "{\"launcher_image\": \"r/l:2\"}");
        must_lower(&w);
        assert_string_equal(text_at(&w, "StatefulSet", "n", INIT "image"), "r/l:2");
}

static void the_first_contact_has_an_address(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        add_service(&w, MR_REACH_BALANCER, MR_ROUTING_NONE);
        mr_parts_edit(w.parts, 2)->service.node = NULL;
        must_lower(&w);
        assert_null(mr_manifests_find_address(w.out, "c-out-0", "tcp-out"));
        see_host(&w, "{\"services\": {\"ns/c-out-0\": {\"host\": \"lb.example.com\"}}}");
        must_lower(&w);
        const MrAddress *address = mr_manifests_find_address(w.out, "c-out-0", "tcp-out");
        assert_non_null(address);
        assert_string_equal(address->host, "lb.example.com");
}

static const MrAddress *address_with(World *w, const char *node, const char *observed) {
        _cleanup_(mr_tree_freep) MrTree *seen = NULL;

        assert_int_equal(mr_json_read(observed, strlen(observed), NULL, &seen, NULL), 0);
        facts_add_node(w->facts, node, seen);
        must_lower(w);
        return mr_manifests_find_address(w->out, node, "tcp-out");
}

/* The name is what its certificate is compared with, and known in pods alone. */
static void a_pod_is_reached_where_it_was_seen(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes"), outside = world("kubernetes");

        add_node(&w, "n");
        must_lower(&w);
        assert_null(mr_manifests_find_address(w.out, "n", "tcp-out")->at);
        const MrAddress *address =
                address_with(&w, "n", "{\"state\": \"running\", \"address\": \"10.0.0.9\"}");
        assert_string_equal(address->host, "n-0.c-nodes.ns.svc");
        assert_string_equal(address->at, "10.0.0.9");
        assert_int_equal(address->port, 9094);
        add_node(&outside, "n");
        add_service(&outside, MR_REACH_BALANCER, MR_ROUTING_NONE);
        see_host(&outside, "{\"services\": {\"ns/c-out-0\": {\"host\": \"lb.example.com\"}}}");
        address =
                address_with(&outside, "n", "{\"state\": \"running\", \"address\": \"10.0.0.9\"}");
        assert_string_equal(address->host, "lb.example.com");
        assert_string_equal(address->at, "10.0.0.9");
        assert_int_equal(address->at_port, 9094);
}

/* People are told where a node port is; the node itself learns it. */
static void a_node_port_is_where_its_pod_runs(void **state _unused_) {
        static const char seen[] =
                "{\"state\": \"running\", \"address\": \"10.0.0.9\", \"machine\": "
                "\"192.0.2.7\"}";
        _cleanup_world_ w = world("kubernetes"), w2 = world("kubernetes");

        add_node(&w, "n");
        add_service(&w, MR_REACH_NODE_PORT, MR_ROUTING_NONE);
        see_host(&w, "{\"services\": {\"ns/c-out-0\": {\"port\": 31000}}}");
        must_lower(&w);
        assert_null(mr_manifests_find_address(w.out, "n", "tcp-out"));
        const MrAddress *address = address_with(&w, "n", seen);
        assert_string_equal(address->host, "192.0.2.7");
        assert_true(address->is_passing);
        assert_int_equal(address->port, 31000);
        assert_int_equal(address->at_port, 9094);
        add_node(&w2, "n");
        add_service(&w2, MR_REACH_NODE_PORT, MR_ROUTING_NONE);
        see_host(&w2, "{}");
        assert_null(address_with(&w2, "n", seen));
}

#define SPREAD "spec.template.spec.topologySpreadConstraints"

static void nodes_of_a_group_are_kept_apart(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes");
        _cleanup_(mr_tree_freep) MrTree *asked = NULL;

        add_node(&w, "n");
        must_lower(&w);
        assert_null(mr_tree_find(find(&w, "StatefulSet", "n")->body, SPREAD, false));
        MrGuard guard = {.group = "c-db", .max_unavailable = 1};
        mr_pairs_set(mr_parts_arena(w.parts), &guard.selector, "group", "c-db");
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_GUARD, .guard = guard});
        must_lower(&w);
        assert_string_equal(text_at(&w, "StatefulSet", "n", SPREAD "[0].topologyKey"),
                            "kubernetes.io/hostname");
        assert_string_equal(
                text_at(&w, "StatefulSet", "n", SPREAD "[0].labelSelector.matchLabels.group"),
                "c-db");
        static const char mine[] = "{\"topologySpreadConstraints\": [{\"topologyKey\": \"mine\"}]}";
        assert_int_equal(mr_json_read(mine, strlen(mine), NULL, &asked, NULL), 0);
        mr_parts_edit(w.parts, 0)->workload.pod = asked;
        must_lower(&w);
        assert_string_equal(text_at(&w, "StatefulSet", "n", SPREAD "[0].topologyKey"), "mine");
        assert_null(mr_tree_find(find(&w, "StatefulSet", "n")->body, SPREAD "[1]", false));
}

static void add_account(World *w) {
        mr_parts_add(w->parts, (MrPart){.kind = MR_PART_ACCOUNT,
                                        .account = {.name = "c",
                                                    .tags = {.instance = "c"},
                                                    .binding = "c-init",
                                                    .binding_tags = {.instance = "c"}}});
}

#define BINDING "ClusterRoleBinding", "c-init"
#define VOLUME "spec.template.spec.volumes[api].projected.sources"

/* Only the container that asks gets a token, and only an account with such a node a right. */
static void assert_asks(const World *w, const char *what) {
        const MrTree *set = find(w, "StatefulSet", "n")->body;
        const MrTree *binding = find(w, BINDING)->body;

        assert_string_equal(text_at(w, "StatefulSet", "n", INIT "name"), "place");
        assert_string_equal(text_at(w, "StatefulSet", "n", INIT "command[2]"), what);
        assert_null(mr_tree_find(set, INIT "command[3]", false));
        assert_string_equal(text_at(w, "StatefulSet", "n", INIT "volumeMounts[api].mountPath"),
                            "/var/run/secrets/kubernetes.io/serviceaccount");
        assert_null(mr_tree_find(set, CONTAINER "volumeMounts[api]", false));
        assert_int_equal(mr_tree_size(mr_tree_find(set, VOLUME, false)), 2);
        assert_non_null(strstr(text_at(w, "ConfigMap", "n", "data.launch"),
                               "\nplace /run/millrace/place\n"));
        assert_string_equal(mr_tree_string(mr_tree_find(binding, "subjects[0].name", false)), "c");
        assert_null(mr_tree_find(binding, "metadata.namespace", false));
}

static void assert_asks_nothing(const World *w) {
        assert_string_equal(text_at(w, "StatefulSet", "n", INIT "name"), "launcher");
        assert_null(find(w, BINDING));
        assert_null(mr_tree_find(find(w, "StatefulSet", "n")->body, VOLUME, false));
        assert_null(strstr(text_at(w, "ConfigMap", "n", "data.launch"), "place"));
}

static void labels_no_pod_is_told_are_asked_for(void **state _unused_) {
        _cleanup_world_ w = world("kubernetes"), told = world("kubernetes");

        add_node(&w, "n");
        add_account(&w);
        add_file(&w, "f", "[@{label:example.com/shelf}@{label:example.com/shelf}]",
                 MR_EFFECT_RESTART);
        must_lower(&w);
        assert_string_equal(text_at(&w, "ConfigMap", "n", "data.f"),
                            "[@{variable:MILLRACE_LABEL_EXAMPLE_COM_SHELF}"
                            "@{variable:MILLRACE_LABEL_EXAMPLE_COM_SHELF}]");
        assert_asks(&w, "MILLRACE_LABEL_EXAMPLE_COM_SHELF=label:example.com/shelf");
        assert_int_equal(mr_manifests_warnings(w.out), 0);
        add_node(&told, "n");
        add_account(&told);
        add_file(&told, "f", "@{label:topology.kubernetes.io/zone}", MR_EFFECT_RESTART);
        must_lower(&told);
        assert_asks_nothing(&told);
}

static MrTree *json(const char *text);

static void ports_of_machines_are_reached_at_the_machine(void **state _unused_) {
        static const char text[] = "@{host:n/tcp-out}:@{port:n/tcp-out}";
        static const MrServicePort port = {.name = "tcp-out", .port = 9094, .node_port = 32000};
        _cleanup_world_ w = world("kubernetes");
        _cleanup_(mr_tree_freep) MrTree *dns = json("{\"preferredNodePortAddressType\": "
                                                    "\"InternalDNS\"}"),
                                        *ip = json("{\"preferredNodePortAddressType\": "
                                                   "\"InternalIP\"}");

        add_node(&w, "n");
        add_service(&w, MR_REACH_NODE_PORT, MR_ROUTING_NONE);
        add_account(&w);
        add_file(&w, "f", text, MR_EFFECT_NONE);
        add_file(&w, "g", "@{file:f}", MR_EFFECT_NONE);
        /* The port comes with the service. */
        (void) file_of(&w);
        assert_string_equal(find(&w, "StatefulSet", "n")->pending,
                            "the address of service c-out-0");
        mr_parts_edit(w.parts, 2)->service.ports = &port;
        assert_string_equal(file_of(&w), "@{variable:MILLRACE_ADDRESS}:32000");
        assert_null(find(&w, "StatefulSet", "n")->pending);
        assert_asks(&w, "MILLRACE_ADDRESS=address:");
        assert_string_equal(text_at(&w, "ConfigMap", "n", "data.g"), "/run/millrace/f");
        assert_null(mr_manifests_find_address(w.out, "n", "tcp-out"));
        mr_parts_edit(w.parts, 2)->service.options = dns;
        assert_string_equal(file_of(&w), "@{variable:MILLRACE_INTERNAL_DNS}:32000");
        assert_asks(&w, "MILLRACE_INTERNAL_DNS=address:InternalDNS");
        /* A pod is told the inner address of its machine. */
        mr_parts_edit(w.parts, 2)->service.options = ip;
        assert_string_equal(file_of(&w), "@{variable:MILLRACE_INTERNAL_IP}:32000");
        assert_asks_nothing(&w);
        assert_string_equal(
                text_at(&w, "StatefulSet", "n", CONTAINER "env[0].valueFrom.fieldRef.fieldPath"),
                "status.hostIP");
}

static void where_another_node_is_only_that_node_learns(void **state _unused_) {
        static const MrServicePort port = {.name = "tcp-out", .port = 9094, .node_port = 32000};
        _cleanup_world_ w = world("kubernetes");

        add_node(&w, "n");
        add_service(&w, MR_REACH_NODE_PORT, MR_ROUTING_NONE);
        mr_parts_edit(w.parts, 2)->service.ports = &port;
        mr_parts_edit(w.parts, 2)->service.node = "m";
        add_node(&w, "m");
        add_file(&w, "f", "@{host:m/tcp-out}", MR_EFFECT_NONE);
        must_lower(&w);
        assert_string_equal(find(&w, "StatefulSet", "n")->pending, "the address of m/tcp-out");
        assert_null(find(&w, "StatefulSet", "m")->pending);
}

static void outside_of_a_pod_a_cluster_has_to_be_named(void **state _unused_) {
        const MrPlugin *platform = platform_load("kubernetes");
        _cleanup_error_ MrError err = {};
        MrPlatformArgs args = {};
        MrPlatform *opened;

        assert_int_equal(unsetenv("KUBERNETES_SERVICE_HOST"), 0);
        assert_int_equal(platform->platform->open(platform->platform, &args, &opened, &err),
                         -EINVAL);
        assert_string_equal(err.path, "platform_config.kubeconfig");
}

static void an_unknown_setting_is_refused(void **state _unused_) {
        const MrPlugin *platform = platform_load("openshift");
        _cleanup_(mr_tree_freep) MrTree *config = mr_tree_new_map();
        _cleanup_error_ MrError err = {};
        MrPlatformArgs args = {.config = config};
        MrPlatform *opened;

        mr_tree_set_string(config, "kubeconfg", "/x");
        assert_int_equal(platform->platform->open(platform->platform, &args, &opened, &err),
                         -EINVAL);
        assert_string_equal(err.path, "platform_config.kubeconfg");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(labels_of_the_machine_reach_the_pod),
                cmocka_unit_test(a_whole_name_has_the_domain),
                cmocka_unit_test(volumes_differ_from_node_to_node),
                cmocka_unit_test(storage_of_the_machine_is_passed_on),
                cmocka_unit_test(images_are_those_of_the_version),
                cmocka_unit_test(the_launcher_comes_from_the_image_of_the_settings),
                cmocka_unit_test(the_first_contact_has_an_address),
                cmocka_unit_test(a_pod_is_reached_where_it_was_seen),
                cmocka_unit_test(a_node_port_is_where_its_pod_runs),
                cmocka_unit_test(nodes_of_a_group_are_kept_apart),
                cmocka_unit_test(labels_no_pod_is_told_are_asked_for),
                cmocka_unit_test(ports_of_machines_are_reached_at_the_machine),
                cmocka_unit_test(where_another_node_is_only_that_node_learns),
                cmocka_unit_test(a_secret_never_gets_into_a_config_map),
                cmocka_unit_test(only_what_needs_a_restart_changes_the_fingerprint),
                cmocka_unit_test(what_is_missing_is_waited_for),
                cmocka_unit_test(a_name_too_long_for_its_pod_is_refused),
                cmocka_unit_test(clients_are_led_through_the_service_of_the_node),
                cmocka_unit_test(only_openshift_has_routes_and_assigns_users),
                cmocka_unit_test(a_set_of_one_waits_for_nobody),
                cmocka_unit_test(quantities_are_written_short),
                cmocka_unit_test(outside_of_a_pod_a_cluster_has_to_be_named),
                cmocka_unit_test(an_unknown_setting_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
