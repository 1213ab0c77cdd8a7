/* The platform of Kubernetes clusters. */

#include "plugin.h"
#include "kubernetes/lower.h"

static const Flavor flavor = {
        .name = "Kubernetes",
        .plugin = "kubernetes",
        .has_routes = false,
        .assigns_users = false,
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
        .name = "kubernetes",
        .doc = "Kubernetes clusters: stateful sets, services and claims.",
        .platform = &ops,
};
