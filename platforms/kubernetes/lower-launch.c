/* The description the launcher reads: how storage is prepared and what runs. The keys are those of
 * the file that hosts have. */

#include <inttypes.h>
#include <string.h>

#include "lower.h"

static int add_line(Lowering *lowering, const MrWorkload *workload, const char *key,
                    const char *text, MrBuf *out, MrError *err) {
        const char *value;

        if (!text)
                return 0;
        int r = lower_text(lowering, workload->node, text, &value, NULL, NULL, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", key);
        if (strchr(value, '\n'))
                return mr_fail(err, MR_INVALID, key, "%s: this must be one line of text",
                               workload->node);
        mr_buf_printf(out, "%s %s\n", key, value);
        return 0;
}

static int add_lines(Lowering *lowering, const MrWorkload *workload, const char *key,
                     const MrStrings *texts, MrBuf *out, MrError *err) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < texts->n; i++)
                r = add_line(lowering, workload, key, texts->items[i], out, err);
        return r;
}

static int add_preparation(Lowering *lowering, const MrWorkload *workload, MrBuf *out,
                           MrError *err) {
        int r = add_lines(lowering, workload, "directory", &workload->directories, out, err);

        for (size_t i = 0; r >= 0 && i < workload->contents.n; i++)
                r = add_line(lowering, workload, "content",
                             mr_arena_strf(lowering->arena, "%s %s",
                                           workload->contents.items[i].key,
                                           workload->contents.items[i].value),
                             out, err);
        if (r < 0 || !workload->prepare_class)
                return r;
        r = add_line(lowering, workload, "prepared", workload->prepared_path, out, err);
        if (r >= 0)
                r = add_line(lowering, workload, "prepare-class", workload->prepare_class, out,
                             err);
        return r < 0 ? r
                     : add_lines(lowering, workload, "prepare-argument",
                                 &workload->prepare_arguments, out, err);
}

static void add_ports(const Lowering *lowering, const MrWorkload *workload, MrBuf *out) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_ENDPOINT && part->endpoint.is_ready_check &&
                    mr_streq(part->endpoint.node, workload->node))
                        mr_buf_printf(out, "ready %" PRId64 "\n", inner_port(&part->endpoint));
        }
}

/* Variables a user gives the container are meant for the process in it. */
static void add_environment(const MrWorkload *workload, MrBuf *out) {
        const MrTree *list = mr_tree_get(workload->container, "env");

        for (size_t i = 0; i < mr_tree_size(list); i++) {
                const char *name = mr_tree_get_string(mr_tree_at(list, i), "name");
                if (name && mr_matches(name, "[A-Za-z_][A-Za-z0-9_.-]*"))
                        mr_buf_printf(out, "environment %s\n", name);
        }
}

/* Where images have it that others made. */
static const char *const other_java[] = {"/usr/lib/jvm/jre-17/bin/java", "/usr/bin/java"};

static int add_running(Lowering *lowering, const MrWorkload *workload, MrBuf *out, MrError *err) {
        mr_buf_puts(out, "java " JAVA "\n");
        for (size_t i = 0; i < MR_ELEMENTS(other_java); i++)
                mr_buf_printf(out, "other-java %s\n", other_java[i]);
        mr_buf_printf(out, "libs " SOFTWARE_DIRECTORY "/%s/libs\n", workload->software);
        add_environment(workload, out);
        place_add_lines(lowering, workload, out);
        int r = add_lines(lowering, workload, "option", &workload->jvm_options, out, err);
        if (r >= 0)
                r = add_line(lowering, workload, "class", workload->main_class, out, err);
        if (r >= 0)
                r = add_lines(lowering, workload, "argument", &workload->arguments, out, err);
        if (r >= 0)
                add_ports(lowering, workload, out);
        return r;
}

/* Static settings are part of files that need no restart themselves. */
static int add_settings(Lowering *lowering, const MrWorkload *workload, MrBuf *out, MrError *err) {
        for (size_t i = 0; i < workload->settings.n; i++) {
                const MrPair *pair = &workload->settings.items[i];
                const char *value;
                int r = lower_text(lowering, workload->node, pair->value, &value, NULL, NULL, err);
                if (r < 0)
                        return mr_error_within(err, r, "%s", pair->key);
                mr_buf_printf(out, "%s=%s\n", pair->key, value);
        }
        return 0;
}

int lower_launch(Lowering *lowering, const MrWorkload *workload, const char **ret,
                 char ret_digest[MR_DIGEST_MAX], MrError *err) {
        _cleanup_buf_ MrBuf out = {};
        _cleanup_(mr_buf_wipe) MrBuf running = {};

        int r = add_running(lowering, workload, &out, err);
        if (r >= 0) {
                mr_buf_puts(&running, mr_buf_text(&out));
                r = add_settings(lowering, workload, &running, err);
        }
        if (r >= 0)
                r = add_preparation(lowering, workload, &out, err);
        if (r < 0)
                return r;
        mr_digest(mr_buf_text(&running), running.size, ret_digest);
        *ret = mr_arena_strdup(lowering->arena, mr_buf_text(&out));
        return 0;
}
