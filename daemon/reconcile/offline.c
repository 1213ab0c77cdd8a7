/* Plans on paper. The world is empty: nothing was found, nothing runs. */

#include "offline.h"

#include "desire.h"
#include "ignored.h"
#include "model/facts.h"
#include "plan.h"
#include "str.h"

/* A plan on paper is made at a fixed time, so that it is the same tomorrow. */
#define PAPER_TIME 1767225600

static void add_warnings(const OfflineArgs *args, const Document *document, MrTree *warnings) {
        size_t n = mr_tree_size(warnings);

        if (!warnings)
                return;
        ignored_warnings(document, args->platform->platform, warnings);
        for (; n < mr_tree_size(warnings); n++)
                mr_tree_set_string(mr_tree_at(warnings, n), "source", document->source);
}

static void add_notes(const Document *document, const Desire *desire, MrTree *warnings) {
        for (size_t i = 0; warnings && i < mr_parts_warnings(desire->parts) +
                                                       mr_manifests_warnings(desire->wanted);
             i++) {
                size_t n = mr_parts_warnings(desire->parts);
                const char *reason, *message;
                if (i < n)
                        mr_parts_warning_at(desire->parts, i, &reason, &message);
                else
                        mr_manifests_warning_at(desire->wanted, i - n, &reason, &message);
                MrTree *entry = mr_tree_append(warnings, mr_tree_new_map());
                mr_tree_set_string(entry, "source", document->source);
                mr_tree_set_string(entry, "reason", reason);
                mr_tree_set_string(entry, "message", message);
        }
}

static void print_plan(const OfflineArgs *args, const Document *document, const Desire *desire,
                       const Plan *plan, MrTree *json, MrBuf *out) {
        _cleanup_free_ char *key = mr_resource_key(document->resource.kind->name,
                                                   document->resource.ns, document->resource.name);

        if (args->format == OFFLINE_MANIFESTS) {
                manifests_print(desire->wanted, out);
                return;
        }
        if (args->format == OFFLINE_JSON) {
                MrTree *entry = mr_tree_append(json, mr_tree_new_map());
                mr_tree_set_string(entry, "resource", key);
                mr_tree_set(entry, "steps", plan_to_tree(plan));
                return;
        }
        mr_buf_printf(out, "# %s\n", key);
        plan_print_text(plan, out);
}

static int plan_one(const OfflineArgs *args, const MrFacts *facts, const Document *document,
                    MrTree *json, MrBuf *out, MrTree *warnings, MrError *err) {
        _cleanup_(desire_freep) Desire *desire = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;

        add_warnings(args, document, warnings);
        if (!mr_kind_is_planned(document->resource.kind))
                return 0;
        int r = desire_make(args->registry, args->platform->platform, document, facts, NULL,
                            &desire, err);
        if (r < 0) {
                const MrTree *place = err && err->path
                                              ? mr_tree_find(document->tree, err->path, true)
                                              : document->tree;
                return mr_error_at(err, r, document->source, mr_tree_line(place),
                                   mr_tree_column(place));
        }
        PlanInput input = {
                .wanted = desire->wanted,
                .found = desire->found,
                .facts = facts,
                .health = &desire->health,
                .owner = desire->owner,
        };
        r = plan_make(&input, &plan, err);
        if (r < 0)
                return r;
        add_notes(document, desire, warnings);
        print_plan(args, document, desire, plan, json, out);
        return 0;
}

/* Resources of one namespace see each other, and what belongs to none. */
static MrFacts *paper_facts(const OfflineArgs *args, const char *ns) {
        MrFacts *facts = facts_new(PAPER_TIME, args->platform->name);

        if (mr_tree_size(args->host) > 0)
                facts_set_host(facts, args->host);
        for (size_t i = 0; i < args->n_documents; i++)
                if (mr_streq(args->documents[i]->resource.ns, ns) ||
                    args->documents[i]->resource.kind->is_global)
                        facts_add_resource(facts, &args->documents[i]->resource);
        return facts;
}

int offline_plan(const OfflineArgs *args, MrBuf *out, MrTree *warnings, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *json = mr_tree_new_list();
        _cleanup_(facts_freep) MrFacts *facts = NULL;
        const char *ns = NULL;

        for (size_t i = 0; i < args->n_documents; i++) {
                const Document *document = args->documents[i];
                if (!facts || !mr_streq(ns, document->resource.ns)) {
                        facts_free(facts);
                        ns = document->resource.ns;
                        facts = paper_facts(args, ns);
                }
                int r = plan_one(args, facts, document, json, out, warnings, err);
                if (r < 0)
                        return r;
        }
        if (args->format == OFFLINE_JSON)
                mr_json_write(json, MR_JSON_PRETTY, out);
        return 0;
}
