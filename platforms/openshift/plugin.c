/* The platform of OpenShift clusters: the objects of Kubernetes, with routes, and with users that
 * the cluster assigns. */

#include "plugin.h"
#include "kubernetes/lower.h"

static const Flavor flavor = {
        .name = "OpenShift",
        .plugin = "openshift",
        .has_routes = true,
        .assigns_users = true,
};

static const MrPlatformOps ops = KUBERNETES_OPS(&flavor);

_public_
const MrPlugin mr_plugin = {
        MR_PLUGIN_HEADER,
        .name = "openshift",
        .doc = "OpenShift clusters: what Kubernetes has, and routes.",
        .platform = &ops,
};
