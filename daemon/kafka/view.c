/* A look is a few requests: Metadata first, then quorum, topics' minimums and brokers'
 * configurations side by side. */

#include "kafka/view.h"

#include "kafka/errors.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define RESOURCE_TOPIC 2
#define RESOURCE_BROKER 4
#define RESOURCE_BROKER_LOGGER 8
#define MATCH_DEFAULT 1
#define SOURCE_DYNAMIC_BROKER 2
#define SOURCE_DYNAMIC_DEFAULT 3
/* Topics asked for in one DescribeConfigs. */
#define TOPICS_A_REQUEST 500

typedef struct Asking {
        KafkaView *view; /* weak */
        KafkaCall *call; /* NULL once answered */
        char *broker;    /* whose configuration this is; NULL for other questions */
} Asking;

struct KafkaView {
        KafkaClient *client;
        unsigned also;
        KafkaSeen seen;
        void *userdata;
        Asking **askings;
        size_t n, allocated, n_open;
        MrTree *metadata, *minimums, *tree;
        char *error;
        bool is_over;
};

static void finish(KafkaView *view) {
        MrTree *tree;

        if (view->is_over)
                return;
        view->is_over = true;
        if (view->error) {
                tree = mr_tree_new_map();
                mr_tree_set_string(tree, "error", view->error);
        } else {
                tree = TAKE(view->tree);
                mr_tree_set(tree, "partitions",
                            kafka_view_partitions(view->metadata, view->minimums));
        }
        view->seen(view->userdata, tree);
}

/* The last answer, or the first failure of a question that matters, ends the look. */
static void answered(Asking *asking, const MrError *err) {
        KafkaView *view = asking->view;

        asking->call = NULL;
        view->n_open--;
        if (err && !view->error)
                view->error = mr_error_text(err);
        if (view->n_open == 0)
                finish(view);
}

static int no_check(const MrTree *response, MrError *err) {
        (void) response;
        (void) err;
        return 0;
}

static void ask(KafkaView *view, KafkaRequest request, const char *broker) {
        Asking *asking = mr_new(Asking, 1);

        MR_GROW(view->askings, view->n, view->allocated);
        view->askings[view->n++] = asking;
        view->n_open++;
        asking->view = view;
        asking->broker = mr_strdup(broker);
        request.userdata = asking;
        asking->call = kafka_client_call(view->client, &request);
}

static MrTree *configs_request(MrTree **ret_resources) {
        MrTree *body = mr_tree_new_map();

        *ret_resources = mr_tree_need_list(body, "resources");
        return body;
}

static MrTree *add_resource(MrTree *resources, int64_t type, const char *name) {
        MrTree *resource = mr_tree_append(resources, mr_tree_new_map());

        mr_tree_set_int(resource, "resource_type", type);
        mr_tree_set_string(resource, "resource_name", name);
        return resource;
}

/* Without its minimum a topic would look as if any broker could stop, so a failure here is one of
 * the whole look. Only a topic that was deleted meanwhile may be missing. */
static int check_minimums(const MrTree *response, MrError *err) {
        const MrTree *results = mr_tree_get(response, "results");

        for (size_t i = 0; i < mr_tree_size(results); i++) {
                const MrTree *result = mr_tree_at(results, i);
                if (mr_tree_get_int(result, "error_code", 0) == KAFKA_UNKNOWN_TOPIC)
                        continue;
                int r = kafka_error_check_in(result, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void on_minimums(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;
        const MrTree *results = mr_tree_get(response, "results");

        for (size_t i = 0; i < mr_tree_size(results); i++) {
                const MrTree *result = mr_tree_at(results, i),
                             *entry = mr_tree_at(mr_tree_get(result, "configs"), 0);
                const char *topic = mr_tree_get_string(result, "resource_name");
                int64_t minimum;
                if (topic && mr_streq(mr_tree_get_string(entry, "name"), "min.insync.replicas") &&
                    mr_parse_int(mr_tree_get_string(entry, "value"), &minimum) == 0)
                        mr_tree_set_int(asking->view->minimums, topic, minimum);
        }
        answered(asking, err);
}

static void ask_minimums(KafkaView *view) {
        const MrTree *topics = mr_tree_get(view->metadata, "topics");

        for (size_t i = 0; i < mr_tree_size(topics); i += TOPICS_A_REQUEST) {
                MrTree *resources, *body = configs_request(&resources);
                for (size_t k = i; k < mr_tree_size(topics) && k < i + TOPICS_A_REQUEST; k++) {
                        const char *name = mr_tree_get_string(mr_tree_at(topics, k), "name");
                        MrTree *resource =
                                name ? add_resource(resources, RESOURCE_TOPIC, name) : NULL;
                        if (resource)
                                mr_tree_append(mr_tree_need_list(resource, "configuration_keys"),
                                               mr_tree_new_string("min.insync.replicas"));
                }
                ask(view,
                    (KafkaRequest){
                            .api = KAFKA_DESCRIBE_CONFIGS,
                            .target = KAFKA_ANY,
                            .take_body = body,
                            .check = check_minimums,
                            .reply = on_minimums,
                    },
                    NULL);
        }
}

/* An error of the partition leaves its other fields zero, which would look like a leader with the
 * id 0. */
static int check_quorum(const MrTree *response, MrError *err) {
        const MrTree *topic = mr_tree_at(mr_tree_get(response, "topics"), 0);
        const MrTree *partition = mr_tree_at(mr_tree_get(topic, "partitions"), 0);

        int r = kafka_error_check_in(response, err);
        if (r >= 0 && !partition)
                r = mr_fail(err, MR_TRANSIENT, NULL, "the broker says nothing of the quorum");
        return r < 0 ? r : kafka_error_check_in(partition, err);
}

static void on_quorum(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;

        if (response) {
                mr_tree_set(asking->view->tree, "quorum", kafka_view_quorum(response));
                kafka_view_members(response, asking->view->tree);
        }
        answered(asking, err);
}

static void ask_quorum(KafkaView *view) {
        MrTree *body = mr_tree_new_map();
        MrTree *topic = mr_tree_append(mr_tree_need_list(body, "topics"), mr_tree_new_map());
        MrTree *partition =
                mr_tree_append(mr_tree_need_list(topic, "partitions"), mr_tree_new_map());

        mr_tree_set_string(topic, "topic_name", "__cluster_metadata");
        mr_tree_set_int(partition, "partition_index", 0);
        ask(view,
            (KafkaRequest){
                    .api = KAFKA_DESCRIBE_QUORUM,
                    .target = KAFKA_ANY,
                    .take_body = body,
                    .is_optional = true,
                    .check = check_quorum,
                    .reply = on_quorum,
            },
            NULL);
}

/* Kafka calls every option of a single listener read-only, also those that can be altered. */
static bool is_fixed(const char *name, const MrTree *entry) {
        return mr_tree_get_bool(entry, "read_only", true) &&
               !mr_starts_with(name, "listener.name.");
}

static void keep_configs(KafkaView *view, const char *broker, const MrTree *configs) {
        MrTree *kept = mr_tree_need_map(mr_tree_need_map(view->tree, "configs"), broker);
        MrTree *overrides = mr_tree_need_map(mr_tree_need_map(view->tree, "overrides"), broker);

        for (size_t i = 0; i < mr_tree_size(configs); i++) {
                const MrTree *entry = mr_tree_at(configs, i);
                const char *name = mr_tree_get_string(entry, "name"),
                           *value = mr_tree_get_string(entry, "value");
                if (!name || is_fixed(name, entry) || mr_tree_get_bool(entry, "is_sensitive", true))
                        continue;
                /* Without a value it falls back to another key, and can be set all the same. */
                mr_tree_set(kept, name, mr_tree_new_string(value));
                if (!value)
                        continue;
                if (mr_tree_get_int(entry, "config_source", 0) == SOURCE_DYNAMIC_BROKER)
                        mr_tree_set_string(overrides, name, value);
                if (mr_tree_get_int(entry, "config_source", 0) == SOURCE_DYNAMIC_DEFAULT)
                        mr_tree_set_string(
                                mr_tree_need_map(mr_tree_get(view->tree, "overrides"), ""), name,
                                value);
        }
}

/* A broker that does not answer is not ready; that is no reason to see nothing of the others. */
static void on_configs(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;
        const MrTree *result = mr_tree_at(mr_tree_get(response, "results"), 0);

        if (!err && mr_tree_get_int(result, "error_code", 0) == KAFKA_OK)
                keep_configs(asking->view, asking->broker, mr_tree_get(result, "configs"));
        answered(asking, NULL);
}

static void on_loggers(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;
        const MrTree *result = mr_tree_at(mr_tree_get(response, "results"), 0),
                     *configs = mr_tree_get(result, "configs");

        if (!err && mr_tree_get_int(result, "error_code", 0) == KAFKA_OK) {
                MrTree *loggers = mr_tree_need_map(asking->view->tree, "loggers");
                for (size_t i = 0; i < mr_tree_size(configs); i++) {
                        const MrTree *entry = mr_tree_at(configs, i);
                        const char *name = mr_tree_get_string(entry, "name");
                        if (name)
                                mr_tree_set_string(mr_tree_need_map(loggers, asking->broker), name,
                                                   mr_tree_get_string(entry, "value"));
                }
        }
        answered(asking, NULL);
}

static void ask_broker(KafkaView *view, const char *broker, int64_t type, KafkaReply reply) {
        MrTree *resources, *body = configs_request(&resources);
        int64_t id;

        mr_tree_set(add_resource(resources, type, broker), "configuration_keys",
                    mr_tree_new_null());
        if (mr_parse_int(broker, &id) < 0)
                id = KAFKA_ANY;
        ask(view,
            (KafkaRequest){
                    .api = KAFKA_DESCRIBE_CONFIGS,
                    .target = (int32_t) id,
                    .take_body = body,
                    .check = no_check,
                    .timeout_usec = 3000000,
                    .reply = reply,
            },
            broker);
}

static void on_quotas(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;

        if (response)
                mr_tree_set(asking->view->tree, "quotas", kafka_view_quotas(response));
        answered(asking, err);
}

/* Quotas of the user "<default>". */
static void ask_quotas(KafkaView *view) {
        MrTree *body = mr_tree_new_map();
        MrTree *component =
                mr_tree_append(mr_tree_need_list(body, "components"), mr_tree_new_map());

        mr_tree_set_string(component, "entity_type", "user");
        mr_tree_set_int(component, "match_type", MATCH_DEFAULT);
        mr_tree_set(component, "match", mr_tree_new_null());
        mr_tree_set_bool(body, "strict", true);
        ask(view,
            (KafkaRequest){
                    .api = KAFKA_DESCRIBE_CLIENT_QUOTAS,
                    .target = KAFKA_ANY,
                    .take_body = body,
                    .is_optional = true,
                    .check = kafka_error_check_in,
                    .reply = on_quotas,
            },
            NULL);
}

/* Of a broker that does not answer nothing is known, and the look goes on without it. */
static void on_log_dirs(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;

        if (!err && response && mr_tree_get_int(response, "error_code", 0) == KAFKA_OK)
                mr_tree_set(mr_tree_need_map(asking->view->tree, "log_dirs"), asking->broker,
                            kafka_view_log_dirs(response));
        answered(asking, NULL);
}

static void ask_log_dirs(KafkaView *view, const char *broker) {
        MrTree *body = mr_tree_new_map();
        int64_t id;

        mr_tree_set(body, "topics", mr_tree_new_null());
        if (mr_parse_int(broker, &id) < 0)
                id = KAFKA_ANY;
        ask(view,
            (KafkaRequest){
                    .api = KAFKA_DESCRIBE_LOG_DIRS,
                    .target = (int32_t) id,
                    .take_body = body,
                    .check = no_check,
                    .timeout_usec = 3000000,
                    .reply = on_log_dirs,
            },
            broker);
}

static void on_features(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;

        if (response)
                mr_tree_set(asking->view->tree, "features", kafka_view_features(response));
        answered(asking, err);
}

static void ask_features(KafkaView *view) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set_string(body, "client_software_name", "millrace");
        mr_tree_set_string(body, "client_software_version", MILLRACE_VERSION);
        ask(view,
            (KafkaRequest){
                    .api = KAFKA_API_VERSIONS,
                    .target = KAFKA_ANY,
                    .take_body = body,
                    .reply = on_features,
            },
            NULL);
}

static void on_registrations(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;

        if (response)
                mr_tree_set(asking->view->tree, "registrations",
                            kafka_view_registrations(response));
        answered(asking, err);
}

static void ask_registrations(KafkaView *view) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set_bool(body, "include_fenced_brokers", true);
        ask(view,
            (KafkaRequest){
                    .api = KAFKA_DESCRIBE_CLUSTER,
                    .target = KAFKA_ANY,
                    .take_body = body,
                    .reply = on_registrations,
            },
            NULL);
}

static void add_brokers(KafkaView *view) {
        const MrTree *list = mr_tree_get(view->metadata, "brokers");
        MrTree *brokers = mr_tree_need_map(view->tree, "brokers");

        for (size_t i = 0; i < mr_tree_size(list); i++) {
                const MrTree *broker = mr_tree_at(list, i);
                _cleanup_free_ char *id =
                        mr_strf("%lld", (long long) mr_tree_get_int(broker, "node_id", -1));
                MrTree *entry = mr_tree_need_map(brokers, id);
                mr_tree_set_string(entry, "host", mr_tree_get_string(broker, "host"));
                mr_tree_set_int(entry, "port", mr_tree_get_int(broker, "port", 0));
                mr_tree_set_string(entry, "rack", mr_tree_get_string(broker, "rack"));
                ask_broker(view, id, RESOURCE_BROKER, on_configs);
                if (view->also & KAFKA_ASK_LOG_DIRS)
                        ask_log_dirs(view, id);
                if (view->also & KAFKA_ASK_LOGGERS)
                        ask_broker(view, id, RESOURCE_BROKER_LOGGER, on_loggers);
        }
}

/* A broker that has just started may know nothing yet, and nothing is not the same as an empty
 * cluster. */
static int check_metadata(const MrTree *response, MrError *err) {
        const MrTree *topics = mr_tree_get(response, "topics");

        int r = kafka_error_check_in(response, err);
        if (r >= 0 && mr_tree_size(mr_tree_get(response, "brokers")) == 0)
                r = mr_fail(err, MR_TRANSIENT, NULL, "no broker is registered with the cluster");
        for (size_t i = 0; r >= 0 && i < mr_tree_size(topics); i++) {
                const MrTree *topic = mr_tree_at(topics, i);
                if (mr_tree_get_int(topic, "error_code", 0) != KAFKA_UNKNOWN_TOPIC)
                        r = mr_error_within(err, kafka_error_check_in(topic, err), "%s",
                                            mr_tree_get_string(topic, "name"));
        }
        return r;
}

static void on_metadata(const MrError *err, const MrTree *response, void *userdata) {
        Asking *asking = userdata;
        KafkaView *view = asking->view;

        if (response) {
                view->metadata = mr_tree_copy(response);
                mr_tree_set_string(view->tree, "cluster_id",
                                   mr_tree_get_string(response, "cluster_id"));
                mr_tree_set_int(view->tree, "controller",
                                mr_tree_get_int(response, "controller_id", -1));
                add_brokers(view);
                ask_minimums(view);
                ask_quorum(view);
                if (view->also & KAFKA_ASK_FEATURES)
                        ask_features(view);
                if (view->also & KAFKA_ASK_REGISTRATIONS)
                        ask_registrations(view);
                if (view->also & KAFKA_ASK_QUOTAS)
                        ask_quotas(view);
        }
        answered(asking, err);
}

KafkaView *kafka_view_new(KafkaClient *client, unsigned also, KafkaSeen seen, void *userdata) {
        KafkaView *view = mr_new(KafkaView, 1);
        MrTree *body = mr_tree_new_map();

        view->client = client;
        view->also = also;
        view->seen = seen;
        view->userdata = userdata;
        view->tree = mr_tree_new_map();
        view->minimums = mr_tree_new_map();
        mr_tree_set(body, "topics", mr_tree_new_null());
        ask(view,
            /* With ZooKeeper the controller is the one who knows best what is in sync. */
            (KafkaRequest){.api = KAFKA_METADATA,
                           .target = KAFKA_CONTROLLER,
                           .take_body = body,
                           .check = check_metadata,
                           .reply = on_metadata},
            NULL);
        return view;
}

KafkaView *kafka_view_free(KafkaView *view) {
        if (!view)
                return NULL;
        for (size_t i = 0; i < view->n; i++) {
                kafka_call_cancel(view->askings[i]->call);
                free(view->askings[i]->broker);
                free(view->askings[i]);
        }
        free(view->askings);
        mr_tree_free(view->metadata);
        mr_tree_free(view->minimums);
        mr_tree_free(view->tree);
        free(view->error);
        free(view);
        return NULL;
}
