/* What a broker or controller is told: the options of the user, and above them everything that
 * follows from the spec. */

#include "kafka-properties.h"

#include <inttypes.h>
#include <string.h>

#include "ensemble.h"
#include "kafka-listener.h"
#include "kafka-metrics.h"
#include "kafka-options.h"
#include "kafka-quotas.h"
#include "kafka-tiered.h"

typedef struct Writer {
        const KafkaCluster *cluster;
        const KafkaNode *node;
        MrPairs pairs;
} Writer;

static void set(Writer *writer, const char *key, const char *value) {
        mr_pairs_set(writer->cluster->arena, &writer->pairs, key, value);
}

static const char *append(MrArena *arena, const char *list, const char *item) {
        return list ? mr_arena_strf(arena, "%s,%s", list, item) : item;
}

static void set_for(Writer *writer, const char *listener, const char *key, const char *value) {
        set(writer, listener_key(writer->cluster->arena, listener, key), value);
}

static void set_keystore(Writer *writer, const char *listener, const char *file) {
        set_for(writer, listener, "ssl.keystore.type", "PEM");
        set_for(writer, listener, "ssl.keystore.location",
                mr_arena_strf(writer->cluster->arena, "@{file:%s}", file));
}

static void set_truststore(Writer *writer, const char *listener, const char *file) {
        set_for(writer, listener, "ssl.truststore.type", "PEM");
        set_for(writer, listener, "ssl.truststore.location",
                mr_arena_strf(writer->cluster->arena, "@{file:%s}", file));
        set_for(writer, listener, "ssl.client.auth", "required");
}

static const char *key_pair_of_node(const Writer *writer) {
        return mr_arena_strf(writer->cluster->arena, "%s.pem", writer->node->name);
}

/* A listener only nodes of the cluster may use. */
static void set_internal(Writer *writer, const char *listener) {
        set_keystore(writer, listener, key_pair_of_node(writer));
        set_truststore(writer, listener, "cluster-ca.crt");
}

static void set_custom(Writer *writer, const char *id, const Listener *listener, MrParts *parts) {
        const MrPairs *config = &listener->authentication->config;

        for (size_t i = 0; i < config->n; i++)
                if (!listener_option_is_forbidden(config->items[i].key))
                        set_for(writer, id, mr_parts_literal(parts, config->items[i].key),
                                listener_secret_text(parts, listener, config->items[i].value));
}

static void set_listener(Writer *writer, const Listener *listener, MrParts *parts) {
        MrArena *arena = writer->cluster->arena;
        const char *id = listener_id(arena, listener),
                   *file = listener_key_pair_file(arena, listener);

        /* First, because what follows is not for the user to change. */
        if (listener_has(listener, AUTHENTICATION_CUSTOM))
                set_custom(writer, id, listener, parts);
        if (listener->tls)
                set_keystore(writer, id, file ? file : key_pair_of_node(writer));
        if (listener_has(listener, AUTHENTICATION_TLS))
                set_truststore(writer, id, "clients-ca.crt");
        if (listener_has(listener, AUTHENTICATION_SCRAM_SHA_512)) {
                set_for(writer, id, "sasl.enabled.mechanisms", "SCRAM-SHA-512");
                set_for(writer, id, "scram-sha-512.sasl.jaas.config",
                        "org.apache.kafka.common.security.scram.ScramLoginModule required;");
        }
        listener_add_limits(arena, listener, &writer->pairs);
}

typedef struct Addresses {
        const char *bound, *advertised, *protocols;
} Addresses;

static void add_address(const Writer *writer, Addresses *addresses, const char *id,
                        const char *endpoint, const char *protocol) {
        MrArena *arena = writer->cluster->arena;

        addresses->bound = append(arena, addresses->bound,
                                  mr_arena_strf(arena, "%s://0.0.0.0:@{bind:%s}", id, endpoint));
        addresses->protocols =
                append(arena, addresses->protocols, mr_arena_strf(arena, "%s:%s", id, protocol));
}

static void advertise(const Writer *writer, Addresses *addresses, const char *id,
                      const char *address) {
        MrArena *arena = writer->cluster->arena;

        addresses->advertised =
                append(arena, addresses->advertised, mr_arena_strf(arena, "%s://%s", id, address));
}

static const char *address_of(const Writer *writer, const char *endpoint) {
        const char *node = writer->node->name;

        return mr_arena_strf(writer->cluster->arena, "@{addr:%s}:@{port:%s/%s}", node, node,
                             endpoint);
}

static void add_listener_address(Writer *writer, Addresses *addresses, const Listener *listener) {
        MrArena *arena = writer->cluster->arena;
        const char *id = listener_id(arena, listener);

        add_address(writer, addresses, id, listener_endpoint(arena, listener),
                    listener_protocol(listener));
        advertise(writer, addresses, id,
                  listener_address(arena, listener_host(arena, listener, writer->node),
                                   listener_advertised_port(arena, listener, writer->node)));
}

static void add_broker_addresses(Writer *writer, Addresses *addresses, MrParts *parts) {
        const MrList *listeners = &writer->cluster->spec->kafka->listeners;

        add_address(writer, addresses, LISTENER_REPLICATION, ENDPOINT_REPLICATION, "SSL");
        advertise(writer, addresses, LISTENER_REPLICATION,
                  address_of(writer, ENDPOINT_REPLICATION));
        set_internal(writer, LISTENER_REPLICATION);
        set(writer, "inter.broker.listener.name", LISTENER_REPLICATION);
        for (size_t i = 0; i < listeners->n; i++) {
                const Listener *listener = (const Listener *) listeners->items + i;
                add_listener_address(writer, addresses, listener);
                set_listener(writer, listener, parts);
        }
}

static void add_controller_address(Writer *writer, Addresses *addresses) {
        add_address(writer, addresses, LISTENER_CONTROL, ENDPOINT_CONTROL, "SSL");
        /* Controllers have an address of their own to advertise since 3.9; before, saying so is an
         * error. */
        if (kafka_version_is_at_least(writer->cluster->version, 3, 9))
                advertise(writer, addresses, LISTENER_CONTROL,
                          address_of(writer, ENDPOINT_CONTROL));
}

static void set_addresses(Writer *writer, MrParts *parts) {
        const KafkaCluster *cluster = writer->cluster;
        Addresses addresses = {};

        if (writer->node->is_controller)
                add_controller_address(writer, &addresses);
        if (writer->node->is_broker)
                add_broker_addresses(writer, &addresses, parts);
        if (cluster->is_kraft && !writer->node->is_controller)
                addresses.protocols =
                        append(cluster->arena, addresses.protocols, LISTENER_CONTROL ":SSL");
        set(writer, "listeners", addresses.bound);
        set(writer, "listener.security.protocol.map", addresses.protocols);
        if (addresses.advertised)
                set(writer, "advertised.listeners", addresses.advertised);
        set(writer, "sasl.enabled.mechanisms", "");
        set(writer, "ssl.endpoint.identification.algorithm", "HTTPS");
        /* A certificate that is read again while the broker runs may have other names. */
        set(writer, "ssl.allow.dn.changes", "true");
        set(writer, "ssl.allow.san.changes", "true");
}

const char *kafka_initial_controllers(const KafkaCluster *cluster) {
        const char *list = NULL;

        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                if (node->is_controller && kafka_directory_id(cluster, node))
                        list = append(cluster->arena, list,
                                      mr_arena_strf(cluster->arena,
                                                    "%" PRId64
                                                    "@{at}@{addr:%s}:@{port:%s/" ENDPOINT_CONTROL
                                                    "}:%s",
                                                    node->id, node->name, node->name,
                                                    kafka_directory_id(cluster, node)));
        }
        return list;
}

static void set_quorum(Writer *writer) {
        const KafkaCluster *cluster = writer->cluster;
        MrArena *arena = cluster->arena;
        const char *voters = NULL, *servers = NULL;

        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                if (!node->is_controller)
                        continue;
                const char *address =
                        mr_arena_strf(arena, "@{addr:%s}:@{port:%s/" ENDPOINT_CONTROL "}",
                                      node->name, node->name);
                voters = append(arena, voters,
                                mr_arena_strf(arena, "%" PRId64 "@{at}%s", node->id, address));
                servers = append(arena, servers, address);
        }
        /* None: each of them waits for something else. */
        if (!servers)
                return;
        if (cluster->is_dynamic)
                set(writer, "controller.quorum.bootstrap.servers", servers);
        else
                set(writer, "controller.quorum.voters", voters);
}

static void set_kraft(Writer *writer) {
        const KafkaCluster *cluster = writer->cluster;
        const KafkaNode *node = writer->node;

        set(writer, "node.id", mr_arena_strf(cluster->arena, "%" PRId64, node->id));
        set(writer, "process.roles",
            !node->is_controller ? "broker"
            : node->is_broker    ? "broker,controller"
                                 : "controller");
        set(writer, "controller.listener.names", LISTENER_CONTROL);
        set(writer, "metadata.log.dir", kafka_log_dir(cluster, node, node->metadata));
        set_internal(writer, LISTENER_CONTROL);
        set_quorum(writer);
}

static const char *zookeeper_connect(const KafkaCluster *cluster) {
        int64_t n = ensemble_members(cluster->resource, cluster->facts);
        const char *list = NULL;

        for (int64_t i = 0; i < n; i++)
                list = append(cluster->arena, list,
                              mr_arena_strf(cluster->arena,
                                            "@{addr:%s-zookeeper-%" PRId64
                                            "}:@{port:%s-zookeeper-%" PRId64 "/tcp-clients}",
                                            cluster->resource->name, i, cluster->resource->name,
                                            i));
        return list;
}

static void set_zookeeper(Writer *writer) {
        const KafkaCluster *cluster = writer->cluster;

        set(writer, "broker.id", mr_arena_strf(cluster->arena, "%" PRId64, writer->node->id));
        set(writer, "zookeeper.connect", zookeeper_connect(cluster));
        set(writer, "zookeeper.clientCnxnSocket", "org.apache.zookeeper.ClientCnxnSocketNetty");
        set(writer, "zookeeper.ssl.client.enable", "true");
        set(writer, "zookeeper.ssl.enabled.protocols", "TLSv1.3,TLSv1.2");
        set(writer, "zookeeper.ssl.protocol", "TLSv1.3");
        set(writer, "zookeeper.ssl.keystore.type", "PEM");
        set(writer, "zookeeper.ssl.keystore.location",
            mr_arena_strf(cluster->arena, "@{file:%s.pem}", writer->node->name));
        set(writer, "zookeeper.ssl.truststore.type", "PEM");
        set(writer, "zookeeper.ssl.truststore.location", "@{file:cluster-ca.crt}");
        set(writer, "inter.broker.protocol.version", cluster->protocol);
}

static const char *super_users(const KafkaCluster *cluster, MrParts *parts) {
        static const char *const components[] = {"kafka", "entity-topic-operator",
                                                 "entity-user-operator", "kafka-exporter",
                                                 "cruise-control"};
        const MrStrings *users = &cluster->spec->kafka->authorization->super_users;
        MrArena *arena = cluster->arena;
        const char *list = NULL;

        for (size_t i = 0; i < MR_ELEMENTS(components); i++) {
                const char *user = mr_arena_strf(arena, "User:CN=%s-%s,O=" CLUSTER_ORGANIZATION,
                                                 cluster->resource->name, components[i]);
                list = list ? mr_arena_strf(arena, "%s;%s", list, user) : user;
        }
        list = mr_arena_strf(arena, "%s;User:CN=cluster-operator,O=" CLUSTER_ORGANIZATION, list);
        for (size_t i = 0; i < users->n; i++)
                list = mr_arena_strf(arena, "%s;User:%s", list,
                                     mr_parts_literal(parts, users->items[i]));
        return list;
}

static void set_authorization(Writer *writer, MrParts *parts) {
        const KafkaCluster *cluster = writer->cluster;
        const Authorization *authorization = cluster->spec->kafka->authorization;

        if (!authorization)
                return;
        if (authorization->type == AUTHORIZATION_CUSTOM)
                set(writer, "authorizer.class.name",
                    mr_parts_literal(parts, authorization->authorizer_class));
        else
                set(writer, "authorizer.class.name",
                    cluster->is_kraft ? "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
                                      : "kafka.security.authorizer.AclAuthorizer");
        set(writer, "super.users", super_users(cluster, parts));
}

static void set_log_dirs(Writer *writer) {
        const char *list = NULL;

        for (size_t i = 0; i < storage_volumes(writer->node->storage); i++)
                list = append(writer->cluster->arena, list,
                              kafka_log_dir(writer->cluster, writer->node, i));
        set(writer, "log.dirs", list);
}

static void set_user_options(Writer *writer, MrParts *parts) {
        const MrPairs *config = &writer->cluster->spec->kafka->config;

        for (size_t i = 0; i < config->n; i++)
                if (!option_is_forbidden(config->items[i].key))
                        set(writer, mr_parts_literal(parts, config->items[i].key),
                            mr_parts_literal(parts, config->items[i].value));
}

void kafka_warn_of_options(const KafkaCluster *cluster, MrParts *parts) {
        const MrPairs *config = &cluster->spec->kafka->config;

        for (size_t i = 0; i < config->n; i++)
                if (option_is_forbidden(config->items[i].key))
                        mr_parts_warn(parts, "ForbiddenOption",
                                      "spec.kafka.config.%s is set by millrace and was left out; "
                                      "remove it",
                                      config->items[i].key);
}

/* What needs a restart is kept where everybody reads it, and given as the reason of one. What may
 * hold a password goes there as a digest, too short to find the password by trying. */
static const char *shown(MrArena *arena, const char *key, const char *value) {
        char digest[MR_DIGEST_MAX];

        if (!mr_starts_with(key, "listener.name.") ||
            !(mr_ends_with(key, ".sasl.jaas.config") || strstr(key, "password") ||
              strstr(key, "secret") || mr_ends_with(key, ".key")) ||
            mr_starts_with(value, "org.apache.kafka.common.security.scram."))
                return value;
        mr_digest(value, strlen(value), digest);
        return mr_arena_strf(arena, "(hidden, %.6s)", digest);
}

ServerProperties kafka_properties(const KafkaCluster *cluster, const KafkaNode *node,
                                  MrParts *parts) {
        Writer writer = {.cluster = cluster, .node = node};
        ServerProperties result = {};

        set_user_options(&writer, parts);
        set_log_dirs(&writer);
        set_addresses(&writer, parts);
        if (cluster->is_kraft)
                set_kraft(&writer);
        else
                set_zookeeper(&writer);
        set_authorization(&writer, parts);
        kafka_metrics_options(cluster, node, &writer.pairs, parts);
        quotas_add_options(cluster, node, &writer.pairs, parts);
        tiered_add_options(cluster, node, key_pair_of_node(&writer), &writer.pairs, parts);
        result.all = writer.pairs;
        for (size_t i = 0; i < writer.pairs.n; i++)
                if (!option_is_dynamic(writer.pairs.items[i].key, cluster->version))
                        mr_pairs_set(cluster->arena, &result.restart, writer.pairs.items[i].key,
                                     shown(cluster->arena, writer.pairs.items[i].key,
                                           writer.pairs.items[i].value));
        return result;
}
