#include "environment.h"

#include <string.h>

#include "sdk/alloc.h"
#include "sdk/platform.h"
#include "sdk/str.h"

#define OTHER_KINDS                                                                                \
        "Kafka Connect, MirrorMaker, the Bridge, Cruise Control and the exporter are not run by "  \
        "this version"
#define NO_THREADS "one loop does everything, and nothing on it waits"
#define NO_JAVA "this program does not run on Java"
#define NOT_YET "this version does not know how"

typedef struct Variable {
        const char *name; /* after MR_VARIABLE_PREFIX; with a star at the end: whatever begins so */
        int (*take)(const char *name, const char *value, MrTree *settings, MrError *err);
        const char *usual; /* a value that asks for what is done anyway; NULL: none */
        const char
                *why; /* it has no meaning otherwise; NULL and no `take`: somebody else reads it */
} Variable;

static int take_interval(const char *name, const char *value, MrTree *settings, MrError *err) {
        int64_t msec;

        if (mr_parse_int(value, &msec) < 0 || msec <= 0)
                return mr_fail(err, MR_INVALID, NULL, "%s: \"%s\" is no number of milliseconds",
                               name, value);
        mr_tree_set_int(settings, "resync_seconds", msec < 1000 ? 1 : msec / 1000);
        return 0;
}

static int take_level(const char *name, const char *value, MrTree *settings, MrError *err) {
        static const char *const levels[][2] = {
                {"TRACE", "debug"}, {"DEBUG", "debug"}, {"INFO", "info"}, {"WARN", "warning"},
                {"ERROR", "error"}, {"FATAL", "error"}, {"OFF", "error"}, {"ALL", "debug"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(levels); i++)
                if (strcasecmp(levels[i][0], value) == 0) {
                        mr_tree_set_string(settings, "log_level", levels[i][1]);
                        return 0;
                }
        return mr_fail(err, MR_INVALID, NULL,
                       "%s: \"%s\" is no level; use DEBUG, INFO, WARN or ERROR", name, value);
}

/* The first that fits counts. */
static const Variable known[] = {
        {"FULL_RECONCILIATION_INTERVAL_MS", take_interval, NULL, NULL},
        {"LOG_LEVEL", take_level, NULL, NULL},
        /* What platforms read. */
        {"NAMESPACE", NULL, NULL, NULL},
        {"CUSTOM_RESOURCE_SELECTOR", NULL, NULL, NULL},
        {"KAFKA_IMAGES", NULL, NULL, NULL},
        {"ZOOKEEPER_IMAGES", NULL, NULL, NULL},
        {"LEADER_ELECTION_*", NULL, NULL, NULL},
        {"OPERATION_TIMEOUT_MS", NULL, NULL,
         "no operation is waited for; each pass begins with what is there"},
        {"ZOOKEEPER_ADMIN_SESSION_TIMEOUT_MS", NULL, NULL,
         "no session with ZooKeeper is kept open"},
        {"CONNECT_BUILD_TIMEOUT_MS", NULL, NULL, OTHER_KINDS},
        {"KAFKA_CONNECT_*", NULL, NULL, OTHER_KINDS},
        {"KAFKA_MIRROR_MAKER_*", NULL, NULL, OTHER_KINDS},
        {"DEFAULT_TOPIC_OPERATOR_IMAGE", NULL, NULL,
         "no operator of its own runs beside a cluster"},
        {"DEFAULT_USER_OPERATOR_IMAGE", NULL, NULL, "no operator of its own runs beside a cluster"},
        {"DEFAULT_KAFKA_INIT_IMAGE", NULL, NULL,
         "the launcher does what this image is for; see launcher_image"},
        {"DEFAULT_*", NULL, NULL, OTHER_KINDS},
        {"NETWORK_POLICY_GENERATION", NULL, "true", NOT_YET},
        {"POD_DISRUPTION_BUDGET_GENERATION", NULL, "true", NOT_YET},
        {"PKCS12_KEYSTORE_GENERATION", NULL, "true", NOT_YET},
        {"IMAGE_PULL_POLICY", NULL, NULL, NOT_YET},
        {"IMAGE_PULL_SECRETS", NULL, NULL,
         "use spec.kafka.template.pod.imagePullSecrets of the cluster"},
        {"OPERATOR_NAMESPACE*", NULL, NULL,
         "who may reach a cluster is not told by where this program runs"},
        {"OPERATOR_NAME", NULL, NULL, "this program is called millrace"},
        {"FEATURE_GATES", NULL, NULL, "there are no features to switch"},
        {"OPERATIONS_THREAD_POOL_SIZE", NULL, NULL, NO_THREADS},
        {"POD_SET_*", NULL, NULL, "nodes are stateful sets, which have no controller here"},
        {"DNS_CACHE_TTL", NULL, NULL, NO_JAVA},
        {"JAVA_*", NULL, NULL, NO_JAVA},
        {"POD_SECURITY_PROVIDER_CLASS", NULL, NULL, "pods have all that is restricted anyway"},
        {"ENTITY_OPERATOR_WATCHED_NAMESPACE_ENABLED", NULL, NULL,
         "users are followed in the namespace of their cluster"},
        {"GATEKEEPER_*", NULL, NULL, NO_JAVA},
        {"CUSTOM_*", NULL, NULL, NOT_YET},
        {"LABELS_EXCLUSION_PATTERN", NULL,
         "(^app.kubernetes.io/(?!part-of).*|^kustomize.toolkit.fluxcd.io.*)", NOT_YET},
        {"KUBERNETES_VERSION", NULL, NULL, "the API server is asked for what it has"},
};

static const Variable *find(const char *name) {
        for (size_t i = 0; i < MR_ELEMENTS(known); i++) {
                size_t n = strlen(known[i].name) - 1;
                bool is_group = known[i].name[n] == '*';
                if (is_group ? strncmp(name, known[i].name, n) == 0 : mr_streq(name, known[i].name))
                        return &known[i];
        }
        return NULL;
}

/* A cluster tells its pods of each service with the like of these. */
static bool is_service(const char *name) {
        return mr_ends_with(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") ||
               mr_ends_with(name, "_PORT") || strstr(name, "_PORT_");
}

static void note(MrTree *notes, const char *name, const char *why) {
        _cleanup_free_ char *text = why ? mr_strf("%s has no effect here: %s.", name, why)
                                        : mr_strf("%s is not known and has no effect.", name);

        mr_tree_append(notes, mr_tree_new_string(text));
}

int environment_apply(char *const *variables, MrTree *settings, MrTree *ret_notes, MrError *err) {
        int r = 0;

        for (; r >= 0 && variables && *variables; variables++) {
                const char *sign = strchr(*variables, '=');
                if (!mr_starts_with(*variables, MR_VARIABLE_PREFIX) || !sign || !sign[1])
                        continue;
                _cleanup_free_ char *name = mr_strndup(*variables, (size_t) (sign - *variables));
                const Variable *variable = find(name + strlen(MR_VARIABLE_PREFIX));
                if (!variable && !is_service(name))
                        note(ret_notes, name, NULL);
                if (!variable)
                        continue;
                if (variable->take)
                        r = variable->take(name, sign + 1, settings, err);
                else if (variable->why && !mr_streq(variable->usual, sign + 1))
                        note(ret_notes, name, variable->why);
        }
        return r;
}
