/* Rules of listeners: what a type of listener needs, and what only some types have. They are
 * Strimzi's, so that a file that is accepted here is accepted there. */

#include "kafka.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "kafka-template.h"
#include "str.h"

#define ONLY(type) (1U << LISTENER_##type)
#define ROUTED (ONLY(ROUTE) | ONLY(TLS_ROUTE) | ONLY(INGRESS))
#define EXTERNAL (ROUTED | ONLY(CLUSTER_IP) | ONLY(LOAD_BALANCER) | ONLY(NODE_PORT))

typedef struct Option {
        const char *name;
        unsigned types;
} Option;

static const Option configuration_options[] = {
        {"useServiceDnsDomain", ONLY(INTERNAL) | ONLY(CLUSTER_IP)},
        {"ipFamilyPolicy", EXTERNAL},
        {"ipFamilies", EXTERNAL},
        {"class", ONLY(INGRESS) | ONLY(LOAD_BALANCER)},
        {"preferredNodePortAddressType", ONLY(NODE_PORT)},
        {"publishNotReadyAddresses", EXTERNAL},
        {"externalTrafficPolicy", ONLY(LOAD_BALANCER) | ONLY(NODE_PORT)},
        {"loadBalancerSourceRanges", ONLY(LOAD_BALANCER)},
        {"allocateLoadBalancerNodePorts", ONLY(LOAD_BALANCER)},
        {"finalizers", ONLY(LOAD_BALANCER)},
        {"hostTemplate", ROUTED},
        {"perBrokerAnnotationsTemplate", EXTERNAL},
        {"perBrokerLabelsTemplate", EXTERNAL},
        {"parentRefs", ONLY(TLS_ROUTE)},
        {},
};

/* Of the first contact and of single brokers alike. */
static const Option contact_options[] = {
        {"host", ROUTED},
        {"loadBalancerIP", ONLY(LOAD_BALANCER)},
        {"nodePort", ONLY(NODE_PORT) | ONLY(LOAD_BALANCER)},
        {"externalIPs", ONLY(NODE_PORT)},
        {"annotations", EXTERNAL},
        {"labels", EXTERNAL},
        {},
};

static bool is_set(const MrField *field, const void *object) {
        const void *member = (const char *) object + field->offset;

        switch (field->type) {
        case MR_TYPE_BOOL:
        case MR_TYPE_ENUM:
                return *(const int *) member != MR_UNSET;
        case MR_TYPE_INT:
                return *(const int64_t *) member != MR_INT_UNSET;
        case MR_TYPE_STRING:
                return *(const char *const *) member != NULL;
        case MR_TYPE_STRINGS:
                return ((const MrStrings *) member)->n > 0;
        case MR_TYPE_LIST:
                return ((const MrList *) member)->n > 0;
        case MR_TYPE_MAP:
                return ((const MrPairs *) member)->n > 0;
        default:
                return false;
        }
}

static const char *type_name(int type) {
        const MrEnum *row = listener_types;

        while (row->value != type)
                row++;
        return row->name;
}

static const char *types_text(unsigned types, MrBuf *out) {
        for (const MrEnum *row = listener_types; row->name; row++)
                if (types & (1U << row->value)) {
                        types &= ~(1U << row->value);
                        mr_buf_printf(out, "%s%s",
                                      out->size == 0 ? ""
                                      : types        ? ", "
                                                     : " or ",
                                      row->name);
                }
        return mr_buf_text(out);
}

static int check_options(const Listener *listener, const Option *options, const MrField *fields,
                         const void *object, MrError *err) {
        for (; options->name; options++) {
                const MrField *field = mr_field_find(fields, options->name);
                _cleanup_buf_ MrBuf types = {};
                if ((options->types & (1U << listener->type)) || !field || !is_set(field, object))
                        continue;
                return mr_fail(err, MR_INVALID, options->name,
                               "a listener of type %s has none, only one of type %s; remove it, or "
                               "change the type",
                               type_name(listener->type), types_text(options->types, &types));
        }
        return 0;
}

static int check_template(const char *name, const char *text, MrError *err) {
        int r = text ? template_host_check(text, err) : 0;
        return r < 0 ? mr_error_within(err, r, "%s", name) : 0;
}

static int check_templates(const ListenerConfiguration *configuration, MrError *err) {
        const char *port = configuration->advertised_port_template;
        int64_t ignored;

        int r = check_template("hostTemplate", configuration->host_template, err);
        if (r >= 0)
                r = check_template("advertisedHostTemplate",
                                   configuration->advertised_host_template, err);
        if (r < 0 || !port)
                return r;
        /* Which brokers there will be is not known here; the first one stands for all. */
        r = template_port(port, 0, &ignored, err);
        return r < 0 ? mr_error_within(err, r, "advertisedPortTemplate") : 0;
}

static int check_brokers(const Listener *listener, MrError *err) {
        const MrList *list = &listener->configuration->brokers;
        const ListenerBroker *brokers = list->items;

        for (size_t i = 0; i < list->n; i++) {
                int r = check_options(listener, contact_options, listener_broker_fields,
                                      &brokers[i], err);
                for (size_t k = 0; k < i && r >= 0; k++)
                        if (brokers[i].id == brokers[k].id)
                                r = mr_fail(err, MR_INVALID, "broker",
                                            "brokers[%zu] is about broker %" PRId64
                                            " too; make one of the two",
                                            k, brokers[i].id);
                if (r < 0)
                        return mr_error_within(err, r, "brokers[%zu]", i);
        }
        return 0;
}

static int check_configuration(const Listener *listener, MrError *err) {
        const ListenerConfiguration *configuration = listener->configuration;

        if (configuration->key_pair && !listener->tls)
                return mr_fail(err, MR_INVALID, "brokerCertChainAndKey",
                               "a listener without TLS shows no certificate; set tls to true, or "
                               "remove it");
        if (configuration->creates_bootstrap == 0 && listener->type != LISTENER_LOAD_BALANCER)
                return mr_fail(err, MR_INVALID, "createBootstrapService",
                               "only a listener of type loadbalancer can do without; remove it");
        int r = check_options(listener, configuration_options, listener_configuration_fields,
                              configuration, err);
        if (r >= 0 && configuration->bootstrap) {
                r = check_options(listener, contact_options, listener_bootstrap_fields,
                                  configuration->bootstrap, err);
                if (r < 0)
                        return mr_error_within(err, r, "bootstrap");
        }
        if (r >= 0)
                r = check_templates(configuration, err);
        return r < 0 ? r : check_brokers(listener, err);
}

/* Nothing but the name tells traffic for one broker from that for another. */
static int check_names(const Listener *listener, MrError *err) {
        const ListenerConfiguration *configuration = listener->configuration;
        const char *type = type_name(listener->type);

        if (!configuration || !configuration->bootstrap || !configuration->bootstrap->host)
                return mr_fail(err, MR_INVALID, "configuration.bootstrap.host",
                               "a listener of type %s needs the name of the first contact; add it",
                               type);
        if (!configuration->host_template && configuration->brokers.n == 0)
                return mr_fail(err, MR_INVALID, "configuration.brokers",
                               "a listener of type %s needs a host for each broker; add them, or a "
                               "hostTemplate",
                               type);
        if (listener->type == LISTENER_TLS_ROUTE && configuration->parents.n == 0)
                return mr_fail(err, MR_INVALID, "configuration.parentRefs",
                               "a listener of type tlsroute needs a gateway; name it");
        return 0;
}

static int check_authentication(const Listener *listener, MrError *err) {
        const ListenerAuthentication *authentication = listener->authentication;

        if (authentication->type == AUTHENTICATION_TLS && !listener->tls)
                return mr_fail(err, MR_INVALID, "tls",
                               "authentication by certificate needs TLS; set tls to true");
        /* Serving such a listener without its authentication would open it to everybody. */
        if (authentication->type == AUTHENTICATION_OAUTH)
                return mr_fail(err, MR_INVALID, "authentication.type",
                               "oauth is not supported; use tls, scram-sha-512, or custom with the "
                               "options of its plugin in listenerConfig");
        return 0;
}

static bool is_network(const char *text) {
        _cleanup_free_ char *address = mr_strndup(text, strcspn(text, "/"));
        unsigned char bytes[sizeof(struct in6_addr)];
        int64_t bits;

        if (!strchr(text, '/') || mr_parse_int(strchr(text, '/') + 1, &bits) < 0)
                return false;
        return (inet_pton(AF_INET, address, bytes) == 1 && bits <= 32) ||
               (inet_pton(AF_INET6, address, bytes) == 1 && bits <= 128);
}

static int check_network(const char *text, const char *field, MrError *err) {
        if (is_network(text))
                return 0;
        return mr_fail(err, MR_INVALID, field,
                       "%s is no network; write an address and a number of bits, as in 10.0.0.0/8",
                       text);
}

static int check_peer(const ListenerPeer *peer, MrError *err) {
        const PeerNetwork *network = peer->network;

        if (!network && !peer->namespaces && !peer->pods)
                return mr_fail(err, MR_INVALID, NULL,
                               "this peer is nobody; say who it is with an ipBlock or a selector");
        if (network && (peer->namespaces || peer->pods))
                return mr_fail(err, MR_INVALID, "ipBlock",
                               "a peer is a network or pods; make two peers of it");
        int r = network ? check_network(network->cidr, "ipBlock.cidr", err) : 0;
        for (size_t i = 0; network && i < network->except.n && r >= 0; i++)
                r = check_network(network->except.items[i], "ipBlock.except", err);
        return r;
}

static int check_peers(const Listener *listener, MrError *err) {
        for (size_t i = 0; i < listener->peers.n; i++) {
                int r = check_peer((const ListenerPeer *) listener->peers.items + i, err);
                if (r < 0)
                        return mr_error_within(err, r, "networkPolicyPeers[%zu]", i);
        }
        return 0;
}

static int check_port(int64_t port, MrError *err) {
        static const int64_t reserved[] = {9404, 9999};

        for (size_t i = 0; i < MR_ELEMENTS(reserved); i++)
                if (port == reserved[i])
                        return mr_fail(err, MR_INVALID, "port",
                                       "port %" PRId64
                                       " is reserved for metrics and JMX; use another",
                                       port);
        return 0;
}

int listener_rule(const void *object, MrError *err) {
        const Listener *listener = object;

        int r = check_port(listener->port, err);
        if (r < 0)
                return r;
        if ((listener->type == LISTENER_ROUTE || listener->type == LISTENER_INGRESS) &&
            !listener->tls)
                return mr_fail(err, MR_INVALID, "tls",
                               "a route or ingress carries only TLS; set tls to true");
        if (listener->configuration) {
                r = check_configuration(listener, err);
                if (r < 0)
                        return mr_error_within(err, r, "configuration");
        }
        if (listener->type == LISTENER_INGRESS || listener->type == LISTENER_TLS_ROUTE)
                r = check_names(listener, err);
        if (r >= 0 && listener->authentication)
                r = check_authentication(listener, err);
        return r < 0 ? r : check_peers(listener, err);
}

static int check_pair(const Listener *listener, const Listener *other, size_t other_index,
                      MrError *err) {
        if (mr_streq(listener->name, other->name))
                return mr_fail(err, MR_INVALID, "name",
                               "listeners[%zu] is called %s too; names must be unique", other_index,
                               listener->name);
        if (listener->port == other->port)
                return mr_fail(err, MR_INVALID, "port",
                               "listeners[%zu] uses port %" PRId64 " too; ports must be unique",
                               other_index, listener->port);
        return 0;
}

int listeners_check(const MrList *listeners, MrError *err) {
        const Listener *items = listeners->items;

        for (size_t i = 0; i < listeners->n; i++)
                for (size_t k = 0; k < i; k++) {
                        int r = check_pair(&items[i], &items[k], k, err);
                        if (r < 0)
                                return mr_error_within(err, r, "listeners[%zu]", i);
                }
        return 0;
}
