/* Certificates of a cluster, from the authorities to the files of a node. */

#include "kafka-certificates.h"
#include "kafka-listener.h"

#include <ctype.h>
#include <inttypes.h>

#define KEY_TYPE_ANNOTATION "millrace.io/ca-key-type"

/* Whether a release reads the certificates behind a connection again when it is told to. A broker
 * takes any change of its own dynamic configuration as an occasion (KIP-226); what a node opens or
 * accepts as a member of the quorum of controllers keeps its certificates until it ends
 * (KAFKA-20025, KAFKA-20583). To ZooKeeper brokers read them anew with each connection. */
typedef enum Link {
        LINK_LISTENER,  /* of clients and brokers to a broker */
        LINK_BROKERS,   /* from a broker to others */
        LINK_ZOOKEEPER, /* from a broker to ZooKeeper */
        LINK_CONTROL,   /* to a controller */
        LINK_QUORUM,    /* from any node to the controllers */
        _LINK_MAX,
} Link;

static const struct {
        int major, minor; /* the first release that does; 0: none */
} rereads[_LINK_MAX] = {
        [LINK_LISTENER] = {3, 8},
        [LINK_BROKERS] = {3, 8},
        [LINK_ZOOKEEPER] = {3, 8},
};

static bool link_rereads(const KafkaCluster *cluster, Link link) {
        return rereads[link].major > 0 &&
               kafka_version_is_at_least(cluster->version, rereads[link].major,
                                         rereads[link].minor);
}

/* Whether all links that use the node's own certificate do. */
static bool node_rereads(const KafkaCluster *cluster, const KafkaNode *node) {
        bool result = cluster->is_kraft ? link_rereads(cluster, LINK_QUORUM)
                                        : link_rereads(cluster, LINK_ZOOKEEPER);

        if (node->is_controller)
                result = result && link_rereads(cluster, LINK_CONTROL);
        return result && link_rereads(cluster, LINK_BROKERS) &&
               link_rereads(cluster, LINK_LISTENER);
}

static const char *secret(const KafkaCluster *cluster, const char *suffix) {
        return mr_arena_strf(cluster->arena, "%s-%s", cluster->resource->name, suffix);
}

/* --- what the cluster shares */

static const char *key_type(const KafkaCluster *cluster, MrParts *parts) {
        const char *type = mr_pairs_get(&cluster->resource->annotations, KEY_TYPE_ANNOTATION);

        if (!type || mr_matches(type, "EC|RSA|RSA-2048"))
                return type;
        mr_parts_warn(parts, "UnknownKeyType",
                      "metadata.annotations." KEY_TYPE_ANNOTATION
                      ": \"%s\" is no kind of key; use EC, RSA or RSA-2048",
                      type);
        return NULL;
}

static void add_authority(const KafkaCluster *cluster, const char *field, const char *name,
                          const char *type, MrParts *parts) {
        bool is_cluster = mr_streq(field, "clusterCa");
        const CertificateAuthority *spec =
                is_cluster ? cluster->spec->cluster_ca : cluster->spec->clients_ca;

        if (spec && spec->generate == 0)
                return;
        mr_parts_add(parts,
                     (MrPart){
                             .kind = MR_PART_CERTIFICATE,
                             .certificate =
                                     {
                                             .name = secret(cluster, name),
                                             .key_prefix = "ca",
                                             .common_name = name,
                                             .organization = CLUSTER_ORGANIZATION,
                                             .validity_days = cluster_ca_days(
                                                     cluster->resource, field, "validityDays"),
                                             .renewal_days = cluster_ca_days(cluster->resource,
                                                                             field, "renewalDays"),
                                             .with_pkcs12 = true,
                                             .outlives = spec && spec->goes_with_cluster == 0,
                                             .key_type = type,
                                             .replaces_key = spec && spec->expiration_policy ==
                                                                             EXPIRATION_REPLACE_KEY,
                                             .postponed = cluster_renewal_postponed(
                                                     cluster->resource, cluster->facts),
                                             .labels = cluster_labels(cluster->arena,
                                                                      cluster->resource, "kafka"),
                                     },
                     });
}

/* With this certificate millrace asks the cluster how it is. */
static void add_operator_certificate(const KafkaCluster *cluster, MrParts *parts) {
        mr_parts_add(
                parts,
                (MrPart){
                        .kind = MR_PART_CERTIFICATE,
                        .certificate =
                                {
                                        .name = secret(cluster, "cluster-operator-certs"),
                                        .authority = secret(cluster, "cluster-ca"),
                                        .key_prefix = "cluster-operator",
                                        .common_name = "cluster-operator",
                                        .organization = CLUSTER_ORGANIZATION,
                                        .validity_days = cluster_ca_days(
                                                cluster->resource, "clusterCa", "validityDays"),
                                        .renewal_days = cluster_ca_days(cluster->resource,
                                                                        "clusterCa", "renewalDays"),
                                        .labels = cluster_labels(cluster->arena, cluster->resource,
                                                                 "kafka"),
                                },
                });
}

/* Users' certificates are in the hands of clients, who take their time. */
static void add_trust(const KafkaCluster *cluster, const char *field, const char *authority,
                      const char *key, MrParts *parts) {
        mr_parts_add(
                parts,
                (MrPart){
                        .kind = MR_PART_TRUST,
                        .trust =
                                {
                                        .name = cluster_trust(cluster->arena, cluster->resource),
                                        .key = key,
                                        .authority = secret(cluster, authority),
                                        .renewal_days = cluster_ca_days(cluster->resource, field,
                                                                        "renewalDays"),
                                        .is_public = mr_streq(field, "clientsCa"),
                                        .labels = cluster_labels(cluster->arena, cluster->resource,
                                                                 "trust-bundle"),
                                },
                });
}

void certificates_add(const KafkaCluster *cluster, MrParts *parts) {
        const char *type = key_type(cluster, parts);

        add_authority(cluster, "clusterCa", "cluster-ca", type, parts);
        add_authority(cluster, "clientsCa", "clients-ca", type, parts);
        add_operator_certificate(cluster, parts);
        add_trust(cluster, "clusterCa", "cluster-ca", CLUSTER_TRUST_KEY, parts);
        add_trust(cluster, "clientsCa", "clients-ca", CLIENTS_TRUST_KEY, parts);
}

/* --- what a node has */

static void add_certificate(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts) {
        const char *brokers = secret(cluster, "kafka-brokers"), *ns = cluster->resource->ns;
        MrCertificate certificate = cluster_node_certificate(
                cluster->arena, cluster->resource, cluster->facts, node->name, "kafka", brokers);

        cluster_add_service_names(cluster->arena, &certificate.names,
                                  secret(cluster, "kafka-bootstrap"), ns);
        cluster_add_service_names(cluster->arena, &certificate.names, brokers, ns);
        if (node->is_broker)
                listeners_add_names(cluster, node, &certificate.names);
        mr_parts_add(parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = certificate});
}

static const Listener *listener_at(const KafkaCluster *cluster, size_t i) {
        const MrList *listeners = &cluster->spec->kafka->listeners;

        return i < listeners->n ? (const Listener *) listeners->items + i : NULL;
}

static bool has_own_pair(const KafkaCluster *cluster, const Listener *listener) {
        return listener_key_pair_file(cluster->arena, listener) != NULL;
}

/* Endpoints of listeners that ask clients for a certificate, or of those that show the node's own.
 */
static MrStrings endpoints_of(const KafkaCluster *cluster, bool with_client_certificates) {
        MrStrings endpoints = {};
        const Listener *listener;

        for (size_t i = 0; (listener = listener_at(cluster, i)); i++)
                if (with_client_certificates ? listener_has(listener, AUTHENTICATION_TLS)
                                             : listener->tls && !has_own_pair(cluster, listener))
                        mr_strings_add(cluster->arena, &endpoints,
                                       listener_endpoint(cluster->arena, listener));
        return endpoints;
}

/* The configuration by which a broker is told to read its files again: any of its own serves. */
static const char *told_by(const KafkaCluster *cluster, const char *listener, const char *store) {
        char *text =
                mr_arena_strf(cluster->arena, "listener.name.%s.ssl.%s.location", listener, store);

        for (char *c = text; *c; c++)
                *c = (char) tolower((unsigned char) *c);
        return text;
}

static const char *first_with_clients(const KafkaCluster *cluster) {
        const Listener *listener;

        for (size_t i = 0; (listener = listener_at(cluster, i)); i++)
                if (listener->tls && listener_has(listener, AUTHENTICATION_TLS))
                        return listener_id(cluster->arena, listener);
        return LISTENER_REPLICATION;
}

static void add_file(const KafkaCluster *cluster, const KafkaNode *node, MrFile file,
                     const char *key, MrParts *parts) {
        file.node = node->name;
        mr_parts_add(parts, (MrPart){.kind = MR_PART_FILE, .file = file});
        if (file.effect == MR_EFFECT_RESTART)
                return;
        /* What is not set for the broker alone goes back to what its file says, which it says
         * already; having been asked is what counts. */
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_SETTING,
                                    .setting = {.protocol = "kafka",
                                                .scope = mr_arena_strf(cluster->arena,
                                                                       "broker/%" PRId64, node->id),
                                                .key = key,
                                                .file = mr_arena_strf(cluster->arena, "%s/%s",
                                                                      node->name, file.name)},
                            });
}

static MrStrings with_replication(const KafkaCluster *cluster, MrStrings endpoints) {
        mr_strings_add(cluster->arena, &endpoints, ENDPOINT_REPLICATION);
        return endpoints;
}

/* Where a node shows its own certificate. */
static MrStrings own_endpoints(const KafkaCluster *cluster, const KafkaNode *node) {
        MrStrings endpoints = {};

        if (node->is_broker)
                endpoints = with_replication(cluster, endpoints_of(cluster, false));
        if (node->is_controller)
                mr_strings_add(cluster->arena, &endpoints, ENDPOINT_CONTROL);
        return endpoints;
}

static void add_own_files(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts) {
        MrArena *arena = cluster->arena;
        MrFileEffect effect = node_rereads(cluster, node) ? MR_EFFECT_NONE : MR_EFFECT_RESTART;
        MrStrings replication = with_replication(cluster, (MrStrings){});

        add_file(cluster, node,
                 (MrFile){
                         .name = mr_arena_strf(arena, "%s.pem", node->name),
                         .content = mr_arena_strf(arena, "@{secret:%s/%s.pem}", node->name,
                                                  node->name),
                         .effect = effect,
                         .shows = MR_SHOWS_CERTIFICATE,
                         .shown_at = own_endpoints(cluster, node),
                 },
                 told_by(cluster, LISTENER_REPLICATION, "keystore"), parts);
        add_file(cluster, node,
                 (MrFile){
                         .name = "cluster-ca.crt",
                         .content = cluster_trust_text(arena, cluster->resource, CLUSTER_TRUST_KEY),
                         .effect = effect,
                         .shows = MR_SHOWS_TRUST,
                         .shown_at = replication,
                 },
                 told_by(cluster, LISTENER_REPLICATION, "truststore"), parts);
}

static void add_clients_file(const KafkaCluster *cluster, const KafkaNode *node,
                             MrFileEffect effect, MrParts *parts) {
        MrStrings endpoints = endpoints_of(cluster, true);

        if (endpoints.n == 0)
                return;
        add_file(cluster, node,
                 (MrFile){
                         .name = "clients-ca.crt",
                         .content = cluster_trust_text(cluster->arena, cluster->resource,
                                                       CLIENTS_TRUST_KEY),
                         .effect = effect,
                         .shows = MR_SHOWS_TRUST,
                         .shown_at = endpoints,
                 },
                 told_by(cluster, first_with_clients(cluster), "truststore"), parts);
}

/* A certificate the user brings for one listener, in a Secret of his. */
static void add_pair_file(const KafkaCluster *cluster, const KafkaNode *node,
                          const Listener *listener, MrFileEffect effect, MrParts *parts) {
        MrArena *arena = cluster->arena;
        const KeyPairSecret *pair = listener->configuration->key_pair;
        MrStrings endpoints = {};

        mr_strings_add(arena, &endpoints, listener_endpoint(arena, listener));
        add_file(cluster, node,
                 (MrFile){
                         .name = listener_key_pair_file(arena, listener),
                         .content = mr_arena_strf(arena, "@{secret:%s/%s}\n@{secret:%s/%s}\n",
                                                  pair->secret, pair->key, pair->secret,
                                                  pair->certificate),
                         .effect = effect,
                         .shows = MR_SHOWS_CERTIFICATE,
                         .shown_at = endpoints,
                 },
                 told_by(cluster, listener_id(arena, listener), "keystore"), parts);
}

void certificates_add_node(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts) {
        MrFileEffect effect =
                link_rereads(cluster, LINK_LISTENER) ? MR_EFFECT_NONE : MR_EFFECT_RESTART;
        const Listener *listener;

        add_certificate(cluster, node, parts);
        add_own_files(cluster, node, parts);
        if (!node->is_broker)
                return;
        add_clients_file(cluster, node, effect, parts);
        for (size_t i = 0; (listener = listener_at(cluster, i)); i++)
                if (has_own_pair(cluster, listener))
                        add_pair_file(cluster, node, listener, effect, parts);
}

/* What nodes show that take their own certificates only with a restart need not be looked at. */
static MrStrings looked_at(const KafkaCluster *cluster) {
        MrStrings endpoints = {};
        const Listener *listener;
        bool all = !cluster->is_kraft;

        for (size_t i = 0; (listener = listener_at(cluster, i)); i++)
                if (listener->tls && (all || has_own_pair(cluster, listener) ||
                                      listener_has(listener, AUTHENTICATION_TLS)))
                        mr_strings_add(cluster->arena, &endpoints,
                                       listener_endpoint(cluster->arena, listener));
        return all ? with_replication(cluster, endpoints) : endpoints;
}

static void add_endpoint(const KafkaCluster *cluster, const char *endpoint, MrStrings *endpoints) {
        if (!mr_strings_has(endpoints, endpoint))
                mr_strings_add(cluster->arena, endpoints, endpoint);
}

void certificates_add_probe(const KafkaCluster *cluster, bool is_anybody_late, MrProbes *probes) {
        MrProbe probe = {.name = "tls", .protocol = "tls", .endpoints = looked_at(cluster)};

        if (is_anybody_late) {
                add_endpoint(cluster, ENDPOINT_REPLICATION, &probe.endpoints);
                add_endpoint(cluster, ENDPOINT_CONTROL, &probe.endpoints);
        }
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (cluster->nodes[i].is_broker || is_anybody_late)
                        mr_strings_add(cluster->arena, &probe.nodes, cluster->nodes[i].name);
        if (probe.endpoints.n > 0)
                probes->items[probes->n++] = probe;
}

bool certificates_have_ended(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrTree *shown = mr_tree_get(mr_facts_view(cluster->facts, "tls"), node->name);
        MrStrings endpoints = own_endpoints(cluster, node);

        for (size_t i = 0; i < endpoints.n; i++) {
                const MrTree *entry = mr_tree_get(shown, endpoints.items[i]);
                int64_t end = mr_tree_get_int(entry, "not_after", 0);
                if (end > 0 && end <= mr_facts_now(cluster->facts))
                        return true;
        }
        return false;
}
