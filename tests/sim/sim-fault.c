/* Things that go wrong, and people who change their minds. */

#include <string.h>

#include "sdk/str.h"
#include "sim.h"

static SimNode *some_node(Sim *sim) {
        return sim->n_nodes > 0 ? sim->nodes[sim_random(sim, sim->n_nodes)] : NULL;
}

/* The service manager starts it again, or has given up. */
static void kill_node(Sim *sim) {
        SimNode *node = some_node(sim);

        if (!node || !sim_node_is_up(node))
                return;
        sim_note(sim, "fault: %s is killed", node->instance);
        node->restarts++;
        if (sim_chance(sim, 70))
                sim_node_restart(sim, node, SIM_SEC);
        else
                sim_node_down(sim, node, SIM_FAILED);
}

static void stop_node(Sim *sim) {
        SimNode *node = some_node(sim);

        if (!node || !sim_node_is_up(node))
                return;
        sim_note(sim, "fault: %s is stopped by hand", node->instance);
        sim_node_down(sim, node, SIM_DOWN);
}

static void break_node(Sim *sim) {
        SimNode *node = some_node(sim);

        if (!node)
                return;
        node->is_broken = !node->is_broken;
        sim_note(sim, "fault: %s %s", node->instance,
                 node->is_broken ? "cannot start any more" : "can start again");
}

static void mask_node(Sim *sim) {
        SimNode *node = some_node(sim);

        if (!node)
                return;
        node->is_masked = !node->is_masked;
        sim_note(sim, "fault: %s is %s", node->instance, node->is_masked ? "masked" : "unmasked");
        if (node->is_masked && sim_node_is_up(node))
                sim_node_down(sim, node, SIM_DOWN);
        sim_host_changed(sim);
}

static void hold_node(Sim *sim) {
        SimNode *node = some_node(sim);

        if (!node)
                return;
        if (sim_chance(sim, 50))
                (void) store_hold(sim->store, "default", node->instance, "a disk is replaced",
                                  NULL);
        else
                (void) store_release(sim->store, "default", node->instance, NULL);
        sim_note(sim, "fault: %s is held or released", node->instance);
}

static MrTree *some_instance(Sim *sim) {
        return mr_tree_at(sim->instances, sim_random(sim, mr_tree_size(sim->instances) + 1));
}

static void spoil_file(Sim *sim) {
        MrTree *files = mr_tree_get(some_instance(sim), "files");
        size_t i = sim_random(sim, mr_tree_size(files) + 1);

        if (i >= mr_tree_size(files))
                return;
        _cleanup_free_ char *name = mr_strdup(mr_tree_key(files, i));
        bool is_removed = sim_chance(sim, 50);
        sim_note(sim, "fault: file %s is %s", name, is_removed ? "removed" : "edited");
        if (is_removed)
                mr_tree_remove(files, name);
        else
                mr_tree_set_string(files, name, "edited");
        sim_host_changed(sim);
}

static void spoil_unit(Sim *sim) {
        MrTree *instance = some_instance(sim);

        if (!mr_tree_get(instance, "unit"))
                return;
        sim_note(sim, "fault: a drop-in is edited or lost, or a unit disabled");
        if (sim_chance(sim, 30))
                mr_tree_set_bool(instance, "enabled", false);
        else
                mr_tree_set_string(instance, "dropin", sim_chance(sim, 50) ? "edited" : "missing");
        sim_host_changed(sim);
}

static void lose_secret(Sim *sim) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        (void) store_secret_list(sim->store, "default", &list, NULL);
        const char *name = mr_tree_get_string(
                mr_tree_at(list, sim_random(sim, mr_tree_size(list) + 1)), "name");
        if (!name)
                return;
        sim_note(sim, "fault: secret %s is lost", name);
        sim_lose_secret(sim, name);
}

static void ask_restart(Sim *sim) {
        SimNode *node = some_node(sim);

        if (!node)
                return;
        sim_note(sim, "somebody asks for a restart of %s", node->instance);
        (void) engine_restart(sim->engine, "default", "c",
                              sim_chance(sim, 70) ? node->instance : NULL, "a new kernel", NULL);
}

static void crash(Sim *sim) {
        if (sim_chance(sim, 50))
                sim_crash(sim);
        else
                sim->crash_after = sim->n_actions + 1 + sim_random(sim, 10);
}

/* Units that are enabled come up with the host, whoever else does. */
static void reboot(Sim *sim) {
        sim_note(sim, "fault: the host boots again");
        for (size_t i = 0; i < sim->n_nodes; i++) {
                SimNode *node = sim->nodes[i];
                const MrTree *instance = mr_tree_get(sim->instances, node->instance);
                bool is_enabled = mr_tree_get_bool(instance, "enabled", false) &&
                                  mr_tree_get(instance, "unit") &&
                                  mr_streq(mr_tree_get_string(instance, "dropin"), "intact");
                sim_node_down(sim, node, SIM_DOWN);
                node->since = 0;
                node->restarts = 0;
                if (is_enabled)
                        sim_node_start(sim, node);
        }
        sim_crash(sim);
}

static void bad_weather(Sim *sim) {
        sim->observe_fails = (unsigned) sim_random(sim, 60);
        sim->apply_fails = (unsigned) sim_random(sim, 40);
        sim->look_fails = (unsigned) sim_random(sim, 60);
        sim_note(sim, "fault: %u %% of observations, %u %% of batches, %u %% of looks fail",
                 sim->observe_fails, sim->apply_fails, sim->look_fails);
}

static void good_weather(Sim *sim) {
        sim->observe_fails = sim->apply_fails = sim->look_fails = 0;
}

static void (*const faults[])(Sim *sim) = {
        kill_node,   kill_node,    stop_node,  break_node,  mask_node, hold_node,
        spoil_file,  spoil_file,   spoil_unit, lose_secret, crash,     crash,
        bad_weather, good_weather, reboot,     ask_restart,
};

void sim_fault(Sim *sim) {
        faults[sim_random(sim, MR_ELEMENTS(faults))](sim);
}
