/* The quorum of controllers: who founded it, who votes, and what a change of the voters may not do.
 * Where there is ZooKeeper there is none. */

#include <string.h>

#include "base/clock.h"
#include "sdk/str.h"
#include "sim.h"

static bool is_controller(const Sim *sim, const SimNode *node) {
        return sim_node_has_role(sim, node, "controller");
}

static char *id_text(const SimNode *node) {
        return mr_strf("%d", node->id);
}

bool sim_quorum_has(const Sim *sim, const SimNode *node) {
        _cleanup_free_ char *id = id_text(node);

        return is_controller(sim, node) && mr_tree_get(sim->voters, id);
}

size_t sim_quorum_size(const Sim *sim) {
        return mr_tree_size(sim->voters);
}

/* --- founding */

static const char *argument_after(const MrTree *arguments, const char *name) {
        for (size_t i = 0; i < mr_tree_size(arguments); i++)
                if (mr_streq(mr_tree_string(mr_tree_at(arguments, i)), name))
                        return i + 1 < mr_tree_size(arguments)
                                       ? mr_tree_string(mr_tree_at(arguments, i + 1))
                                       : "";
        return NULL;
}

/* "0@h1:9090:DIRECTORY,1@…" → {"0": DIRECTORY, …} */
static MrTree *founders_of(const char *text) {
        MrTree *founders = mr_tree_new_map();

        for (const char *p = text; p && *p; p += *p == ',') {
                size_t n = strcspn(p, ","), id = strcspn(p, "@,");
                _cleanup_free_ char *one = mr_strndup(p, n), *key = mr_strndup(p, id);
                const char *colon = strrchr(one, ':');
                mr_tree_set_string(founders, key, colon ? colon + 1 : "");
                p += n;
        }
        return founders;
}

static void found(Sim *sim, const SimNode *node, MrTree *take_founders) {
        _cleanup_(mr_tree_freep) MrTree *founders = take_founders;
        _cleanup_free_ char *id = id_text(node);
        const char *directory = mr_tree_get_string(founders, id);

        if (!directory)
                sim_violated(sim, "%s founds a quorum it is no part of", node->instance);
        if (sim->voters &&
            !mr_streq(mr_tree_get_string(sim->voters, id), directory ? directory : ""))
                sim_violated(sim, "%s founds a quorum, and there is one without it",
                             node->instance);
        mr_tree_set_string(sim->directories, id, directory);
        if (!sim->voters)
                sim->voters = TAKE(founders);
}

/* It formats its disk, as one of the founders or as one that joins. */
void sim_quorum_format(Sim *sim, const SimNode *node) {
        const MrTree *unit = mr_tree_get(mr_tree_get(sim->instances, node->instance), "unit"),
                     *arguments = mr_tree_get(unit, "prepare_arguments");
        const char *founders = argument_after(arguments, "--initial-controllers");
        _cleanup_free_ char *id = id_text(node);

        if (!is_controller(sim, node))
                return;
        if (founders) {
                found(sim, node, founders_of(founders));
                return;
        }
        if (!argument_after(arguments, "--no-initial-controllers"))
                sim_violated(sim, "%s is told neither who founds the quorum nor to join it",
                             node->instance);
        if (!sim->voters)
                sim_violated(sim, "%s joins a quorum that is not there", node->instance);
        _cleanup_free_ char *directory = mr_strf("made-by-%s-%u", id, sim->life);
        mr_tree_set_string(sim->directories, id, directory);
}

/* --- who leads, and who follows */

/* Voters other than `except` that are well, or only run. */
static size_t voters_that(const Sim *sim, const SimNode *except, bool are_well) {
        size_t n = 0;

        for (size_t i = 0; i < sim->n_nodes; i++) {
                const SimNode *node = sim->nodes[i];
                n += node != except && sim_quorum_has(sim, node) &&
                     (are_well ? node->has_caught_up : node->state == SIM_RUNNING);
        }
        return n;
}

bool sim_quorum_spares(const Sim *sim, const SimNode *node) {
        size_t n = sim_quorum_size(sim);

        return !sim_quorum_has(sim, node) || n <= 2 || voters_that(sim, node, true) >= n / 2 + 1;
}

static void see_voter(const SimNode *node, MrTree *voter) {
        mr_tree_set_int(voter, "lag", node->has_caught_up ? 0 : 100000);
        mr_tree_set_int(voter, "last_caught_up_ms",
                        node->has_caught_up ? 1000 * now_realtime_sec() : 1000000);
}

static void see_votes(const Sim *sim, MrTree *view) {
        MrTree *votes = mr_tree_need_map(mr_tree_need_map(view, "voters"), "");

        for (size_t i = 0; i < mr_tree_size(sim->voters); i++) {
                _cleanup_free_ char *vote = mr_strf("%s/%s", mr_tree_key(sim->voters, i),
                                                    mr_tree_string(mr_tree_at(sim->voters, i)));
                mr_tree_set_string(votes, vote, "votes");
        }
}

static void see_observer(const Sim *sim, const SimNode *node, MrTree *view) {
        _cleanup_free_ char *id = id_text(node);
        MrTree *observer = mr_tree_need_map(mr_tree_need_map(view, "observers"), id);

        mr_tree_set_string(observer, "directory", mr_tree_get_string(sim->directories, id));
        mr_tree_set_int(observer, "lag", node->has_caught_up ? 0 : 100000);
}

/* The first voter that has caught up leads, while a majority has; without a leader nobody tells who
 * follows. */
static int leader_of(const Sim *sim) {
        if (voters_that(sim, NULL, true) < sim_quorum_size(sim) / 2 + 1)
                return -1;
        for (size_t i = 0; i < sim->n_nodes; i++)
                if (sim_quorum_has(sim, sim->nodes[i]) && sim->nodes[i]->has_caught_up)
                        return sim->nodes[i]->id;
        return -1;
}

void sim_quorum_see(const Sim *sim, MrTree *view) {
        MrTree *quorum = mr_tree_need_map(view, "quorum"),
               *voters = mr_tree_need_map(quorum, "voters");
        int leader = leader_of(sim);

        mr_tree_set_int(quorum, "leader", leader);
        for (size_t i = 0; i < mr_tree_size(sim->voters); i++)
                mr_tree_set_int(mr_tree_need_map(voters, mr_tree_key(sim->voters, i)), "lag", -1);
        if (leader >= 0)
                see_votes(sim, view);
        for (size_t i = 0; i < sim->n_nodes; i++) {
                const SimNode *node = sim->nodes[i];
                _cleanup_free_ char *id = id_text(node);
                if (sim_quorum_has(sim, node))
                        see_voter(node, mr_tree_need_map(voters, id));
                else if (leader >= 0 && is_controller(sim, node) && node->state == SIM_RUNNING)
                        see_observer(sim, node, view);
        }
}

/* --- changes */

static const SimNode *controller_of(const Sim *sim, const char *id) {
        for (size_t i = 0; i < sim->n_nodes; i++) {
                _cleanup_free_ char *own = id_text(sim->nodes[i]);
                if (mr_streq(own, id) && is_controller(sim, sim->nodes[i]))
                        return sim->nodes[i];
        }
        return NULL;
}

static void give_vote(Sim *sim, const char *id, const char *directory) {
        const SimNode *node = controller_of(sim, id);

        if (!node || !node->has_caught_up)
                sim_violated(sim, "controller %s gets a vote, and has not caught up", id);
        else if (!mr_streq(mr_tree_get_string(sim->directories, id), directory))
                sim_violated(sim, "controller %s gets a vote for a disk it has not", id);
        else
                mr_tree_set_string(sim->voters, id, directory);
}

/* Kafka would take any, also one that the others need. */
static void take_vote(Sim *sim, const char *id, const char *directory) {
        size_t well = voters_that(sim, controller_of(sim, id), true),
               left = sim_quorum_size(sim) - 1;

        if (!mr_streq(mr_tree_get_string(sim->voters, id), directory))
                return;
        if (well < left / 2 + 1)
                sim_violated(sim, "controller %s loses its vote, and %zu of the other %zu are well",
                             id, well, left);
        else
                mr_tree_remove(sim->voters, id);
}

/* "ID/DIRECTORY" gets a vote, or loses it where there is no listener. False: nobody leads. */
bool sim_quorum_alter(Sim *sim, const char *key, const char *listener) {
        const char *slash = strchr(key, '/'), *directory = slash ? slash + 1 : "";
        _cleanup_free_ char *id = mr_strndup(key, strcspn(key, "/"));

        if (leader_of(sim) < 0)
                return false;
        if (listener)
                give_vote(sim, id, directory);
        else
                take_vote(sim, id, directory);
        sim->n_votes++;
        return true;
}
