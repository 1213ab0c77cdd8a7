/* Where clients reach an endpoint: at the pod itself, or at the service that leads to this endpoint
 * of this node alone. What the cluster assigns, such as the address of a load balancer, is known
 * when the service has been there for a while. */

#include "lower.h"

#define DOMAIN ".cluster.local"
#define TLS_PORT 443 /* of what tells services apart by the host name of TLS */

int64_t inner_port(const MrEndpoint *endpoint) {
        return endpoint->inner_port > 0 ? endpoint->inner_port : endpoint->port;
}

const char *lower_pod_address(const Lowering *lowering, const MrWorkload *workload) {
        /* The pod of a set of one has the set's name and the number 0. */
        return mr_arena_strf(lowering->arena, "%s-0.%s.%s.svc", workload->node, workload->service,
                             lowering->ns);
}

static const MrEndpoint *find_endpoint(const Lowering *lowering, const char *node,
                                       const char *name) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_ENDPOINT && mr_streq(part->endpoint.node, node) &&
                    mr_streq(part->endpoint.name, name))
                        return &part->endpoint;
        }
        return NULL;
}

static const MrService *find_service(const Lowering *lowering, const char *node,
                                     const char *endpoint) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_SERVICE && mr_streq(part->service.node, node) &&
                    mr_streq(part->service.ports[0].name, endpoint))
                        return &part->service;
        }
        return NULL;
}

/* What was seen of a service: {host, port}. */
static const MrTree *seen(const Lowering *lowering, const char *service) {
        const MrTree *services = mr_tree_get(mr_facts_host(lowering->facts), "services");

        return mr_tree_get(services,
                           mr_arena_strf(lowering->arena, "%s/%s", lowering->ns, service));
}

/* The port is assigned with the service, the host later, or, where every machine is one, never: the
 * node learns it where it runs. */
static void reach_assigned(const Lowering *lowering, const MrService *service, Reached *ret) {
        const MrTree *found = seen(lowering, service->name);
        const MrServicePort *port = &service->ports[0];

        ret->host = mr_tree_get_string(found, "host");
        ret->port = service->reach == MR_REACH_BALANCER ? port->port
                    : port->node_port > 0               ? port->node_port
                                                        : mr_tree_get_int(found, "port", 0);
        /* The machine is that of the only node behind it. */
        if (!ret->host && service->reach == MR_REACH_NODE_PORT && service->node)
                ret->learned = place_address(
                        mr_tree_get_string(service->options, "preferredNodePortAddressType"));
}

void lower_reach_service(const Lowering *lowering, const MrService *service, Reached *ret) {
        if (service->routing != MR_ROUTING_NONE) {
                ret->host = service->host
                                    ? service->host
                                    : mr_tree_get_string(seen(lowering, service->route), "host");
                ret->port = TLS_PORT;
        } else if (service->reach == MR_REACH_INSIDE) {
                ret->host =
                        mr_arena_strf(lowering->arena, "%s.%s.svc", service->name, lowering->ns);
                ret->port = service->ports[0].port;
        } else
                reach_assigned(lowering, service, ret);
        if ((!ret->host && !ret->learned.variable) || ret->port == 0)
                ret->pending =
                        mr_arena_strf(lowering->arena, "the address of service %s", service->name);
}

bool lower_reach(Lowering *lowering, const char *node, const char *endpoint, Reached *ret) {
        const MrEndpoint *found = find_endpoint(lowering, node, endpoint);
        const MrPart *workload = mr_parts_find_workload(lowering->parts, node);
        const MrService *service = find_service(lowering, node, endpoint);

        *ret = (Reached){};
        if (!found || !workload)
                return false;
        if (service) {
                lower_reach_service(lowering, service, ret);
        } else {
                ret->host = lower_pod_address(lowering, &workload->workload);
                ret->port = inner_port(found);
        }
        if (found->with_domain && ret->host)
                ret->host = mr_arena_strf(lowering->arena, "%s" DOMAIN, ret->host);
        return true;
}
