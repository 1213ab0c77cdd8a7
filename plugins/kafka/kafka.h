#pragma once

/* The Kafka operand: clusters (Kafka), their pools (KafkaNodePool) and users (KafkaUser). This
 * header holds the structs the field tables fill. */

#include "operand.h"

#include "java.h"
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

typedef struct ListenerAuthentication {
        int type;
        const MrTree *not_yet;
} ListenerAuthentication;

typedef struct ListenerConfiguration {
        int64_t max_connections;
        int64_t max_connection_creation_rate;
        const MrTree *not_yet;
} ListenerConfiguration;

typedef struct Listener {
        const char *name;
        int64_t port;
        int type;
        int tls;
        ListenerAuthentication *authentication;
        ListenerConfiguration *configuration;
        const MrTree *not_yet;
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
        const MrTree *not_yet;
} Authorization;

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
        const MrTree *not_yet;
} KafkaServer;

/* spec.clusterCa, spec.clientsCa */
typedef struct CertificateAuthority {
        int generate;
        int64_t validity_days;
        int64_t renewal_days;
        const MrTree *not_yet;
} CertificateAuthority;

typedef struct KafkaSpec {
        KafkaServer *kafka;
        const MrTree *zookeeper; /* NULL: KRaft */
        CertificateAuthority *cluster_ca;
        CertificateAuthority *clients_ca;
        const MrTree *not_yet;
} KafkaSpec;

typedef struct PoolSpec {
        int64_t replicas;
        MrStrings roles;
        Storage *storage;
        JavaOptions *jvm;
        Resources *resources;
        const MrTree *not_yet;
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
/* Rows of spec.kafka.listeners[], and the rule of the whole list. */
extern const MrField listener_fields[];
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
