/* What the clients of the running system would see and do. */

#include "engine/look.h"

#include "sdk/str.h"
#include "sim.h"

const char sim_replaces_look = 1;

struct Look {
        LookSeen seen;
        void *userdata;
        MrTree *tree;
        bool is_gone;
};

static bool has_credentials(const MrProbe *probe, const MrFacts *facts) {
        _cleanup_free_ char *key = mr_strf("%s.key", probe->secret_prefix);

        return mr_streq(probe->protocol, "tls") ||
               (mr_facts_secret(facts, probe->secret, key) &&
                mr_facts_secret(facts, probe->authority, probe->authority_key));
}

static void look_end(Sim *sim _unused_, void *data) {
        Look *look = data;

        if (look->is_gone) {
                mr_tree_free(look->tree);
                free(look);
                return;
        }
        /* It frees the look, which ends here. */
        look->is_gone = true;
        MrTree *tree = TAKE(look->tree);
        look->seen(look->userdata, tree);
        free(look);
}

int look_new(sd_event *event _unused_, const MrProbe *probe, const MrManifests *wanted _unused_,
             const MrFacts *facts, LookSeen seen, void *userdata, Look **ret, MrError *err) {
        Sim *sim = sim_now;

        if (!has_credentials(probe, facts))
                return mr_fail(err, MR_TRANSIENT, NULL, "there are no credentials yet");
        Look *look = *ret = mr_new(Look, 1);
        *look = (Look){.seen = seen, .userdata = userdata};
        look->tree = mr_streq(probe->protocol, "kafka") ? sim_see_kafka(sim)
                     : mr_streq(probe->protocol, "tls") ? sim_see_tls(sim, probe)
                                                        : sim_see_zookeeper(sim);
        if (sim_chance(sim, sim->look_fails)) {
                mr_tree_free(look->tree);
                look->tree = mr_tree_new_map();
                mr_tree_set_string(look->tree, "error", "it does not answer");
        }
        sim_at(sim, SIM_MSEC * (5 + sim_random(sim, 150)), look_end, look);
        return 0;
}

Look *look_free(Look *look) {
        if (look)
                look->is_gone = true;
        return NULL;
}

struct Alteration {
        AlterationDone done;
        void *userdata;
        bool is_gone, fails;
};

static void alteration_end(Sim *sim _unused_, void *data) {
        Alteration *alteration = data;
        _cleanup_error_ MrError err = {};

        if (!alteration->is_gone) {
                int r = alteration->fails
                                ? mr_fail(&err, MR_TRANSIENT, NULL, "the broker does not answer")
                                : 0;
                alteration->is_gone = true;
                alteration->done(alteration->userdata, r, &err);
        }
        free(alteration);
}

/* False: nobody can connect to it. */
static bool alter_node(Sim *sim, SimNode *node, const MrSetting *setting) {
        if (sim_tls_is_shut(sim, node))
                return false;
        if (setting->file) {
                if (node->running)
                        sim_tls_reload(sim, node);
                return true;
        }
        mr_tree_set_string(node->altered, setting->key, setting->value);
        if (node->running)
                mr_tree_set_string(node->configs, setting->key, setting->value);
        return true;
}

static bool alter(Sim *sim, const MrSetting *setting) {
        if (mr_streq(setting->scope, "voter/") &&
            !sim_quorum_alter(sim, setting->key, setting->value))
                return false;
        for (size_t i = 0; i < sim->n_nodes; i++) {
                _cleanup_free_ char *scope = mr_strf("broker/%d", sim->nodes[i]->id);
                bool is_meant =
                        mr_streq(setting->scope, "broker/") || mr_streq(setting->scope, scope);
                if (mr_streq(sim->nodes[i]->role, "kafka") && is_meant &&
                    !alter_node(sim, sim->nodes[i], setting))
                        return false;
        }
        sim_note(sim, "alter %s %s = %s", setting->scope, setting->key,
                 setting->file ? setting->file : setting->value);
        sim_happened(sim, "update", "Setting");
        return true;
}

int alteration_new(sd_event *event _unused_, const MrProbe *probe _unused_,
                   const MrManifests *wanted _unused_, const MrFacts *facts _unused_,
                   const MrSetting *settings, size_t n, AlterationDone done, void *userdata,
                   Alteration **ret, MrError *err _unused_) {
        Sim *sim = sim_now;
        Alteration *alteration = *ret = mr_new(Alteration, 1);

        *alteration = (Alteration){
                .done = done, .userdata = userdata, .fails = sim_chance(sim, sim->apply_fails)};
        for (size_t i = 0; i < n && !alteration->fails; i++)
                alteration->fails = !alter(sim, &settings[i]);
        sim_at(sim, SIM_MSEC * (5 + sim_random(sim, 50)), alteration_end, alteration);
        return 0;
}

Alteration *alteration_free(Alteration *alteration) {
        if (alteration)
                alteration->is_gone = true;
        return NULL;
}
