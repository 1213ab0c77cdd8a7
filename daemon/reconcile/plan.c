/* The list of steps, and how it prints itself. */

#include "plan.h"

#include <string.h>

#include "str.h"

struct Plan {
        MrArena *arena;
        Step *steps;
        size_t n, allocated;
        int64_t recheck;
};

Plan *plan_new(void) {
        Plan *plan = mr_new(Plan, 1);

        plan->arena = mr_arena_new();
        return plan;
}

Plan *plan_free(Plan *plan) {
        if (!plan)
                return NULL;
        mr_arena_free(plan->arena);
        free(plan->steps);
        free(plan);
        return NULL;
}

MrArena *plan_arena(Plan *plan) {
        return plan->arena;
}

Step *plan_add(Plan *plan, Step step) {
        MR_GROW(plan->steps, plan->n, plan->allocated);
        plan->steps[plan->n] = step;
        return &plan->steps[plan->n++];
}

void plan_hold(Plan *plan, const char *reason) {
        const char *waits = mr_arena_strdup(plan->arena, reason);

        for (size_t i = 0; i < plan->n; i++)
                plan->steps[i].waits = waits;
        plan->recheck = 0;
}

size_t plan_size(const Plan *plan) {
        return plan->n;
}

const Step *plan_at(const Plan *plan, size_t i) {
        return i < plan->n ? &plan->steps[i] : NULL;
}

size_t plan_ready(const Plan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n; i++)
                n += !plan->steps[i].waits;
        return n;
}

void plan_set_recheck(Plan *plan, int64_t seconds) {
        if (plan->recheck == 0 || seconds < plan->recheck)
                plan->recheck = seconds;
}

int64_t plan_recheck(const Plan *plan) {
        return plan->recheck;
}

const char *outcome_name(Outcome outcome) {
        static const char *const names[] = {
                [OUTCOME_RELOAD] = "reload",
                [OUTCOME_ALTER] = "alter",
                [OUTCOME_LIMIT] = "live limit",
                [OUTCOME_ROLL] = "roll",
        };

        return outcome < MR_ELEMENTS(names) ? names[outcome] : NULL;
}

/* The reason, and behind it what the step means where its verb does not say so. */
static void print_reason(const Step *step, MrBuf *out) {
        const char *outcome = step->verb == MR_VERB_RESTART ? NULL : outcome_name(step->outcome);

        mr_buf_puts(out, step->reason);
        if (outcome)
                mr_buf_printf(out, " (%s)", outcome);
        mr_buf_putc(out, '\n');
}

void plan_print_text(const Plan *plan, MrBuf *out) {
        for (size_t i = 0; i < plan->n; i++) {
                const Step *step = &plan->steps[i];
                mr_buf_printf(out, "%-8s %s: ", mr_verb_name(step->verb), step->subject);
                print_reason(step, out);
                if (step->waits)
                        mr_buf_printf(out, "         waits: %s\n", step->waits);
        }
        if (plan->n == 0)
                mr_buf_puts(out, "Nothing to do.\n");
}

MrTree *plan_to_tree(const Plan *plan) {
        MrTree *list = mr_tree_new_list();

        for (size_t i = 0; i < plan->n; i++) {
                const Step *step = &plan->steps[i];
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                mr_tree_set_string(entry, "verb", mr_verb_name(step->verb));
                mr_tree_set_string(entry, "subject", step->subject);
                mr_tree_set_string(entry, "namespace", step->ns);
                mr_tree_set_string(entry, "node", step->node);
                mr_tree_set_string(entry, "reason", step->reason);
                mr_tree_set_string(entry, "outcome", outcome_name(step->outcome));
                mr_tree_set_string(entry, "waits", step->waits);
        }
        return list;
}

static void print_payload(const MrManifest *manifest, MrBuf *out) {
        if (manifest->is_secret) {
                mr_buf_puts(out, "content: (secret)\n");
                return;
        }
        mr_buf_puts(out, "content: |\n");
        for (const char *line = manifest->payload; *line;) {
                size_t n = strcspn(line, "\n");
                mr_buf_puts(out, n > 0 ? "  " : "");
                mr_buf_append(out, line, n);
                mr_buf_putc(out, '\n');
                line += n + (line[n] == '\n');
        }
}

/* What the core knows of an object beyond what the object says. */
static const char *const beyond[] = {"certificate", "digests"};

static void print_comment(const char *key, const MrTree *value, MrBuf *out) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();
        _cleanup_buf_ MrBuf text = {};

        mr_tree_set(map, key, mr_tree_copy(value));
        mr_yaml_write(map, &text);
        for (const char *line = mr_buf_text(&text); *line;) {
                size_t n = strcspn(line, "\n");
                mr_buf_puts(out, "# ");
                mr_buf_append(out, line, n);
                mr_buf_putc(out, '\n');
                line += n + (line[n] == '\n');
        }
}

/* An object of an API is printed so that it can be applied as it is. */
static void print_object(const MrManifest *manifest, MrBuf *out) {
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_copy(manifest->body);

        for (size_t i = 0; i < MR_ELEMENTS(beyond); i++) {
                const MrTree *value = mr_tree_get(body, beyond[i]);
                if (value)
                        print_comment(beyond[i], value, out);
                mr_tree_remove(body, beyond[i]);
        }
        mr_yaml_write(body, out);
}

void manifests_print(const MrManifests *manifests, MrBuf *out) {
        for (size_t i = 0; i < mr_manifests_size(manifests); i++) {
                const MrManifest *manifest = mr_manifests_at(manifests, i);
                mr_buf_printf(out, "---\n# %s %s%s%s\n", manifest->kind, manifest->ns,
                              *manifest->ns ? "/" : "", manifest->name);
                if (mr_tree_get(manifest->body, "apiVersion")) {
                        print_object(manifest, out);
                        continue;
                }
                mr_yaml_write(manifest->body, out);
                if (manifest->payload)
                        print_payload(manifest, out);
        }
}
