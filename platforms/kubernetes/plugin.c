/* The platform of Kubernetes clusters. */

#include "plugin.h"
#include "kubernetes/lower.h"

static const Flavor flavor = {
        .name = "Kubernetes",
        .plugin = "kubernetes",
        .has_routes = false,
        .assigns_users = false,
};

static const MrPlatformOps ops = KUBERNETES_OPS(&flavor);

_public_
const MrPlugin mr_plugin = {
        MR_PLUGIN_HEADER,
        .name = "kubernetes",
        .doc = "Kubernetes clusters: stateful sets, services and claims.",
        .platform = &ops,
};
