/* The platform of OpenShift clusters: the objects of Kubernetes, with routes, and with users that
 * the cluster assigns. So far it makes plans on paper. */

#include "plugin.h"
#include "kubernetes/lower.h"

static const Flavor flavor = {.name = "OpenShift", .has_routes = true, .assigns_users = true};

static int flavor_lower(const char *ns, const MrParts *parts, const MrFacts *facts,
                        MrManifests *ret, MrError *err) {
        return kubernetes_lower(&flavor, ns, parts, facts, ret, err);
}

static int flavor_lower_secrets(const char *ns, const MrParts *parts, const MrFacts *facts,
                                MrManifests *ret, MrError *err) {
        return kubernetes_lower_secrets(&flavor, ns, parts, facts, ret, err);
}

static int flavor_open(const MrPlatformArgs *args _unused_, MrPlatform **ret _unused_,
                       MrError *err) {
        return mr_fail(
                err, MR_INVALID, "platform",
                "OpenShift is only planned for on paper yet; use millctl plan --platform openshift "
                "-f FILE, or the platform rhel-baremetal");
}

static const MrPlatformOps ops = {
        .struct_size = sizeof(MrPlatformOps),
        .except = kubernetes_except,
        .lower = flavor_lower,
        .lower_secrets = flavor_lower_secrets,
        .open = flavor_open,
};

_public_
const MrPlugin mr_plugin = {
        MR_PLUGIN_HEADER,
        .name = "openshift",
        .doc = "OpenShift clusters: what Kubernetes has, and routes.",
        .platform = &ops,
};
