/* What can be said of listeners only when the brokers and the secrets are known. */

#include "kafka-listener.h"

#include <inttypes.h>
#include <string.h>

#include "kafka-template.h"

static const Listener *listener_at(const KafkaCluster *cluster, size_t i) {
        return (const Listener *) cluster->spec->kafka->listeners.items + i;
}

static size_t n_listeners(const KafkaCluster *cluster) {
        return cluster->spec->kafka->listeners.n;
}

static bool has_reference(const char *text) {
        return strstr(text, "@{") != NULL;
}

/* --- one broker */

static int check_host(const KafkaCluster *cluster, const Listener *listener, const KafkaNode *node,
                      MrError *err) {
        if (listener->type != LISTENER_INGRESS && listener->type != LISTENER_TLS_ROUTE)
                return 0;
        if (listener_routed_host(cluster->arena, listener, node))
                return 0;
        return mr_fail(err, MR_INVALID, "brokers",
                       "broker %" PRId64 " has no host; add one, or a hostTemplate for all",
                       node->id);
}

static int check_advertised_port(const Listener *listener, const KafkaNode *node, MrError *err) {
        const char *template =
                listener->configuration ? listener->configuration->advertised_port_template : NULL;
        int64_t port;

        int r = template ? template_port(template, node->id, &port, err) : 0;
        return r < 0 ? mr_error_within(err, r, "advertisedPortTemplate") : 0;
}

/* A nodePort can be any port, and so one that is in use already. */
static int check_port(const KafkaCluster *cluster, size_t i, const KafkaNode *node, MrError *err) {
        static const int64_t reserved[] = {9090, 9091, 9404, 9999};
        int64_t port = listener_port(listener_at(cluster, i), node->id);

        for (size_t k = 0; k < MR_ELEMENTS(reserved); k++)
                if (port == reserved[k])
                        return mr_fail(err, MR_INVALID, NULL,
                                       "broker %" PRId64 " would listen on port %" PRId64
                                       ", which is reserved; choose another nodePort",
                                       node->id, port);
        for (size_t k = 0; k < n_listeners(cluster); k++)
                if (k != i && port == listener_port(listener_at(cluster, k), node->id) &&
                    port != listener_at(cluster, i)->port)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "broker %" PRId64 " would listen on port %" PRId64
                                       " for the listener %s, too; choose another nodePort",
                                       node->id, port, listener_at(cluster, k)->name);
        return 0;
}

/* Clients that look for one of two such brokers always find the same. */
static int check_address(const KafkaCluster *cluster, const Listener *listener,
                         const KafkaNode *node, MrError *err) {
        MrArena *arena = cluster->arena;
        const char *host = listener_host(arena, listener, node),
                   *port = listener_advertised_port(arena, listener, node);

        if (has_reference(host) || has_reference(port))
                return 0;
        for (const KafkaNode *other = cluster->nodes; other < node; other++)
                if (other->is_broker && mr_streq(host, listener_host(arena, listener, other)) &&
                    mr_streq(port, listener_advertised_port(arena, listener, other)))
                        return mr_fail(err, MR_INVALID, NULL,
                                       "brokers %" PRId64 " and %" PRId64
                                       " both advertise %s; give each a host or a port of its own",
                                       other->id, node->id, listener_address(arena, host, port));
        return 0;
}

static int check_node(const KafkaCluster *cluster, size_t i, const KafkaNode *node, MrError *err) {
        const Listener *listener = listener_at(cluster, i);

        int r = check_host(cluster, listener, node, err);
        if (r >= 0)
                r = check_advertised_port(listener, node, err);
        if (r >= 0)
                r = check_port(cluster, i, node, err);
        return r < 0 ? r : check_address(cluster, listener, node, err);
}

/* --- secrets */

/* An authority's own key goes to nobody, and least of all into the files of a node. */
static int check_secret_name(const KafkaCluster *cluster, const char *secret, MrError *err) {
        const char *name = cluster->resource->name;

        if (!mr_streq(secret, mr_arena_strf(cluster->arena, "%s-cluster-ca", name)) &&
            !mr_streq(secret, mr_arena_strf(cluster->arena, "%s-clients-ca", name)))
                return 0;
        return mr_fail(err, MR_INVALID, "secretName",
                       "%s holds the key of an authority; use a Secret of your own", secret);
}

static int fail_pem(const KeyPairSecret *pair, const char *field, const char *found, MrError *err) {
        const char *name = mr_streq(field, "key") ? pair->key : pair->certificate;

        if (strstr(found, "-----BEGIN ENCRYPTED PRIVATE KEY-----"))
                return mr_fail(err, MR_INVALID, field,
                               "%s of the secret %s is encrypted; put it there without a password",
                               name, pair->secret);
        if (strstr(found, " PRIVATE KEY-----"))
                return mr_fail(err, MR_INVALID, field,
                               "%s of the secret %s is not what Kafka reads, a key in PKCS#8; "
                               "convert it with \"openssl pkcs8 -topk8 -nocrypt\"",
                               name, pair->secret);
        return mr_fail(err, MR_INVALID, field, "%s of the secret %s is no PEM; put it there as PEM",
                       name, pair->secret);
}

/* A secret that is not there at all is waited for. */
static int check_key_pair(const KafkaCluster *cluster, const KeyPairSecret *pair, MrError *err) {
        const char *certificate = mr_facts_secret(cluster->facts, pair->secret, pair->certificate);
        const char *key = mr_facts_secret(cluster->facts, pair->secret, pair->key);

        int r = check_secret_name(cluster, pair->secret, err);
        if (r < 0 || (!certificate && !key))
                return r;
        if (!certificate || !key)
                return mr_fail(err, MR_INVALID, certificate ? "key" : "certificate",
                               "the secret %s has no key %s; add it, or name another", pair->secret,
                               certificate ? pair->key : pair->certificate);
        if (!strstr(certificate, "-----BEGIN CERTIFICATE-----"))
                return fail_pem(pair, "certificate", certificate, err);
        if (!strstr(key, "-----BEGIN PRIVATE KEY-----"))
                return fail_pem(pair, "key", key, err);
        return 0;
}

static int check_secrets(const KafkaCluster *cluster, const Listener *listener, MrError *err) {
        const ListenerConfiguration *configuration = listener->configuration;
        const MrList *secrets = listener_has(listener, AUTHENTICATION_CUSTOM)
                                        ? &listener->authentication->secrets
                                        : NULL;

        if (configuration && configuration->key_pair) {
                int r = check_key_pair(cluster, configuration->key_pair, err);
                if (r < 0)
                        return mr_error_within(err, r, "configuration.brokerCertChainAndKey");
        }
        for (size_t i = 0; secrets && i < secrets->n; i++) {
                int r = check_secret_name(cluster, ((const SecretKey *) secrets->items)[i].secret,
                                          err);
                if (r < 0)
                        return mr_error_within(err, r, "authentication.secrets[%zu]", i);
        }
        return 0;
}

int listeners_check_nodes(const KafkaCluster *cluster, MrError *err) {
        for (size_t i = 0; i < n_listeners(cluster); i++) {
                int r = check_secrets(cluster, listener_at(cluster, i), err);
                for (size_t k = 0; k < cluster->n_nodes && r >= 0; k++) {
                        if (!cluster->nodes[k].is_broker)
                                continue;
                        r = check_node(cluster, i, &cluster->nodes[k], err);
                        if (r < 0)
                                r = mr_error_within(err, r, "configuration");
                }
                if (r < 0)
                        return mr_error_within(err, r, "spec.kafka.listeners[%zu]", i);
        }
        return 0;
}

/* --- warnings */

static bool is_broker(const KafkaCluster *cluster, int64_t id) {
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (cluster->nodes[i].is_broker && cluster->nodes[i].id == id)
                        return true;
        return false;
}

static void warn_of_brokers(const KafkaCluster *cluster, size_t i, MrParts *parts) {
        const ListenerConfiguration *configuration = listener_at(cluster, i)->configuration;

        for (size_t k = 0; configuration && k < configuration->brokers.n; k++) {
                const ListenerBroker *broker =
                        (const ListenerBroker *) configuration->brokers.items + k;
                if (!is_broker(cluster, broker->id))
                        mr_parts_warn(parts, "UnusedBroker",
                                      "spec.kafka.listeners[%zu].configuration.brokers[%zu] is "
                                      "about broker %" PRId64 ", and there is none with this id",
                                      i, k, broker->id);
        }
}

static void warn_of_bootstrap(const KafkaCluster *cluster, size_t i, MrParts *parts) {
        const Listener *listener = listener_at(cluster, i);
        const ListenerBootstrap *bootstrap =
                listener->configuration ? listener->configuration->bootstrap : NULL;

        /* Where there are services, one of them listens there. */
        if (!bootstrap || bootstrap->node_port == MR_INT_UNSET ||
            mr_tree_get(mr_facts_host(cluster->facts), "services"))
                return;
        for (size_t k = 0; k < cluster->n_nodes; k++)
                if (cluster->nodes[k].is_broker &&
                    listener_port(listener, cluster->nodes[k].id) == bootstrap->node_port)
                        return;
        mr_parts_warn(
                parts, "UnusedPort",
                "spec.kafka.listeners[%zu].configuration.bootstrap.nodePort: every broker has "
                "a nodePort of its own, so nobody listens on %" PRId64
                "; clients begin with any of the brokers",
                i, bootstrap->node_port);
}

static void warn_of_authentication(const KafkaCluster *cluster, size_t i, MrParts *parts) {
        const Listener *listener = listener_at(cluster, i);
        const ListenerAuthentication *authentication = listener->authentication;

        if (!authentication)
                return;
        if (authentication->type != AUTHENTICATION_CUSTOM &&
            (authentication->sasl > 0 || authentication->config.n > 0 ||
             authentication->secrets.n > 0))
                mr_parts_warn(parts, "IgnoredOption",
                              "spec.kafka.listeners[%zu].authentication: sasl, listenerConfig and "
                              "secrets have an effect only with the type custom",
                              i);
        for (size_t k = 0;
             authentication->type == AUTHENTICATION_CUSTOM && k < authentication->config.n; k++)
                if (listener_option_is_forbidden(authentication->config.items[k].key))
                        mr_parts_warn(parts, "ForbiddenOption",
                                      "spec.kafka.listeners[%zu].authentication.listenerConfig.%s "
                                      "is set by millrace and was left out; remove it",
                                      i, authentication->config.items[k].key);
}

static void warn_of_super_users(const KafkaCluster *cluster, MrParts *parts) {
        const Authorization *authorization = cluster->spec->kafka->authorization;

        for (size_t i = 0; authorization && i < authorization->super_users.n; i++)
                if (mr_starts_with(authorization->super_users.items[i], "User:"))
                        mr_parts_warn(parts, "SuperUser",
                                      "spec.kafka.authorization.superUsers[%zu] begins with User:, "
                                      "which is put before every name; write it without",
                                      i);
}

void listeners_warn(const KafkaCluster *cluster, MrParts *parts) {
        for (size_t i = 0; i < n_listeners(cluster); i++) {
                warn_of_brokers(cluster, i, parts);
                warn_of_bootstrap(cluster, i, parts);
                warn_of_authentication(cluster, i, parts);
        }
        warn_of_super_users(cluster, parts);
}
