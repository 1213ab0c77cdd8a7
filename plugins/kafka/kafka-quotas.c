/* Rows of quotas, and what they become. */

#include "kafka-quotas.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "software.h"

#define PLUGIN_JAR "kafka-quotas-plugin"
#define PREFIX "client.quota.callback.static."
#define ADMIN PREFIX "kafka.admin."
#define VOLUME PREFIX "storage.per.volume.limit.min.available."

static const MrEnum types[] = {
        {"kafka", QUOTAS_KAFKA, "Kafka's own quotas, for each user."},
        {"strimzi", QUOTAS_STRIMZI, "Strimzi's plugin: for all clients of a broker together."},
        {},
};

#define MOST (INT64_C(1) << 53)

const MrField quotas_fields[] = {
        MR_ENUM("type", Quotas, type, types, .flags = MR_REQUIRED,
                .doc = "Who enforces the limits: kafka or strimzi."),
        MR_INT("producerByteRate", Quotas, producer_byte_rate, .max = MOST, .unit = "bytes/s",
               .doc = "What producers may send: each user with type kafka, all of them together "
                      "to one broker with type strimzi."),
        MR_INT("consumerByteRate", Quotas, consumer_byte_rate, .max = MOST, .unit = "bytes/s",
               .doc = "What consumers may fetch, counted likewise."),
        MR_INT("requestPercentage", Quotas, request_percentage, .max = MOST, .unit = "%",
               .doc = "With type kafka: processor time of a broker each user may take."),
        MR_NUMBER("controllerMutationRate", Quotas, controller_mutation_rate, .unit = "mutations/s",
                  .doc = "With type kafka: partitions each user may create or delete."),
        MR_INT("minAvailableBytesPerVolume", Quotas, min_available_bytes, .max = MOST,
               .unit = "bytes",
               .doc = "With type strimzi: producers stop when a volume has less room than this."),
        MR_NUMBER("minAvailableRatioPerVolume", Quotas, min_available_ratio,
                  .doc = "With type strimzi: producers stop when a smaller part of a volume than "
                         "this is free."),
        MR_STRINGS("excludedPrincipals", Quotas, excluded,
                   .doc = "With type strimzi: users whom the limits do not concern, such as "
                          "User:my-user."),
        {},
};

int quotas_rule(const void *object, MrError *err) {
        const Quotas *quotas = object;

        if (!isnan(quotas->controller_mutation_rate) && quotas->controller_mutation_rate < 0)
                return mr_fail(err, MR_INVALID, "controllerMutationRate",
                               "a rate cannot be negative; use 0 or more");
        if (!isnan(quotas->min_available_ratio) &&
            (quotas->min_available_ratio < 0 || quotas->min_available_ratio > 1))
                return mr_fail(err, MR_INVALID, "minAvailableRatioPerVolume",
                               "the free part of a volume lies between 0 and 1; use for example "
                               "0.1");
        if (!isnan(quotas->min_available_ratio) && quotas->min_available_bytes != MR_INT_UNSET)
                return mr_fail(err, MR_INVALID, "minAvailableRatioPerVolume",
                               "minAvailableBytesPerVolume says the same in bytes; keep one of "
                               "them");
        for (size_t i = 0; i < quotas->excluded.n; i++)
                if (strchr(quotas->excluded.items[i], ';'))
                        return mr_fail(err, MR_INVALID, "excludedPrincipals",
                                       "a semicolon separates principals; write them as elements "
                                       "of the list");
        return 0;
}

static const Quotas *quotas_of(const KafkaCluster *cluster) {
        return cluster->spec->kafka->quotas;
}

static bool has_plugin(const KafkaCluster *cluster) {
        return software_has_jar(cluster->facts, CLUSTER_SOFTWARE, cluster->version->name,
                                PLUGIN_JAR);
}

void quotas_warn(const KafkaCluster *cluster, MrParts *parts) {
        const Quotas *quotas = quotas_of(cluster);
        const char *where = "spec.kafka.quotas";

        if (!quotas)
                return;
        if (quotas->type == QUOTAS_STRIMZI && !has_plugin(cluster))
                mr_parts_warn(parts, "QuotasUnavailable",
                              "%s has no effect: the distribution of Kafka %s has no " PLUGIN_JAR
                              " jar; put it into its libs or extras",
                              where, cluster->version->name);
        if (quotas->type == QUOTAS_STRIMZI && (quotas->request_percentage != MR_INT_UNSET ||
                                               !isnan(quotas->controller_mutation_rate)))
                mr_parts_warn(parts, "Quotas",
                              "%s.requestPercentage and controllerMutationRate have no effect with "
                              "the type strimzi",
                              where);
        if (quotas->type == QUOTAS_KAFKA &&
            (quotas->min_available_bytes != MR_INT_UNSET || quotas->excluded.n > 0 ||
             !isnan(quotas->min_available_ratio)))
                mr_parts_warn(parts, "Quotas",
                              "%s.minAvailable…PerVolume and excludedPrincipals have no effect "
                              "with the type kafka",
                              where);
}

static const char *number_text(MrArena *arena, double number) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_real(number);
        _cleanup_buf_ MrBuf text = {};

        if (isnan(number))
                return NULL;
        mr_json_write(tree, 0, &text);
        return mr_arena_strdup(arena, mr_buf_text(&text));
}

static const char *whole_text(MrArena *arena, int64_t number) {
        return number == MR_INT_UNSET ? NULL : mr_arena_strf(arena, "%" PRId64, number);
}

/* Those who keep the cluster itself running are not held up. */
static const char *excluded(const KafkaCluster *cluster, MrParts *parts) {
        const MrStrings *users = &quotas_of(cluster)->excluded;
        MrArena *arena = cluster->arena;
        const char *list = mr_arena_strf(arena,
                                         "User:CN=%s,O=" CLUSTER_ORGANIZATION
                                         ";User:CN=cluster-operator,O=" CLUSTER_ORGANIZATION,
                                         kafka_group(cluster));

        for (size_t i = 0; i < users->n; i++)
                list = mr_arena_strf(arena, "%s;%s%s", list,
                                     mr_starts_with(users->items[i], "User:") ? "" : "User:",
                                     mr_parts_literal(parts, users->items[i]));
        return list;
}

/* The plugin asks the cluster how full its volumes are. */
static void add_admin(const KafkaCluster *cluster, const KafkaNode *node, MrPairs *properties) {
        MrArena *arena = cluster->arena;
        const char *address = mr_arena_strf(arena, "@{addr:%s}:@{port:%s/" ENDPOINT_REPLICATION "}",
                                            node->name, node->name);

        mr_pairs_set(arena, properties, ADMIN "bootstrap.servers", address);
        mr_pairs_set(arena, properties, ADMIN "security.protocol", "SSL");
        mr_pairs_set(arena, properties, ADMIN "ssl.keystore.type", "PEM");
        mr_pairs_set(arena, properties, ADMIN "ssl.keystore.location",
                     mr_arena_strf(arena, "@{file:%s.pem}", node->name));
        mr_pairs_set(arena, properties, ADMIN "ssl.truststore.type", "PEM");
        mr_pairs_set(arena, properties, ADMIN "ssl.truststore.location", "@{file:cluster-ca.crt}");
}

void quotas_add_options(const KafkaCluster *cluster, const KafkaNode *node, MrPairs *properties,
                        MrParts *parts) {
        const Quotas *quotas = quotas_of(cluster);
        MrArena *arena = cluster->arena;

        if (!quotas || quotas->type != QUOTAS_STRIMZI || !node->is_broker || !has_plugin(cluster))
                return;
        const MrPair options[] = {
                {"client.quota.callback.class", "io.strimzi.kafka.quotas.StaticQuotaCallback"},
                {PREFIX "produce", whole_text(arena, quotas->producer_byte_rate)},
                {PREFIX "fetch", whole_text(arena, quotas->consumer_byte_rate)},
                {VOLUME "bytes", whole_text(arena, quotas->min_available_bytes)},
                {VOLUME "ratio", number_text(arena, quotas->min_available_ratio)},
                {PREFIX "excluded.principal.name.list", excluded(cluster, parts)},
        };
        for (size_t i = 0; i < MR_ELEMENTS(options); i++)
                if (options[i].value)
                        mr_pairs_set(arena, properties, options[i].key, options[i].value);
        add_admin(cluster, node, properties);
}

void quotas_add_settings(const KafkaCluster *cluster, MrParts *parts) {
        static const Quotas none = {
                .producer_byte_rate = MR_INT_UNSET,
                .consumer_byte_rate = MR_INT_UNSET,
                .request_percentage = MR_INT_UNSET,
                .controller_mutation_rate = NAN,
        };
        const Quotas *asked = quotas_of(cluster);
        const Quotas *quotas = asked && asked->type == QUOTAS_KAFKA ? asked : &none;
        MrArena *arena = cluster->arena;
        const MrPair wanted[] = {
                {"producer_byte_rate", whole_text(arena, quotas->producer_byte_rate)},
                {"consumer_byte_rate", whole_text(arena, quotas->consumer_byte_rate)},
                {"request_percentage", whole_text(arena, quotas->request_percentage)},
                {"controller_mutation_rate", number_text(arena, quotas->controller_mutation_rate)},
        };

        for (size_t i = 0; i < MR_ELEMENTS(wanted); i++)
                mr_parts_add(parts, (MrPart){
                                            .kind = MR_PART_SETTING,
                                            .setting = {.protocol = "kafka",
                                                        .scope = "quota/",
                                                        .key = wanted[i].key,
                                                        .value = wanted[i].value},
                                    });
}
