/* millctl against the local API: a child process serves it with an empty store, each test says what
 * a user types. */

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/ctl-api.h"
#include "ctl/ctl.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api.h"

#define ARGUMENTS_MAX 16

typedef struct Fixture {
        char folder[32];
        char *socket;
        pid_t pid;
        int code; /* of the last run */
        char *out, *errors;
} Fixture;

/* What the child serves. */
typedef struct Server {
        Store *store;
        const Registry *registry;
        int n_describes;
} Server;

static int admit(void *userdata, const MrTree *resource, MrTree *warnings, MrError *err) {
        Server *server = userdata;
        _cleanup_(document_freep) Document *document = NULL;

        int r = document_read(server->registry, mr_tree_copy(resource), NULL, &document, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < mr_tree_size(document->warnings); i++)
                mr_tree_append(warnings, mr_tree_copy(mr_tree_at(document->warnings, i)));
        if (mr_streq(document->resource.name, "refused"))
                return mr_fail(err, MR_INVALID, "spec.authentication.type",
                               "the server dislikes it; choose another");
        if (mr_streq(document->resource.name, "odd")) {
                MrTree *warning = mr_tree_append(warnings, mr_tree_new_map());
                mr_tree_set_string(warning, "message", "the server finds it odd");
        }
        return 0;
}

static const char described[] =
        "{kind: Kafka, namespace: default, name: c, source: 'file:/etc/c.yaml', platform: "
        "rhel-baremetal,\n"
        " status: {conditions: [{type: Ready, status: 'False', message: 'c-kafka-0: recovering'},\n"
        "   {type: Warning, status: 'True', reason: OneHost, message: no high availability}],\n"
        "   listeners: [{name: tls, bootstrapServers: 'h:9093'}]},\n"
        " nodes: [{name: c-zookeeper-0, group: c-zookeeper, state: running, ready: true, unit: "
        "zookeeper@c-zookeeper-0.service,\n"
        "          pid: 12, address: h, ports: {tcp-clients: 2181}, storage: [{claim: "
        "data-c-zookeeper-0, size: 107374182400}],\n"
        "          certificate: {notAfter: 4102444800}},\n"
        "         {name: c-kafka-0, group: c-kafka, state: starting, ready: false, waits: "
        "recovering logs, restarts: 2,\n"
        "          unit: kafka@c-kafka-0.service, message: 7 of 9 logs}],\n"
        " steps: [{verb: restart, subject: c-kafka-0, reason: 'heap 1g -> 2g', waits: c-kafka-1 is "
        "not in sync}],\n"
        " events: [{time: 1, type: Normal, reason: Started, node: c-kafka-0, message: started, "
        "count: 3}]}";

static int describe(void *userdata, const char *kind _unused_, const char *ns _unused_,
                    const char *name, MrTree **ret, MrError *err _unused_) {
        Server *server = userdata;
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        if (mr_yaml_read(described, strlen(described), NULL, &list, NULL, NULL) < 0)
                return -EINVAL;
        *ret = mr_tree_copy(mr_tree_at(list, 0));
        /* A resource called soon becomes ready while somebody looks. */
        if (mr_streq(name, "soon") && ++server->n_describes == 2) {
                static const char ready[] =
                        "{observedGeneration: 1, conditions: [{type: Ready, status: 'True'}]}";
                _cleanup_(mr_tree_freep) MrTree *documents = NULL;
                if (mr_yaml_read(ready, strlen(ready), NULL, &documents, NULL, NULL) < 0 ||
                    store_update_status(server->store, "KafkaUser", "default", "soon",
                                        mr_tree_at(documents, 0), 0, NULL) < 0)
                        return -EINVAL;
        }
        return 0;
}

static int plan(void *userdata _unused_, const char *kind _unused_, const char *ns _unused_,
                const char *name _unused_, MrTree **ret, MrError *err) {
        return describe(&(Server){}, NULL, NULL, NULL, ret, err);
}

static int restart(void *userdata _unused_, const char *ns _unused_, const char *cluster,
                   const char *node, const char *reason, MrError *err) {
        if (mr_streq(node, "nobody") || mr_streq(cluster, "nobody") || mr_is_empty(reason)) {
                (void) mr_fail(err, MR_INVALID, NULL,
                               "there is no node nobody in namespace default");
                return -ENOENT;
        }
        return 0;
}

/* A deletion is ended at once, but for that of a resource called stuck. */
static void end_deletion(void *userdata, const StoreEvent *event) {
        Server *server = userdata;

        if (event->change == STORE_MODIFIED && event->json &&
            strstr(event->json, "deletionTimestamp") && !mr_streq(event->name, "stuck"))
                (void) store_remove(server->store, event->kind, event->ns, event->name, NULL);
}

static void serve(Fixture *fixture, int ready_fd) {
        static const ApiOps ops = {
                .admit = admit, .plan = plan, .describe = describe, .restart = restart};
        static const StoreSecretValue values[] = {{"user.key", "KEY", 3}, {"user.crt", "CERT", 4}};
        Ctl kinds = {.errors = stderr};
        Server server = {};
        sd_event *event = NULL;
        HttpServer *http = NULL;
        Api *api = NULL;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = http_listen_unix(fixture->socket, NULL, NULL);
        if (fd < 0 || ctl_registry(&kinds, &server.registry, NULL) < 0 ||
            store_open(":memory:", &server.store, NULL) < 0 || sd_event_new(&event) < 0 ||
            api_new(server.store, registry_kinds(server.registry), "0.1.0", &ops, &server, &api,
                    NULL) < 0 ||
            http_server_new(event, fd, api_handle, api, &http, NULL) < 0 ||
            store_secret_put(server.store, "default", "my-user", values, 2, NULL, NULL) < 0)
                _exit(1);
        (void) store_subscribe(server.store, end_deletion, &server);
        close(ready_fd);
        (void) sd_event_loop(event);
        _exit(0);
}

static int set_up(void **state) {
        Fixture *fixture = mr_new(Fixture, 1);
        int pair[2];
        char byte;

        (void) snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/ctl-test-XXXXXX");
        *state = fixture;
        if (!mkdtemp(fixture->folder) || pipe(pair) < 0)
                return -1;
        fixture->socket = mr_strf("%s/api.sock", fixture->folder);
        fixture->pid = fork();
        if (fixture->pid == 0) {
                close(pair[0]);
                serve(fixture, pair[1]);
        }
        close(pair[1]);
        (void) !read(pair[0], &byte, 1);
        close(pair[0]);
        return access(fixture->socket, F_OK);
}

static int remove_entry(const char *path, const struct stat *st _unused_, int flag _unused_,
                        struct FTW *ftw _unused_) {
        return remove(path);
}

static int tear_down(void **state) {
        Fixture *fixture = *state;

        (void) kill(fixture->pid, SIGKILL);
        (void) waitpid(fixture->pid, NULL, 0);
        int r = nftw(fixture->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(fixture->socket);
        free(fixture->out);
        free(fixture->errors);
        free(fixture);
        return r;
}

/* Types a line; "@" stands for the folder of the test. */
static int type(Fixture *fixture, const char *line) {
        char *argv[ARGUMENTS_MAX] = {}, *words[ARGUMENTS_MAX] = {};
        size_t out_size, errors_size;
        int argc = 0;

        free(fixture->out);
        free(fixture->errors);
        Ctl ctl = {.out = open_memstream(&fixture->out, &out_size),
                   .errors = open_memstream(&fixture->errors, &errors_size),
                   .socket = fixture->socket,
                   .is_utf8 = false};
        _cleanup_free_ char *memory = mr_strdup(line);
        argv[argc++] = words[0] = mr_strdup("millctl");
        for (char *word = strtok(memory, " "); word; word = strtok(NULL, " "), argc++)
                argv[argc] = words[argc] =
                        *word == '@' ? mr_strf("%s%s", fixture->folder, word + 1) : mr_strdup(word);
        fixture->code = ctl_main(&ctl, argc, argv);
        ctl_done(&ctl);
        fclose(ctl.out);
        fclose(ctl.errors);
        for (int i = 0; i < argc; i++)
                free(words[i]);
        return fixture->code;
}

static void put(Fixture *fixture, const char *name, const char *text) {
        _cleanup_free_ char *path = mr_strf("%s/%s", fixture->folder, name);
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

#define USER(name)                                                                                 \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\nmetadata:\n  name: " name          \
        "\n  labels:\n    strimzi.io/cluster: c\nspec:\n  authentication:\n    type: tls\n"

#define KAFKA(name)                                                                                \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata:\n  name: " name              \
        "\nspec:\n  kafka: {version: 3.9.1, replicas: 1, storage: {type: ephemeral}, listeners: "  \
        "[{name: plain, port: 9092, type: internal, tls: false}]}\n"                               \
        "  zookeeper: {replicas: 1, storage: {type: ephemeral}}\n"

static void assert_says(const char *text, const char *words) {
        if (!strstr(text, words))
                fail_msg("\"%s\" is not in: %s", words, text);
}

static void apply_says_what_it_did(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("a") "---\n" USER("b"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_string_equal(
                fixture->out,
                "kafkauser.kafka.strimzi.io/a created\nkafkauser.kafka.strimzi.io/b created\n");
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_string_equal(
                fixture->out,
                "kafkauser.kafka.strimzi.io/a unchanged\nkafkauser.kafka.strimzi.io/b unchanged\n");
        put(fixture, "u.yaml", USER("a") "  quotas:\n    producerByteRate: 1000\n");
        assert_int_equal(type(fixture, "apply --filename @/u.yaml"), CTL_OK);
        assert_string_equal(fixture->out, "kafkauser.kafka.strimzi.io/a configured\n");
        assert_int_equal(type(fixture, "apply -n team -f @"), CTL_OK);
        assert_string_equal(fixture->out, "kafkauser.kafka.strimzi.io/a created\n");
}

static void an_error_names_file_line_column_field_and_what_to_do(void **state) {
        Fixture *fixture = *state;
        _cleanup_free_ char *place =
                mr_strf("%s/u.yaml:19:11: spec.authentication.type: ", fixture->folder);

        put(fixture, "u.yaml",
            USER("a") "---\n"
                      "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\nmetadata:\n  name: "
                      "b\n  labels:\n"
                      "    strimzi.io/cluster: c\nspec:\n  authentication:\n    type: nonsense\n");
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_FAILED);
        assert_ptr_equal(strstr(fixture->errors, place), fixture->errors);
        assert_string_equal(fixture->out, "");
        assert_int_equal(type(fixture, "get kafkauser a"), CTL_FAILED);
}

static void what_the_server_dislikes_is_shown_at_its_line(void **state) {
        Fixture *fixture = *state;
        _cleanup_free_ char *expected = mr_strf("%s/u.yaml:9:11: spec.authentication.type: the "
                                                "server dislikes it; choose another\n",
                                                fixture->folder);

        put(fixture, "u.yaml", USER("refused"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_FAILED);
        assert_string_equal(fixture->errors, expected);
        put(fixture, "u.yaml", USER("odd") "  nonsense: 1\n");
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_says(fixture->errors, "warning: the server finds it odd");
        assert_says(fixture->errors, "u.yaml:10:3: warning: spec.nonsense: ");
        assert_null(strstr(strstr(fixture->errors, "spec.nonsense") + 1, "spec.nonsense"));
}

static void get_prints_tables(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("a") "---\n" USER("longer"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "get ku"), CTL_OK);
        assert_ptr_equal(strstr(fixture->out,
                                "NAME     CLUSTER   AUTHENTICATION   AUTHORIZATION   READY   AGE\n"
                                "a        c         tls                                      "),
                         fixture->out);
        assert_int_equal(type(fixture, "get kafkausers/a -A"), CTL_USAGE);
        assert_int_equal(type(fixture, "get kafkausers -A"), CTL_OK);
        assert_int_equal(strncmp(fixture->out, "NAMESPACE   NAME ", 17), 0);
        assert_int_equal(type(fixture, "get kafkauser.kafka.strimzi.io a longer -o name"), CTL_OK);
        assert_string_equal(fixture->out,
                            "kafkauser.kafka.strimzi.io/a\nkafkauser.kafka.strimzi.io/longer\n");
        assert_int_equal(type(fixture, "get all"), CTL_OK);
        assert_says(fixture->out, "kafkauser.kafka.strimzi.io/a ");
        assert_int_equal(type(fixture, "get kafkas"), CTL_OK);
        assert_string_equal(fixture->errors, "No resources found in namespace default.\n");
        put(fixture, "k.yaml", KAFKA("b"));
        assert_int_equal(type(fixture, "apply -f @/k.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "get kafkas"), CTL_OK);
        assert_null(strstr(fixture->out, "CLUSTER ID"));
        assert_int_equal(type(fixture, "get kafkas -o wide"), CTL_OK);
        assert_says(fixture->out, "WARNINGS   CLUSTER ID   AGE\nb ");
        assert_int_equal(type(fixture, "get ku none"), CTL_FAILED);
        assert_string_equal(fixture->errors,
                            "millctl: there is no KafkaUser none in namespace default\n");
        assert_int_equal(type(fixture, "get ku -l strimzi.io/cluster=d"), CTL_OK);
        assert_string_equal(fixture->out, "");
        assert_int_equal(type(fixture, "get ku -l strimzi.io/cluster=c -o name"), CTL_OK);
        assert_says(fixture->out, "longer");
}

static void get_prints_objects(void **state) {
        Fixture *fixture = *state;
        _cleanup_(mr_tree_freep) MrTree *object = NULL, *list = NULL;

        put(fixture, "u.yaml", USER("a"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "get ku a -o json"), CTL_OK);
        assert_int_equal(mr_json_read(fixture->out, strlen(fixture->out), NULL, &object, NULL), 0);
        assert_string_equal(mr_tree_get_string(object, "kind"), "KafkaUser");
        assert_int_equal(type(fixture, "get ku -o yaml"), CTL_OK);
        assert_int_equal(mr_yaml_read(fixture->out, strlen(fixture->out), NULL, &list, NULL, NULL),
                         0);
        assert_string_equal(mr_tree_get_string(mr_tree_at(list, 0), "kind"), "List");
        assert_int_equal(type(fixture, "get ku -o table"), CTL_USAGE);
}

static void what_get_prints_can_be_applied_again(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("a"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "get ku a -o yaml"), CTL_OK);
        put(fixture, "u.yaml", fixture->out);
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_string_equal(fixture->out, "kafkauser.kafka.strimzi.io/a unchanged\n");
        assert_string_equal(fixture->errors, "");
}

static void delete_waits_until_it_is_gone(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("a") "---\n" USER("b") "---\n" USER("stuck"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "delete kafkauser a"), CTL_OK);
        assert_string_equal(fixture->out, "kafkauser.kafka.strimzi.io/a deleted\n");
        assert_int_equal(type(fixture, "delete kafkauser a"), CTL_FAILED);
        assert_int_equal(type(fixture, "delete ku/stuck --timeout 0"), CTL_TIMEOUT);
        assert_says(fixture->errors, "still being deleted");
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_FAILED);
        assert_says(fixture->errors,
                    "KafkaUser default/stuck is being deleted; wait until it is gone");
        assert_int_equal(type(fixture, "delete -f @/u.yaml --no-wait"), CTL_OK);
        assert_string_equal(
                fixture->out,
                "kafkauser.kafka.strimzi.io/stuck deleted\nkafkauser.kafka.strimzi.io/b deleted\n"
                "kafkauser.kafka.strimzi.io/a deleted\n");
        assert_int_equal(type(fixture, "delete kafkauser"), CTL_FAILED);
        assert_int_equal(type(fixture, "delete"), CTL_USAGE);
}

static void describe_draws_a_tree(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("c"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "describe kafkauser c"), CTL_OK);
        static const char *const words[] = {
                "Kafka default/c  not ready\n",
                "|   waits for   c-kafka-0: recovering\n",
                "|   source      /etc/c.yaml\n",
                "|   platform    rhel-baremetal\n",
                "|   listener    tls: h:9093\n",
                "|- c-zookeeper  1 of 1 ready\n",
                "|  `- c-zookeeper-0  running, ready\n",
                "unit         zookeeper@c-zookeeper-0.service, pid 12\n",
                "address      h: tcp-clients 2181\n",
                "storage      data-c-zookeeper-0, 100Gi\n",
                "certificate  until 2100-01-01, ",
                "`- c-kafka  0 of 1 ready\n",
                "   `- c-kafka-0  starting\n",
                "waits for    recovering logs\n",
                "kafka@c-kafka-0.service, 2 automatic restarts\n",
                "\nWarnings\n  OneHost: no high availability\n",
                "\nNext steps\n  restart c-kafka-0: heap 1g -> 2g\n    waits: c-kafka-1 is not in "
                "sync\n",
                "\nEvents\n",
                "(x3)",
        };
        for (size_t i = 0; i < MR_ELEMENTS(words); i++)
                assert_says(fixture->out, words[i]);
        assert_int_equal(type(fixture, "describe kafkauser c -o json"), CTL_OK);
        assert_int_equal(*fixture->out, '{');
        assert_int_equal(type(fixture, "describe kafkauser none"), CTL_FAILED);
}

static void plan_shows_steps_and_what_they_wait_for(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("c"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "plan kafkauser c"), CTL_OK);
        assert_string_equal(fixture->out,
                            "# KafkaUser/default/c\nrestart  c-kafka-0: heap 1g -> 2g\n"
                            "         waits: c-kafka-1 is not in sync\n");
        assert_int_equal(type(fixture, "plan -o json"), CTL_OK);
        assert_int_equal(*fixture->out, '[');
        assert_int_equal(type(fixture, "plan -o manifests"), CTL_USAGE);
        assert_int_equal(type(fixture, "plan -f @/u.yaml"), CTL_USAGE);
        assert_int_equal(type(fixture, "plan --platform nowhere -f @/u.yaml"), CTL_FAILED);
        assert_says(fixture->errors, "there is no platform plugin nowhere");
}

static void a_plan_on_paper_is_the_same_twice_and_needs_no_daemon(void **state) {
        Fixture *fixture = *state;
        static const char *const formats[] = {"text", "json", "manifests"};

        put(fixture, "k.yaml",
            "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata:\n  name: c\nspec:\n  "
            "kafka:\n"
            "    replicas: 1\n    listeners:\n    - {name: plain, port: 9092, type: internal, tls: "
            "false}\n"
            "    storage: {type: ephemeral}\n  zookeeper:\n    replicas: 1\n    storage: {type: "
            "ephemeral}\n");
        for (size_t i = 0; i < MR_ELEMENTS(formats); i++) {
                _cleanup_free_ char *line = mr_strf(
                        "--socket /nowhere plan --platform rhel-baremetal -f @/k.yaml -o %s",
                        formats[i]);
                assert_int_equal(type(fixture, line), CTL_OK);
                _cleanup_free_ char *first = mr_strdup(fixture->out);
                assert_int_equal(type(fixture, line), CTL_OK);
                assert_string_equal(fixture->out, first);
                assert_says(first, "c-kafka-0");
                assert_null(strstr(first, "PRIVATE KEY"));
        }
}

static void explain_reads_the_tables(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(type(fixture, "explain kafka.spec.kafka.listeners.port"), CTL_OK);
        assert_says(fixture->out, "Range: 9092 to 65535");
        assert_int_equal(type(fixture, "explain kafka --recursive"), CTL_OK);
        assert_int_equal(type(fixture, "explain kafka.spec.nonsense"), CTL_FAILED);
        assert_int_equal(type(fixture, "explain"), CTL_USAGE);
}

static void wait_shows_progress_until_the_condition_holds(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("soon") "---\n" USER("never"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "wait ku/soon --for=condition=Ready --timeout=20s"), CTL_OK);
        assert_says(fixture->out, "c-kafka-0: starting, recovering logs\n");
        assert_says(fixture->out, "kafkauser.kafka.strimzi.io/soon condition met\n");
        assert_null(strstr(strstr(fixture->out, "recovering logs") + 1, "recovering logs"));
        assert_int_equal(type(fixture, "wait ku/never --timeout=1s"), CTL_TIMEOUT);
        assert_says(
                fixture->errors,
                "the time is up: kafkauser.kafka.strimzi.io/never: the daemon has not taken up");
        assert_int_equal(type(fixture, "wait ku/nobody --timeout=1s"), CTL_FAILED);
        assert_int_equal(type(fixture, "wait ku/nobody --for delete"), CTL_OK);
        assert_int_equal(type(fixture, "wait ku/soon --for happiness"), CTL_USAGE);
        assert_int_equal(type(fixture, "wait"), CTL_USAGE);
}

static void nodes_are_held_released_and_restarted(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(type(fixture, "hold c-kafka-0 --reason disk"), CTL_OK);
        assert_string_equal(fixture->out, "c-kafka-0 held; millctl release c-kafka-0 ends it\n");
        assert_int_equal(type(fixture, "hold"), CTL_OK);
        assert_string_equal(fixture->out, "c-kafka-0: disk\n");
        assert_int_equal(type(fixture, "release c-kafka-0"), CTL_OK);
        assert_int_equal(type(fixture, "release c-kafka-0"), CTL_FAILED);
        assert_string_equal(fixture->errors, "millctl: c-kafka-0 is not held\n");
        assert_int_equal(type(fixture, "restart c-kafka-0"), CTL_OK);
        assert_int_equal(type(fixture, "restart kafka c"), CTL_OK);
        assert_int_equal(type(fixture, "restart kafka/nobody"), CTL_FAILED);
        assert_int_equal(type(fixture, "restart nobody"), CTL_FAILED);
        assert_int_equal(type(fixture, "restart"), CTL_USAGE);
}

static void resources_are_paused_and_resumed(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml",
            "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\nmetadata:\n  name: soon\n"
            "  labels: {strimzi.io/cluster: c}\nspec: {}\n");
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "pause ku/soon"), CTL_OK);
        assert_says(fixture->out, "/soon paused; millctl resume ends it\n");
        assert_int_equal(type(fixture, "get ku soon -o yaml"), CTL_OK);
        assert_says(fixture->out, "strimzi.io/pause-reconciliation: \"true\"");
        assert_int_equal(type(fixture, "resume ku/soon"), CTL_OK);
        assert_int_equal(type(fixture, "get ku soon -o yaml"), CTL_OK);
        assert_null(strstr(fixture->out, "pause-reconciliation"));
        assert_int_equal(type(fixture, "pause ku/nobody"), CTL_FAILED);
        assert_int_equal(type(fixture, "pause"), CTL_USAGE);
        assert_int_equal(type(fixture, "resume"), CTL_USAGE);
}

static void data_is_applied_got_and_explained(void **state) {
        Fixture *fixture = *state;

        put(fixture, "d.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: own\nstringData:\n  a: b\n---\n"
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: texts\ndata:\n  a: b\n---\n"
            "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata:\n  name: fast\n"
            "provisioner: p\n");
        assert_int_equal(type(fixture, "apply -n team -f @/d.yaml"), CTL_OK);
        assert_string_equal(fixture->out, "secret/own created\nconfigmap/texts created\n"
                                          "storageclass.storage.k8s.io/fast created\n");
        assert_int_equal(type(fixture, "apply -n team -f @/d.yaml"), CTL_OK);
        assert_says(fixture->out, "secret/own unchanged\nconfigmap/texts unchanged\n");
        assert_int_equal(type(fixture, "get cm -n team"), CTL_OK);
        assert_says(fixture->out, "texts   1 ");
        assert_int_equal(type(fixture, "get sc"), CTL_OK);
        assert_says(fixture->out, "fast   p ");
        assert_int_equal(type(fixture, "secret get own -n team"), CTL_OK);
        assert_string_equal(fixture->out, "a: 1 bytes\n");
        assert_int_equal(type(fixture, "get all"), CTL_OK);
        assert_null(strstr(fixture->out, "secret"));
        assert_int_equal(type(fixture, "explain secret.stringData"), CTL_OK);
        assert_says(fixture->out, "KIND:       Secret\nVERSION:    v1\n");
        assert_says(fixture->out, "masked wherever it is printed");
        assert_int_equal(type(fixture, "explain kafka.spec.zookeeper.replicas"), CTL_OK);
        assert_says(fixture->out, "FIELD: replicas <integer> -required-");
        assert_int_equal(type(fixture, "explain secret -o man"), CTL_OK);
        assert_says(fixture->out, ".Dt MILLRACE-SECRET 5\n");
        assert_int_equal(type(fixture, "explain cm -o markdown"), CTL_OK);
        assert_says(fixture->out, "### `data`\n");
        assert_int_equal(type(fixture, "explain cm -o html"), CTL_USAGE);
        assert_int_equal(type(fixture, "explain cm.data -o man"), CTL_USAGE);
}

static void secrets_are_deleted(void **state) {
        Fixture *fixture = *state;

        put(fixture, "s.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: stuck\nstringData:\n  a: b\n---\n"
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: my-user\n"
            "  annotations: {strimzi.io/force-renew: '1'}\n");
        assert_int_equal(type(fixture, "apply -f @/s.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "secret get my-user"), CTL_OK);
        assert_string_equal(fixture->out, "user.crt: 4 bytes\nuser.key: 3 bytes\n");
        assert_int_equal(type(fixture, "delete secret my-user"), CTL_OK);
        assert_int_equal(type(fixture, "secret get my-user"), CTL_OK);
        assert_string_equal(fixture->out, "user.crt: 4 bytes\nuser.key: 3 bytes\n");
        assert_int_equal(type(fixture, "delete secret my-user"), CTL_FAILED);
        assert_says(fixture->errors, "millrace makes the secret my-user itself");
        assert_int_equal(type(fixture, "delete secret stuck --timeout 1"), CTL_TIMEOUT);
        assert_says(fixture->errors, "still being deleted");
}

static void secrets_are_written_to_private_files(void **state) {
        Fixture *fixture = *state;
        _cleanup_free_ char *path = mr_strf("%s/keys/user.key", fixture->folder);
        char content[16] = {};
        struct stat st;

        assert_int_equal(type(fixture, "secret get my-user -o @/keys"), CTL_OK);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        FILE *file = fopen(path, "r");
        assert_non_null(fgets(content, sizeof(content), file));
        fclose(file);
        assert_string_equal(content, "KEY");
        assert_int_equal(type(fixture, "secret get my-user"), CTL_OK);
        assert_string_equal(fixture->out, "user.crt: 4 bytes\nuser.key: 3 bytes\n");
        assert_int_equal(type(fixture, "secret get my-user -o yaml"), CTL_OK);
        assert_says(fixture->out, "S0VZ");
        assert_int_equal(type(fixture, "secret list"), CTL_OK);
        assert_says(fixture->out, "my-user   Opaque   2      ");
        assert_int_equal(type(fixture, "get secret my-user -o name"), CTL_OK);
        assert_string_equal(fixture->out, "secret/my-user\n");
        assert_int_equal(type(fixture, "secret get nothing"), CTL_FAILED);
        assert_int_equal(type(fixture, "secret"), CTL_USAGE);
}

static void wrong_use_is_exit_code_two(void **state) {
        Fixture *fixture = *state;
        static const char *const lines[] = {
                "",        "nonsense",          "--nonsense",   "get",          "get -x",
                "apply",   "apply x",           "logs",         "hold a b",     "logs ../x",
                "check x", "check --heap lots", "completion x", "help nonsense"};

        for (size_t i = 0; i < MR_ELEMENTS(lines); i++)
                if (type(fixture, lines[i]) != CTL_USAGE)
                        fail_msg("millctl %s: %d %s", lines[i], fixture->code, fixture->errors);
}

static void help_and_versions_are_told(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(type(fixture, "help"), CTL_OK);
        for (const Verb *verb = ctl_verbs; verb->name; verb++) {
                _cleanup_free_ char *line = mr_strf("%s --help", verb->name);
                assert_says(fixture->out, verb->name);
                assert_int_equal(type(fixture, line), CTL_OK);
                assert_says(fixture->out, verb->doc);
                assert_int_equal(type(fixture, "--help"), CTL_OK);
        }
        assert_int_equal(type(fixture, "version"), CTL_OK);
        assert_says(fixture->out, "millraced 0.1.0\n");
        assert_int_equal(type(fixture, "--version"), CTL_OK);
}

static void an_absent_daemon_is_told_once(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("a") "---\n" USER("b"));
        assert_int_equal(type(fixture, "--socket /nowhere/api.sock apply -f @/u.yaml"), CTL_FAILED);
        assert_string_equal(fixture->errors,
                            "millctl: cannot reach millraced at /nowhere/api.sock; is it running? "
                            "systemctl status millraced\n");
        assert_int_equal(type(fixture, "--socket /nowhere/api.sock get kafka"), CTL_FAILED);
        assert_int_equal(type(fixture, "--context=/nowhere/api.sock wait kafka/a --timeout 1s"),
                         CTL_TIMEOUT);
}

static void completion_offers_words(void **state) {
        Fixture *fixture = *state;

        put(fixture, "u.yaml", USER("c"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(type(fixture, "completion verbs"), CTL_OK);
        assert_says(fixture->out, "apply\n");
        assert_int_equal(type(fixture, "completion options get"), CTL_OK);
        assert_says(fixture->out, "--watch\n");
        assert_int_equal(type(fixture, "completion kinds"), CTL_OK);
        assert_says(fixture->out, "kafkausers\nkafkauser\n");
        assert_int_equal(type(fixture, "completion names ku"), CTL_OK);
        assert_string_equal(fixture->out, "c\n");
        assert_int_equal(type(fixture, "completion nodes"), CTL_OK);
        assert_int_equal(type(fixture, "completion fields kafkauser.spec"), CTL_OK);
        assert_says(fixture->out, "kafkauser.spec.authentication\n");
}

static void get_watches(void **state) {
        Fixture *fixture = *state;
        int pair[2];
        _cleanup_buf_ MrBuf seen = {};

        put(fixture, "u.yaml", USER("a"));
        assert_int_equal(type(fixture, "apply -f @/u.yaml"), CTL_OK);
        assert_int_equal(pipe(pair), 0);
        pid_t pid = fork();
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                Ctl ctl = {
                        .out = fdopen(pair[1], "w"), .errors = stderr, .socket = fixture->socket};
                char *argv[] = {(char[]){"millctl"}, (char[]){"get"}, (char[]){"ku"},
                                (char[]){"-w"}, NULL};
                _exit(ctl_main(&ctl, 4, argv));
        }
        close(pair[1]);
        put(fixture, "b.yaml", USER("b"));
        for (int i = 0; i < 100 && !strstr(mr_buf_text(&seen), "\nb "); i++) {
                struct pollfd pfd = {.fd = pair[0], .events = POLLIN};
                char chunk[512];
                if (poll(&pfd, 1, 100) == 1)
                        mr_buf_append(&seen, chunk, (size_t) read(pair[0], chunk, sizeof(chunk)));
                if (strstr(mr_buf_text(&seen), "\na "))
                        assert_int_equal(type(fixture, "apply -f @/b.yaml"), CTL_OK);
        }
        assert_says(mr_buf_text(&seen), "\nb ");
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        close(pair[0]);
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(apply_says_what_it_did),
                TEST(an_error_names_file_line_column_field_and_what_to_do),
                TEST(what_the_server_dislikes_is_shown_at_its_line),
                TEST(get_prints_tables),
                TEST(get_prints_objects),
                TEST(what_get_prints_can_be_applied_again),
                TEST(get_watches),
                TEST(delete_waits_until_it_is_gone),
                TEST(describe_draws_a_tree),
                TEST(plan_shows_steps_and_what_they_wait_for),
                TEST(a_plan_on_paper_is_the_same_twice_and_needs_no_daemon),
                TEST(explain_reads_the_tables),
                TEST(wait_shows_progress_until_the_condition_holds),
                TEST(nodes_are_held_released_and_restarted),
                TEST(resources_are_paused_and_resumed),
                TEST(data_is_applied_got_and_explained),
                TEST(secrets_are_deleted),
                TEST(secrets_are_written_to_private_files),
                TEST(wrong_use_is_exit_code_two),
                TEST(help_and_versions_are_told),
                TEST(an_absent_daemon_is_told_once),
                TEST(completion_offers_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
