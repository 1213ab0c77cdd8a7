/* Rows of spec.kafka.listeners[] and spec.kafka.authorization, and the rules across them. */

#include "kafka.h"

#include <inttypes.h>

#include "str.h"

#define AUTH_NOT_YET(n, d)                                                                         \
        MR_TREE(n, ListenerAuthentication, not_yet, .flags = MR_NOT_YET, .doc = d)
#define CONF_NOT_YET(n, d) MR_TREE(n, ListenerConfiguration, not_yet, .flags = MR_NOT_YET, .doc = d)
#define AUTHZ_NOT_YET(n, d) MR_TREE(n, Authorization, not_yet, .flags = MR_NOT_YET, .doc = d)

static const MrEnum listener_types[] = {
        {"internal", LISTENER_INTERNAL, "For clients that reach the nodes directly."},
        {"cluster-ip", LISTENER_CLUSTER_IP, "Behind a service address for each broker."},
        {"route", LISTENER_ROUTE, "Behind an OpenShift route for each broker; needs tls."},
        {"tlsroute", LISTENER_TLS_ROUTE, "Behind a TLSRoute of the Gateway API; needs tls."},
        {"ingress", LISTENER_INGRESS, "Behind an ingress for each broker; needs tls."},
        {"loadbalancer", LISTENER_LOAD_BALANCER, "Behind a load balancer for each broker."},
        {"nodeport", LISTENER_NODE_PORT, "On a port of every machine of the cluster."},
        {},
};

static const MrEnum authentication_types[] = {
        {"tls", AUTHENTICATION_TLS, "Clients show a certificate signed by the clients' authority."},
        {"scram-sha-512", AUTHENTICATION_SCRAM_SHA_512, "Clients prove that they know a password."},
        {"oauth", AUTHENTICATION_OAUTH, "Clients show a token."},
        {"custom", AUTHENTICATION_CUSTOM, "Configured through listenerConfig."},
        {},
};

static const MrField authentication_fields[] = {
        MR_ENUM("type", ListenerAuthentication, type, authentication_types, .flags = MR_REQUIRED,
                .doc = "How clients prove who they are."),
        AUTH_NOT_YET("sasl", "Whether a custom authentication uses SASL."),
        AUTH_NOT_YET("listenerConfig", "Options of the listener for a custom authentication."),
        AUTH_NOT_YET("secrets", "Secrets a custom authentication needs as files."),
        AUTH_NOT_YET("accessTokenIsJwt", "OAuth: whether access tokens are JSON Web Tokens."),
        AUTH_NOT_YET("checkAccessTokenType",
                     "OAuth: whether the type of access tokens is checked."),
        AUTH_NOT_YET("checkAudience",
                     "OAuth: whether the audience of a token must name the broker."),
        AUTH_NOT_YET("checkIssuer", "OAuth: whether the issuer of a token is checked."),
        AUTH_NOT_YET("clientAudience", "OAuth: audience the broker asks tokens for."),
        AUTH_NOT_YET("clientId", "OAuth: name of the broker at the authorization server."),
        AUTH_NOT_YET("clientScope", "OAuth: scope the broker asks tokens for."),
        AUTH_NOT_YET("clientSecret", "OAuth: secret of the broker at the authorization server."),
        AUTH_NOT_YET("connectTimeoutSeconds",
                     "OAuth: how long connecting to the authorization server may take."),
        AUTH_NOT_YET("customClaimCheck", "OAuth: a JSON path a token must match."),
        AUTH_NOT_YET("disableTlsHostnameVerification",
                     "OAuth: whether the authorization server's name goes unchecked."),
        AUTH_NOT_YET("enableECDSA", "OAuth: no effect any more."),
        AUTH_NOT_YET("enableMetrics", "OAuth: whether metrics are collected."),
        AUTH_NOT_YET("enableOauthBearer", "OAuth: whether tokens are taken over OAUTHBEARER."),
        AUTH_NOT_YET("enablePlain", "OAuth: whether tokens are taken over PLAIN."),
        AUTH_NOT_YET("failFast",
                     "OAuth: whether a broker ends when the authorization server fails at start."),
        AUTH_NOT_YET("fallbackUserNameClaim",
                     "OAuth: claim with the user's name when the first has none."),
        AUTH_NOT_YET("fallbackUserNamePrefix", "OAuth: prefix of names from the fallback claim."),
        AUTH_NOT_YET("groupsClaim", "OAuth: JSON path of the user's groups."),
        AUTH_NOT_YET("groupsClaimDelimiter", "OAuth: what separates groups in one text."),
        AUTH_NOT_YET("httpRetries", "OAuth: how often a failed request is tried again."),
        AUTH_NOT_YET("httpRetryPauseMs", "OAuth: pause before a request is tried again."),
        AUTH_NOT_YET("includeAcceptHeader", "OAuth: whether requests carry an Accept header."),
        AUTH_NOT_YET("introspectionEndpointUri", "OAuth: where opaque tokens are checked."),
        AUTH_NOT_YET("jwksEndpointUri", "OAuth: where the keys of signatures are found."),
        AUTH_NOT_YET("jwksExpirySeconds", "OAuth: how long keys are trusted without asking again."),
        AUTH_NOT_YET("jwksIgnoreKeyUse", "OAuth: whether the stated use of a key is ignored."),
        AUTH_NOT_YET("jwksMinRefreshPauseSeconds",
                     "OAuth: shortest pause between two fetches of keys."),
        AUTH_NOT_YET("jwksRefreshSeconds", "OAuth: how often keys are fetched."),
        AUTH_NOT_YET("maxSecondsWithoutReauthentication",
                     "OAuth: how long a session lasts without a new token."),
        AUTH_NOT_YET("readTimeoutSeconds",
                     "OAuth: how long an answer of the authorization server may take."),
        AUTH_NOT_YET("serverBearerTokenLocation",
                     "OAuth: file with the token the broker itself shows."),
        AUTH_NOT_YET("tlsTrustedCertificates",
                     "OAuth: certificates trusted for the authorization server."),
        AUTH_NOT_YET("tokenEndpointUri", "OAuth: where tokens are given out."),
        AUTH_NOT_YET("userInfoEndpointUri", "OAuth: where the name of a user is asked for."),
        AUTH_NOT_YET("userNameClaim", "OAuth: claim with the user's name."),
        AUTH_NOT_YET("userNamePrefix", "OAuth: prefix of names from the claim."),
        AUTH_NOT_YET("validIssuerUri", "OAuth: the issuer that is accepted."),
        AUTH_NOT_YET("validTokenType", "OAuth: the type of token that introspection must report."),
        {},
};

static const MrField configuration_fields[] = {
        MR_INT("maxConnections", ListenerConfiguration, max_connections, .min = 1, .max = INT32_MAX,
               .doc = "Most connections this listener of a broker accepts."),
        MR_INT("maxConnectionCreationRate", ListenerConfiguration, max_connection_creation_rate,
               .min = 1, .max = INT32_MAX, .unit = "per second",
               .doc = "Most new connections this listener of a broker accepts in a second."),
        CONF_NOT_YET("brokerCertChainAndKey", "A certificate of your own for this listener."),
        CONF_NOT_YET("class", "Class of load balancer or ingress."),
        CONF_NOT_YET("externalTrafficPolicy",
                     "Whether traffic may take a second hop inside the cluster."),
        CONF_NOT_YET("loadBalancerSourceRanges", "Networks that may reach the load balancer."),
        CONF_NOT_YET("bootstrap", "Names and ports of the first contact."),
        CONF_NOT_YET("brokers", "Names and ports of single brokers."),
        CONF_NOT_YET("ipFamilyPolicy", "One or two families of IP addresses."),
        CONF_NOT_YET("ipFamilies", "Families of IP addresses."),
        CONF_NOT_YET("createBootstrapService",
                     "Whether there is a load balancer for the first contact."),
        CONF_NOT_YET("finalizers", "Finalizers of the load balancers."),
        CONF_NOT_YET("useServiceDnsDomain",
                     "Whether advertised names carry the domain of the cluster."),
        CONF_NOT_YET("preferredNodePortAddressType",
                     "Which address of a machine is advertised first."),
        CONF_NOT_YET("publishNotReadyAddresses",
                     "Whether brokers that are not ready can be reached."),
        CONF_NOT_YET("hostTemplate", "Pattern of the host names of brokers."),
        CONF_NOT_YET("advertisedHostTemplate", "Pattern of the advertised names of brokers."),
        CONF_NOT_YET("advertisedPortTemplate", "Pattern of the advertised ports of brokers."),
        CONF_NOT_YET("perBrokerAnnotationsTemplate", "Annotations of each broker's objects."),
        CONF_NOT_YET("perBrokerLabelsTemplate", "Labels of each broker's objects."),
        CONF_NOT_YET("allocateLoadBalancerNodePorts", "Whether load balancers take node ports."),
        CONF_NOT_YET("parentRefs", "Gateways the routes belong to."),
        {},
};

const MrField listener_fields[] = {
        MR_STRING("name", Listener, name, .pattern = "^[a-z0-9]{1,11}$", .flags = MR_REQUIRED,
                  .doc = "Name of the listener, unique within the cluster."),
        MR_INT("port", Listener, port, .min = 9092, .max = 65535, .flags = MR_REQUIRED,
               .doc = "Port of the listener, unique within the cluster. Where several nodes share "
                      "a host, the first has this "
                      "port and the others have one near it."),
        MR_ENUM("type", Listener, type, listener_types, .flags = MR_REQUIRED,
                .doc = "From where clients reach the listener."),
        MR_BOOL("tls", Listener, tls, .flags = MR_REQUIRED,
                .doc = "Whether the listener speaks TLS."),
        MR_OBJECT("authentication", Listener, authentication, ListenerAuthentication,
                  authentication_fields,
                  .doc = "How clients prove who they are. Without it they need not."),
        MR_OBJECT("configuration", Listener, configuration, ListenerConfiguration,
                  configuration_fields, .doc = "Details of the listener."),
        MR_TREE("networkPolicyPeers", Listener, not_yet, .flags = MR_NOT_YET,
                .doc = "Who may reach the listener, enforced by the network."),
        {},
};

int listener_rule(const void *object, MrError *err) {
        static const int64_t reserved[] = {9404, 9999};
        const Listener *listener = object;
        const ListenerAuthentication *authentication = listener->authentication;

        for (size_t i = 0; i < MR_ELEMENTS(reserved); i++)
                if (listener->port == reserved[i])
                        return mr_fail(err, MR_INVALID, "port",
                                       "port %" PRId64
                                       " is reserved for metrics and JMX; use another",
                                       listener->port);
        bool needs_tls = listener->type == LISTENER_ROUTE || listener->type == LISTENER_TLS_ROUTE ||
                         listener->type == LISTENER_INGRESS;
        if (needs_tls && !listener->tls)
                return mr_fail(err, MR_INVALID, "tls",
                               "a route or ingress carries only TLS; set tls to true");
        if (!authentication)
                return 0;
        if (authentication->type == AUTHENTICATION_TLS && !listener->tls)
                return mr_fail(err, MR_INVALID, "tls",
                               "authentication by certificate needs TLS; set tls to true");
        /* Serving such a listener without its authentication would open it to everybody. */
        if (authentication->type == AUTHENTICATION_OAUTH ||
            authentication->type == AUTHENTICATION_CUSTOM)
                return mr_fail(err, MR_INVALID, "authentication.type",
                               "%s is not supported yet; use tls or scram-sha-512",
                               authentication->type == AUTHENTICATION_OAUTH ? "oauth" : "custom");
        return 0;
}

int listeners_check(const MrList *listeners, MrError *err) {
        const Listener *items = listeners->items;

        for (size_t i = 0; i < listeners->n; i++)
                for (size_t k = 0; k < i; k++) {
                        int r = 0;
                        if (mr_streq(items[i].name, items[k].name))
                                r = mr_fail(err, MR_INVALID, "name",
                                            "listeners[%zu] is called %s too; names must be unique",
                                            k, items[i].name);
                        else if (items[i].port == items[k].port)
                                r = mr_fail(err, MR_INVALID, "port",
                                            "listeners[%zu] uses port %" PRId64
                                            " too; ports must be unique",
                                            k, items[i].port);
                        if (r < 0)
                                return mr_error_within(err, r, "listeners[%zu]", i);
                }
        return 0;
}

static const MrEnum authorization_types[] = {
        {"simple", AUTHORIZATION_SIMPLE, "Kafka's own access control lists."},
        {"custom", AUTHORIZATION_CUSTOM, "A class of your own, named by authorizerClass."},
        {"opa", AUTHORIZATION_OPA, "Open Policy Agent."},
        {"keycloak", AUTHORIZATION_KEYCLOAK, "Keycloak's authorization services."},
        {},
};

const MrField authorization_fields[] = {
        MR_ENUM("type", Authorization, type, authorization_types, .flags = MR_REQUIRED,
                .doc = "Who decides what is allowed."),
        MR_STRINGS("superUsers", Authorization, super_users,
                   .doc = "Users who may do everything, such as CN=admin for a client with that "
                          "certificate."),
        MR_STRING("authorizerClass", Authorization, authorizer_class,
                  .doc = "Class that decides, for the type custom; it must be among the jars of "
                         "the distribution."),
        AUTHZ_NOT_YET("supportsAdminApi",
                      "Whether a custom authorizer can be changed through Kafka's own interface."),
        AUTHZ_NOT_YET("allowOnError", "Open Policy Agent: whether requests pass when it fails."),
        AUTHZ_NOT_YET("clientId", "Keycloak: name of the broker."),
        AUTHZ_NOT_YET("connectTimeoutSeconds", "Keycloak: how long connecting may take."),
        AUTHZ_NOT_YET("delegateToKafkaAcls", "Keycloak: whether Kafka's own lists are asked next."),
        AUTHZ_NOT_YET("disableTlsHostnameVerification",
                      "Keycloak: whether its name goes unchecked."),
        AUTHZ_NOT_YET("enableMetrics", "Whether metrics of the authorizer are collected."),
        AUTHZ_NOT_YET("expireAfterMs", "Open Policy Agent: how long a decision is kept."),
        AUTHZ_NOT_YET("grantsAlwaysLatest",
                      "Keycloak: whether grants are fetched for each session."),
        AUTHZ_NOT_YET("grantsGcPeriodSeconds", "Keycloak: how often old grants are dropped."),
        AUTHZ_NOT_YET("grantsMaxIdleTimeSeconds", "Keycloak: how long unused grants are kept."),
        AUTHZ_NOT_YET("grantsRefreshPeriodSeconds",
                      "Keycloak: how often grants are fetched again."),
        AUTHZ_NOT_YET("grantsRefreshPoolSize", "Keycloak: how many fetches run at once."),
        AUTHZ_NOT_YET("httpRetries", "Keycloak: how often a failed request is tried again."),
        AUTHZ_NOT_YET("includeAcceptHeader", "Keycloak: whether requests carry an Accept header."),
        AUTHZ_NOT_YET("initialCacheCapacity",
                      "Open Policy Agent: decisions the cache starts with room for."),
        AUTHZ_NOT_YET("maximumCacheSize", "Open Policy Agent: most decisions in the cache."),
        AUTHZ_NOT_YET("readTimeoutSeconds", "Keycloak: how long an answer may take."),
        AUTHZ_NOT_YET("tlsTrustedCertificates",
                      "Certificates trusted for the server that decides."),
        AUTHZ_NOT_YET("tokenEndpointUri", "Keycloak: where tokens are given out."),
        AUTHZ_NOT_YET("url", "Open Policy Agent: where decisions are asked for."),
        {},
};

int authorization_rule(const void *object, MrError *err) {
        const Authorization *authorization = object;

        /* Running without the authorizer would allow everything to everybody. */
        if (authorization->type == AUTHORIZATION_OPA ||
            authorization->type == AUTHORIZATION_KEYCLOAK)
                return mr_fail(err, MR_INVALID, "type",
                               "%s is not supported yet; use simple or custom",
                               authorization->type == AUTHORIZATION_OPA ? "opa" : "keycloak");
        if (authorization->type == AUTHORIZATION_CUSTOM &&
            mr_is_empty(authorization->authorizer_class))
                return mr_fail(err, MR_INVALID, "authorizerClass",
                               "a custom authorization needs a class; name one");
        return 0;
}
