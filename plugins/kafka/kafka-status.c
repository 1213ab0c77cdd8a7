/* What the status of a cluster says beside its conditions. Addresses are references: the platform
 * knows them. */

#include "kafka-cluster.h"

#include "pools.h"

static void add_addresses(const KafkaCluster *cluster, const Listener *listener, MrTree *entry) {
        const char *endpoint = listener_endpoint(cluster->arena, listener), *servers = NULL;
        MrTree *addresses = mr_tree_need_list(entry, "addresses");

        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const char *node = cluster->nodes[i].name;
                if (!cluster->nodes[i].is_broker)
                        continue;
                const char *host = mr_arena_strf(cluster->arena, "@{addr:%s}", node);
                const char *port = mr_arena_strf(cluster->arena, "@{port:%s/%s}", node, endpoint);
                MrTree *address = mr_tree_append(addresses, mr_tree_new_map());
                mr_tree_set_string(address, "host", host);
                mr_tree_set_string(address, "port", port);
                servers = mr_arena_strf(cluster->arena, "%s%s%s:%s", servers ? servers : "",
                                        servers ? "," : "", host, port);
        }
        mr_tree_set_string(entry, "bootstrapServers", servers);
}

static void add_listeners(const KafkaCluster *cluster, MrTree *status) {
        const MrList *listeners = &cluster->spec->kafka->listeners;
        const char *secret =
                mr_arena_strf(cluster->arena, "%s-cluster-ca-cert", cluster->resource->name);
        const char *certificate = mr_facts_secret(cluster->facts, secret, "ca.crt");
        MrTree *list = mr_tree_need_list(status, "listeners");

        for (size_t i = 0; i < listeners->n; i++) {
                const Listener *listener = (const Listener *) listeners->items + i;
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                mr_tree_set_string(entry, "name", listener->name);
                add_addresses(cluster, listener, entry);
                if (listener->tls > 0 && certificate)
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
                mr_tree_set_string(status, "kafkaMetadataVersion",
                                   spec->kafka->metadata_version
                                           ? spec->kafka->metadata_version
                                           : cluster.version->metadata_version);
        return 0;
}
