#pragma once

/* The Kafka operand: clusters (Kafka), their pools (KafkaNodePool) and users (KafkaUser). This
 * header holds the structs the field tables fill. */

#include "operand.h"

#include "java.h"
#include "jmx.h"
#include "logging.h"
#include "metrics.h"
#include "storage.h"

typedef enum ListenerType {
        LISTENER_INTERNAL,
        LISTENER_CLUSTER_IP,
        LISTENER_ROUTE,
        LISTENER_TLS_ROUTE,
        LISTENER_INGRESS,
        LISTENER_LOAD_BALANCER,
        LISTENER_NODE_PORT,
} ListenerType;

typedef enum AuthenticationType {
        AUTHENTICATION_TLS,
        AUTHENTICATION_SCRAM_SHA_512,
        AUTHENTICATION_OAUTH,
        AUTHENTICATION_CUSTOM,
} AuthenticationType;

/* One value in a secret of the namespace. */
typedef struct SecretKey {
        const char *secret, *key;
} SecretKey;

typedef struct ListenerAuthentication {
        int type;
        int sasl;
        MrPairs config;
        MrList secrets;  /* of SecretKey */
        MrUnread unread; /* of types that are refused */
} ListenerAuthentication;

typedef struct KeyPairSecret {
        const char *secret, *certificate, *key;
} KeyPairSecret;

typedef struct ListenerBootstrap {
        const char *host;
        int64_t node_port;
        MrStrings alternative_names;
        const char *load_balancer_ip;
        MrStrings external_ips;
        MrPairs annotations, labels;
} ListenerBootstrap;

typedef struct ListenerBroker {
        int64_t id;
        const char *advertised_host;
        int64_t advertised_port;
        const char *host;
        int64_t node_port;
        const char *load_balancer_ip;
        MrStrings external_ips;
        MrPairs annotations, labels;
} ListenerBroker;

typedef struct ListenerConfiguration {
        KeyPairSecret *key_pair;
        ListenerBootstrap *bootstrap;
        MrList brokers; /* of ListenerBroker */
        const char *host_template, *advertised_host_template, *advertised_port_template;
        int64_t max_connections;
        int64_t max_connection_creation_rate;
        int creates_bootstrap, uses_service_domain, publishes_not_ready, allocates_node_ports;
        const char *class;
        int traffic_policy, family_policy, address_type;
        MrStrings source_ranges, families, finalizers;
        MrPairs annotations_template, labels_template;
        MrList parents; /* of ListenerParent */
} ListenerConfiguration;

typedef struct ListenerParent {
        const char *kind, *group, *name, *ns, *section;
        int64_t port;
} ListenerParent;

/* Somebody who may connect: a network, or a set of pods. */
typedef struct PeerNetwork {
        const char *cidr;
        MrStrings except;
} PeerNetwork;

typedef struct PeerExpression {
        const char *key, *operator;
        MrStrings values;
} PeerExpression;

typedef struct PeerSelector {
        MrPairs labels;
        MrList expressions; /* of PeerExpression */
} PeerSelector;

typedef struct ListenerPeer {
        PeerNetwork *network;
        PeerSelector *namespaces, *pods;
} ListenerPeer;

typedef struct Listener {
        const char *name;
        int64_t port;
        int type;
        int tls;
        ListenerAuthentication *authentication;
        ListenerConfiguration *configuration;
        MrList peers; /* of ListenerPeer */
} Listener;

typedef enum AuthorizationType {
        AUTHORIZATION_SIMPLE,
        AUTHORIZATION_CUSTOM,
        AUTHORIZATION_OPA,
        AUTHORIZATION_KEYCLOAK,
} AuthorizationType;

typedef struct Authorization {
        int type;
        const char *authorizer_class;
        MrStrings super_users;
        int has_admin_api;
        MrUnread unread; /* of types that are refused */
} Authorization;

typedef enum QuotasType {
        QUOTAS_KAFKA,
        QUOTAS_STRIMZI,
} QuotasType;

typedef struct Quotas {
        int type;
        int64_t producer_byte_rate, consumer_byte_rate, request_percentage;
        double controller_mutation_rate;
        int64_t min_available_bytes;
        double min_available_ratio;
        MrStrings excluded;
} Quotas;

typedef enum RackType {
        RACK_LABEL,
        RACK_ENVIRONMENT,
} RackType;

typedef struct Rack {
        int type;
        const char *topology_key;
        const char *variable;
} Rack;

/* spec.kafka.tieredStorage */
typedef struct StorageManager {
        const char *class_name;
        const char *class_path;
        MrPairs config;
} StorageManager;

typedef struct TieredStorage {
        int type;
        StorageManager *manager;
} TieredStorage;

/* spec.kafka */
typedef struct KafkaServer {
        const char *version;
        const char *metadata_version;
        int64_t replicas;
        MrList listeners; /* of Listener */
        MrPairs config;
        Storage *storage;
        Authorization *authorization;
        JavaOptions *jvm;
        Resources *resources;
        Logging *logging;
        Metrics *metrics;
        Jmx *jmx;
        Rack *rack;
        Quotas *quotas;
        TieredStorage *tiered;
        MrUnread unread;
        const MrTree *not_yet;
} KafkaServer;

/* spec.clusterCa, spec.clientsCa */
typedef enum ExpirationPolicy {
        EXPIRATION_RENEW_CERTIFICATE,
        EXPIRATION_REPLACE_KEY,
} ExpirationPolicy;

typedef struct CertificateAuthority {
        int generate;
        int64_t validity_days;
        int64_t renewal_days;
        int expiration_policy;
        int goes_with_cluster;
} CertificateAuthority;

typedef struct KafkaSpec {
        KafkaServer *kafka;
        const MrTree *zookeeper; /* NULL: KRaft */
        CertificateAuthority *cluster_ca;
        CertificateAuthority *clients_ca;
        MrUnread unread;
        MrStrings maintenance_windows;
        const MrTree *not_yet;
} KafkaSpec;

typedef struct PoolSpec {
        int64_t replicas;
        MrStrings roles;
        Storage *storage;
        JavaOptions *jvm;
        Resources *resources;
        MrUnread unread;
} PoolSpec;

typedef enum UserAuthenticationType {
        USER_TLS,
        USER_TLS_EXTERNAL,
        USER_SCRAM_SHA_512,
} UserAuthenticationType;

typedef struct UserAuthentication {
        int type;
        int64_t validity_days;
        int64_t renewal_days;
        const MrTree *not_yet;
} UserAuthentication;

typedef struct UserSpec {
        UserAuthentication *authentication;
        const MrTree *not_yet;
} UserSpec;

extern const MrKind kafka_kind, pool_kind, user_kind;
/* Rows of objects that nothing reads from a struct yet. */
extern const MrField kafka_template_fields[], pool_template_fields[];
extern const MrField entity_operator_fields[], cruise_control_fields[], kafka_exporter_fields[],
        jmx_trans_fields[];
/* Rows of spec.kafka.listeners[] and of what is in it, the rule of one listener and that of all. */
extern const MrField listener_fields[];
extern const MrField listener_configuration_fields[], listener_bootstrap_fields[],
        listener_broker_fields[];
extern const MrField listener_authentication_fields[];
extern const MrEnum listener_types[];
int listener_rule(const void *object, MrError *err);
int listeners_check(const MrList *listeners, MrError *err);
extern const MrField authorization_fields[];
int authorization_rule(const void *object, MrError *err);

int kafka_desired(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                  MrParts *parts, MrError *err);
int kafka_probes(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                 MrArena *arena, MrProbes *ret, MrError *err);
int kafka_health(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                 MrArena *arena, MrHealth *ret, MrError *err);
int kafka_status(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                 MrTree *status, MrError *err);

int pool_status(const MrResource *resource, const PoolSpec *spec, const MrFacts *facts,
                MrTree *status, MrError *err);

int user_desired(const MrResource *resource, const UserSpec *spec, const MrFacts *facts,
                 MrParts *parts, MrError *err);
int user_status(const MrResource *resource, const UserSpec *spec, const MrFacts *facts,
                MrTree *status, MrError *err);
