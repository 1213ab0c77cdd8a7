/* What the local API asks of the engine. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/secret.h"
#include "engine-private.h"
#include "model/annotations.h"
#include "reconcile/record.h"
#include "sdk/str.h"

static int find(Engine *engine, const char *kind, const char *ns, const char *name, Tracked **ret,
                MrError *err) {
        *ret = engine_find(engine, kind, ns, name);
        if (*ret)
                return 0;
        (void) mr_fail(err, MR_INVALID, NULL, "there is no %s %s/%s", kind, ns, name);
        return -ENOENT;
}

int engine_plan(Engine *engine, const char *kind, const char *ns, const char *name, MrTree **ret,
                MrError *err) {
        Tracked *tracked;

        int r = find(engine, kind, ns, name, &tracked, err);
        if (r < 0)
                return r;
        *ret = mr_tree_new_map();
        mr_tree_set(*ret, "steps",
                    tracked->steps ? mr_tree_copy(tracked->steps) : mr_tree_new_list());
        mr_tree_set_string(*ret, "error", tracked->error);
        return 0;
}

int engine_record(Engine *engine, const char *kind, const char *ns, const char *name, MrTree **ret,
                  MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrPairs holds = {}, restarts = {}, discards = {};
        Tracked *tracked;

        int r = find(engine, kind, ns, name, &tracked, err);
        if (r >= 0 &&
            (!tracked->document || !mr_kind_is_planned(tracked->document->resource.kind) ||
             !engine->has_observation))
                r = mr_fail(err, MR_TRANSIENT, NULL, "%s has no pass that could be recorded: %s",
                            tracked->key,
                            !engine->has_observation ? "the platform was not observed yet"
                                                     : "it is part of another, or not valid");
        if (r >= 0)
                r = engine_holds(engine, ns, arena, &holds, err);
        if (r >= 0)
                r = engine_asked(engine, "restart", ns, arena, &restarts, err);
        if (r >= 0)
                r = engine_asked(engine, "discard", ns, arena, &discards, err);
        _cleanup_(facts_freep) MrFacts *facts = r < 0 ? NULL : engine_facts(engine, tracked, err);
        if (!facts)
                return r < 0 ? r : -EAGAIN;
        RecordArgs args = {
                .registry = engine->args.registry,
                .platform = engine->args.platform->platform,
                .document = tracked->document,
                .facts = facts,
                .observed = engine->observation.found,
                .holds = &holds,
                .restarts = &restarts,
                .discards = &discards,
                .paused = resource_is_paused(&tracked->document->resource) ? ENGINE_PAUSED : NULL,
                .grace_sec = engine->args.grace_sec,
        };
        return record_make(&args, ret, err);
}

/* When the certificate of a node ends, if it has one. */
static void add_certificate(Engine *engine, const char *ns, MrTree *node) {
        const char *name = mr_tree_get_string(node, "name");
        _cleanup_free_ char *key = mr_strf("%s.crt", name);
        _cleanup_buf_ MrBuf pem = {};
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        if (!engine_secret(engine, ns, name, key, &pem) ||
            certificate_facts_read(mr_buf_text(&pem), &facts, NULL) < 0)
                return;
        mr_tree_set_int(mr_tree_need_map(node, "certificate"), "notAfter", facts.not_after);
        mr_tree_set_string(mr_tree_need_map(node, "certificate"), "issuer", facts.issuer);
}

int engine_describe(Engine *engine, const char *kind, const char *ns, const char *name,
                    MrTree **ret, MrError *err) {
        _cleanup_resource_ StoreResource stored = {};
        Tracked *tracked;

        int r = find(engine, kind, ns, name, &tracked, err);
        if (r >= 0)
                r = store_get(engine->args.store, kind, ns, name, &stored, err);
        if (r < 0)
                return r;
        *ret = tracked->snapshot ? mr_tree_copy(tracked->snapshot) : mr_tree_new_map();
        MrTree *nodes = mr_tree_need_list(*ret, "nodes");
        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                add_certificate(engine, ns, mr_tree_at(nodes, i));
        mr_tree_set_string(*ret, "kind", kind);
        mr_tree_set_string(*ret, "namespace", ns);
        mr_tree_set_string(*ret, "name", name);
        mr_tree_set_string(*ret, "source", stored.source);
        mr_tree_set_string(*ret, "platform", engine->args.platform->name);
        mr_tree_set_string(*ret, "error",
                           engine->platform_error ? engine->platform_error : tracked->error);
        mr_tree_set(*ret, "status", mr_tree_copy(mr_tree_get(stored.tree, "status")));
        mr_tree_set(*ret, "steps",
                    tracked->steps ? mr_tree_copy(tracked->steps) : mr_tree_new_list());
        mr_tree_set(*ret, "events", events_of(engine->events, tracked->key));
        return 0;
}

int engine_events(Engine *engine, const char *kind, const char *ns, const char *name, MrTree **ret,
                  MrError *err) {
        Tracked *tracked;

        int r = find(engine, kind, ns, name, &tracked, err);
        if (r < 0)
                return r;
        *ret = events_of(engine->events, tracked->key);
        return 0;
}

static bool is_node_of(const Tracked *tracked, const char *ns, const char *node) {
        const MrTree *nodes = mr_tree_get(tracked->snapshot, "nodes");

        if (!tracked->document || !mr_streq(tracked->document->resource.ns, ns))
                return false;
        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(nodes, i), "name"), node))
                        return true;
        return false;
}

static int restart_all(Engine *engine, const Tracked *tracked, const char *reason, MrError *err) {
        const MrTree *nodes = mr_tree_get(tracked->snapshot, "nodes");
        int r = 0;

        for (size_t i = 0; r >= 0 && i < mr_tree_size(nodes); i++)
                r = engine_ask(engine, "restart", tracked->document->resource.ns,
                               mr_tree_get_string(mr_tree_at(nodes, i), "name"), reason, err);
        return r;
}

int engine_restart(Engine *engine, const char *ns, const char *cluster, const char *node,
                   const char *reason, MrError *err) {
        bool is_found = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < engine->n_tracked; i++) {
                const Tracked *tracked = engine->tracked[i];
                if (node ? !is_node_of(tracked, ns, node)
                         : !tracked->document || !mr_streq(tracked->document->resource.ns, ns) ||
                                    !mr_streq(tracked->document->resource.name, cluster) ||
                                    mr_tree_size(mr_tree_get(tracked->snapshot, "nodes")) == 0)
                        continue;
                is_found = true;
                r = node ? engine_ask(engine, "restart", ns, node, reason, err)
                         : restart_all(engine, tracked, reason, err);
        }
        if (r < 0)
                return r;
        if (!is_found) {
                (void) mr_fail(err, MR_INVALID, NULL, "there is no %s %s in namespace %s",
                               node ? "node" : "cluster", node ? node : cluster, ns);
                return -ENOENT;
        }
        engine_kick(engine);
        return 0;
}

int engine_health(Engine *engine, bool ready, MrError *err) {
        if (!ready)
                return 0;
        if (engine->platform_error)
                return mr_fail(err, MR_TRANSIENT, NULL, "%s", engine->platform_error);
        /* A replica that could take over at once is as ready as it can be. */
        if (engine->waits_for)
                return 0;
        if (!engine->first_round_done)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the first pass over everything is not done yet");
        return 0;
}

static size_t count_ready(const Engine *engine, size_t *ret_nodes) {
        size_t n_ready = 0;

        *ret_nodes = 0;
        for (size_t i = 0; i < engine->n_tracked; i++) {
                const MrTree *nodes = mr_tree_get(engine->tracked[i]->snapshot, "nodes");
                *ret_nodes += mr_tree_size(nodes);
                for (size_t k = 0; k < mr_tree_size(nodes); k++)
                        n_ready += mr_tree_get_bool(mr_tree_at(nodes, k), "ready", false);
        }
        return n_ready;
}

static void metric(MrBuf *out, const char *name, const char *type, const char *help,
                   uint64_t value) {
        mr_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                      (unsigned long long) value);
}

void engine_metrics(Engine *engine, MrBuf *out) {
        size_t n_nodes, n_ready = count_ready(engine, &n_nodes), n_settled = 0;

        for (size_t i = 0; i < engine->n_tracked; i++)
                n_settled += engine->tracked[i]->is_settled;
        metric(out, "millrace_rounds_total", "counter", "Rounds of observing and planning.",
               engine->n_rounds);
        metric(out, "millrace_steps_total", "counter", "Steps carried out.", engine->n_steps);
        metric(out, "millrace_failures_total", "counter", "Steps and passes that failed.",
               engine->n_failures);
        metric(out, "millrace_resources", "gauge", "Resources under care.", engine->n_tracked);
        metric(out, "millrace_resources_settled", "gauge",
               "Resources for which nothing is left to do.", n_settled);
        metric(out, "millrace_nodes", "gauge", "Nodes that should run.", n_nodes);
        metric(out, "millrace_nodes_ready", "gauge", "Nodes that do their work.", n_ready);
        metric(out, "millrace_platform_reachable", "gauge", "1 while the platform can be observed.",
               !engine->platform_error);
}
