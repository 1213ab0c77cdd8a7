/* What the status of a cluster says beside its conditions. Addresses are references: the platform
 * knows them. */

#include "kafka-listener.h"

#include "pools.h"

/* "HOST" and "PORT", where a reference stands for what the platform knows. */
static const char *add_address(const KafkaCluster *cluster, MrTree *addresses, const char *servers,
                               const char *host, const char *port) {
        MrTree *address = mr_tree_append(addresses, mr_tree_new_map());
        const char *text = listener_address(cluster->arena, host, port);
        int64_t number;

        mr_tree_set_string(address, "host", host);
        if (mr_parse_int(port, &number) >= 0)
                mr_tree_set_int(address, "port", number);
        else
                mr_tree_set_string(address, "port", port);
        return servers ? mr_arena_strf(cluster->arena, "%s,%s", servers, text) : text;
}

/* The name of the first contact, where one is declared, and then every broker, because on its own
 * the name leads nowhere before somebody made it lead to them. */
static void add_addresses(const KafkaCluster *cluster, const Listener *listener, MrTree *entry) {
        MrTree *addresses = mr_tree_need_list(entry, "addresses");
        const char *host = listener_bootstrap_host(listener), *servers = NULL;
        MrArena *arena = cluster->arena;

        if (host && kafka_brokers(cluster) > 0)
                servers = add_address(cluster, addresses, servers, host,
                                      listener_bootstrap_port(cluster, listener));
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                if (node->is_broker)
                        servers = add_address(cluster, addresses, servers,
                                              listener_host(arena, listener, node),
                                              listener_advertised_port(arena, listener, node));
        }
        mr_tree_set_string(entry, "bootstrapServers", servers);
}

/* What clients need to trust: the certificate of the listener, or the authority of the cluster. */
static const char *certificate_of(const KafkaCluster *cluster, const Listener *listener) {
        const ListenerConfiguration *configuration = listener->configuration;

        if (configuration && configuration->key_pair)
                return mr_facts_secret(cluster->facts, configuration->key_pair->secret,
                                       configuration->key_pair->certificate);
        return mr_facts_secret(
                cluster->facts,
                mr_arena_strf(cluster->arena, "%s-cluster-ca-cert", cluster->resource->name),
                "ca.crt");
}

static void add_listeners(const KafkaCluster *cluster, MrTree *status) {
        const MrList *listeners = &cluster->spec->kafka->listeners;
        MrTree *list = mr_tree_need_list(status, "listeners");

        for (size_t i = 0; i < listeners->n; i++) {
                const Listener *listener = (const Listener *) listeners->items + i;
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                const char *certificate =
                        listener->tls > 0 ? certificate_of(cluster, listener) : NULL;
                mr_tree_set_string(entry, "name", listener->name);
                add_addresses(cluster, listener, entry);
                if (certificate)
                        mr_tree_append(mr_tree_need_list(entry, "certificates"),
                                       mr_tree_new_string(certificate));
        }
}

static void add_pools(const KafkaCluster *cluster, MrTree *status) {
        const MrResource **pools;
        size_t n = pools_of(cluster->resource->name, cluster->facts, cluster->arena, &pools);

        for (size_t i = 0; i < n; i++)
                mr_tree_set_string(mr_tree_append(mr_tree_need_list(status, "kafkaNodePools"),
                                                  mr_tree_new_map()),
                                   "name", pools[i]->name);
}

int kafka_status(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                 MrTree *status, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        KafkaCluster cluster;

        int r = kafka_cluster_make(resource, spec, facts, arena, &cluster, err);
        if (r < 0)
                return r;
        add_listeners(&cluster, status);
        add_pools(&cluster, status);
        mr_tree_set_string(status, "kafkaVersion", cluster.version->name);
        mr_tree_set_string(status, "kafkaMetadataState", cluster.is_kraft ? "KRaft" : "ZooKeeper");
        mr_tree_set_string(status, "clusterId",
                           mr_tree_get_string(mr_facts_view(facts, "kafka"), "cluster_id"));
        if (cluster.is_kraft)
                mr_tree_set_string(status, "kafkaMetadataVersion", kafka_metadata_now(&cluster));
        return 0;
}
