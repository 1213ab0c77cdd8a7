/* The services of a cluster: one for the first contact, one that gives each node its name, and for
 * each listener that leads outside one for the first contact and one for each broker. */

#include "jmx.h"
#include "kafka-listener.h"
#include "kafka-objects.h"

#include <inttypes.h>
#include <string.h>

typedef struct ServiceMaker {
        const KafkaCluster *cluster;
        MrArena *arena;
        MrParts *parts;
} ServiceMaker;

/* One listener, as the spec has it. */
typedef struct ListenerView {
        const Listener *listener;
        const MrTree *written, *configuration;
} ListenerView;

static ListenerView view_of(const ServiceMaker *maker, size_t i) {
        const MrTree *written = mr_tree_at(
                mr_tree_find(maker->cluster->resource->tree, "spec.kafka.listeners", false), i);
        const Listener *listener =
                (const Listener *) maker->cluster->spec->kafka->listeners.items + i;

        return (ListenerView){
                .listener = listener,
                .written = written,
                .configuration = mr_tree_get(written, "configuration"),
        };
}

static size_t n_listeners(const ServiceMaker *maker) {
        return maker->cluster->spec->kafka->listeners.n;
}

static const char *name_of(const ServiceMaker *maker, const char *suffix) {
        return mr_arena_strf(maker->arena, "%s-kafka-%s", maker->cluster->resource->name, suffix);
}

static void add_service(ServiceMaker *maker, MrService service) {
        mr_parts_add(maker->parts, (MrPart){.kind = MR_PART_SERVICE, .service = service});
}

/* --- within the platform */

/* Ports of the nodes among themselves and of internal listeners. */
static void set_internal_ports(const ServiceMaker *maker, bool with_control, bool with_jmx,
                               MrService *service) {
        MrServicePort *ports =
                mr_arena_new_array(maker->arena, MrServicePort, n_listeners(maker) + 3);
        size_t n = 0;

        if (with_control)
                ports[n++] = (MrServicePort){.name = ENDPOINT_CONTROL, .port = 9090};
        ports[n++] = (MrServicePort){.name = ENDPOINT_REPLICATION, .port = 9091};
        for (size_t i = 0; i < n_listeners(maker); i++) {
                const Listener *listener = view_of(maker, i).listener;
                if (listener->type == LISTENER_INTERNAL)
                        ports[n++] = (MrServicePort){
                                .name = listener_endpoint(maker->arena, listener),
                                .port = listener->port,
                        };
        }
        if (with_jmx)
                ports[n++] = (MrServicePort){.name = JMX_ENDPOINT, .port = JMX_PORT};
        service->ports = ports;
        service->n_ports = n;
}

static const char *authentication_name(const Listener *listener) {
        if (!listener->authentication)
                return "none";
        switch (listener->authentication->type) {
        case AUTHENTICATION_TLS:
                return "tls";
        case AUTHENTICATION_SCRAM_SHA_512:
                return "scram-sha-512";
        case AUTHENTICATION_OAUTH:
                return "oauth";
        default:
                return "custom";
        }
}

/* What a client that finds the service by its label needs to know, as JSON. */
static const char *discovery_text(const ServiceMaker *maker) {
        _cleanup_buf_ MrBuf text = {};

        for (size_t i = 0; i < n_listeners(maker); i++) {
                const Listener *listener = view_of(maker, i).listener;
                mr_buf_printf(&text,
                              "%s{\n  \"port\" : %" PRId64 ",\n  \"tls\" : %s,\n"
                              "  \"protocol\" : \"kafka\",\n  \"auth\" : \"%s\"\n}",
                              i > 0 ? ", " : "[ ", listener->port,
                              listener->tls > 0 ? "true" : "false", authentication_name(listener));
        }
        mr_buf_puts(&text, " ]");
        return mr_arena_strdup(maker->arena, mr_buf_text(&text));
}

static MrPairs broker_selector(const ServiceMaker *maker) {
        MrPairs selector = cluster_selector(maker->arena, maker->cluster->resource, "kafka");

        mr_pairs_set(maker->arena, &selector, "strimzi.io/broker-role", "true");
        return selector;
}

static MrService shared_service(const ServiceMaker *maker, const char *suffix,
                                const char *template) {
        MrService service = {
                .name = name_of(maker, suffix),
                .reach = MR_REACH_INSIDE,
                .template = kafka_template(maker->cluster, NULL, template),
                .tags = cluster_tags(maker->arena, maker->cluster->resource, NULL, "kafka"),
        };

        service.tags.template = service.template;
        return service;
}

static void add_bootstrap(ServiceMaker *maker) {
        MrService service = shared_service(maker, "bootstrap", "bootstrapService");

        service.selector = broker_selector(maker);
        set_internal_ports(maker, false, false, &service);
        tags_label(maker->arena, &service.tags, "strimzi.io/discovery", "true");
        tags_annotate(maker->arena, &service.tags, "strimzi.io/discovery", discovery_text(maker));
        add_service(maker, service);
}

static void add_nodes(ServiceMaker *maker) {
        MrService service = shared_service(maker, "brokers", "brokersService");

        service.reach = MR_REACH_NODES;
        service.selector = cluster_selector(maker->arena, maker->cluster->resource, "kafka");
        set_internal_ports(maker, maker->cluster->is_kraft,
                           jmx_is_reached(maker->cluster->spec->kafka->jmx), &service);
        add_service(maker, service);
}

/* --- to the outside */

static MrReach reach_of(const Listener *listener) {
        return listener->type == LISTENER_LOAD_BALANCER ? MR_REACH_BALANCER
               : listener->type == LISTENER_NODE_PORT   ? MR_REACH_NODE_PORT
                                                        : MR_REACH_INSIDE;
}

static MrRouting routing_of(const Listener *listener) {
        return listener->type == LISTENER_INGRESS     ? MR_ROUTING_INGRESS
               : listener->type == LISTENER_TLS_ROUTE ? MR_ROUTING_GATEWAY
               : listener->type == LISTENER_ROUTE     ? MR_ROUTING_ROUTE
                                                      : MR_ROUTING_NONE;
}

static void set_port(const ServiceMaker *maker, const ListenerView *view, MrService *service) {
        MrServicePort *port = mr_arena_new_array(maker->arena, MrServicePort, 1);

        *port = (MrServicePort){
                .name = listener_endpoint(maker->arena, view->listener),
                .port = view->listener->port,
                .node_port = mr_tree_get_int(service->own, "nodePort", 0),
        };
        service->ports = port;
        service->n_ports = 1;
}

/* Labels and annotations are of the service and of what leads to it: whoever makes names of them
 * may watch either. */
static void set_asked(const ServiceMaker *maker, const MrTree *labels, const MrTree *annotations,
                      MrService *service) {
        MrTags *const both[] = {&service->tags, &service->route_tags};

        for (size_t i = 0; i < MR_ELEMENTS(both); i++) {
                tags_add(maker->arena, &both[i]->labels, labels);
                tags_add(maker->arena, &both[i]->annotations, annotations);
        }
}

static const char *const bootstrap_templates[] = {
        [MR_ROUTING_NONE] = NULL,
        [MR_ROUTING_INGRESS] = "externalBootstrapIngress",
        [MR_ROUTING_GATEWAY] = NULL,
        [MR_ROUTING_ROUTE] = "externalBootstrapRoute",
};

static void add_first_contact(ServiceMaker *maker, const ListenerView *view) {
        const Listener *listener = view->listener;
        const char *suffix = mr_arena_strf(maker->arena, "%s-bootstrap", listener->name);
        MrService service = shared_service(maker, suffix, "externalBootstrapService");

        if (listener->type == LISTENER_LOAD_BALANCER &&
            !mr_tree_get_bool(view->configuration, "createBootstrapService", true))
                return;
        service.reach = reach_of(listener);
        service.routing = routing_of(listener);
        service.selector = broker_selector(maker);
        service.options = view->configuration;
        service.own = mr_tree_get(view->configuration, "bootstrap");
        service.host = mr_tree_get_string(service.own, "host");
        service.route = listener_is_historic(listener) ? name_of(maker, "bootstrap") : service.name;
        service.with_unready =
                mr_tree_get_bool(view->configuration, "publishNotReadyAddresses", false);
        service.route_tags = cluster_tags(maker->arena, maker->cluster->resource, NULL, "kafka");
        if (bootstrap_templates[service.routing])
                service.route_tags.template =
                        kafka_template(maker->cluster, NULL, bootstrap_templates[service.routing]);
        set_port(maker, view, &service);
        set_asked(maker, mr_tree_get(service.own, "labels"),
                  mr_tree_get(service.own, "annotations"), &service);
        add_service(maker, service);
}

/* What a template says for one broker: {nodeId} and {nodePodName}. */
static const char *for_node(const ServiceMaker *maker, const KafkaNode *node, const char *text) {
        static const char id[] = "{nodeId}", pod[] = "{nodePodName}";
        _cleanup_buf_ MrBuf out = {};

        while (*text) {
                if (mr_starts_with(text, id)) {
                        mr_buf_printf(&out, "%" PRId64, node->id);
                        text += strlen(id);
                } else if (mr_starts_with(text, pod)) {
                        mr_buf_puts(&out, node->name);
                        text += strlen(pod);
                } else
                        mr_buf_putc(&out, *text++);
        }
        return mr_arena_strdup(maker->arena, mr_buf_text(&out));
}

static void add_for_node(const ServiceMaker *maker, const KafkaNode *node, const MrTree *map,
                         MrPairs *pairs) {
        for (size_t i = 0; i < mr_tree_size(map); i++) {
                const char *text = mr_tree_string(mr_tree_at(map, i));
                if (text)
                        mr_pairs_set(maker->arena, pairs, mr_tree_key(map, i),
                                     for_node(maker, node, text));
        }
}

static const MrTree *find_broker(const ListenerView *view, int64_t id) {
        const MrTree *brokers = mr_tree_get(view->configuration, "brokers");

        for (size_t i = 0; i < mr_tree_size(brokers); i++)
                if (mr_tree_get_int(mr_tree_at(brokers, i), "broker", -1) == id)
                        return mr_tree_at(brokers, i);
        return NULL;
}

static const char *node_host(const ServiceMaker *maker, const ListenerView *view,
                             const KafkaNode *node, const MrTree *own) {
        const char *host = mr_tree_get_string(own, "host");
        const char *template = mr_tree_get_string(view->configuration, "hostTemplate");

        return host ? host : template ? for_node(maker, node, template) : NULL;
}

static const char *const node_templates[] = {
        [MR_ROUTING_NONE] = NULL,
        [MR_ROUTING_INGRESS] = "perPodIngress",
        [MR_ROUTING_GATEWAY] = NULL,
        [MR_ROUTING_ROUTE] = "perPodRoute",
};

static void set_node_tags(const ServiceMaker *maker, const ListenerView *view,
                          const KafkaNode *node, MrService *service) {
        const MrTree *labels = mr_tree_get(service->own, "labels");
        const MrTree *annotations = mr_tree_get(service->own, "annotations");
        MrTags *const both[] = {&service->tags, &service->route_tags};

        for (size_t i = 0; i < MR_ELEMENTS(both); i++) {
                if (mr_tree_size(labels) == 0)
                        add_for_node(maker, node,
                                     mr_tree_get(view->configuration, "perBrokerLabelsTemplate"),
                                     &both[i]->labels);
                if (mr_tree_size(annotations) == 0)
                        add_for_node(
                                maker, node,
                                mr_tree_get(view->configuration, "perBrokerAnnotationsTemplate"),
                                &both[i]->annotations);
        }
        set_asked(maker, labels, annotations, service);
}

static void add_for_broker(ServiceMaker *maker, const ListenerView *view, const KafkaNode *node) {
        const Listener *listener = view->listener;
        const MrTree *own = find_broker(view, node->id);
        MrService service = {
                .name = listener_service(maker->cluster, listener, node),
                .node = node->name,
                .reach = reach_of(listener),
                .routing = routing_of(listener),
                .selector = kafka_node_selector(maker->cluster, node),
                .options = view->configuration,
                .own = own,
                .host = node_host(maker, view, node, own),
                .template = kafka_template(maker->cluster, node, "perPodService"),
                .with_unready =
                        mr_tree_get_bool(view->configuration, "publishNotReadyAddresses", false),
                .tags = kafka_node_tags(maker->cluster, node),
                .route_tags = kafka_node_tags(maker->cluster, node),
        };

        service.route = service.name;
        service.tags.template = service.template;
        if (node_templates[service.routing])
                service.route_tags.template =
                        kafka_template(maker->cluster, node, node_templates[service.routing]);
        set_port(maker, view, &service);
        set_node_tags(maker, view, node, &service);
        add_service(maker, service);
}

void kafka_add_services(const KafkaCluster *cluster, MrParts *parts) {
        ServiceMaker maker = {.cluster = cluster, .arena = cluster->arena, .parts = parts};

        add_bootstrap(&maker);
        add_nodes(&maker);
        for (size_t i = 0; i < n_listeners(&maker); i++) {
                ListenerView view = view_of(&maker, i);
                if (view.listener->type == LISTENER_INTERNAL)
                        continue;
                add_first_contact(&maker, &view);
                for (size_t k = 0; k < cluster->n_nodes; k++)
                        if (cluster->nodes[k].is_broker)
                                add_for_broker(&maker, &view, &cluster->nodes[k]);
        }
}
