#include "host-observe.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host-claims.h"
#include "host-distribution.h"
#include "host-facts.h"
#include "host-known.h"
#include "host-node.h"
#include "host-units.h"
#include "sdk/str.h"

#define CALL_TIMEOUT_USEC UINT64_C(25000000)

typedef struct Observation Observation;

/* One instance: its files were read, its unit is being asked about. */
typedef struct Instance {
        Observation *observation; /* weak */
        char *name;
        char *unit; /* NULL: its class is unknown, so nothing runs */
        HostNode node;
        HostUnitState state;
        size_t n_waiting; /* answers about its unit */
} Instance;

struct Observation {
        HostObserver *observer; /* weak */
        Observation *next;
        const HostConfig *config; /* borrowed */
        Instance **instances;
        size_t n, allocated;
        char **fetching; /* units of fetchers that run */
        size_t n_fetching, fetching_allocated;
        sd_bus_slot **slots;
        size_t n_slots, slots_allocated;
        size_t n_waiting;
        HostObserved done;
        void *userdata;
};

struct HostObserver {
        sd_bus *bus;
        const char *root;
        HostDigests *digests;
        HostUsage *usage;
        HostKnown *known;
        Observation *running; /* owned */
};

static void instance_free(Instance *instance) {
        host_node_done(&instance->node);
        host_unit_state_done(&instance->state);
        free(instance->name);
        free(instance->unit);
        free(instance);
}

static Observation *observation_free(Observation *o) {
        if (!o)
                return NULL;
        for (size_t i = 0; i < o->n_slots; i++)
                sd_bus_slot_unref(o->slots[i]);
        for (size_t i = 0; i < o->n; i++)
                instance_free(o->instances[i]);
        for (size_t i = 0; i < o->n_fetching; i++)
                free(o->fetching[i]);
        free(o->slots);
        free(o->instances);
        free(o->fetching);
        free(o);
        return NULL;
}
DEFINE_CLEANUP(Observation *, observation_free);

static void observation_finish(Observation *o, int r, const MrError *err, const char *text) {
        HostObserved done = o->done;
        void *userdata = o->userdata;

        for (Observation **p = &o->observer->running; *p; p = &(*p)->next)
                if (*p == o) {
                        *p = o->next;
                        break;
                }
        observation_free(o);
        done(userdata, r, err, text);
}

static Instance *instance_find(const Observation *o, const char *unit) {
        for (size_t i = 0; i < o->n; i++)
                if (mr_streq(o->instances[i]->unit, unit))
                        return o->instances[i];
        return NULL;
}

static Instance *instance_add(Observation *o, const char *name) {
        Instance *instance = mr_new(Instance, 1);

        instance->observation = o;
        instance->name = mr_strdup(name);
        MR_GROW(o->instances, o->n, o->allocated);
        o->instances[o->n++] = instance;
        return instance;
}

/* --- the answer */

static void set_unit(MrTree *tree, const Instance *instance) {
        const HostUnitState *state = &instance->state;
        const HostNode *node = &instance->node;
        _cleanup_free_ char *message = host_unit_state_message(state, instance->unit);
        const char *name = host_unit_state_name(state, node->is_masked, node->properties != NULL);

        mr_tree_set_string(tree, "class", node->class_name);
        mr_tree_set_string(tree, "state", name);
        mr_tree_set_int(tree, "since", (int64_t) (state->since_usec / 1000000));
        mr_tree_set_string(tree, "message", node->message ? node->message : message);
        mr_tree_set_int(tree, "restarts", state->restarts);
        mr_tree_set_int(tree, "pid", state->pid);
}

static void set_instance(const HostObserver *observer, MrTree *instances, Instance *instance) {
        MrTree *tree = mr_tree_need_map(instances, instance->name);
        HostNode *node = &instance->node;
        MrTree *running = NULL;

        set_unit(tree, instance);
        mr_tree_set_bool(tree, "enabled", node->is_enabled);
        mr_tree_set_string(tree, "dropin",
                           node->dropin == HOST_DROPIN_INTACT && instance->state.is_outdated
                                   ? "unread"
                                   : host_dropin_name(node->dropin));
        mr_tree_set(tree, "files", node->files ? TAKE(node->files) : mr_tree_new_map());
        mr_tree_set(tree, "unit", TAKE(node->properties));
        /* The copy of a process that is gone says nothing. */
        if (instance->state.pid > 0)
                running = host_node_running(observer->root, observer->digests, node->class_name,
                                            instance->name);
        mr_tree_set(tree, "running", running);
}

/* What storage is known to hold is told to the launcher, which may have to start a node while
 * nobody else is there. */
static void known_write(const Observation *o, const MrTree *claims) {
        for (size_t i = 0; i < o->n; i++) {
                const Instance *instance = o->instances[i];
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                if (host_node_known_write(o->observer->root, instance->name, instance->node.markers,
                                          claims, &err) < 0)
                        log_debug(NULL, NULL, "%s: %s", instance->name, err.message);
        }
}

static bool is_fetching(const HostDistribution *distribution, void *userdata) {
        const Observation *o = userdata;
        _cleanup_free_ char *unit = host_distribution_unit(distribution);

        for (size_t i = 0; i < o->n_fetching; i++)
                if (mr_streq(o->fetching[i], unit))
                        return true;
        return false;
}

static void observation_complete(Observation *o) {
        const char *root = o->observer->root;
        _cleanup_(mr_tree_freep) MrTree *answer = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf text = {};

        mr_tree_set_int(answer, "version", HOST_PROTOCOL);
        mr_tree_set_int(answer, "accepts", HOST_PROTOCOL_OLDEST);
        int r = host_claims_observe(root, o->config, o->observer->usage,
                                    mr_tree_need_map(answer, "claims"), &err);
        if (r < 0) {
                observation_finish(o, r, &err, NULL);
                return;
        }
        known_write(o, mr_tree_get(answer, "claims"));
        MrTree *instances = mr_tree_need_map(answer, "instances");
        for (size_t i = 0; i < o->n; i++)
                set_instance(o->observer, instances, o->instances[i]);
        mr_tree_set(answer, "host", host_facts(root, o->config, is_fetching, o));
        mr_json_write(answer, 0, &text);
        observation_finish(o, 0, NULL, mr_buf_text(&text));
}

/* --- what systemd says */

static void part_over(Observation *o) {
        if (--o->n_waiting == 0)
                observation_complete(o);
}

static void instance_part_over(Instance *instance) {
        if (--instance->n_waiting == 0)
                host_known_learn(instance->observation->observer->known, instance->unit,
                                 &instance->state);
        part_over(instance->observation);
}

static int read_text(sd_bus_message *m, char **ret) {
        const char *text = NULL;
        int r = sd_bus_message_read(m, "v", "s", &text);

        if (r >= 0 && !mr_is_empty(text)) {
                free(*ret);
                *ret = mr_strdup(text);
        }
        return r;
}

/* A unit that left systemd's memory meanwhile answers with errors: its values stay what they are,
 * nothing. */
#define PROPERTY_READER(property, expression)                                                      \
        static int property##_answered(sd_bus_message *m, void *userdata,                          \
                                       sd_bus_error *ret_error) {                                  \
                Instance *instance = userdata;                                                     \
                (void) ret_error;                                                                  \
                if (sd_bus_message_is_method_error(m, NULL))                                       \
                        instance->state.as_of = HOST_KNOWN_NEVER;                                  \
                else                                                                               \
                        (void) (expression);                                                       \
                instance_part_over(instance);                                                      \
                return 0;                                                                          \
        }

PROPERTY_READER(outdated, sd_bus_message_read(m, "v", "b", &instance->state.is_outdated))
PROPERTY_READER(since, sd_bus_message_read(m, "v", "t", &instance->state.since_usec))
PROPERTY_READER(pid, sd_bus_message_read(m, "v", "u", &instance->state.pid))
PROPERTY_READER(restarts, sd_bus_message_read(m, "v", "u", &instance->state.restarts))
PROPERTY_READER(status, read_text(m, &instance->state.status))
PROPERTY_READER(result, read_text(m, &instance->state.result))
PROPERTY_READER(exit_code, sd_bus_message_read(m, "v", "i", &instance->state.exit_code))
PROPERTY_READER(exit_status, sd_bus_message_read(m, "v", "i", &instance->state.exit_status))

/* Each question costs three processes a moment, so a unit that runs is not asked how it ended. */
static const struct {
        const char *interface;
        const char *name;
        sd_bus_message_handler_t answered;
        bool is_of_end;
} properties[] = {
        {SYSTEMD_UNIT, "NeedDaemonReload", outdated_answered, false},
        {SYSTEMD_UNIT, "StateChangeTimestamp", since_answered, false},
        {SYSTEMD_SERVICE, "MainPID", pid_answered, false},
        {SYSTEMD_SERVICE, "NRestarts", restarts_answered, false},
        {SYSTEMD_SERVICE, "StatusText", status_answered, false},
        {SYSTEMD_SERVICE, "Result", result_answered, true},
        {SYSTEMD_SERVICE, "ExecMainCode", exit_code_answered, true},
        {SYSTEMD_SERVICE, "ExecMainStatus", exit_status_answered, true},
};

static sd_bus_slot **slot_add(Observation *o) {
        MR_GROW(o->slots, o->n_slots, o->slots_allocated);
        o->slots[o->n_slots] = NULL;
        return &o->slots[o->n_slots++];
}

static bool is_asked(size_t property, const HostUnitState *state, bool is_known) {
        return !is_known ? !properties[property].is_of_end || !mr_streq(state->active, "active")
                         : properties[property].answered == outdated_answered;
}

static int unit_ask(Instance *instance, const char *path) {
        Observation *o = instance->observation;
        bool is_known = host_known_recall(o->observer->known, instance->unit, &instance->state);

        for (size_t i = 0; i < MR_ELEMENTS(properties); i++) {
                if (!is_asked(i, &instance->state, is_known))
                        continue;
                int r = sd_bus_call_method_async(o->observer->bus, slot_add(o), SYSTEMD_NAME, path,
                                                 "org.freedesktop.DBus.Properties", "Get",
                                                 properties[i].answered, instance, "ss",
                                                 properties[i].interface, properties[i].name);
                if (r < 0)
                        return r;
                o->n_waiting++;
                instance->n_waiting++;
        }
        return 0;
}

/* "CLASS@INSTANCE.service" → its two parts; false when it is no such name. */
static bool unit_split(const char *unit, char **ret_class, char **ret_instance) {
        const char *at = strchr(unit, '@');

        if (!at || !mr_ends_with(unit, ".service"))
                return false;
        *ret_class = mr_strndup(unit, (size_t) (at - unit));
        *ret_instance = mr_strndup(at + 1, strlen(at + 1) - strlen(".service"));
        return true;
}

/* A unit that runs though its node directory is gone is still one of ours. */
static Instance *stray_add(Observation *o, const char *unit, const char *active) {
        _cleanup_free_ char *class_name = NULL, *name = NULL;

        if (mr_streq(active, "inactive") || mr_streq(active, "failed") ||
            !unit_split(unit, &class_name, &name) || !host_name_is_valid(name) ||
            !host_config_class(o->config, class_name))
                return NULL;
        for (size_t i = 0; i < o->n; i++)
                if (mr_streq(o->instances[i]->name, name) && o->instances[i]->unit)
                        return NULL;
                else if (mr_streq(o->instances[i]->name, name)) {
                        o->instances[i]->unit = mr_strdup(unit);
                        o->instances[i]->node.class_name = mr_strdup(class_name);
                        return o->instances[i];
                }
        Instance *instance = instance_add(o, name);
        instance->unit = mr_strdup(unit);
        instance->node.class_name = mr_strdup(class_name);
        return instance;
}

static int unit_listed(Observation *o, const char *unit, const char *load, const char *active,
                       const char *sub, const char *path) {
        if (mr_starts_with(unit, "millrace-fetch@")) {
                if (mr_streq(active, "inactive") || mr_streq(active, "failed"))
                        return 0;
                MR_GROW(o->fetching, o->n_fetching, o->fetching_allocated);
                o->fetching[o->n_fetching++] = mr_strdup(unit);
                return 0;
        }
        Instance *instance = instance_find(o, unit);
        if (!instance)
                instance = stray_add(o, unit, active);
        if (!instance || instance->state.is_loaded)
                return 0;
        instance->state.is_loaded = true;
        instance->state.load = mr_strdup(load);
        instance->state.active = mr_strdup(active);
        instance->state.sub = mr_strdup(sub);
        return unit_ask(instance, path);
}

static int list_read(Observation *o, sd_bus_message *m) {
        const char *unit, *description, *load, *active, *sub, *following, *path, *job_type,
                *job_path;
        uint32_t job;
        int r = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");

        while (r >= 0 &&
               (r = sd_bus_message_read(m, "(ssssssouso)", &unit, &description, &load, &active,
                                        &sub, &following, &path, &job, &job_type, &job_path)) > 0)
                r = unit_listed(o, unit, load, active, sub, path);
        return r;
}

static bool is_of_instance(const char *unit, void *userdata) {
        return instance_find(userdata, unit) != NULL;
}

static int list_answered(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Observation *o = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const sd_bus_error *error = sd_bus_message_get_error(m);

        (void) ret_error;
        int r = error ? host_units_fail(&err, error, NULL) : list_read(o, m);
        if (r < 0) {
                (void) mr_fail(&err, MR_TRANSIENT, NULL,
                               "systemd's list of units cannot be read: %s", strerror(-r));
                observation_finish(o, r, &err, NULL);
                return 0;
        }
        host_known_keep(o->observer->known, is_of_instance, o);
        part_over(o);
        return 0;
}

/* One pattern for each class; the fetcher's units come along. */
static int list_ask(Observation *o) {
        const HostClass *classes = o->config->classes.items;
        sd_bus_message *m = NULL;

        int r = sd_bus_message_new_method_call(o->observer->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
                                               SYSTEMD_MANAGER, "ListUnitsByPatterns");
        if (r >= 0)
                r = sd_bus_message_append(m, "as", 0);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < o->config->classes.n; i++) {
                _cleanup_free_ char *pattern = mr_strf("%s@*.service", classes[i].name);
                r = sd_bus_message_append(m, "s", pattern);
        }
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "millrace-fetch@*.service");
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_call_async(o->observer->bus, slot_add(o), m, list_answered, o,
                                      CALL_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        o->n_waiting++;
        return r;
}

/* --- what lies on disk */

static int instances_read(Observation *o, MrError *err) {
        _cleanup_dir_ HostDir nodes = HOST_DIR_INIT;
        _cleanup_names_ HostNames names = {};

        int r = host_dir_open(o->observer->root, HOST_NODES_DIRECTORY, false, &nodes, err);
        if (r < 0 || nodes.fd < 0)
                return r;
        r = host_dir_list(&nodes, false, &names, err);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                if (!host_name_is_valid(names.items[i]))
                        continue;
                Instance *instance = instance_add(o, names.items[i]);
                r = host_node_observe(o->observer->root, o->config, o->observer->digests,
                                      names.items[i], &instance->node, err);
                if (r >= 0 && instance->node.class_name)
                        instance->unit = host_unit_name(instance->node.class_name, instance->name);
        }
        return r < 0 ? r : 0;
}

int host_observer_run(HostObserver *observer, const HostConfig *config, HostObserved done,
                      void *userdata, MrError *err) {
        _cleanup_(observation_freep) Observation *o = mr_new(Observation, 1);

        o->observer = observer;
        o->config = config;
        o->done = done;
        o->userdata = userdata;
        int r = instances_read(o, err);
        if (r < 0)
                return r;
        r = list_ask(o);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot ask systemd");
        o->next = observer->running;
        observer->running = TAKE(o);
        return 0;
}

bool host_observer_is_busy(const HostObserver *observer) {
        return observer->running != NULL;
}

HostObserver *host_observer_new(sd_bus *bus, const char *root) {
        HostObserver *observer = mr_new(HostObserver, 1);

        observer->bus = bus;
        observer->root = root;
        observer->digests = host_digests_new();
        observer->usage = host_usage_new();
        observer->known = host_known_new(bus);
        return observer;
}

void host_observer_reconfigured(HostObserver *observer) {
        host_digests_forget_rendered(observer->digests);
}

HostObserver *host_observer_free(HostObserver *observer) {
        if (!observer)
                return NULL;
        while (observer->running) {
                Observation *o = observer->running;

                observer->running = o->next;
                observation_free(o);
        }
        host_digests_free(observer->digests);
        host_usage_free(observer->usage);
        host_known_free(observer->known);
        free(observer);
        return NULL;
}
