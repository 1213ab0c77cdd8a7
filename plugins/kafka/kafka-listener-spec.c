/* Rows of spec.kafka.listeners[]. */

#include "kafka.h"

/* A name or an address, or both with the placeholders of a template. The colons and brackets are of
 * IPv6; what is between braces is checked by a rule. */
#define HOST "^(\\[[0-9A-Fa-f:.]{2,45}\\]|[A-Za-z0-9._:-]{1,253})$"
#define HOST_TEMPLATE "^[A-Za-z0-9._:{}-]{1,253}$"
#define ALTERNATIVE "^[A-Za-z0-9.*_:-]{1,253}$"
#define NETWORK "^[0-9A-Fa-f.:]{2,45}/[0-9]{1,3}$"
#define ADDRESS "^[0-9A-Fa-f.:]{2,45}$"
#define SECRET_NAME "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
#define SECRET_KEY "^[A-Za-z0-9._-]{1,253}$"
#define HOST_FORM "the name or address of a host, without a port"
#define TEMPLATE_FORM                                                                              \
        "a host with {nodeId} or {nodePodName} in it, such as broker-{nodeId}.example.com"
#define ALTERNATIVE_FORM "a host name, which may begin with '*.', or an address"
#define NETWORK_FORM "an address and a number of bits, such as 10.0.0.0/8"
#define ADDRESS_FORM "an IP address"
#define SECRET_NAME_FORM "the name of a Secret: lower-case letters, digits, '-' and '.'"
#define SECRET_KEY_FORM "a key of the Secret: letters, digits, '.', '_' and '-'"

const MrEnum listener_types[] = {
        {"internal", LISTENER_INTERNAL, "For clients that reach the nodes directly."},
        {"cluster-ip", LISTENER_CLUSTER_IP, "Behind a service address for each broker."},
        {"route", LISTENER_ROUTE, "Behind an OpenShift route for each broker; needs tls."},
        {"tlsroute", LISTENER_TLS_ROUTE, "Behind a TLSRoute of the Gateway API for each broker."},
        {"ingress", LISTENER_INGRESS, "Behind an ingress for each broker; needs tls."},
        {"loadbalancer", LISTENER_LOAD_BALANCER, "Behind a load balancer for each broker."},
        {"nodeport", LISTENER_NODE_PORT, "On a port of every machine of the cluster."},
        {},
};

static const MrEnum traffic_policies[] = {
        {"Cluster", 0, "Traffic may take a second hop."},
        {"Local", 1, "Traffic goes only to brokers of the machine it reached."},
        {},
};

static const MrEnum family_policies[] = {
        {"SingleStack", 0, "One family."},
        {"PreferDualStack", 1, "Two where possible."},
        {"RequireDualStack", 2, "Two."},
        {},
};

static const MrEnum address_types[] = {
        {"ExternalDNS", 0, "Name outside."},  {"ExternalIP", 1, "Address outside."},
        {"Hostname", 2, "Name of the host."}, {"InternalDNS", 3, "Name inside."},
        {"InternalIP", 4, "Address inside."}, {},
};

static const MrField key_pair_fields[] = {
        MR_STRING("secretName", KeyPairSecret, secret, .pattern = SECRET_NAME,
                  .form = SECRET_NAME_FORM, .flags = MR_REQUIRED, .doc = "Name of the Secret."),
        MR_STRING("certificate", KeyPairSecret, certificate, .pattern = SECRET_KEY,
                  .form = SECRET_KEY_FORM, .flags = MR_REQUIRED,
                  .doc = "Key in the Secret with the certificate, followed by those of its "
                         "authorities, as PEM."),
        MR_STRING("key", KeyPairSecret, key, .pattern = SECRET_KEY, .form = SECRET_KEY_FORM,
                  .flags = MR_REQUIRED,
                  .doc = "Key in the Secret with the private key, as PEM in PKCS#8."),
        {},
};

const MrField listener_bootstrap_fields[] = {
        MR_STRING("host", ListenerBootstrap, host, .pattern = HOST, .form = HOST_FORM,
                  .doc = "Name of the first contact, of a route, tlsroute or ingress. It gets into "
                         "the certificates and the status."),
        MR_INT("nodePort", ListenerBootstrap, node_port, .min = 1, .max = 65535,
               .doc = "Port of the first contact on every machine. On hosts, brokers without a "
                      "nodePort of their own listen on it."),
        MR_STRINGS("alternativeNames", ListenerBootstrap, alternative_names, .max = 100,
                   .pattern = ALTERNATIVE, .form = ALTERNATIVE_FORM,
                   .doc = "Further names and addresses in the certificates of the brokers."),
        MR_STRING("loadBalancerIP", ListenerBootstrap, load_balancer_ip, .pattern = ADDRESS,
                  .form = ADDRESS_FORM, .flags = MR_SERVICE,
                  .doc = "Address the load balancer asks for."),
        MR_STRINGS("externalIPs", ListenerBootstrap, external_ips, .max = 100, .pattern = ADDRESS,
                   .form = ADDRESS_FORM, .flags = MR_SERVICE,
                   .doc = "Addresses from which traffic is taken to the service."),
        MR_MAP("annotations", ListenerBootstrap, annotations, .flags = MR_METADATA | MR_STRICT,
               .doc = "Annotations of the service, route or ingress of the first contact."),
        MR_MAP("labels", ListenerBootstrap, labels, .flags = MR_METADATA | MR_STRICT,
               .doc = "Labels of the service, route or ingress of the first contact."),
        {},
};

const MrField listener_broker_fields[] = {
        MR_INT("broker", ListenerBroker, id, .min = 0, .max = INT32_MAX, .flags = MR_REQUIRED,
               .doc = "Id of the broker."),
        MR_STRING("advertisedHost", ListenerBroker, advertised_host, .pattern = HOST,
                  .form = HOST_FORM,
                  .doc = "Name or address under which clients find the broker, and which is in its "
                         "certificate."),
        MR_INT("advertisedPort", ListenerBroker, advertised_port, .min = 1, .max = 65535,
               .doc = "Port under which clients find the broker."),
        MR_STRING("host", ListenerBroker, host, .pattern = HOST, .form = HOST_FORM,
                  .doc = "Name of the broker, of a route, tlsroute or ingress. Without an "
                         "advertisedHost, clients find the broker under it."),
        MR_INT("nodePort", ListenerBroker, node_port, .min = 1, .max = 65535,
               .doc = "Port of the broker on every machine. On hosts, the broker listens on it."),
        MR_STRING("loadBalancerIP", ListenerBroker, load_balancer_ip, .pattern = ADDRESS,
                  .form = ADDRESS_FORM, .flags = MR_SERVICE,
                  .doc = "Address the broker's load balancer asks for."),
        MR_STRINGS("externalIPs", ListenerBroker, external_ips, .max = 100, .pattern = ADDRESS,
                   .form = ADDRESS_FORM, .flags = MR_SERVICE,
                   .doc = "Addresses from which traffic is taken to the broker."),
        MR_MAP("annotations", ListenerBroker, annotations, .flags = MR_METADATA | MR_STRICT,
               .doc = "Annotations of the broker's service, route or ingress."),
        MR_MAP("labels", ListenerBroker, labels, .flags = MR_METADATA | MR_STRICT,
               .doc = "Labels of the broker's service, route or ingress."),
        {},
};

static const MrField parent_fields[] = {
        MR_STRING("kind", ListenerParent, kind, .doc = "Kind of the object, Gateway by default."),
        MR_STRING("group", ListenerParent, group, .doc = "Group of its kind."),
        MR_STRING("name", ListenerParent, name, .doc = "Name of the object."),
        MR_STRING("namespace", ListenerParent, ns, .doc = "Namespace of the object."),
        MR_INT("port", ListenerParent, port, .min = 1, .max = 65535, .doc = "Port of the object."),
        MR_STRING("sectionName", ListenerParent, section, .doc = "Section of the object."),
        {},
};

const MrField listener_configuration_fields[] = {
        MR_OBJECT("brokerCertChainAndKey", ListenerConfiguration, key_pair, KeyPairSecret,
                  key_pair_fields,
                  .doc = "A certificate of your own for this listener. Without it brokers show "
                         "that of the cluster's authority."),
        MR_INT("maxConnections", ListenerConfiguration, max_connections, .min = 1, .max = INT32_MAX,
               .doc = "Most connections this listener of a broker accepts. Changes without a "
                      "restart."),
        MR_INT("maxConnectionCreationRate", ListenerConfiguration, max_connection_creation_rate,
               .min = 1, .max = INT32_MAX, .unit = "per second",
               .doc = "Most new connections this listener of a broker accepts in a second. Changes "
                      "without a restart."),
        MR_OBJECT("bootstrap", ListenerConfiguration, bootstrap, ListenerBootstrap,
                  listener_bootstrap_fields, .doc = "Names and ports of the first contact."),
        MR_LIST("brokers", ListenerConfiguration, brokers, ListenerBroker, listener_broker_fields,
                .max = 1000, .doc = "Names and ports of single brokers."),
        MR_STRING("hostTemplate", ListenerConfiguration, host_template, .pattern = HOST_TEMPLATE,
                  .form = TEMPLATE_FORM,
                  .doc = "The host of brokers that have none of their own, with the placeholders "
                         "{nodeId} and {nodePodName}."),
        MR_STRING("advertisedHostTemplate", ListenerConfiguration, advertised_host_template,
                  .pattern = HOST_TEMPLATE, .form = TEMPLATE_FORM,
                  .doc = "The advertisedHost of brokers that have none of their own, with the "
                         "placeholders {nodeId} and {nodePodName}."),
        MR_STRING("advertisedPortTemplate", ListenerConfiguration, advertised_port_template,
                  .pattern = "^[0-9(){}A-Za-z +*-]{1,253}$",
                  .form = "a sum such as 9200 + {nodeId}",
                  .doc = "The advertisedPort of brokers that have none of their own: a sum or "
                         "product with the placeholder {nodeId}, such as 9000 + {nodeId}."),
        MR_STRING("class", ListenerConfiguration, class, .flags = MR_SERVICE,
                  .doc = "Class of load balancer or ingress."),
        MR_ENUM("externalTrafficPolicy", ListenerConfiguration, traffic_policy, traffic_policies,
                .flags = MR_SERVICE,
                .doc = "Whether traffic may take a second hop inside the cluster."),
        MR_STRINGS("loadBalancerSourceRanges", ListenerConfiguration, source_ranges, .max = 1000,
                   .pattern = NETWORK, .form = NETWORK_FORM, .flags = MR_SERVICE,
                   .doc = "Networks that may reach the load balancer."),
        MR_ENUM("ipFamilyPolicy", ListenerConfiguration, family_policy, family_policies,
                .flags = MR_SERVICE, .doc = "One or two families of IP addresses."),
        MR_STRINGS("ipFamilies", ListenerConfiguration, families, .max = 2, .pattern = "^IPv[46]$",
                   .form = "IPv4 or IPv6", .flags = MR_SERVICE, .doc = "Families of IP addresses."),
        MR_BOOL("createBootstrapService", ListenerConfiguration, creates_bootstrap,
                .flags = MR_SERVICE,
                .doc = "Whether there is a load balancer for the first contact."),
        MR_STRINGS("finalizers", ListenerConfiguration, finalizers, .max = 100, .flags = MR_SERVICE,
                   .doc = "Finalizers of the load balancers."),
        MR_BOOL("useServiceDnsDomain", ListenerConfiguration, uses_service_domain,
                .flags = MR_SERVICE,
                .doc = "Whether advertised names carry the domain of the cluster."),
        MR_ENUM("preferredNodePortAddressType", ListenerConfiguration, address_type, address_types,
                .flags = MR_SERVICE, .doc = "Which address of a machine is advertised first."),
        MR_BOOL("publishNotReadyAddresses", ListenerConfiguration, publishes_not_ready,
                .flags = MR_SERVICE, .doc = "Whether brokers that are not ready can be reached."),
        MR_MAP("perBrokerAnnotationsTemplate", ListenerConfiguration, annotations_template,
               .flags = MR_METADATA | MR_STRICT, .doc = "Annotations of each broker's objects."),
        MR_MAP("perBrokerLabelsTemplate", ListenerConfiguration, labels_template,
               .flags = MR_METADATA | MR_STRICT, .doc = "Labels of each broker's objects."),
        MR_BOOL("allocateLoadBalancerNodePorts", ListenerConfiguration, allocates_node_ports,
                .flags = MR_SERVICE, .doc = "Whether load balancers take node ports."),
        MR_LIST("parentRefs", ListenerConfiguration, parents, ListenerParent, parent_fields,
                .max = 100, .flags = MR_SERVICE, .doc = "Gateways the routes belong to."),
        {},
};

/* --- networkPolicyPeers */

static const MrField network_fields[] = {
        MR_STRING("cidr", PeerNetwork, cidr, .pattern = NETWORK, .form = NETWORK_FORM,
                  .flags = MR_REQUIRED, .doc = "Network that may connect, such as 10.0.0.0/8."),
        MR_STRINGS("except", PeerNetwork, except, .max = 100, .pattern = NETWORK,
                   .form = NETWORK_FORM, .doc = "Networks inside it that may not."),
        {},
};

static const MrField expression_fields[] = {
        MR_STRING("key", PeerExpression, key, .doc = "Name of the label."),
        MR_STRING("operator", PeerExpression, operator, .doc = "How it is compared."),
        MR_STRINGS("values", PeerExpression, values, .max = 1000, .doc = "With what."),
        {},
};

static const MrField selector_fields[] = {
        MR_MAP("matchLabels", PeerSelector, labels, .flags = MR_STRICT,
               .doc = "Labels and their values."),
        MR_LIST("matchExpressions", PeerSelector, expressions, PeerExpression, expression_fields,
                .max = 100, .doc = "Conditions on labels."),
        {},
};

static const MrField peer_fields[] = {
        MR_OBJECT("ipBlock", ListenerPeer, network, PeerNetwork, network_fields,
                  .doc = "Everybody in a network."),
        MR_OBJECT("namespaceSelector", ListenerPeer, namespaces, PeerSelector, selector_fields,
                  .flags = MR_POD, .doc = "Pods of namespaces with these labels."),
        MR_OBJECT("podSelector", ListenerPeer, pods, PeerSelector, selector_fields, .flags = MR_POD,
                  .doc = "Pods with these labels."),
        {},
};

const MrField listener_fields[] = {
        MR_STRING("name", Listener, name, .pattern = "^[a-z0-9]{1,11}$",
                  .form = "up to 11 lower-case letters and digits", .flags = MR_REQUIRED,
                  .doc = "Name of the listener, unique within the cluster."),
        MR_INT("port", Listener, port, .min = 9092, .max = 65535, .flags = MR_REQUIRED,
               .doc = "Port of the listener, unique within the cluster. Where several nodes share "
                      "a host, the first has this port and the others have one near it."),
        MR_ENUM("type", Listener, type, listener_types, .flags = MR_REQUIRED,
                .doc = "From where clients reach the listener. On hosts every type is reached at "
                       "the address of the host, unless the configuration says otherwise."),
        MR_BOOL("tls", Listener, tls, .flags = MR_REQUIRED,
                .doc = "Whether the listener speaks TLS."),
        MR_OBJECT("authentication", Listener, authentication, ListenerAuthentication,
                  listener_authentication_fields,
                  .doc = "How clients prove who they are. Without it they need not."),
        MR_OBJECT("configuration", Listener, configuration, ListenerConfiguration,
                  listener_configuration_fields, .doc = "Details of the listener."),
        MR_LIST("networkPolicyPeers", Listener, peers, ListenerPeer, peer_fields, .max = 1000,
                .doc = "Who may reach the listener, enforced by the network. Without it everybody "
                       "may."),
        {},
};
