/* KafkaUser: for now a key and a certificate for users who authenticate with TLS. */

#include "kafka.h"

#include <string.h>

#include "cluster.h"
#include "pools.h"

static const MrEnum authentication_types[] = {
        {"tls", USER_TLS, "millrace issues a key and a certificate."},
        {"tls-external", USER_TLS_EXTERNAL, "The user brings a certificate issued elsewhere."},
        {"scram-sha-512", USER_SCRAM_SHA_512, "The user has a password."},
        {},
};

static const MrField authentication_fields[] = {
        MR_ENUM("type", UserAuthentication, type, authentication_types, .flags = MR_REQUIRED,
                .doc = "How the user proves who it is. Only tls has an effect yet."),
        MR_INT("validityDays", UserAuthentication, validity_days, .min = 1, .max = 36500,
               .unit = "days",
               .doc = "How long the certificate is valid; as long as the clients' authority says "
                      "when absent."),
        MR_INT("renewalDays", UserAuthentication, renewal_days, .min = 1, .max = 36500,
               .unit = "days",
               .doc = "How long before its end the certificate is renewed; given together with "
                      "validityDays."),
        MR_TREE("password", UserAuthentication, not_yet, .flags = MR_NOT_YET | MR_SECRET,
                .doc = "Secret with a password chosen by the user."),
        {},
};

static const MrCheck authentication_checks[] = {
        {"self.type == 'tls' || (!has(self.validityDays) && !has(self.renewalDays))",
         "validityDays and renewalDays belong to type tls; remove them"},
        {"has(self.renewalDays) == has(self.validityDays)",
         "validityDays and renewalDays go together; set both or none"},
        {"!has(self.renewalDays) || !has(self.validityDays) || "
         "self.renewalDays < self.validityDays",
         "renewalDays must be less than validityDays"},
        {},
};

static const MrField user_fields[] = {
        MR_OBJECT("authentication", UserSpec, authentication, UserAuthentication,
                  authentication_fields, .checks = authentication_checks,
                  .doc = "How the user proves who it is. Without it no credentials are made."),
        MR_TREE("authorization", UserSpec, not_yet, .flags = MR_NOT_YET,
                .doc = "What the user may do."),
        MR_TREE("quotas", UserSpec, not_yet, .flags = MR_NOT_YET,
                .doc = "How much the user may use."),
        MR_TREE("template", UserSpec, not_yet, .flags = MR_NOT_YET | MR_METADATA,
                .doc = "Labels and annotations of the user's secret."),
        {},
};

static int user_rule(const void *object, MrError *err) {
        const UserAuthentication *authentication = ((const UserSpec *) object)->authentication;

        if (!authentication)
                return 0;
        bool has_validity = authentication->validity_days != MR_INT_UNSET;
        bool has_renewal = authentication->renewal_days != MR_INT_UNSET;
        if ((has_validity || has_renewal) && authentication->type != USER_TLS)
                return mr_fail(err, MR_INVALID, "authentication",
                               "validityDays and renewalDays belong to type tls; remove them");
        if (has_validity != has_renewal)
                return mr_fail(err, MR_INVALID, "authentication",
                               "validityDays and renewalDays go together; set both or none");
        if (has_validity && authentication->renewal_days >= authentication->validity_days)
                return mr_fail(err, MR_INVALID, "authentication.renewalDays",
                               "certificates would be renewed as soon as they are made; "
                               "use less than validityDays, which is %lld",
                               (long long) authentication->validity_days);
        return 0;
}

static const MrField user_status_fields[] = {
        MR_STRING("username", MrUnread, text, .doc = "What brokers know the user as."),
        MR_STRING("secret", MrUnread, text, .doc = "Secret that holds the credentials."),
        {},
};

static const char *const versions[] = {"v1beta2", "v1", "v1beta1", "v1alpha1", NULL};
static const char *const short_names[] = {"ku", NULL};
static const MrColumn columns[] = {
        {"CLUSTER", "metadata.labels.strimzi\\.io/cluster", false},
        {"AUTHENTICATION", "spec.authentication.type", false},
        {"AUTHORIZATION", "spec.authorization.type", false},
        {"READY", "status.conditions[Ready].status", false},
        {},
};

const MrKind user_kind = {
        .group = "kafka.strimzi.io",
        .versions = versions,
        .name = "KafkaUser",
        .plural = "kafkausers",
        .short_names = short_names,
        .spec = user_fields,
        .spec_size = sizeof(UserSpec),
        .rule = user_rule,
        .columns = columns,
        .status = user_status_fields,
        .about_kind = "Kafka",
        .about_label = CLUSTER_LABEL,
        .doc = "A user of a Kafka cluster; the label strimzi.io/cluster names the cluster.",
};

/* Days as the user, else as the cluster says. */
static int64_t days_of(int64_t own, const char *field, const char *cluster, const MrFacts *facts) {
        const MrResource *const *kafkas;
        size_t n = mr_facts_resources(facts, "Kafka", NULL, NULL, &kafkas);

        if (own != MR_INT_UNSET)
                return own;
        for (size_t i = 0; i < n; i++)
                if (mr_streq(kafkas[i]->name, cluster))
                        return cluster_ca_days(kafkas[i], "clientsCa", field);
        return mr_streq(field, "renewalDays") ? 30 : 365;
}

static const char *postponed_of(const char *cluster, const MrFacts *facts) {
        const MrResource *kafka = mr_facts_resource(facts, "Kafka", cluster);

        return kafka ? cluster_renewal_postponed(kafka, facts) : NULL;
}

static void add_certificate(const MrResource *resource, const UserAuthentication *authentication,
                            const char *cluster, const MrFacts *facts, MrParts *parts) {
        MrArena *arena = mr_parts_arena(parts);
        MrPairs labels = {};

        mr_pairs_set(arena, &labels, CLUSTER_LABEL, cluster);
        mr_pairs_set(arena, &labels, "strimzi.io/kind", "KafkaUser");
        mr_parts_add(
                parts,
                (MrPart){
                        .kind = MR_PART_CERTIFICATE,
                        .certificate =
                                {
                                        .name = resource->name,
                                        .authority = mr_arena_strf(arena, "%s-clients-ca", cluster),
                                        .key_prefix = "user",
                                        .common_name = resource->name,
                                        .validity_days = days_of(authentication->validity_days,
                                                                 "validityDays", cluster, facts),
                                        .renewal_days = days_of(authentication->renewal_days,
                                                                "renewalDays", cluster, facts),
                                        .with_pkcs12 = true,
                                        .with_authority = true,
                                        .postponed = postponed_of(cluster, facts),
                                        .labels = labels,
                                        .tags = {.component = "kafka-user",
                                                 .instance = resource->name,
                                                 .part_of = mr_arena_strf(arena, "strimzi-%s",
                                                                          resource->name),
                                                 .labels = labels,
                                                 .owner = resource},
                                },
                });
}

/* What a secret of a node is called: "kafka-0", "POOL-3". */
static bool is_node_name(const char *rest, const char *set) {
        size_t size = strlen(set);

        return strncmp(rest, set, size) == 0 && mr_matches(rest + size, "-[0-9]+");
}

/* Whether a secret of this name belongs to the cluster itself: its authorities, its nodes. */
static bool is_taken(const char *name, const char *cluster, const MrFacts *facts, MrArena *arena) {
        size_t size = strlen(cluster);
        const MrResource **pools;

        if (strncmp(name, cluster, size) != 0 || name[size] != '-')
                return false;
        const char *rest = name + size + 1;
        if (mr_matches(
                    rest,
                    "cluster-ca|cluster-ca-cert|clients-ca|clients-ca-cert|cluster-operator-certs|"
                    "trustbundle"))
                return true;
        size_t n = pools_of(cluster, facts, arena, &pools);
        for (size_t i = 0; i < n; i++)
                if (is_node_name(rest, pools[i]->name))
                        return true;
        return is_node_name(rest, "kafka") || is_node_name(rest, "zookeeper");
}

static int check_name(const MrResource *resource, const char *own, const MrFacts *facts,
                      MrArena *arena, MrError *err) {
        const MrResource *const *kafkas;
        size_t n = mr_facts_resources(facts, "Kafka", NULL, NULL, &kafkas);

        if (strlen(resource->name) > COMMON_NAME_MAX)
                return mr_fail(
                        err, MR_INVALID, "metadata.name",
                        "a certificate holds at most %d characters of a name; use a shorter one",
                        COMMON_NAME_MAX);
        /* One more than there are: the user's own cluster may not be there yet. */
        for (size_t i = 0; i <= n; i++) {
                const char *cluster = i < n ? kafkas[i]->name : own;
                if (is_taken(resource->name, cluster, facts, arena))
                        return mr_fail(
                                err, MR_INVALID, "metadata.name",
                                "the cluster %s has a secret of this name; give the user another",
                                cluster);
        }
        return 0;
}

int user_desired(const MrResource *resource, const UserSpec *spec, const MrFacts *facts,
                 MrParts *parts, MrError *err) {
        const char *cluster = mr_pairs_get(&resource->labels, CLUSTER_LABEL);

        if (mr_is_empty(cluster))
                return mr_fail(err, MR_INVALID, "metadata.labels",
                               "a user belongs to a cluster; add the label " CLUSTER_LABEL
                               " with the cluster's name");
        if (!spec->authentication)
                return 0;
        if (spec->authentication->type == USER_SCRAM_SHA_512)
                mr_parts_warn(parts, "NotYet",
                              "spec.authentication.type: passwords of users are not made yet");
        if (spec->authentication->type != USER_TLS)
                return 0;
        int r = check_name(resource, cluster, facts, mr_parts_arena(parts), err);
        if (r < 0)
                return r;
        add_certificate(resource, spec->authentication, cluster, facts, parts);
        return 0;
}

int user_status(const MrResource *resource, const UserSpec *spec, const MrFacts *facts _unused_,
                MrTree *status, MrError *err _unused_) {
        bool is_tls = spec->authentication && spec->authentication->type != USER_SCRAM_SHA_512;
        _cleanup_free_ char *name = mr_strf("%s%s", is_tls ? "CN=" : "", resource->name);

        mr_tree_set_string(status, "username", name);
        if (spec->authentication && spec->authentication->type == USER_TLS)
                mr_tree_set_string(status, "secret", resource->name);
        return 0;
}
