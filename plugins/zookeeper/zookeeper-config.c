/* zoo.cfg of one member. Every client, brokers included, comes in over TLS with a certificate of
 * the cluster; there is no plaintext port, so nobody on the host can read or write without one. */

#include "zookeeper.h"

#include <inttypes.h>

#include "cluster.h"

/* What millrace decides itself. */
static const char *const forbidden_prefixes[] = {
        "server.",
        "dataDir",
        "dataLogDir",
        "clientPort",
        "authProvider",
        "quorum.auth",
        "quorumListen",
        "requireClientAuth",
        "snapshot.trust",
        "standaloneEnabled",
        "reconfigEnabled",
        "4lw.",
        "secureClientPort",
        "ssl.",
        "serverCnxnFactory",
        "sslQuorum",
        "dynamicConfigFile",
        "portUnification",
        "client.portUnification",
        "group.",
        "weight.",
};

static const char *const allowed[] = {
        "ssl.protocol",
        "ssl.quorum.protocol",
        "ssl.enabledProtocols",
        "ssl.quorum.enabledProtocols",
        "ssl.ciphersuites",
        "ssl.quorum.ciphersuites",
        "ssl.hostnameVerification",
        "ssl.quorum.hostnameVerification",
};

/* ZooKeeper 3.8 knows only TLS 1.2 and its ciphers by itself, clients of a current Java offer only
 * TLS 1.3; naming versions without ciphers of both would break the quorum. */
#define PROTOCOL "TLSv1.3"
#define PROTOCOLS "TLSv1.3,TLSv1.2"
#define CIPHERS                                                                                    \
        "TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,"   \
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"           \
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"

static const MrPair defaults[] = {
        {"tickTime", "2000"},
        {"initLimit", "5"},
        {"syncLimit", "2"},
        {"autopurge.purgeInterval", "1"},
        {"admin.enableServer", "false"},
        {"ssl.protocol", PROTOCOL},
        {"ssl.enabledProtocols", PROTOCOLS},
        {"ssl.ciphersuites", CIPHERS},
        {"ssl.quorum.protocol", PROTOCOL},
        {"ssl.quorum.enabledProtocols", PROTOCOLS},
        {"ssl.quorum.ciphersuites", CIPHERS},
        /* Members show certificates of the cluster's CA to each other. Their names are not
         * compared: a member would be looked up by the source address of its connection, which on a
         * host need not lead back to its name. */
        {"ssl.quorum.hostnameVerification", "false"},
};

static const MrPair fixed[] = {
        {"4lw.commands.whitelist", "ruok,srvr,mntr,isro"},
        {"authProvider.x509", "org.apache.zookeeper.server.auth.X509AuthenticationProvider"},
        {"dataDir", "@{dir:data}/data"},
        {"quorumListenOnAllIPs", "true"},
        /* Reconfiguration would write beside this file, which the member cannot and must not
           change. */
        {"reconfigEnabled", "false"},
        {"secureClientPort", "@{bind:" ZOOKEEPER_CLIENTS "}"},
        {"serverCnxnFactory", "org.apache.zookeeper.server.NettyServerCnxnFactory"},
        {"ssl.clientAuth", "need"},
        {"ssl.keyStore.type", "PEM"},
        {"ssl.quorum.clientAuth", "need"},
        {"ssl.quorum.keyStore.type", "PEM"},
        {"ssl.quorum.trustStore.location", "@{file:cluster-ca.crt}"},
        {"ssl.quorum.trustStore.type", "PEM"},
        {"ssl.trustStore.location", "@{file:cluster-ca.crt}"},
        {"ssl.trustStore.type", "PEM"},
        {"sslQuorum", "true"},
        {"standaloneEnabled", "false"},
};

static bool is_forbidden(const char *key) {
        for (size_t i = 0; i < MR_ELEMENTS(allowed); i++)
                if (mr_streq(key, allowed[i]))
                        return false;
        for (size_t i = 0; i < MR_ELEMENTS(forbidden_prefixes); i++)
                if (mr_starts_with(key, forbidden_prefixes[i]))
                        return true;
        return false;
}

static void add_user_config(const Ensemble *ensemble, int64_t i, MrParts *parts, MrPairs *ret) {
        const MrPairs *config = &ensemble->spec->config;

        for (size_t k = 0; k < config->n; k++) {
                const MrPair *pair = &config->items[k];
                if (!is_forbidden(pair->key))
                        mr_pairs_set(ensemble->arena, ret, mr_parts_literal(parts, pair->key),
                                     mr_parts_literal(parts, pair->value));
                else if (i == 0)
                        mr_parts_warn(parts, "ForbiddenOption",
                                      "spec.zookeeper.config.%s is set by millrace and was left "
                                      "out; remove it",
                                      pair->key);
        }
}

static void add_members(const Ensemble *ensemble, MrPairs *ret) {
        for (int64_t i = 0; i < ensemble->n; i++) {
                const char *node = ensemble_node(ensemble, i);
                mr_pairs_set(ensemble->arena, ret,
                             mr_arena_strf(ensemble->arena, "server.%" PRId64, i + 1),
                             mr_arena_strf(ensemble->arena,
                                           "@{addr:%s}:@{port:%s/" ZOOKEEPER_CLUSTERING
                                           "}:@{port:%s/" ZOOKEEPER_ELECTION "}",
                                           node, node, node));
        }
}

MrPairs zookeeper_config(const Ensemble *ensemble, int64_t i, MrParts *parts) {
        const char *keystore =
                mr_arena_strf(ensemble->arena, "@{file:%s.pem}", ensemble_node(ensemble, i));
        MrPairs config = {};

        for (size_t k = 0; k < MR_ELEMENTS(defaults); k++)
                mr_pairs_set(ensemble->arena, &config, defaults[k].key, defaults[k].value);
        add_user_config(ensemble, i, parts, &config);
        for (size_t k = 0; k < MR_ELEMENTS(fixed); k++)
                mr_pairs_set(ensemble->arena, &config, fixed[k].key, fixed[k].value);
        mr_pairs_set(ensemble->arena, &config, "ssl.keyStore.location", keystore);
        mr_pairs_set(ensemble->arena, &config, "ssl.quorum.keyStore.location", keystore);
        add_members(ensemble, &config);
        return config;
}
