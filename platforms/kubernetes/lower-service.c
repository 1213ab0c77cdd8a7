/* Services, and what leads clients from outside to them. */

#include "lower.h"

static const char *type_of(MrReach reach) {
        static const char *const types[] = {
                [MR_REACH_NODES] = "ClusterIP",
                [MR_REACH_INSIDE] = "ClusterIP",
                [MR_REACH_NODE_PORT] = "NodePort",
                [MR_REACH_BALANCER] = "LoadBalancer",
        };
        return types[reach];
}

static void set_ports(MrTree *spec, const MrService *service) {
        MrTree *ports = mr_tree_need_list(spec, "ports");

        for (size_t i = 0; i < service->n_ports; i++) {
                const MrServicePort *port = &service->ports[i];
                MrTree *entry = mr_tree_append(ports, mr_tree_new_map());
                mr_tree_set_string(entry, "name", port->name);
                mr_tree_set_string(entry, "protocol", "TCP");
                mr_tree_set_int(entry, "port", port->port);
                mr_tree_set_string(entry, "targetPort", port->name);
                if (port->node_port > 0)
                        mr_tree_set_int(entry, "nodePort", port->node_port);
        }
}

/* What only load balancers have. */
static void set_balancer(MrTree *body, MrTree *spec, const MrService *service) {
        const char *class = mr_tree_get_string(service->options, "class");

        if (service->reach != MR_REACH_BALANCER)
                return;
        mr_tree_set_string(spec, "loadBalancerClass", class);
        object_copy(spec, service->options, "loadBalancerSourceRanges");
        object_copy(spec, service->options, "allocateLoadBalancerNodePorts");
        object_copy(spec, service->own, "loadBalancerIP");
        object_copy(mr_tree_need_map(body, "metadata"), service->options, "finalizers");
}

static void lower_plain(Lowering *lowering, const MrService *service) {
        MrTree *body = object_new(lowering, "v1", "Service", service->name, &service->tags);
        MrTree *spec = mr_tree_need_map(body, "spec");

        mr_tree_set_string(spec, "type", type_of(service->reach));
        if (service->reach == MR_REACH_NODES)
                mr_tree_set_string(spec, "clusterIP", "None");
        if (service->reach == MR_REACH_NODES || service->with_unready)
                mr_tree_set_bool(spec, "publishNotReadyAddresses", true);
        object_set_labels(spec, "selector", &service->selector);
        set_ports(spec, service);
        if (service->reach == MR_REACH_NODE_PORT || service->reach == MR_REACH_BALANCER)
                object_copy(spec, service->options, "externalTrafficPolicy");
        object_copy(spec, service->template, "ipFamilyPolicy");
        object_copy(spec, service->template, "ipFamilies");
        object_copy(spec, service->options, "ipFamilyPolicy");
        object_copy(spec, service->options, "ipFamilies");
        object_copy(spec, service->own, "externalIPs");
        set_balancer(body, spec, service);
        mr_manifests_add(lowering->out, (MrManifest){.kind = "Service",
                                                     .ns = lowering->ns,
                                                     .name = service->name,
                                                     .rank = RANK_SERVICE,
                                                     .body = body});
}

/* Controllers do not agree on how to be told that TLS passes through. */
static void lower_ingress(const MrService *service, MrTree *body) {
        static const char *const passes[][2] = {
                {"ingress.kubernetes.io/ssl-passthrough", "true"},
                {"nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"},
                {"nginx.ingress.kubernetes.io/ssl-passthrough", "true"},
        };
        MrTree *spec = mr_tree_need_map(body, "spec");
        MrTree *rule = mr_tree_append(mr_tree_need_list(spec, "rules"), mr_tree_new_map());
        MrTree *path = mr_tree_append(mr_tree_need_list(mr_tree_need_map(rule, "http"), "paths"),
                                      mr_tree_new_map());
        MrTree *backend = mr_tree_need_map(mr_tree_need_map(path, "backend"), "service");
        MrTree *tls = mr_tree_append(mr_tree_need_list(spec, "tls"), mr_tree_new_map());
        MrTree *annotations = mr_tree_need_map(mr_tree_need_map(body, "metadata"), "annotations");

        for (size_t i = 0; i < MR_ELEMENTS(passes); i++)
                mr_tree_set_string(annotations, passes[i][0], passes[i][1]);
        mr_tree_set_string(spec, "ingressClassName", mr_tree_get_string(service->options, "class"));
        mr_tree_set_string(rule, "host", service->host);
        mr_tree_set_string(path, "path", "/");
        mr_tree_set_string(path, "pathType", "Prefix");
        mr_tree_set_string(backend, "name", service->name);
        mr_tree_set_int(mr_tree_need_map(backend, "port"), "number", service->ports[0].port);
        mr_tree_append(mr_tree_need_list(tls, "hosts"), mr_tree_new_string(service->host));
}

static void lower_gateway(const MrService *service, MrTree *body) {
        MrTree *spec = mr_tree_need_map(body, "spec");
        MrTree *rule = mr_tree_append(mr_tree_need_list(spec, "rules"), mr_tree_new_map());
        MrTree *backend = mr_tree_append(mr_tree_need_list(rule, "backendRefs"), mr_tree_new_map());

        object_copy(spec, service->options, "parentRefs");
        mr_tree_append(mr_tree_need_list(spec, "hostnames"), mr_tree_new_string(service->host));
        mr_tree_set_string(backend, "name", service->name);
        mr_tree_set_int(backend, "port", service->ports[0].port);
}

static void lower_route(const MrService *service, MrTree *body) {
        MrTree *spec = mr_tree_need_map(body, "spec"), *to = mr_tree_need_map(spec, "to");

        mr_tree_set_string(spec, "host", service->host);
        mr_tree_set_string(to, "kind", "Service");
        mr_tree_set_string(to, "name", service->name);
        mr_tree_set_int(mr_tree_need_map(spec, "port"), "targetPort", service->ports[0].port);
        mr_tree_set_string(mr_tree_need_map(spec, "tls"), "termination", "passthrough");
}

static void lower_routing(Lowering *lowering, const MrService *service) {
        static const struct {
                const char *api_version, *kind;
                void (*lower)(const MrService *service, MrTree *body);
        } kinds[] = {
                [MR_ROUTING_INGRESS] = {"networking.k8s.io/v1", "Ingress", lower_ingress},
                [MR_ROUTING_GATEWAY] = {"gateway.networking.k8s.io/v1", "TLSRoute", lower_gateway},
                [MR_ROUTING_ROUTE] = {"route.openshift.io/v1", "Route", lower_route},
        };

        if (service->routing == MR_ROUTING_ROUTE && !lowering->flavor->has_routes) {
                mr_manifests_warn(lowering->out, "NoRoutes",
                                  "%s is not reached from outside: %s has no routes; use a "
                                  "listener of another type",
                                  service->name, lowering->flavor->name);
                return;
        }
        MrTree *body =
                object_new(lowering, kinds[service->routing].api_version,
                           kinds[service->routing].kind, service->route, &service->route_tags);
        kinds[service->routing].lower(service, body);
        mr_manifests_add(lowering->out, (MrManifest){.kind = kinds[service->routing].kind,
                                                     .ns = lowering->ns,
                                                     .name = service->route,
                                                     .rank = RANK_SERVICE,
                                                     .body = body});
}

void lower_service(Lowering *lowering, const MrService *service) {
        Reached reached = {};

        lower_plain(lowering, service);
        lower_reach_service(lowering, service, &reached);
        if (!service->node && reached.host)
                mr_manifests_add_address(lowering->out,
                                         (MrAddress){.node = service->name,
                                                     .endpoint = service->ports[0].name,
                                                     .host = reached.host,
                                                     .port = reached.port});
        if (service->routing != MR_ROUTING_NONE)
                lower_routing(lowering, service);
}
