/* Rows of spec.kafka.listeners[].authentication and spec.kafka.authorization. Types that need a
 * server of somebody else are read, and refused: their rows are here so that a file of an older
 * release is understood as far as it goes. */

#include "kafka.h"

#include <string.h>

#include "str.h"

#define SECRET_NAME "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
#define SECRET_KEY "^[A-Za-z0-9._-]{1,253}$"
#define SECRET_NAME_FORM "the name of a Secret: lower-case letters, digits, '-' and '.'"
#define SECRET_KEY_FORM "a key of the Secret: letters, digits, '.', '_' and '-'"

static const MrField secret_key_fields[] = {
        MR_STRING("secretName", SecretKey, secret, .pattern = SECRET_NAME, .form = SECRET_NAME_FORM,
                  .flags = MR_REQUIRED, .doc = "Name of the Secret."),
        MR_STRING("key", SecretKey, key, .pattern = SECRET_KEY, .form = SECRET_KEY_FORM,
                  .flags = MR_REQUIRED, .doc = "Key in the Secret."),
        {},
};

static const MrField refused_secret_fields[] = {
        MR_STRING("secretName", MrUnread, text, .pattern = SECRET_NAME, .form = SECRET_NAME_FORM,
                  .flags = MR_REQUIRED, .doc = "Name of the Secret."),
        MR_STRING("key", MrUnread, text, .pattern = SECRET_KEY, .form = SECRET_KEY_FORM,
                  .flags = MR_REQUIRED, .doc = "Key in the Secret."),
        {},
};

static const MrField refused_certificate_fields[] = {
        MR_STRING("secretName", MrUnread, text, .pattern = SECRET_NAME, .form = SECRET_NAME_FORM,
                  .flags = MR_REQUIRED, .doc = "Name of the Secret."),
        MR_STRING("certificate", MrUnread, text, .pattern = SECRET_KEY, .form = SECRET_KEY_FORM,
                  .doc = "Key in the Secret."),
        MR_STRING("pattern", MrUnread, text,
                  .doc = "Keys in the Secret, as a pattern with asterisks."),
        {},
};

/* --- authentication */

#define OAUTH_FLAG(n, d)                                                                           \
        MR_BOOL(n, ListenerAuthentication, unread.word, .flags = MR_REFUSED, .doc = d)
#define OAUTH_TEXT(n, d)                                                                           \
        MR_STRING(n, ListenerAuthentication, unread.text, .flags = MR_REFUSED, .doc = d)
#define OAUTH_NUMBER(n, least, ...)                                                                \
        MR_INT(n, ListenerAuthentication, unread.integer, .flags = MR_REFUSED, .min = (least),     \
               .max = INT32_MAX, __VA_ARGS__)

static const MrEnum authentication_types[] = {
        {"tls", AUTHENTICATION_TLS, "Clients show a certificate signed by the clients' authority."},
        {"scram-sha-512", AUTHENTICATION_SCRAM_SHA_512, "Clients prove that they know a password."},
        {"oauth", AUTHENTICATION_OAUTH, "Clients show a token; not supported."},
        {"custom", AUTHENTICATION_CUSTOM, "Whatever listenerConfig configures."},
        {},
};

const MrField listener_authentication_fields[] = {
        MR_ENUM("type", ListenerAuthentication, type, authentication_types, .flags = MR_REQUIRED,
                .doc = "How clients prove who they are."),
        MR_BOOL("sasl", ListenerAuthentication, sasl, .fallback = "false",
                .doc = "Whether a custom authentication uses SASL."),
        MR_MAP("listenerConfig", ListenerAuthentication, config,
               .doc = "Options of the listener for a custom authentication. Each is written to the "
                      "brokers' configuration behind the prefix of this listener; those that "
                      "begin with ssl.keystore. are left out."),
        MR_LIST("secrets", ListenerAuthentication, secrets, SecretKey, secret_key_fields,
                .max = 100,
                .doc = "Secrets a custom authentication needs as files. In listenerConfig they are "
                       "named "
                       "/opt/kafka/custom-authn-secrets/custom-listener-NAME-PORT/SECRET/KEY, "
                       "which becomes the place where the file is."),
        OAUTH_FLAG("accessTokenIsJwt", "OAuth: whether access tokens are JSON Web Tokens."),
        OAUTH_FLAG("checkAccessTokenType", "OAuth: whether the type of access tokens is checked."),
        OAUTH_FLAG("checkAudience", "OAuth: whether the audience of a token must name the broker."),
        OAUTH_FLAG("checkIssuer", "OAuth: whether the issuer of a token is checked."),
        OAUTH_TEXT("clientAudience", "OAuth: audience the broker asks tokens for."),
        OAUTH_TEXT("clientId", "OAuth: name of the broker at the authorization server."),
        OAUTH_TEXT("clientScope", "OAuth: scope the broker asks tokens for."),
        MR_OBJECT("clientSecret", ListenerAuthentication, unread.object, MrUnread,
                  refused_secret_fields, .flags = MR_REFUSED,
                  .doc = "OAuth: secret of the broker at the authorization server."),
        OAUTH_NUMBER("connectTimeoutSeconds", 0, .unit = "seconds",
                     .doc = "OAuth: how long connecting to the authorization server may take."),
        OAUTH_TEXT("customClaimCheck", "OAuth: a JSON path a token must match."),
        OAUTH_FLAG("disableTlsHostnameVerification",
                   "OAuth: whether the authorization server's name goes unchecked."),
        OAUTH_FLAG("enableECDSA", "OAuth: no effect any more."),
        OAUTH_FLAG("enableMetrics", "OAuth: whether metrics are collected."),
        OAUTH_FLAG("enableOauthBearer", "OAuth: whether tokens are taken over OAUTHBEARER."),
        OAUTH_FLAG("enablePlain", "OAuth: whether tokens are taken over PLAIN."),
        OAUTH_FLAG("failFast",
                   "OAuth: whether a broker ends when the authorization server fails at start."),
        OAUTH_TEXT("fallbackUserNameClaim",
                   "OAuth: claim with the user's name when the first has none."),
        OAUTH_TEXT("fallbackUserNamePrefix", "OAuth: prefix of names from the fallback claim."),
        OAUTH_TEXT("groupsClaim", "OAuth: JSON path of the user's groups."),
        OAUTH_TEXT("groupsClaimDelimiter", "OAuth: what separates groups in one text."),
        OAUTH_NUMBER("httpRetries", 0, .doc = "OAuth: how often a failed request is tried again."),
        OAUTH_NUMBER("httpRetryPauseMs", 0, .unit = "ms",
                     .doc = "OAuth: pause before a request is tried again."),
        OAUTH_FLAG("includeAcceptHeader", "OAuth: whether requests carry an Accept header."),
        OAUTH_TEXT("introspectionEndpointUri", "OAuth: where opaque tokens are checked."),
        OAUTH_TEXT("jwksEndpointUri", "OAuth: where the keys of signatures are found."),
        OAUTH_NUMBER("jwksExpirySeconds", 1, .unit = "seconds",
                     .doc = "OAuth: how long keys are trusted without asking again."),
        OAUTH_FLAG("jwksIgnoreKeyUse", "OAuth: whether the stated use of a key is ignored."),
        OAUTH_NUMBER("jwksMinRefreshPauseSeconds", 0, .unit = "seconds",
                     .doc = "OAuth: shortest pause between two fetches of keys."),
        OAUTH_NUMBER("jwksRefreshSeconds", 1, .unit = "seconds",
                     .doc = "OAuth: how often keys are fetched."),
        OAUTH_NUMBER("maxSecondsWithoutReauthentication", 0, .unit = "seconds",
                     .doc = "OAuth: how long a session lasts without a new token."),
        OAUTH_NUMBER("readTimeoutSeconds", 0, .unit = "seconds",
                     .doc = "OAuth: how long an answer of the authorization server may take."),
        OAUTH_TEXT("serverBearerTokenLocation",
                   "OAuth: file with the token the broker itself shows."),
        MR_LIST("tlsTrustedCertificates", ListenerAuthentication, unread.list, MrUnread,
                refused_certificate_fields, .flags = MR_REFUSED,
                .doc = "OAuth: certificates trusted for the authorization server."),
        OAUTH_TEXT("tokenEndpointUri", "OAuth: where tokens are given out."),
        OAUTH_TEXT("userInfoEndpointUri", "OAuth: where the name of a user is asked for."),
        OAUTH_TEXT("userNameClaim", "OAuth: claim with the user's name."),
        OAUTH_TEXT("userNamePrefix", "OAuth: prefix of names from the claim."),
        OAUTH_TEXT("validIssuerUri", "OAuth: the issuer that is accepted."),
        OAUTH_TEXT("validTokenType", "OAuth: the type of token that introspection must report."),
        {},
};

/* --- authorization */

#define AUTHZ_FLAG(n, d) MR_BOOL(n, Authorization, unread.word, .flags = MR_REFUSED, .doc = d)
#define AUTHZ_TEXT(n, d) MR_STRING(n, Authorization, unread.text, .flags = MR_REFUSED, .doc = d)
#define AUTHZ_NUMBER(n, least, ...)                                                                \
        MR_INT(n, Authorization, unread.integer, .flags = MR_REFUSED, .min = (least),              \
               .max = INT32_MAX, __VA_ARGS__)

static const MrEnum authorization_types[] = {
        {"simple", AUTHORIZATION_SIMPLE, "Kafka's own access control lists."},
        {"custom", AUTHORIZATION_CUSTOM, "A class of your own, named by authorizerClass."},
        {"opa", AUTHORIZATION_OPA, "Open Policy Agent; not supported."},
        {"keycloak", AUTHORIZATION_KEYCLOAK, "Keycloak's authorization services; not supported."},
        {},
};

const MrField authorization_fields[] = {
        MR_ENUM("type", Authorization, type, authorization_types, .flags = MR_REQUIRED,
                .doc = "Who decides what is allowed."),
        MR_STRINGS("superUsers", Authorization, super_users, .max = 1000,
                   .pattern = "^[^;[:cntrl:]]+$",
                   .form = "one name, without ';'; the next one is an element of its own",
                   .doc = "Users who may do everything, such as CN=admin for a client with that "
                          "certificate, or the name of a user with a password."),
        MR_STRING("authorizerClass", Authorization, authorizer_class,
                  .pattern = "^[A-Za-z_$][A-Za-z0-9_$]*(\\.[A-Za-z_$][A-Za-z0-9_$]*)*$",
                  .form = "the name of a Java class with its package",
                  .doc = "Class that decides, for the type custom; it must be among the jars of "
                         "the distribution."),
        MR_BOOL("supportsAdminApi", Authorization, has_admin_api, .flags = MR_NOT_YET,
                .doc = "Whether a custom authorizer takes access control lists through Kafka's own "
                       "interface, so that those of users can be written to it."),
        AUTHZ_FLAG("allowOnError", "Open Policy Agent: whether requests pass when it fails."),
        AUTHZ_TEXT("clientId", "Keycloak: name of the broker."),
        AUTHZ_NUMBER("connectTimeoutSeconds", 1, .unit = "seconds",
                     .doc = "Keycloak: how long connecting may take."),
        AUTHZ_FLAG("delegateToKafkaAcls", "Keycloak: whether Kafka's own lists are asked next."),
        AUTHZ_FLAG("disableTlsHostnameVerification", "Keycloak: whether its name goes unchecked."),
        AUTHZ_FLAG("enableMetrics", "Whether metrics of the authorizer are collected."),
        AUTHZ_NUMBER("expireAfterMs", 0, .unit = "ms",
                     .doc = "Open Policy Agent: how long a decision is kept."),
        AUTHZ_FLAG("grantsAlwaysLatest", "Keycloak: whether grants are fetched for each session."),
        AUTHZ_NUMBER("grantsGcPeriodSeconds", 1, .unit = "seconds",
                     .doc = "Keycloak: how often old grants are dropped."),
        AUTHZ_NUMBER("grantsMaxIdleTimeSeconds", 1, .unit = "seconds",
                     .doc = "Keycloak: how long unused grants are kept."),
        AUTHZ_NUMBER("grantsRefreshPeriodSeconds", 0, .unit = "seconds",
                     .doc = "Keycloak: how often grants are fetched again."),
        AUTHZ_NUMBER("grantsRefreshPoolSize", 1, .doc = "Keycloak: how many fetches run at once."),
        AUTHZ_NUMBER("httpRetries", 0,
                     .doc = "Keycloak: how often a failed request is tried again."),
        AUTHZ_FLAG("includeAcceptHeader", "Keycloak: whether requests carry an Accept header."),
        AUTHZ_NUMBER("initialCacheCapacity", 0,
                     .doc = "Open Policy Agent: decisions the cache starts with room for."),
        AUTHZ_NUMBER("maximumCacheSize", 0,
                     .doc = "Open Policy Agent: most decisions in the cache."),
        AUTHZ_NUMBER("readTimeoutSeconds", 1, .unit = "seconds",
                     .doc = "Keycloak: how long an answer may take."),
        MR_LIST("tlsTrustedCertificates", Authorization, unread.list, MrUnread,
                refused_certificate_fields, .flags = MR_REFUSED,
                .doc = "Certificates trusted for the server that decides."),
        AUTHZ_TEXT("tokenEndpointUri", "Keycloak: where tokens are given out."),
        AUTHZ_TEXT("url", "Open Policy Agent: where decisions are asked for."),
        {},
};

int authorization_rule(const void *object, MrError *err) {
        const Authorization *authorization = object;

        /* Running without the authorizer would allow everything to everybody. */
        if (authorization->type == AUTHORIZATION_OPA ||
            authorization->type == AUTHORIZATION_KEYCLOAK)
                return mr_fail(err, MR_INVALID, "type",
                               "%s is not supported; use simple, or custom with the class and the "
                               "options of its plugin",
                               authorization->type == AUTHORIZATION_OPA ? "opa" : "keycloak");
        if (authorization->type == AUTHORIZATION_CUSTOM &&
            mr_is_empty(authorization->authorizer_class))
                return mr_fail(err, MR_INVALID, "authorizerClass",
                               "a custom authorization needs a class; name one");
        return 0;
}
