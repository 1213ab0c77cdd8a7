/* Identity, labels and certificate names of one cluster. */

#include "cluster.h"

#include <inttypes.h>
#include <string.h>

#include "cron.h"
#include "pools.h"

#define DEFAULT_VALIDITY_DAYS 365
#define DEFAULT_RENEWAL_DAYS 30

const char *cluster_key(MrArena *arena, const MrResource *resource) {
        return mr_arena_strf(arena, "%s/%s", resource->ns, resource->name);
}

/* The claims a storage, as written, gives a node. */
static void add_claims(MrArena *arena, MrStrings *claims, const MrTree *storage, const char *node) {
        const char *type = mr_tree_get_string(storage, "type");

        if (mr_streq(type, "persistent-claim"))
                mr_strings_add(arena, claims, mr_arena_strf(arena, "data-%s", node));
        if (!mr_streq(type, "jbod"))
                return;
        const MrTree *volumes = mr_tree_get(storage, "volumes");
        for (size_t i = 0; i < mr_tree_size(volumes); i++) {
                const MrTree *volume = mr_tree_at(volumes, i);
                if (mr_streq(mr_tree_get_string(volume, "type"), "persistent-claim"))
                        mr_strings_add(arena, claims,
                                       mr_arena_strf(arena, "data-%" PRId64 "-%s",
                                                     mr_tree_get_int(volume, "id", 0), node));
        }
}

/* spec.kafka or spec.zookeeper: nodes numbered from 0. */
static void add_set_claims(MrArena *arena, MrStrings *claims, const MrResource *resource,
                           const char *component) {
        const MrTree *set = mr_tree_get(mr_tree_get(resource->tree, "spec"), component);
        int64_t replicas = mr_tree_get_int(set, "replicas", 0);

        for (int64_t i = 0; i < replicas && i < 1000; i++)
                add_claims(arena, claims, mr_tree_get(set, "storage"),
                           mr_arena_strf(arena, "%s-%s-%" PRId64, resource->name, component, i));
}

static MrStrings all_claims(const MrResource *resource, const MrFacts *facts, MrArena *arena) {
        PoolNodes nodes = pool_nodes(resource->name, facts, arena);
        MrStrings claims = {};

        add_set_claims(arena, &claims, resource, "zookeeper");
        if (nodes.n == 0)
                add_set_claims(arena, &claims, resource, "kafka");
        for (size_t i = 0; i < nodes.n; i++)
                add_claims(arena, &claims,
                           mr_tree_find(nodes.items[i].pool->tree, "spec.storage", false),
                           nodes.items[i].name);
        return claims;
}

int cluster_identity(const MrResource *resource, const MrFacts *facts, MrArena *arena,
                     char ret[MR_KAFKA_ID_MAX], MrError *err) {
        MrStrings claims = all_claims(resource, facts, arena);
        const char *id = NULL, *from = NULL;

        for (size_t i = 0; i < claims.n; i++) {
                const char *found =
                        mr_tree_get_string(mr_facts_claim(facts, claims.items[i]), "cluster_id");
                if (mr_is_empty(found))
                        continue;
                if (id && !mr_streq(id, found) && !resource->is_deleted)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "storage %s belongs to the Kafka cluster %s, but %s belongs "
                                       "to %s; move the foreign "
                                       "one away, or give this cluster another name",
                                       from, id, claims.items[i], found);
                if (!id) {
                        id = found;
                        from = claims.items[i];
                }
        }
        if (id && strlen(id) < MR_KAFKA_ID_MAX) {
                memcpy(ret, id, strlen(id) + 1);
                return 0;
        }
        mr_derived_id(
                mr_arena_strf(arena, "cluster/%s", resource->uid ? resource->uid : resource->name),
                ret);
        return 0;
}

MrPairs cluster_labels(MrArena *arena, const MrResource *resource, const char *component) {
        MrPairs labels = {};

        mr_pairs_set(arena, &labels, CLUSTER_LABEL, resource->name);
        mr_pairs_set(arena, &labels, "strimzi.io/kind", "Kafka");
        mr_pairs_set(arena, &labels, "strimzi.io/name",
                     mr_arena_strf(arena, "%s-%s", resource->name, component));
        mr_pairs_set(arena, &labels, "strimzi.io/component-type", component);
        return labels;
}

void cluster_add_service_names(MrArena *arena, MrStrings *names, const char *service,
                               const char *ns) {
        mr_strings_add(arena, names, service);
        mr_strings_add(arena, names, mr_arena_strf(arena, "%s.%s", service, ns));
        mr_strings_add(arena, names, mr_arena_strf(arena, "%s.%s.svc", service, ns));
        mr_strings_add(arena, names, mr_arena_strf(arena, "%s.%s.svc.cluster.local", service, ns));
}

int64_t cluster_ca_days(const MrResource *resource, const char *ca, const char *field) {
        int64_t fallback =
                mr_streq(field, "renewalDays") ? DEFAULT_RENEWAL_DAYS : DEFAULT_VALIDITY_DAYS;

        return mr_tree_get_int(mr_tree_get(mr_tree_get(resource->tree, "spec"), ca), field,
                               fallback);
}

const char *cluster_renewal_postponed(const MrResource *resource, const MrFacts *facts) {
        const MrTree *windows = mr_tree_find(resource->tree, "spec.maintenanceTimeWindows", false);
        Cron cron;

        for (size_t i = 0; i < mr_tree_size(windows); i++) {
                const char *text = mr_tree_string(mr_tree_at(windows, i));
                if (text && cron_parse(text, &cron, NULL) >= 0 &&
                    cron_is_open(&cron, mr_facts_now(facts)))
                        return NULL;
        }
        return mr_tree_size(windows) > 0
                       ? "it is renewed in the next of spec.maintenanceTimeWindows"
                       : NULL;
}

const char *cluster_trust(MrArena *arena, const MrResource *resource) {
        return mr_arena_strf(arena, "%s-trustbundle", resource->name);
}

const char *cluster_trust_text(MrArena *arena, const MrResource *resource, const char *key) {
        return mr_arena_strf(arena, "@{secret:%s/%s}", cluster_trust(arena, resource), key);
}

MrCertificate cluster_node_certificate(MrArena *arena, const MrResource *resource,
                                       const MrFacts *facts, const char *node,
                                       const char *component, const char *headless) {
        MrCertificate certificate = {
                .name = node,
                .authority = mr_arena_strf(arena, "%s-cluster-ca", resource->name),
                .key_prefix = node,
                .common_name = mr_arena_strf(arena, "%s-%s", resource->name, component),
                .organization = CLUSTER_ORGANIZATION,
                .validity_days = cluster_ca_days(resource, "clusterCa", "validityDays"),
                .renewal_days = cluster_ca_days(resource, "clusterCa", "renewalDays"),
                .postponed = cluster_renewal_postponed(resource, facts),
                .labels = cluster_labels(arena, resource, component),
        };

        mr_strings_add(arena, &certificate.names, mr_arena_strf(arena, "@{addr:%s}", node));
        mr_strings_add(arena, &certificate.names, node);
        mr_strings_add(arena, &certificate.names,
                       mr_arena_strf(arena, "%s.%s.%s.svc", node, headless, resource->ns));
        mr_strings_add(
                arena, &certificate.names,
                mr_arena_strf(arena, "%s.%s.%s.svc.cluster.local", node, headless, resource->ns));
        return certificate;
}
