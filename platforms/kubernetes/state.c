#include "state.h"

#include <string.h>
#include <time.h>

#include "lower.h"

static int64_t seconds_of(const char *text) {
        struct tm time = {};

        if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &time))
                return 0;
        return (int64_t) timegm(&time);
}

static const MrTree *element(const MrTree *list, const char *key, const char *value) {
        for (size_t i = 0; i < mr_tree_size(list); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(list, i), key), value))
                        return mr_tree_at(list, i);
        return NULL;
}

static const char *fingerprint_of(const MrTree *metadata) {
        return mr_tree_get_string(mr_tree_get(metadata, "annotations"), FINGERPRINT_ANNOTATION);
}

static const char *role_of(const MrTree *pod_spec) {
        return mr_tree_get_string(mr_tree_at(mr_tree_get(pod_spec, "containers"), 0), "name");
}

static const char *controller_of(const MrTree *metadata, const char *kind) {
        const MrTree *owner = element(mr_tree_get(metadata, "ownerReferences"), "kind", kind);

        return mr_tree_get_bool(owner, "controller", false) ? mr_tree_get_string(owner, "name")
                                                            : NULL;
}

static void set_message(MrTree *state, const char *reason, const char *message) {
        _cleanup_free_ char *text =
                mr_strf("%s%s%s", reason ? reason : "", reason && !mr_is_empty(message) ? ": " : "",
                        message ? message : "");

        mr_tree_set_string(state, "message", text);
}

/* A container that waits for more than its turn does not start by itself: its image, its
 * configuration or the program in it is at fault. */
static void note_waiting(MrTree *state, const MrTree *statuses) {
        static const char *const harmless[] = {"ContainerCreating", "PodInitializing"};

        for (size_t i = 0; i < mr_tree_size(statuses); i++) {
                const MrTree *status = mr_tree_at(statuses, i);
                const MrTree *waiting = mr_tree_get(mr_tree_get(status, "state"), "waiting");
                const char *reason = mr_tree_get_string(waiting, "reason");
                mr_tree_set_int(state, "restarts",
                                mr_tree_get_int(state, "restarts", 0) +
                                        mr_tree_get_int(status, "restartCount", 0));
                if (!reason || mr_streq(reason, harmless[0]) || mr_streq(reason, harmless[1]))
                        continue;
                mr_tree_set_bool(state, "failed", true);
                set_message(state, reason, mr_tree_get_string(waiting, "message"));
        }
}

/* No machine takes it. A claim that is as new as the pod is bound in a moment, and says so until
 * then. */
static void note_unplaced(MrTree *state, const MrTree *conditions) {
        const MrTree *placed = element(conditions, "type", "PodScheduled");
        const char *message = mr_tree_get_string(placed, "message");

        if (!mr_streq(mr_tree_get_string(placed, "status"), "False"))
                return;
        mr_tree_set_bool(state, "failed", !message || !strstr(message, "unbound immediate"));
        set_message(state, mr_tree_get_string(placed, "reason"), message);
}

static void state_of_pod(MrTree *state, const MrTree *pod) {
        const MrTree *metadata = mr_tree_get(pod, "metadata"), *status = mr_tree_get(pod, "status");
        const MrTree *conditions = mr_tree_get(status, "conditions");
        const MrTree *ready = element(conditions, "type", "Ready");
        bool is_ready = mr_streq(mr_tree_get_string(ready, "status"), "True");
        const char *phase = mr_tree_get_string(status, "phase");

        mr_tree_set_string(state, "set", controller_of(metadata, "StatefulSet"));
        mr_tree_set_bool(state, "ready", is_ready);
        mr_tree_set_int(state, "since",
                        seconds_of(is_ready ? mr_tree_get_string(ready, "lastTransitionTime")
                                            : mr_tree_get_string(metadata, "creationTimestamp")));
        mr_tree_set_string(state, "fingerprint", fingerprint_of(metadata));
        mr_tree_set_string(state, "address", mr_tree_get_string(status, "podIP"));
        mr_tree_set_string(state, "machine", mr_tree_get_string(status, "hostIP"));
        mr_tree_set_string(state, "role", role_of(mr_tree_get(pod, "spec")));
        note_unplaced(state, conditions);
        note_waiting(state, mr_tree_get(status, "initContainerStatuses"));
        note_waiting(state, mr_tree_get(status, "containerStatuses"));
        if (mr_streq(phase, "Failed")) {
                mr_tree_set_bool(state, "failed", true);
                set_message(state, mr_tree_get_string(status, "reason"),
                            mr_tree_get_string(status, "message"));
        }
}

/* Its place in a cold start, as it was told last. */
static void set_order(MrTree *state, const MrTree *metadata) {
        const char *text =
                mr_tree_get_string(mr_tree_get(metadata, "annotations"), ORDER_ANNOTATION);
        int64_t order;

        if (text && mr_parse_int(text, &order) == 0)
                mr_tree_set_int(state, "order", order);
}

static void state_of_set(MrTree *state, const MrTree *set) {
        const MrTree *spec = mr_tree_get(set, "spec"), *template = mr_tree_get(spec, "template");
        const MrTree *volumes = mr_tree_get(mr_tree_get(template, "spec"), "volumes");

        mr_tree_set_int(state, "replicas", mr_tree_get_int(spec, "replicas", 1));
        mr_tree_set_bool(state, "taken",
                         mr_tree_get_int(mr_tree_get(set, "status"), "observedGeneration", 0) >=
                                 mr_tree_get_int(mr_tree_get(set, "metadata"), "generation", 0));
        mr_tree_set_string(state, "role", role_of(mr_tree_get(template, "spec")));
        set_order(state, mr_tree_get(set, "metadata"));
        mr_tree_set_string(state, "fingerprint", fingerprint_of(mr_tree_get(template, "metadata")));
        for (size_t i = 0; i < mr_tree_size(volumes); i++) {
                const MrTree *source = mr_tree_get(mr_tree_at(volumes, i), "persistentVolumeClaim");
                const char *claim = mr_tree_get_string(source, "claimName");
                if (claim)
                        mr_tree_append(mr_tree_need_list(state, "claims"),
                                       mr_tree_new_string(claim));
        }
}

static void state_of_service(MrTree *state, const MrTree *service) {
        const MrTree *port = mr_tree_at(mr_tree_get(mr_tree_get(service, "spec"), "ports"), 0);
        const MrTree *balancer = mr_tree_get(mr_tree_get(service, "status"), "loadBalancer");
        const MrTree *ingress = mr_tree_at(mr_tree_get(balancer, "ingress"), 0);
        const char *host = mr_tree_get_string(ingress, "hostname");

        mr_tree_set_string(state, "host", host ? host : mr_tree_get_string(ingress, "ip"));
        if (mr_tree_get(port, "nodePort"))
                mr_tree_set_int(state, "port", mr_tree_get_int(port, "nodePort", 0));
}

static void state_of_route(MrTree *state, const MrTree *route) {
        const MrTree *ingress = mr_tree_at(mr_tree_get(mr_tree_get(route, "status"), "ingress"), 0);

        mr_tree_set_string(state, "host", mr_tree_get_string(ingress, "host"));
}

static void set_bytes(MrTree *state, const char *key, const MrTree *amounts) {
        const char *text = mr_tree_get_string(amounts, "storage");
        uint64_t bytes;

        if (text && mr_parse_bytes(text, &bytes) >= 0)
                mr_tree_set_int(state, key, (int64_t) bytes);
}

static void state_of_claim(MrTree *state, const MrTree *claim) {
        const MrTree *spec = mr_tree_get(claim, "spec"), *metadata = mr_tree_get(claim, "metadata");
        const char *identity =
                mr_tree_get_string(mr_tree_get(metadata, "annotations"), IDENTITY_ANNOTATION);
        MrTree *tree = NULL;

        set_bytes(state, "size", mr_tree_get(mr_tree_get(spec, "resources"), "requests"));
        set_bytes(state, "capacity", mr_tree_get(mr_tree_get(claim, "status"), "capacity"));
        if (identity && mr_json_read(identity, strlen(identity), NULL, &tree, NULL) >= 0)
                mr_tree_set(state, "identity", tree);
}

static void note_asks(MrTree *state, const MrTree *annotations) {
        for (size_t i = 0; mr_asks[i]; i++) {
                const char *value = mr_tree_get_string(annotations, mr_asks[i]);
                if (!mr_is_empty(value) && !mr_streq(value, "false"))
                        mr_tree_set_string(mr_tree_need_map(state, "asks"), mr_asks[i], value);
        }
}

MrTree *state_of(const ApiKind *kind, const MrTree *object) {
        static const struct {
                const char *kind;
                void (*fill)(MrTree *state, const MrTree *object);
        } fillers[] = {
                {"Pod", state_of_pod},
                {"StatefulSet", state_of_set},
                {"Service", state_of_service},
                {"Route", state_of_route},
                {"PersistentVolumeClaim", state_of_claim},
        };
        MrTree *state = mr_tree_new_map();

        note_asks(state, mr_tree_get(mr_tree_get(object, "metadata"), "annotations"));
        for (size_t i = 0; i < MR_ELEMENTS(fillers); i++)
                if (mr_streq(fillers[i].kind, kind->kind))
                        fillers[i].fill(state, object);
        return state;
}
