/* The host's service in memory: it answers Observe and carries out batches as daemon/host/README.md
 * describes, and it is the platform of the simulated program. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "host/host-batch.h"
#include "sdk/str.h"
#include "sim.h"

/* One life of the daemon: what is under way for a life that is over is told to nobody. */
struct MrPlatform {
        Sim *sim;
        MrPlatformArgs args;
        bool is_gone;
};

typedef struct Call {
        MrPlatform *platform;
        MrObserved observed;
        MrApplied applied;
        void *userdata;
        MrTree *answer; /* of Observe */
        MrTree *batch;
        size_t at, fails_at;
        const char *why; /* it fails at that step */
} Call;

/* --- Observe */

static const char *state_name(const SimNode *node, bool has_unit) {
        switch (node->state) {
        case SIM_STARTING:
                return "starting";
        case SIM_RUNNING:
                return "running";
        case SIM_STOPPING:
                return "stopping";
        case SIM_FAILED:
                return node->is_masked ? "held" : "failed";
        case SIM_DOWN:
                break;
        }
        return node->is_masked ? "held" : has_unit ? "stopped" : "absent";
}

static void observe_instance(Sim *sim, const char *name, const MrTree *stored, MrTree *instances) {
        MrTree *tree = mr_tree_set(instances, name, mr_tree_copy(stored));
        SimNode *node = sim_need_node(sim, name, mr_tree_get_string(stored, "class"));

        mr_tree_set_string(tree, "state", state_name(node, mr_tree_get(stored, "unit") != NULL));
        mr_tree_set_int(tree, "since", node->since);
        mr_tree_set_string(tree, "message",
                           node->state == SIM_FAILED ? "it failed (exit-code)" : "");
        mr_tree_set_int(tree, "restarts", (int64_t) node->restarts);
        mr_tree_set_int(tree, "pid", node->pid);
        mr_tree_need_map(tree, "files");
        mr_tree_set(tree, "running", node->running ? mr_tree_copy(node->running) : NULL);
}

MrTree *sim_host_observe(Sim *sim) {
        MrTree *answer = mr_tree_new_map(), *host = mr_tree_need_map(answer, "host");
        MrTree *instances = mr_tree_need_map(answer, "instances");

        mr_tree_set_int(answer, "version", HOST_PROTOCOL);
        mr_tree_set_string(host, "hostname", "h1");
        mr_tree_set_string(host, "fqdn", "h1.example.com");
        mr_tree_set_string(host, "address", "h1.example.com");
        mr_tree_set_string(mr_tree_need_map(host, "storage_classes"), "directory",
                           "/var/lib/millrace-data");
        mr_tree_set_string(mr_tree_need_map(host, "storage_classes"), "disks",
                           "/var/lib/millrace-disks");
        mr_tree_set(host, "distributions", mr_tree_copy(sim->distributions));
        for (size_t i = 0; i < mr_tree_size(sim->instances); i++)
                observe_instance(sim, mr_tree_key(sim->instances, i), mr_tree_at(sim->instances, i),
                                 instances);
        mr_tree_set(answer, "claims", mr_tree_copy(sim->claims));
        return answer;
}

static void end_observe(Sim *sim, void *data) {
        _cleanup_free_ Call *call = data;
        _cleanup_error_ MrError err = {};
        MrObservation observation = {};
        bool fails = sim_chance(sim, sim->observe_fails);

        if (call->platform->is_gone || sim->is_ending) {
                mr_tree_free(call->answer);
                return;
        }
        /* What a damaged answer leads to is the platform's to say. */
        if (fails)
                mr_tree_remove(call->answer, sim_chance(sim, 50) ? "instances" : "claims");
        int r = observation_of_host(TAKE(call->answer), &observation, &err);
        sim->observed_well = r >= 0;
        if (fails && r >= 0)
                sim_violated(sim, "half an observation was taken for a whole one");
        if (r < 0)
                sim_note(sim, "an observation failed");
        call->observed(call->userdata, r, &err, r < 0 ? NULL : &observation);
}

static int sim_observe(MrPlatform *platform, MrObserved done, void *userdata, MrError *err) {
        Sim *sim = platform->sim;
        Call *call;

        sim->observations++;
        if (sim_chance(sim, sim->observe_fails / 2)) {
                sim->observed_well = false;
                return mr_fail(err, MR_TRANSIENT, NULL, "cannot reach the system bus");
        }
        call = mr_new(Call, 1);
        *call = (Call){.platform = platform,
                       .observed = done,
                       .userdata = userdata,
                       .answer = sim_host_observe(sim)};
        sim_at(sim, SIM_MSEC * (1 + sim_random(sim, 20)), end_observe, call);
        return 0;
}

/* --- Apply */

static const char *text(const MrTree *step, const char *key) {
        return mr_tree_get_string(step, key);
}

static void create_claim(Sim *sim, const MrTree *step) {
        static const char *const kept[] = {"storage_class", "ephemeral", "size", "delete",
                                           "marker"};
        const char *name = text(step, "claim");
        const MrTree *old = mr_tree_get(mr_tree_get(sim->claims, name), "identity");

        if (old && !mr_tree_equal(old, mr_tree_get(step, "identity")))
                sim_violated(sim, "claim %s was to get another identity", name);
        MrTree *claim = mr_tree_need_map(sim->claims, name);
        sim_disk_note(sim, name, claim);
        if (!old)
                mr_tree_set(claim, "identity", mr_tree_copy(mr_tree_get(step, "identity")));
        for (size_t i = 0; i < MR_ELEMENTS(kept); i++)
                if (mr_tree_get(step, kept[i]))
                        mr_tree_set(claim, kept[i], mr_tree_copy(mr_tree_get(step, kept[i])));
        if (mr_tree_get_bool(step, "anew", false)) {
                mr_tree_set_bool(claim, "prepared", false);
                mr_tree_remove(claim, "lost");
        }
        sim_happened(sim, old ? "update" : "create", "Volume");
}

/* The one node whose data somebody said may go, while it is down and others have it all. */
static bool is_discarded(Sim *sim, const char *claim) {
        SimNode *node = sim->discarded ? sim_node(sim, sim->discarded) : NULL;

        return node && mr_ends_with(claim, node->instance) && !sim_node_is_up(node) &&
               sim_others_have_all(sim, node);
}

static void remove_claim(Sim *sim, const MrTree *step) {
        if (!sim->may_delete_data && !is_discarded(sim, text(step, "claim")))
                sim_violated(sim, "the data of claim %s was deleted, and nobody asked for it",
                             text(step, "claim"));
        /* What is gone already is no reason to complain. */
        sim->n_data_removed +=
                mr_tree_get_bool(mr_tree_get(sim->claims, text(step, "claim")), "prepared", false);
        sim_disk_give_back(sim, text(step, "claim"));
        mr_tree_remove(sim->claims, text(step, "claim"));
        if (mr_tree_size(sim->claims) == 0)
                sim->voters = mr_tree_free(sim->voters);
        sim_happened(sim, "remove", "Volume");
}

static MrTree *need_instance(Sim *sim, const MrTree *step) {
        MrTree *instance = mr_tree_need_map(sim->instances, text(step, "instance"));

        mr_tree_set_string(instance, "class", text(step, "class"));
        (void) sim_need_node(sim, text(step, "instance"), text(step, "class"));
        return instance;
}

static void write_file(Sim *sim, const MrTree *step) {
        MrTree *files = mr_tree_need_map(need_instance(sim, step), "files");
        const char *content = text(step, "content"), *name = text(step, "name");
        _cleanup_free_ char *path = mr_strf("%s/%s", text(step, "instance"), name);
        char digest[MR_DIGEST_MAX];

        if (strstr(content, "<") && strstr(content, "of secret"))
                sim_violated(sim, "file %s was written without its secret", path);
        mr_digest(content, strlen(content), digest);
        sim_happened(sim, mr_tree_get(files, name) ? "update" : "create", "File");
        mr_tree_set_string(files, name, digest);
        mr_tree_set_string(sim->contents, path, content);
        sim_tls_check(sim);
}

static void write_unit(Sim *sim, const MrTree *step) {
        MrTree *instance = need_instance(sim, step);

        sim_happened(sim, mr_tree_get(instance, "unit") ? "update" : "create", "Unit");
        mr_tree_set(instance, "unit", mr_tree_copy(mr_tree_get(step, "properties")));
        mr_tree_set_string(instance, "dropin", "intact");
        mr_tree_set_bool(instance, "enabled", true);
}

/* A broker needs a quorum to end in an orderly way. */
static void check_needed(Sim *sim, const SimNode *node) {
        if (!node || sim_node_has_role(sim, node, "broker"))
                return;
        for (size_t i = 0; i < sim->n_nodes; i++)
                if (sim_node_is_up(sim->nodes[i]) &&
                    sim_node_has_role(sim, sim->nodes[i], "broker"))
                        sim_violated(sim, "%s was removed before %s, which needs it",
                                     node->instance, sim->nodes[i]->instance);
}

/* Neither replicas nor a vote are on it. */
static bool may_go(const Sim *sim, const SimNode *node) {
        return !sim_quorum_has(sim, node) &&
               (node->is_drained ||
                (!mr_streq(node->role, "zookeeper") && !sim_node_has_role(sim, node, "broker")));
}

static void remove_unit(Sim *sim, const MrTree *step) {
        const SimNode *node = sim_node(sim, text(step, "instance"));

        if (sim->in_deletion)
                check_needed(sim, node);
        if (!sim->in_deletion && (!node || !may_go(sim, node)))
                sim_violated(sim, "%s was removed, and the resource is still wanted",
                             text(step, "instance"));
        sim_node_remove(sim, text(step, "instance"));
        mr_tree_remove(sim->instances, text(step, "instance"));
        sim_happened(sim, "remove", "Unit");
}

static void remove_file(Sim *sim, const MrTree *step) {
        MrTree *instance = mr_tree_get(sim->instances, text(step, "instance"));

        mr_tree_remove(mr_tree_get(instance, "files"), text(step, "name"));
        if (mr_tree_size(mr_tree_get(instance, "files")) == 0 && !mr_tree_get(instance, "unit")) {
                sim_node_remove(sim, text(step, "instance"));
                mr_tree_remove(sim->instances, text(step, "instance"));
        }
        sim_happened(sim, "remove", "File");
}

static void check_hold(Sim *sim, const MrTree *step) {
        _cleanup_(mr_tree_freep) MrTree *holds = NULL;

        (void) store_holds(sim->store, NULL, &holds, NULL);
        for (size_t i = 0; i < mr_tree_size(holds); i++)
                if (mr_streq(text(mr_tree_at(holds, i), "node"), text(step, "instance")) &&
                    now_realtime_sec() - mr_tree_get_int(mr_tree_at(holds, i), "since", 0) > 2)
                        sim_violated(sim, "%s %s, which is held", text(step, "op"),
                                     text(step, "instance"));
}

static void start_node(Sim *sim, const MrTree *step) {
        check_hold(sim, step);
        SimNode *node = sim_node(sim, text(step, "instance"));
        if (!node || !mr_tree_get(mr_tree_get(sim->instances, text(step, "instance")), "unit")) {
                sim_violated(sim, "%s was started without a unit", text(step, "instance"));
                return;
        }
        sim_node_start(sim, node);
        sim_happened(sim, "start", NULL);
}

static void restart_node(Sim *sim, const MrTree *step) {
        SimNode *node = sim_node(sim, text(step, "instance"));
        const char *why;

        check_hold(sim, step);
        if (!node)
                return;
        why = sim_node_spared(sim, node);
        if (why)
                sim_violated(sim, "%s was restarted: %s", node->instance, why);
        node->by_us = true;
        sim_node_restart(sim, node, SIM_MSEC * (100 + sim_random(sim, 900)));
        sim_happened(sim, "restart", NULL);
}

static void stop_node(Sim *sim, const MrTree *step) {
        SimNode *node = sim_node(sim, text(step, "instance"));
        const char *why;

        check_hold(sim, step);
        if (!node)
                return;
        why = sim_node_spared(sim, node);
        if (why)
                sim_violated(sim, "%s was stopped: %s", node->instance, why);
        node->by_us = true;
        sim_node_down(sim, node, SIM_DOWN);
        sim_happened(sim, "stop", NULL);
}

static void distribution_ready(Sim *sim, void *data) {
        MrTree *entry = data;

        mr_tree_set_string(entry, "state", "ready");
        mr_tree_set_string(entry, "directory", "/opt/distribution");
        sim_host_changed(sim);
}

static void ensure_distribution(Sim *sim, const MrTree *step) {
        sim_happened(sim, "create", "Distribution");
        for (size_t i = 0; i < mr_tree_size(sim->distributions); i++) {
                MrTree *entry = mr_tree_at(sim->distributions, i);
                if (!mr_streq(text(entry, "version"), text(step, "version")) ||
                    mr_streq(text(entry, "state"), "ready"))
                        continue;
                mr_tree_set_string(entry, "state", "fetching");
                sim_at(sim, SIM_SEC, distribution_ready, entry);
        }
}

static void (*const operations[_HOST_OP_MAX])(Sim *sim, const MrTree *step) = {
        [HOST_CLAIM_CREATE] = create_claim, [HOST_CLAIM_REMOVE] = remove_claim,
        [HOST_FILE_WRITE] = write_file,     [HOST_FILE_REMOVE] = remove_file,
        [HOST_UNIT_WRITE] = write_unit,     [HOST_UNIT_REMOVE] = remove_unit,
        [HOST_START] = start_node,          [HOST_STOP] = stop_node,
        [HOST_RESTART] = restart_node,      [HOST_DISTRIBUTION_ENSURE] = ensure_distribution,
};

static void carry_out(Sim *sim, const MrTree *step) {
        const char *op = text(step, "op");
        const char *on = text(step, "instance") ? text(step, "instance") : text(step, "claim");

        sim_note(sim, "%s %s %s", op, on ? on : "", text(step, "name") ? text(step, "name") : "");
        for (HostOp i = 0; i < _HOST_OP_MAX; i++)
                if (operations[i] && mr_streq(host_op_name(i), op)) {
                        sim->operations |= 1U << i;
                        operations[i](sim, step);
                        return;
                }
        sim_violated(sim, "the host does not know the operation %s", op);
}

static void end_apply(Sim *sim, Call *call) {
        _cleanup_error_ MrError err = {};
        bool failed = call->at == call->fails_at;

        if (!call->platform->is_gone && !sim->is_ending) {
                int r = failed ? mr_fail(&err, sim_chance(sim, 20) ? MR_DENIED : MR_TRANSIENT, NULL,
                                         "%s", call->why)
                               : 0;
                call->applied(call->userdata, r, &err, call->at);
        }
        mr_tree_free(call->batch);
        free(call);
}

/* Why the host cannot do it; NULL: it can. */
static const char *refusal(Sim *sim, const MrTree *step) {
        return mr_streq(text(step, "op"), host_op_name(HOST_CLAIM_CREATE)) &&
                               sim_disk_is_wanted(step)
                       ? sim_disk_take(sim, text(step, "claim"))
                       : NULL;
}

/* Step after step; a batch goes on when the daemon has gone, unless it went with the machine. */
static void apply_next(Sim *sim, void *data) {
        Call *call = data;
        const MrTree *steps = mr_tree_get(call->batch, "steps");

        if (call->at == call->fails_at || call->at == mr_tree_size(steps) || sim->is_ending ||
            (call->platform->is_gone && sim->cut_batch)) {
                end_apply(sim, call);
                return;
        }
        const char *why = refusal(sim, mr_tree_at(steps, call->at));
        if (why) {
                call->why = why;
                call->fails_at = call->at;
        } else
                carry_out(sim, mr_tree_at(steps, call->at++));
        sim_at(sim, SIM_MSEC, apply_next, call);
}

static uint64_t seen_by(const Sim *sim) {
        const Engine *engine = sim->engine;
        const Tracked *tracked = engine && engine->current < engine->n_tracked
                                         ? engine->tracked[engine->current]
                                         : NULL;
        uint64_t since = tracked ? views_since(tracked->views) : 0;

        return since ? since - (now_usec() - sim->now) : 0;
}

static int sim_apply_batch(MrPlatform *platform, const MrAction *actions, size_t n, MrApplied done,
                           void *userdata, MrError *err) {
        Sim *sim = platform->sim;
        _cleanup_(mr_tree_freep) MrTree *tree = batch_of_actions(actions, n, HOST_PROTOCOL);
        _cleanup_buf_ MrBuf json = {};
        MrTree *batch = NULL;

        sim->batches++;
        if (!sim->observed_well)
                sim_violated(sim, "a batch was begun after an observation that failed");
        mr_json_write(tree, 0, &json);
        int r = mr_json_read(mr_buf_text(&json), json.size, "batch", &batch, err);
        if (r < 0)
                return r;
        Call *call = mr_new(Call, 1);
        *call = (Call){.platform = platform,
                       .applied = done,
                       .userdata = userdata,
                       .batch = batch,
                       .fails_at = SIZE_MAX,
                       .why = "the disk is full"};
        if (sim_chance(sim, sim->apply_fails))
                call->fails_at = sim->fails_at_once ? 0 : sim_random(sim, n);
        sim->batch_seen_usec = seen_by(sim);
        sim_at(sim, SIM_MSEC, apply_next, call);
        return 0;
}

/* --- the platform */

static int sim_open(const MrPlatformOps *ops _unused_, const MrPlatformArgs *args, MrPlatform **ret,
                    MrError *err _unused_) {
        MrPlatform *platform = mr_new(MrPlatform, 1);

        *platform = (MrPlatform){.sim = sim_now, .args = *args};
        sim_now->platform = platform;
        *ret = platform;
        return 0;
}

static void free_platform(Sim *sim _unused_, void *data) {
        free(data);
}

static void sim_close(MrPlatform *platform) {
        Sim *sim = platform->sim;

        platform->is_gone = true;
        if (sim->platform == platform)
                sim->platform = NULL;
        /* Calls under way still refer to it. */
        sim_at(sim, 3600 * SIM_SEC, free_platform, platform);
}

static void tell_changed(Sim *sim, void *data _unused_) {
        if (sim->platform && !sim->is_ending)
                sim->platform->args.changed(sim->platform->args.userdata, NULL);
}

void sim_host_changed(Sim *sim) {
        sim_at(sim, SIM_MSEC * (1 + sim_random(sim, 10)), tell_changed, NULL);
}

void sim_host_init(Sim *sim) {
        const MrPlugin *real = plugins_find_platform(&sim->plugins, "rhel-baremetal");
        static const char *const versions[] = {"3.9.1", "4.3.1"};

        sim->instances = mr_tree_new_map();
        sim->claims = mr_tree_new_map();
        sim->contents = mr_tree_new_map();
        sim->distributions = mr_tree_new_list();
        for (size_t i = 0; i < MR_ELEMENTS(versions); i++) {
                MrTree *entry = mr_tree_append(sim->distributions, mr_tree_new_map());
                mr_tree_set_string(entry, "software", "kafka");
                mr_tree_set_string(entry, "version", versions[i]);
                mr_tree_set_string(entry, "state", "absent");
        }
        sim->ops = *real->platform;
        sim->ops.open = sim_open;
        sim->ops.close = sim_close;
        sim->ops.observe = sim_observe;
        sim->ops.apply = sim_apply_batch;
        sim->plugin = *real;
        sim->plugin.platform = &sim->ops;
}
