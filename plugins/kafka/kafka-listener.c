/* A listener of one broker. Whatever the type, a client finds the broker under the host that is
 * declared for it, else at the address of the node, and at the port on which it listens. */

#include "kafka-listener.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "kafka-template.h"

/* --- names */

/* The listeners Strimzi had first keep the names of their ports. */
const char *listener_endpoint(MrArena *arena, const Listener *listener) {
        if (listener->type != LISTENER_INTERNAL)
                return mr_arena_strf(arena, "tcp-%s", listener->name);
        if (listener->port == 9092 && mr_streq(listener->name, "plain"))
                return "tcp-clients";
        if (listener->port == 9093 && mr_streq(listener->name, "tls"))
                return "tcp-clientstls";
        return mr_arena_strf(arena, "tcp-%s", listener->name);
}

const char *listener_id(MrArena *arena, const Listener *listener) {
        char *id = mr_arena_strf(arena, "%s-%" PRId64, listener->name, listener->port);

        for (char *c = id; *c; c++)
                *c = (char) toupper((unsigned char) *c);
        return id;
}

const char *listener_key(MrArena *arena, const char *id, const char *key) {
        char *lower = mr_arena_strdup(arena, id);

        for (char *c = lower; *c; c++)
                *c = (char) tolower((unsigned char) *c);
        return mr_arena_strf(arena, "listener.name.%s.%s", lower, key);
}

bool listener_has(const Listener *listener, AuthenticationType type) {
        return listener->authentication && listener->authentication->type == (int) type;
}

const char *listener_protocol(const Listener *listener) {
        bool is_sasl = listener_has(listener, AUTHENTICATION_SCRAM_SHA_512) ||
                       (listener_has(listener, AUTHENTICATION_CUSTOM) &&
                        listener->authentication->sasl > 0);

        if (is_sasl)
                return listener->tls ? "SASL_SSL" : "SASL_PLAINTEXT";
        return listener->tls ? "SSL" : "PLAINTEXT";
}

/* --- addresses */

static const ListenerBroker *find_broker(const Listener *listener, int64_t id) {
        const ListenerConfiguration *configuration = listener->configuration;

        for (size_t i = 0; configuration && i < configuration->brokers.n; i++) {
                const ListenerBroker *broker =
                        (const ListenerBroker *) configuration->brokers.items + i;
                if (broker->id == id)
                        return broker;
        }
        return NULL;
}

bool listener_has_domain(const Listener *listener) {
        return listener->configuration && listener->configuration->uses_service_domain > 0;
}

int64_t listener_port(const Listener *listener, int64_t id) {
        const ListenerBroker *broker = find_broker(listener, id);
        const ListenerBootstrap *bootstrap =
                listener->configuration ? listener->configuration->bootstrap : NULL;

        if (broker && broker->node_port != MR_INT_UNSET)
                return broker->node_port;
        if (bootstrap && bootstrap->node_port != MR_INT_UNSET)
                return bootstrap->node_port;
        return listener->port;
}

bool listener_port_is_fixed(const Listener *listener, int64_t id) {
        const ListenerBroker *broker = find_broker(listener, id);

        return broker && broker->node_port != MR_INT_UNSET;
}

static const char *declared(MrArena *arena, const char *host, const char *template,
                            const KafkaNode *node) {
        if (host)
                return host;
        return template ? template_host(arena, template, node->id, node->name) : NULL;
}

const char *listener_routed_host(MrArena *arena, const Listener *listener, const KafkaNode *node) {
        const ListenerBroker *broker = find_broker(listener, node->id);
        const ListenerConfiguration *configuration = listener->configuration;

        return configuration ? declared(arena, broker ? broker->host : NULL,
                                        configuration->host_template, node)
                             : NULL;
}

static const char *advertised_host(MrArena *arena, const Listener *listener,
                                   const KafkaNode *node) {
        const ListenerBroker *broker = find_broker(listener, node->id);
        const ListenerConfiguration *configuration = listener->configuration;

        return configuration ? declared(arena, broker ? broker->advertised_host : NULL,
                                        configuration->advertised_host_template, node)
                             : NULL;
}

/* "[::1]" → "::1" */
static const char *without_brackets(MrArena *arena, const char *host) {
        size_t n = strlen(host);

        return host[0] == '[' ? mr_arena_strndup(arena, host + 1, n - 2) : host;
}

const char *listener_host(MrArena *arena, const Listener *listener, const KafkaNode *node) {
        const char *host = advertised_host(arena, listener, node);

        if (!host)
                host = listener_routed_host(arena, listener, node);
        return host ? without_brackets(arena, host)
                    : mr_arena_strf(arena, "@{host:%s/%s}", node->name,
                                    listener_endpoint(arena, listener));
}

/* The declared port, or 0. */
static int64_t declared_port(const Listener *listener, int64_t id) {
        const ListenerBroker *broker = find_broker(listener, id);
        const ListenerConfiguration *configuration = listener->configuration;
        int64_t port;

        if (broker && broker->advertised_port != MR_INT_UNSET)
                return broker->advertised_port;
        if (configuration && configuration->advertised_port_template &&
            template_port(configuration->advertised_port_template, id, &port, NULL) >= 0)
                return port;
        return 0;
}

const char *listener_advertised_port(MrArena *arena, const Listener *listener,
                                     const KafkaNode *node) {
        int64_t port = declared_port(listener, node->id);

        if (port > 0)
                return mr_arena_strf(arena, "%" PRId64, port);
        return mr_arena_strf(arena, "@{port:%s/%s}", node->name,
                             listener_endpoint(arena, listener));
}

const char *listener_address(MrArena *arena, const char *host, const char *port) {
        bool is_v6 = host[0] != '@' && strchr(host, ':');

        return mr_arena_strf(arena, is_v6 ? "[%s]:%s" : "%s:%s", host, port);
}

const char *listener_bootstrap_host(const Listener *listener) {
        const ListenerConfiguration *configuration = listener->configuration;

        return configuration && configuration->bootstrap ? configuration->bootstrap->host : NULL;
}

const char *listener_bootstrap_port(const KafkaCluster *cluster, const Listener *listener) {
        const KafkaNode *first = NULL;
        int64_t port = 0;

        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                if (!node->is_broker)
                        continue;
                if (!first) {
                        first = node;
                        port = declared_port(listener, node->id);
                } else if (port != declared_port(listener, node->id))
                        port = 0;
        }
        if (port > 0)
                return mr_arena_strf(cluster->arena, "%" PRId64, port);
        return mr_arena_strf(cluster->arena, "@{port:%s/%s}", first->name,
                             listener_endpoint(cluster->arena, listener));
}

/* --- certificates */

static void add_name(MrArena *arena, MrStrings *names, const char *name) {
        if (!name)
                return;
        name = without_brackets(arena, name);
        for (size_t i = 0; i < names->n; i++)
                if (mr_streq(names->items[i], name))
                        return;
        mr_strings_add(arena, names, name);
}

bool listener_is_historic(const Listener *listener) {
        return listener->port == 9094 && mr_streq(listener->name, "external");
}

const char *listener_service(const KafkaCluster *cluster, const Listener *listener,
                             const KafkaNode *node) {
        const char *dash = strrchr(node->name, '-');

        if (listener_is_historic(listener))
                return node->name;
        return mr_arena_strf(cluster->arena, "%.*s-%s-%" PRId64, (int) (dash - node->name),
                             node->name, listener->name, node->id);
}

static void add_service_names(const KafkaCluster *cluster, const Listener *listener,
                              const KafkaNode *node, MrStrings *names) {
        MrArena *arena = cluster->arena;
        cluster_add_service_names(
                arena, names,
                mr_arena_strf(arena, "%s-%s-bootstrap", kafka_group(cluster), listener->name),
                cluster->resource->ns);
        cluster_add_service_names(arena, names, listener_service(cluster, listener, node),
                                  cluster->resource->ns);
}

static bool is_outside(const Listener *listener) {
        return listener->type != LISTENER_INTERNAL && listener->type != LISTENER_CLUSTER_IP;
}

/* What a platform assigns to the service of the first contact. */
static const char *first_contact(const KafkaCluster *cluster, const Listener *listener) {
        return mr_arena_strf(cluster->arena, "@{host:%s-%s-bootstrap/%s}", kafka_group(cluster),
                             listener->name, listener_endpoint(cluster->arena, listener));
}

static void add_configured(MrArena *arena, const Listener *listener, const KafkaNode *node,
                           MrStrings *names) {
        const ListenerConfiguration *configuration = listener->configuration;
        const ListenerBootstrap *bootstrap = configuration->bootstrap;

        if (listener->tls) {
                add_name(arena, names, listener_bootstrap_host(listener));
                add_name(arena, names, listener_routed_host(arena, listener, node));
                add_name(arena, names, advertised_host(arena, listener, node));
        }
        for (size_t k = 0; bootstrap && k < bootstrap->alternative_names.n; k++)
                add_name(arena, names, bootstrap->alternative_names.items[k]);
}

void listeners_add_names(const KafkaCluster *cluster, const KafkaNode *node, MrStrings *names) {
        const MrList *listeners = &cluster->spec->kafka->listeners;
        MrArena *arena = cluster->arena;

        for (size_t i = 0; i < listeners->n; i++) {
                const Listener *listener = (const Listener *) listeners->items + i;
                if (listener->tls && listener->type == LISTENER_CLUSTER_IP)
                        add_service_names(cluster, listener, node, names);
                if (listener->configuration)
                        add_configured(arena, listener, node, names);
                if (listener->tls && (is_outside(listener) || listener_has_domain(listener)))
                        add_name(arena, names, listener_host(arena, listener, node));
                if (listener->tls && is_outside(listener) && !listener_bootstrap_host(listener))
                        add_name(arena, names, first_contact(cluster, listener));
        }
}

/* --- peers */

void listener_add_peers(MrArena *arena, const Listener *listener, MrEndpoint *endpoint) {
        const ListenerPeer *peers = listener->peers.items;

        endpoint->is_guarded = listener->peers.n > 0;
        for (size_t i = 0; i < listener->peers.n; i++) {
                const PeerNetwork *network = peers[i].network;
                if (!network) {
                        endpoint->has_other_peers = true;
                        continue;
                }
                mr_strings_add(arena, &endpoint->peers, network->cidr);
                for (size_t k = 0; k < network->except.n; k++)
                        mr_strings_add(arena, &endpoint->peers,
                                       mr_arena_strf(arena, "!%s", network->except.items[k]));
        }
}

const char *listener_key_pair_file(MrArena *arena, const Listener *listener) {
        if (!listener->tls || !listener->configuration || !listener->configuration->key_pair)
                return NULL;
        return mr_arena_strf(arena, "listener-%s-%" PRId64 ".pem", listener->name, listener->port);
}

/* --- custom authentication */

#define SECRETS_FOLDER "/opt/kafka/custom-authn-secrets/custom-listener-"

/* No name of a Secret holds an underscore, so it separates. */
const char *listener_secret_file(MrArena *arena, const Listener *listener, const SecretKey *key) {
        return mr_arena_strf(arena, "custom-%s-%" PRId64 "_%s_%s", listener->name, listener->port,
                             key->secret, key->key);
}

/* What begins `text`: the path Strimzi gives to one of the listener's secrets. The longest counts,
 * because "ca.crt" begins "ca.crt.old", too. */
static const SecretKey *named_secret(MrArena *arena, const Listener *listener, const char *text,
                                     size_t *ret_size) {
        const MrList *secrets = &listener->authentication->secrets;
        const SecretKey *found = NULL;

        *ret_size = 0;
        for (size_t i = 0; i < secrets->n; i++) {
                const SecretKey *key = (const SecretKey *) secrets->items + i;
                const char *path =
                        mr_arena_strf(arena, SECRETS_FOLDER "%s-%" PRId64 "/%s/%s", listener->name,
                                      listener->port, key->secret, key->key);
                if (!mr_starts_with(text, path) || strlen(path) <= *ret_size)
                        continue;
                *ret_size = strlen(path);
                found = key;
        }
        return found;
}

const char *listener_secret_text(MrParts *parts, const Listener *listener, const char *text) {
        MrArena *arena = mr_parts_arena(parts);
        _cleanup_buf_ MrBuf out = {};

        for (const char *next; (next = strstr(text, SECRETS_FOLDER));) {
                size_t size;
                const SecretKey *key = named_secret(arena, listener, next, &size);
                if (!key)
                        size = strlen(SECRETS_FOLDER);
                mr_buf_puts(&out,
                            mr_parts_literal(
                                    parts, mr_arena_strndup(arena, text, (size_t) (next - text))));
                if (key)
                        mr_buf_printf(&out, "@{file:%s}",
                                      listener_secret_file(arena, listener, key));
                else
                        mr_buf_puts(&out, SECRETS_FOLDER);
                text = next + size;
        }
        mr_buf_puts(&out, mr_parts_literal(parts, text));
        return mr_arena_strdup(arena, mr_buf_text(&out));
}

bool listener_option_is_forbidden(const char *key) {
        return mr_starts_with(key, "ssl.keystore.");
}

void listener_add_limits(MrArena *arena, const Listener *listener, MrPairs *pairs) {
        const ListenerConfiguration *configuration = listener->configuration;
        const char *id = listener_id(arena, listener);

        if (configuration && configuration->max_connections != MR_INT_UNSET)
                mr_pairs_set(arena, pairs, listener_key(arena, id, "max.connections"),
                             mr_arena_strf(arena, "%" PRId64, configuration->max_connections));
        if (configuration && configuration->max_connection_creation_rate != MR_INT_UNSET)
                mr_pairs_set(arena, pairs, listener_key(arena, id, "max.connection.creation.rate"),
                             mr_arena_strf(arena, "%" PRId64,
                                           configuration->max_connection_creation_rate));
}
