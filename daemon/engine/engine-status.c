/* From a pass to the status of its resource: conditions as Strimzi has them, and the operands' own
 * fields. */

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/message-ids.h"
#include "engine-private.h"
#include "model/annotations.h"
#include "reconcile/ignored.h"
#include "sdk/str.h"

/* The transition time of a condition that says the same as before is kept. */
static const char *earlier_time(const MrTree *old, const char *type, const char *status,
                                const char *message) {
        const MrTree *conditions = mr_tree_get(old, "conditions");

        for (size_t i = 0; i < mr_tree_size(conditions); i++) {
                const MrTree *condition = mr_tree_at(conditions, i);
                if (mr_streq(mr_tree_get_string(condition, "type"), type) &&
                    mr_streq(mr_tree_get_string(condition, "status"), status) &&
                    (!message || mr_streq(mr_tree_get_string(condition, "message"), message)))
                        return mr_tree_get_string(condition, "lastTransitionTime");
        }
        return NULL;
}

static void add_condition(MrTree *status, const MrTree *old, const char *type, const char *value,
                          const char *reason, const char *message) {
        bool is_warning = mr_streq(type, "Warning");
        MrTree *condition =
                mr_tree_append(mr_tree_need_list(status, "conditions"), mr_tree_new_map());
        const char *since = earlier_time(old, type, value, is_warning ? message : NULL);
        char now[TIME_TEXT_MAX];

        time_text(now_realtime_sec(), now);
        mr_tree_set_string(condition, "type", type);
        mr_tree_set_string(condition, "status", value);
        mr_tree_set_string(condition, "reason", reason);
        mr_tree_set_string(condition, "message", message);
        mr_tree_set_string(condition, "lastTransitionTime", since ? since : now);
}

static const MrNodeHealth *health_of(const Desire *desire, const char *node) {
        for (size_t i = 0; i < desire->health.n; i++)
                if (mr_streq(desire->health.items[i].node, node))
                        return &desire->health.items[i];
        return NULL;
}

/* The first node that is not ready, in words, or NULL; `broken`: only one that does not run and
 * says why. */
static char *what_nodes_miss(const Desire *desire, const MrFacts *facts, bool broken) {
        for (size_t i = 0; i < mr_manifests_nodes(desire->wanted); i++) {
                const char *node = mr_manifests_node_at(desire->wanted, i)->node;
                const MrNodeHealth *health = health_of(desire, node);
                const MrNodeFact *fact = mr_facts_node(facts, node);
                bool runs = fact && fact->state == MR_NODE_RUNNING,
                     says = fact && !runs && !mr_is_empty(fact->message);
                if (broken ? !says : runs && (!health || health->is_ready))
                        continue;
                const char *why = says ? fact->message
                                  : health && health->waits
                                          ? health->waits
                                          : mr_node_state_name(fact ? fact->state : MR_NODE_ABSENT);
                return mr_strf("%s: %s", node, why);
        }
        return NULL;
}

/* A node whose turn has not come is ready all the same, and what is to go is in nobody's way. */
static bool is_kept_waiting(const Step *step) {
        return step->waits && step->verb != MR_VERB_REMOVE && step->verb != MR_VERB_RESTART;
}

static bool is_first_to_wait_so(const Plan *plan, size_t at) {
        for (size_t i = 0; i < at; i++)
                if (is_kept_waiting(plan_at(plan, i)) &&
                    mr_streq(plan_at(plan, i)->waits, plan_at(plan, at)->waits))
                        return false;
        return true;
}

/* More reasons to wait than this are counted, not named. */
#define REASONS_MAX 3

/* One step for each thing that is waited for, or NULL. */
static char *what_waits(const Plan *plan) {
        _cleanup_buf_ MrBuf text = {};
        size_t n = 0;

        for (size_t i = 0; i < plan_size(plan); i++) {
                const Step *step = plan_at(plan, i);
                if (is_kept_waiting(step) && is_first_to_wait_so(plan, i) && n++ < REASONS_MAX)
                        mr_buf_printf(&text, "%s%s %s waits: %s", n > 1 ? "; " : "",
                                      mr_verb_name(step->verb), step->subject, step->waits);
        }
        if (n > REASONS_MAX)
                mr_buf_printf(&text, "; and %zu more", n - REASONS_MAX);
        return n > 0 ? mr_buf_take(&text) : NULL;
}

/* In words, what keeps the resource from being ready, or NULL. */
static char *what_is_missing(const Desire *desire, const Plan *plan, const MrFacts *facts) {
        char *why = what_waits(plan);

        if (why)
                return why;
        why = what_nodes_miss(desire, facts, true);
        if (!why)
                why = what_nodes_miss(desire, facts, false);
        if (why)
                return why;
        for (size_t i = 0; i < plan_size(plan); i++)
                if (!plan_at(plan, i)->waits && !plan_at(plan, i)->is_repair)
                        return mr_strf("%s %s: %s", mr_verb_name(plan_at(plan, i)->verb),
                                       plan_at(plan, i)->subject, plan_at(plan, i)->reason);
        return NULL;
}

/* Warnings of the document, of the operands and of the platform; fields without effect yet are told
 * in one condition. */
static void add_warnings(Engine *engine, MrTree *status, const MrTree *old,
                         const Document *document, const Desire *desire) {
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list();
        _cleanup_buf_ MrBuf not_yet = {};

        ignored_warnings(document, engine->args.platform->platform, warnings);
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *warning = mr_tree_at(warnings, i);
                const char *path = mr_tree_get_string(warning, "path"),
                           *reason = mr_tree_get_string(warning, "reason");
                if (mr_streq(reason, "NotYet")) {
                        mr_buf_printf(&not_yet, "%s%s", not_yet.size ? ", " : "", path);
                        continue;
                }
                _cleanup_free_ char *message = mr_strf("%s%s%s", path ? path : "", path ? " " : "",
                                                       mr_tree_get_string(warning, "message"));
                add_condition(status, old, "Warning", "True", reason ? reason : "Surprise",
                              message);
        }
        if (not_yet.size > 0) {
                mr_buf_puts(&not_yet, " has no effect in this version");
                add_condition(status, old, "Warning", "True", "NotYet", mr_buf_text(&not_yet));
        }
        if (!desire)
                return;
        for (size_t i = 0;
             i < mr_parts_warnings(desire->parts) + mr_manifests_warnings(desire->wanted); i++) {
                size_t n = mr_parts_warnings(desire->parts);
                const char *reason, *message;
                if (i < n)
                        mr_parts_warning_at(desire->parts, i, &reason, &message);
                else
                        mr_manifests_warning_at(desire->wanted, i - n, &reason, &message);
                add_condition(status, old, "Warning", "True", reason, message);
        }
}

static void write_status(Engine *engine, const Tracked *tracked, const MrTree *status) {
        const MrResource *resource = &tracked->document->resource;
        _cleanup_error_ MrError err = {};
        int r = store_update_status(engine->args.store, resource->kind->name, resource->ns,
                                    resource->name, status, 0, &err);

        if (r < 0 && err.kind == MR_INVALID)
                return;
        /* A full disk is told once, not with every round. */
        if (r < 0 && !mr_streq(engine->status_error, err.message))
                log_warning(NULL, NULL, "Cannot write the status of %s: %s", tracked->key,
                            err.message);
        free(engine->status_error);
        engine->status_error = r < 0 ? mr_strdup(err.message) : NULL;
}

static MrTree *old_status(Engine *engine, const Tracked *tracked) {
        const MrResource *resource = &tracked->document->resource;
        _cleanup_resource_ StoreResource stored = {};

        if (store_get(engine->args.store, resource->kind->name, resource->ns, resource->name,
                      &stored, NULL) < 0)
                return NULL;
        return mr_tree_copy(mr_tree_get(stored.tree, "status"));
}

static void report_status(Engine *engine, Tracked *tracked, const Desire *desire,
                          const char *missing) {
        _cleanup_(mr_tree_freep) MrTree *old = old_status(engine, tracked), *status = NULL;

        status = desire ? mr_tree_copy(desire->status) : mr_tree_new_map();
        if (missing)
                add_condition(status, old, "Ready", "False", tracked->error ? "Error" : "Creating",
                              missing);
        else
                add_condition(status, old, "Ready", "True", NULL, NULL);
        if (resource_is_paused(&tracked->document->resource))
                add_condition(status, old, "ReconciliationPaused", "True", NULL,
                              "nothing is done while the annotation " ANNOTATION_PAUSE " is true");
        add_warnings(engine, status, old, tracked->document, desire);
        mr_tree_set_int(status, "observedGeneration", tracked->document->resource.generation);
        write_status(engine, tracked, status);
}

static void add_ports(MrTree *node, const Desire *desire, const char *name) {
        for (size_t i = 0; i < mr_parts_size(desire->parts); i++) {
                const MrPart *part = mr_parts_at(desire->parts, i);
                if (part->kind != MR_PART_ENDPOINT || !mr_streq(part->endpoint.node, name))
                        continue;
                const MrAddress *address =
                        mr_manifests_find_address(desire->wanted, name, part->endpoint.name);
                if (address)
                        mr_tree_set_int(mr_tree_need_map(node, "ports"), part->endpoint.name,
                                        address->port);
        }
}

static void add_storage(MrTree *node, const Desire *desire, const char *name) {
        for (size_t i = 0; i < mr_parts_size(desire->parts); i++) {
                const MrPart *part = mr_parts_at(desire->parts, i);
                if (part->kind != MR_PART_VOLUME || !mr_streq(part->volume.node, name))
                        continue;
                MrTree *entry =
                        mr_tree_append(mr_tree_need_list(node, "storage"), mr_tree_new_map());
                mr_tree_set_string(entry, "claim", part->volume.claim);
                mr_tree_set_int(entry, "size", (int64_t) part->volume.size);
                mr_tree_set_bool(entry, "ephemeral", part->volume.is_ephemeral);
        }
}

/* What `millctl describe` shows of one node. */
static void add_node(MrTree *list, const Desire *desire, const MrNodeWanted *wanted,
                     const MrFacts *facts) {
        MrTree *node = mr_tree_append(list, mr_tree_new_map());
        const MrNodeHealth *health = health_of(desire, wanted->node);
        const MrNodeFact *fact = mr_facts_node(facts, wanted->node);

        mr_tree_set_string(node, "name", wanted->node);
        mr_tree_set_string(node, "group", wanted->group);
        mr_tree_set_string(node, "role", wanted->role);
        mr_tree_set_string(node, "state", mr_node_state_name(fact ? fact->state : MR_NODE_ABSENT));
        mr_tree_set_bool(node, "ready",
                         fact && fact->state == MR_NODE_RUNNING && (!health || health->is_ready));
        mr_tree_set_string(node, "waits", health && !health->is_ready ? health->waits : NULL);
        if (fact) {
                mr_tree_set_string(node, "unit", fact->where);
                mr_tree_set_string(node, "address", fact->address);
                mr_tree_set_string(node, "message",
                                   mr_is_empty(fact->message) ? NULL : fact->message);
                mr_tree_set_int(node, "since", fact->since);
                mr_tree_set_int(node, "restarts", fact->restarts);
                mr_tree_set_int(node, "pid", fact->pid);
        }
        add_ports(node, desire, wanted->node);
        add_storage(node, desire, wanted->node);
}

static const MrTree *node_named(const MrTree *nodes, const char *name) {
        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(nodes, i), "name"), name))
                        return mr_tree_at(nodes, i);
        return NULL;
}

/* A node that ended by itself and was started again is nobody's step, but it is told like one. */
static void tell_revivals(Engine *engine, const Tracked *tracked, const MrTree *nodes) {
        for (size_t i = 0; i < mr_tree_size(nodes); i++) {
                const MrTree *node = mr_tree_at(nodes, i),
                             *old = node_named(mr_tree_get(tracked->snapshot, "nodes"),
                                               mr_tree_get_string(node, "name"));
                bool ran = mr_streq(mr_tree_get_string(old, "state"), "running");
                if (old &&
                    mr_tree_get_int(old, "restarts", 0) < mr_tree_get_int(node, "restarts", 0))
                        engine_tell_revival(engine, tracked, node,
                                            ran ? NULL : mr_tree_get_string(old, "message"));
        }
}

static void snapshot(Engine *engine, Tracked *tracked, const Desire *desire, const MrFacts *facts) {
        MrTree *tree = mr_tree_new_map(), *nodes = mr_tree_need_list(tree, "nodes");

        for (size_t i = 0; i < mr_manifests_nodes(desire->wanted); i++)
                add_node(nodes, desire, mr_manifests_node_at(desire->wanted, i), facts);
        tell_revivals(engine, tracked, nodes);
        if (!mr_tree_equal(tree, tracked->snapshot))
                tracked->changed_usec = now_usec();
        mr_tree_free(tracked->snapshot);
        tracked->snapshot = tree;
}

/* Pools and their like get their status with their owner's. */
static void report_members(Engine *engine, const Tracked *owner, const Desire *desire,
                           const MrFacts *facts, const char *missing) {
        for (size_t i = 0; i < engine->n_tracked; i++) {
                Tracked *member = engine->tracked[i];
                if (!member->document)
                        continue;
                const MrResource *resource = &member->document->resource;
                const char *label = resource->kind->owner_label;
                if (!mr_streq(resource->kind->owner_kind, owner->document->resource.kind->name) ||
                    !mr_streq(resource->ns, owner->document->resource.ns) ||
                    !mr_streq(mr_pairs_get(&resource->labels, label),
                              owner->document->resource.name))
                        continue;
                _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map(),
                                                *old = old_status(engine, member);
                for (size_t k = 0; k < registry_operands(engine->args.registry); k++) {
                        const MrOperandOps *ops = registry_operand_at(engine->args.registry, k);
                        const void *spec =
                                document_spec_for(engine->args.registry, member->document, k);
                        if (spec && ops->status)
                                (void) ops->status(resource, spec, facts, status, NULL);
                }
                (void) desire;
                add_condition(status, old, "Ready", missing ? "False" : "True", NULL, missing);
                add_warnings(engine, status, old, member->document, NULL);
                mr_tree_set_int(status, "observedGeneration", resource->generation);
                write_status(engine, member, status);
        }
}

void engine_report(Engine *engine, Tracked *tracked, const Desire *desire, const Plan *plan,
                   const MrFacts *facts) {
        _cleanup_free_ char *missing = what_is_missing(desire, plan, facts);

        if (!missing && views_are_outdated(tracked->views))
                missing = mr_strdup("what was altered is read back");
        if (!missing && tracked->error)
                missing = mr_strdup(tracked->error);
        snapshot(engine, tracked, desire, facts);
        report_status(engine, tracked, desire, missing);
        report_members(engine, tracked, desire, facts, missing);
}

void engine_report_error(Engine *engine, Tracked *tracked, int r, const MrError *err) {
        _cleanup_free_ char *text = err->message ? mr_error_text(err) : mr_strdup(strerror(-r));

        free(tracked->error);
        tracked->error = mr_strdup(text);
        tracked->error_kind = mr_error_kind(err, r);
        if (tracked->document)
                report_status(engine, tracked, NULL, text);
}
