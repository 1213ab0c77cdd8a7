/* Processes: how they come up and catch up, and what can be seen of them from outside. */

#include <errno.h>
#include <string.h>

#include "sdk/str.h"
#include "sim.h"

#define PARTITIONS 12
/* Room for the clock of systemd, which tells whole seconds. */
#define PATIENCE_USEC (119 * SIM_SEC)

typedef struct Life {
        SimNode *node;
        unsigned epoch;
} Life;

static void begin_start(Sim *sim, SimNode *node);

SimNode *sim_node(Sim *sim, const char *instance) {
        for (size_t i = 0; i < sim->n_nodes; i++)
                if (mr_streq(sim->nodes[i]->instance, instance))
                        return sim->nodes[i];
        return NULL;
}

SimNode *sim_need_node(Sim *sim, const char *instance, const char *role) {
        SimNode *node = sim_node(sim, instance);
        const char *dash = strrchr(instance, '-');

        if (node || sim->n_nodes == SIM_NODES_MAX)
                return node;
        node = sim->nodes[sim->n_nodes++] = mr_new(SimNode, 1);
        node->instance = mr_strdup(instance);
        node->role = mr_strdup(role);
        node->id = dash ? atoi(dash + 1) : 0;
        node->unwell_since = sim->now + 1;
        node->altered = mr_tree_new_map();
        return node;
}

static void free_node(Sim *sim _unused_, void *data) {
        SimNode *node = data;

        mr_tree_free(node->running);
        mr_tree_free(node->configs);
        mr_tree_free(node->altered);
        mr_tree_free(node->loaded);
        free(node->instance);
        free(node->role);
        free(node);
}

void sim_node_remove(Sim *sim, const char *instance) {
        for (size_t i = 0; i < sim->n_nodes; i++) {
                SimNode *node = sim->nodes[i];
                if (!mr_streq(node->instance, instance))
                        continue;
                memmove(sim->nodes + i, sim->nodes + i + 1,
                        (--sim->n_nodes - i) * sizeof(*sim->nodes));
                /* Events still refer to it. */
                node->epoch++;
                sim_at(sim, 3600 * SIM_SEC, free_node, node);
        }
}

bool sim_node_is_up(const SimNode *node) {
        return node->state == SIM_RUNNING || node->state == SIM_STARTING;
}

static bool is_zookeeper(const SimNode *node) {
        return mr_streq(node->role, "zookeeper");
}

bool sim_node_has_role(const Sim *sim, const SimNode *node, const char *role) {
        _cleanup_free_ char *name = mr_strf("%s/server.properties", node->instance);
        const char *content = mr_tree_get_string(sim->contents, name),
                   *line = content ? strstr(content, "process.roles=") : NULL;

        if (is_zookeeper(node))
                return false;
        if (!line)
                return mr_streq(role, "broker");
        _cleanup_free_ char *roles = mr_strndup(line, strcspn(line, "\n"));
        return strstr(roles, role) != NULL;
}

static size_t count(const Sim *sim, const char *role, bool well_only) {
        size_t n = 0;

        for (size_t i = 0; i < sim->n_nodes; i++)
                n += mr_streq(sim->nodes[i]->role, role) &&
                     (!well_only || sim->nodes[i]->unwell_since == 0);
        return n;
}

static void after(Sim *sim, SimNode *node, uint64_t usec, SimFunction run) {
        Life *life = mr_new(Life, 1);

        *life = (Life){.node = node, .epoch = node->epoch};
        sim_at(sim, usec, run, life);
}

static void set_state(Sim *sim, SimNode *node, SimState state) {
        node->state = state;
        node->state_usec = sim->now;
        node->since = 1790000000 + (int64_t) (sim->now / SIM_SEC);
        if (node->unwell_since == 0)
                node->unwell_since = sim->now;
        node->has_caught_up = false;
        sim_host_changed(sim);
}

/* Whom others follow, as far as it can be told apart here. */
static const SimNode *leader_of(const Sim *sim, const char *role) {
        for (size_t i = 0; i < sim->n_nodes; i++)
                if (mr_streq(sim->nodes[i]->role, role) && sim->nodes[i]->has_caught_up)
                        return sim->nodes[i];
        return NULL;
}

static bool votes(const Sim *sim, const SimNode *node) {
        return is_zookeeper(node) || sim_quorum_has(sim, node);
}

/* Whether those who vote have a leader that the node can follow, or can find one with it. */
static bool has_quorum(Sim *sim, const SimNode *node) {
        bool has_zookeeper = count(sim, "zookeeper", false) > 0;
        const SimNode *leader = NULL;
        size_t n = 0;

        if (has_zookeeper && !is_zookeeper(node))
                return true;
        for (size_t i = 0; i < sim->n_nodes && !leader; i++)
                if (votes(sim, sim->nodes[i]) && sim->nodes[i]->has_caught_up)
                        leader = sim->nodes[i];
        for (size_t i = 0; i < sim->n_nodes; i++)
                n += votes(sim, sim->nodes[i]) && sim->nodes[i]->state == SIM_RUNNING &&
                     (leader || !sim_tls_is_shut(sim, sim->nodes[i]));
        if (leader ? sim_tls_is_shut(sim, leader) : !votes(sim, node))
                return false;
        return n >= (has_zookeeper ? count(sim, "zookeeper", false) : sim_quorum_size(sim)) / 2 + 1;
}

static void caught_up(Sim *sim, void *data) {
        _cleanup_free_ Life *life = data;
        SimNode *node = life->node;

        if (life->epoch != node->epoch || sim->is_ending)
                return;
        if (!has_quorum(sim, node)) {
                after(sim, node, 300 * SIM_MSEC, caught_up);
                return;
        }
        node->has_caught_up = true;
        node->unwell_since = 0;
        node->by_us = false;
        sim_note(sim, "%s is well", node->instance);
}

/* The dynamic settings of a broker that starts: what its file says, then what was altered before.
 */
static void read_configs(Sim *sim, SimNode *node) {
        _cleanup_free_ char *name = mr_strf("%s/server.properties", node->instance);
        const char *line = mr_tree_get_string(sim->contents, name);

        mr_tree_free(node->configs);
        node->configs = mr_tree_new_map();
        for (; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
                size_t n = strcspn(line, "\n"), key = strcspn(line, "=\n");
                if (*line == '#' || key == n)
                        continue;
                _cleanup_free_ char *k = mr_strndup(line, key),
                                    *v = mr_strndup(line + key + 1, n - key - 1);
                mr_tree_set_string(node->configs, k, v);
        }
        for (size_t i = 0; i < mr_tree_size(node->altered); i++)
                mr_tree_set_string(node->configs, mr_tree_key(node->altered, i),
                                   mr_tree_string(mr_tree_at(node->altered, i)));
}

/* A node that comes up has written on all its disks; one whose disk was emptied must not come up.
 */
static void prepare_claims(Sim *sim, const SimNode *node) {
        const MrTree *unit = mr_tree_get(mr_tree_get(sim->instances, node->instance), "unit"),
                     *volumes = mr_tree_get(unit, "volumes");

        for (size_t i = 0; i < mr_tree_size(volumes); i++) {
                MrTree *claim = mr_tree_get(sim->claims,
                                            mr_tree_get_string(mr_tree_at(volumes, i), "claim"));
                if (!claim)
                        continue;
                if (mr_tree_get_bool(claim, "lost", false))
                        sim_violated(sim, "%s began anew on an empty disk", node->instance);
                if (!mr_tree_get_bool(claim, "prepared", false) && i == 0)
                        sim_quorum_format(sim, node);
                mr_tree_set_bool(claim, "prepared", true);
        }
}

static void started(Sim *sim, void *data) {
        _cleanup_free_ Life *life = data;
        SimNode *node = life->node;
        bool may_run = !node->is_broken &&
                       (is_zookeeper(node) ||
                        count(sim, "zookeeper", true) > count(sim, "zookeeper", false) / 2 ||
                        count(sim, "zookeeper", false) == 0);

        if (life->epoch != node->epoch || sim->is_ending)
                return;
        if (!may_run) {
                after(sim, node, 500 * SIM_MSEC, started);
                return;
        }
        prepare_claims(sim, node);
        read_configs(sim, node);
        set_state(sim, node, SIM_RUNNING);
        sim_note(sim, "%s runs", node->instance);
        after(sim, node, sim->catch_up_usec / 2 + sim_random(sim, sim->catch_up_usec), caught_up);
}

static void begin_start(Sim *sim, SimNode *node) {
        const MrTree *unit = mr_tree_get(mr_tree_get(sim->instances, node->instance), "unit");

        node->epoch++;
        node->pid = 1000 + (int) sim->n_events;
        mr_tree_free(node->running);
        node->running = mr_tree_new_map();
        mr_tree_set_string(node->running, "fingerprint", mr_tree_get_string(unit, "fingerprint"));
        if (mr_tree_get(unit, "settings"))
                mr_tree_set(node->running, "settings", mr_tree_copy(mr_tree_get(unit, "settings")));
        set_state(sim, node, SIM_STARTING);
        sim_tls_load(sim, node);
        sim_note(sim, "%s starts", node->instance);
        after(sim, node, sim->start_usec / 2 + sim_random(sim, sim->start_usec), started);
}

void sim_node_start(Sim *sim, SimNode *node) {
        if (node->is_masked || sim_node_is_up(node))
                return;
        begin_start(sim, node);
}

static void end_process(Sim *sim, SimNode *node, SimState state) {
        node->epoch++;
        node->pid = 0;
        node->running = mr_tree_free(node->running);
        node->configs = mr_tree_free(node->configs);
        node->loaded = mr_tree_free(node->loaded);
        set_state(sim, node, state);
}

void sim_node_down(Sim *sim, SimNode *node, SimState state) {
        end_process(sim, node, state);
        sim_note(sim, "%s is %s", node->instance, state == SIM_FAILED ? "failed" : "down");
}

static void start_again(Sim *sim, void *data) {
        _cleanup_free_ Life *life = data;

        if (life->epoch != life->node->epoch || sim->is_ending)
                return;
        if (life->node->is_masked)
                sim_node_down(sim, life->node, SIM_DOWN);
        else
                begin_start(sim, life->node);
}

void sim_node_restart(Sim *sim, SimNode *node, uint64_t down_usec) {
        end_process(sim, node, SIM_STOPPING);
        sim_note(sim, "%s stops, and starts again", node->instance);
        after(sim, node, down_usec, start_again);
}

/* --- the rules */

static bool is_known(const Sim *sim, const SimNode *other) {
        return other->unwell_since > 0 && other->unwell_since <= sim->batch_seen_usec;
}

/* A node somebody keeps his hands on is nobody else's reason to wait; its partitions still are. */
static bool is_held(const Sim *sim, const SimNode *node) {
        _cleanup_(mr_tree_freep) MrTree *holds = NULL;
        bool found = node->is_masked;

        (void) store_holds(sim->store, "default", &holds, NULL);
        for (size_t i = 0; i < mr_tree_size(holds); i++)
                found = found ||
                        mr_streq(mr_tree_get_string(mr_tree_at(holds, i), "node"), node->instance);
        return found;
}

/* A node nobody may connect to keeps others from becoming well, so they need not be; but they run,
 * and those that we restarted had time to start. */
static const char *shut_node_spared(const Sim *sim, const SimNode *node) {
        size_t n = count(sim, node->role, false), others = 0;

        for (size_t i = 0; i < sim->n_nodes; i++) {
                const SimNode *other = sim->nodes[i];
                if (other == node)
                        continue;
                if (other->by_us && other->unwell_since > 0 &&
                    sim->now - other->state_usec < 25 * SIM_SEC)
                        return "another node has had no time to come back from our restart";
                others += mr_streq(other->role, node->role) && sim_node_is_up(other);
        }
        return others < n / 2 + 1 && n > 2 ? "too few others run" : NULL;
}

const char *sim_node_spared(Sim *sim, const SimNode *node) {
        size_t n = count(sim, node->role, false), others = 0;

        if (sim_tls_is_shut(sim, node))
                return shut_node_spared(sim, node);

        if (node->state == SIM_STARTING && sim->now - node->state_usec < PATIENCE_USEC &&
            sim->now - node->state_usec > 2 * SIM_SEC)
                return "it is starting, and may be recovering";
        if (node->unwell_since > 0)
                return NULL;
        for (size_t i = 0; i < sim->n_nodes; i++) {
                const SimNode *other = sim->nodes[i];
                if (other == node)
                        continue;
                if (other->by_us && other->unwell_since > 0 && !is_held(sim, other))
                        return "another node has not come back from our restart";
                if (is_known(sim, other) && !is_held(sim, other))
                        return "another node was known not to be well";
                others += mr_streq(other->role, node->role) && !is_known(sim, other);
        }
        if (!sim_quorum_spares(sim, node))
                return "the other voters are no majority";
        /* Two of anything cannot lose one and keep a majority. */
        if (is_zookeeper(node) ? n > 2 && others < n / 2 + 1 : n > 2 && others < 2)
                return "too few others were known to be well";
        return NULL;
}

bool sim_others_have_all(const Sim *sim, const SimNode *node) {
        size_t n = count(sim, node->role, false), others = 0;

        for (size_t i = 0; i < sim->n_nodes; i++)
                others += sim->nodes[i] != node && sim->nodes[i]->has_caught_up &&
                          mr_streq(sim->nodes[i]->role, node->role);
        return is_zookeeper(node) ? others >= n / 2 + 1 : others > 0;
}

/* --- what can be seen */

static size_t in_sync(const Sim *sim) {
        return count(sim, "kafka", true);
}

static void see_broker(const Sim *sim, const SimNode *node, MrTree *partitions, size_t min) {
        _cleanup_free_ char *id = mr_strf("%d", node->id);
        bool is_in_sync = node->unwell_since == 0;

        mr_tree_set_int(mr_tree_need_map(partitions, "hosted"), id,
                        node->is_drained ? 0 : PARTITIONS);
        if (node->is_drained)
                return;
        if (!is_in_sync)
                mr_tree_set_int(mr_tree_need_map(partitions, "not_in_sync"), id, PARTITIONS);
        if (is_in_sync && in_sync(sim) == 1)
                mr_tree_set_int(mr_tree_need_map(partitions, "only_here"), id, PARTITIONS);
        if (!is_in_sync || in_sync(sim) - 1 >= min)
                return;
        _cleanup_free_ char *leader = mr_strf("%d", leader_of(sim, "kafka")->id);
        mr_tree_set_int(mr_tree_need_map(partitions, "blocked_counts"), id, PARTITIONS);
        mr_tree_set_int(mr_tree_need_map(mr_tree_need_map(partitions, "blocked_led_by"), id),
                        leader, PARTITIONS);
        mr_tree_append(mr_tree_need_list(mr_tree_need_map(partitions, "blocking"), id),
                       mr_tree_new_string("topic-0"));
}

MrTree *sim_see_kafka(Sim *sim) {
        MrTree *view = mr_tree_new_map(), *partitions = mr_tree_need_map(view, "partitions");
        size_t n = count(sim, "kafka", false), n_open = 0;
        int controller = -1;

        for (size_t i = 0; i < sim->n_nodes; i++) {
                const SimNode *node = sim->nodes[i];
                _cleanup_free_ char *id = mr_strf("%d", node->id);
                if (!sim_node_has_role(sim, node, "broker"))
                        continue;
                see_broker(sim, node, partitions, n > 2 ? 2 : 1);
                if (node->state != SIM_RUNNING)
                        continue;
                n_open += !sim_tls_is_shut(sim, node);
                controller = controller < 0 ? node->id : controller;
                mr_tree_need_map(mr_tree_need_map(view, "brokers"), id);
                mr_tree_set(mr_tree_need_map(view, "configs"), id, mr_tree_copy(node->configs));
        }
        if (count(sim, "zookeeper", false) == 0)
                sim_quorum_see(sim, view);
        mr_tree_set_string(view, "cluster_id", "simulated");
        mr_tree_set_int(view, "controller", controller);
        if (controller < 0 || n_open == 0)
                mr_tree_set_string(view, "error", "no broker answers");
        return view;
}

MrTree *sim_see_zookeeper(Sim *sim) {
        MrTree *view = mr_tree_new_map(), *members = mr_tree_need_map(view, "members");
        bool has_leader = false;

        for (size_t i = 0; i < sim->n_nodes; i++) {
                const SimNode *node = sim->nodes[i];
                if (!is_zookeeper(node))
                        continue;
                MrTree *member = mr_tree_need_map(members, node->instance);
                if (node->state != SIM_RUNNING) {
                        mr_tree_set_string(member, "error", "connection refused");
                        continue;
                }
                if (sim_tls_is_shut(sim, node)) {
                        mr_tree_set_string(member, "error", "its certificate has expired");
                        continue;
                }
                mr_tree_set_string(member, "state",
                                   !node->has_caught_up ? "none"
                                   : has_leader         ? "follower"
                                                        : "leader");
                has_leader = has_leader || node->has_caught_up;
        }
        return view;
}
