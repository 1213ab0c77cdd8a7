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

static const MrPlatformOps ops = {
        .struct_size = sizeof(MrPlatformOps),
        .flavor = &flavor,
        .ignored = kubernetes_ignored,
        .except = kubernetes_except,
        .settings = kubernetes_settings,
        .lower = kubernetes_lower,
        .lower_secrets = kubernetes_lower_secrets,
        .open = kubernetes_open,
        .close = kubernetes_close,
        .observe = kubernetes_observe,
        .apply = kubernetes_apply,
};

_public_
const MrPlugin mr_plugin = {
        MR_PLUGIN_HEADER,
        .name = "openshift",
        .doc = "OpenShift clusters: what Kubernetes has, and routes.",
        .platform = &ops,
};
