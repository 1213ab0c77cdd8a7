/* The kinds, sorted by what manifests call them. */

#include "kinds.h"

#include <string.h>

#include "lower.h"

#define CORE "/api/v1"
#define NETWORKING "/apis/networking.k8s.io/v1"

const ApiKind api_kinds[] = {
        {"ClusterRoleBinding", "ClusterRoleBinding", "/apis/rbac.authorization.k8s.io/v1",
         "clusterrolebindings", RANK_SHARED, true, true, true},
        {"ConfigMap", "ConfigMap", CORE, "configmaps", RANK_FILES, false, false, true},
        {"Ingress", "Ingress", NETWORKING, "ingresses", RANK_SERVICE, false, false, true},
        {"NetworkPolicy", "NetworkPolicy", NETWORKING, "networkpolicies", RANK_SHARED, false, false,
         true},
        {"PersistentVolumeClaim", "PersistentVolumeClaim", CORE, "persistentvolumeclaims",
         RANK_CLAIM, false, false, true},
        {"Pod", "Pod", CORE, "pods", RANK_SET, false, false, false},
        {"PodDisruptionBudget", "PodDisruptionBudget", "/apis/policy/v1", "poddisruptionbudgets",
         RANK_SHARED, false, false, true},
        {"Route", "Route", "/apis/route.openshift.io/v1", "routes", RANK_SERVICE, true, false,
         true},
        {"Secret", SECRET_OBJECT, CORE, "secrets", RANK_FILES, false, false, true},
        {"Service", "Service", CORE, "services", RANK_SERVICE, false, false, true},
        {"ServiceAccount", "ServiceAccount", CORE, "serviceaccounts", RANK_SHARED, false, false,
         true},
        {"StatefulSet", "StatefulSet", "/apis/apps/v1", "statefulsets", RANK_SET, false, false,
         true},
        {"TLSRoute", "TLSRoute", "/apis/gateway.networking.k8s.io/v1", "tlsroutes", RANK_SERVICE,
         true, false, true},
};

size_t api_kinds_size(void) {
        return MR_ELEMENTS(api_kinds);
}

const ApiKind *api_kind_of_manifest(const char *manifest) {
        for (size_t i = 0; i < MR_ELEMENTS(api_kinds); i++)
                if (mr_streq(api_kinds[i].manifest, manifest))
                        return &api_kinds[i];
        return NULL;
}

const char *api_version(const ApiKind *kind) {
        static const char named[] = "/apis/", core[] = "/api/";

        return kind->group + strlen(mr_starts_with(kind->group, named) ? named : core);
}

char *api_path(const ApiKind *kind, const char *ns, const char *name) {
        ns = kind->is_global ? NULL : ns;
        return mr_strf("%s%s%s/%s%s%s", kind->group, ns ? "/namespaces/" : "", ns ? ns : "",
                       kind->plural, name ? "/" : "", name ? name : "");
}
