/* millctl describe: a resource as a tree, from the cluster down to what each node waits for. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "ctl/ctl-api.h"
#include "ctl/names.h"
#include "ctl/table.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define EVENTS_SHOWN 20U

/* The lines and corners of a tree. */
typedef struct Branch {
        const char *item, *last_item, *line, *last_line;
} Branch;

static const Branch *branch(const Ctl *ctl) {
        static const Branch drawn = {"├─ ", "└─ ", "│  ", "   "},
                            plain = {"|- ", "`- ", "|  ", "   "};

        return ctl->is_utf8 ? &drawn : &plain;
}

static char *since_text(int64_t since) {
        if (since <= 0)
                return mr_strdup("");
        _cleanup_free_ char *age = age_text(now_realtime_sec() - since);
        return mr_strf(" for %s", age);
}

static char *size_text(int64_t bytes) {
        static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti"};
        size_t i = 0;

        for (; i + 1 < MR_ELEMENTS(units) && bytes > 0 && bytes % 1024 == 0; i++)
                bytes /= 1024;
        return mr_strf("%lld%s", (long long) bytes, units[i]);
}

static void print_unit(Ctl *ctl, const char *indent, const MrTree *node) {
        const char *unit = mr_tree_get_string(node, "unit");
        int64_t pid = mr_tree_get_int(node, "pid", 0),
                restarts = mr_tree_get_int(node, "restarts", 0);

        if (!unit)
                return;
        fprintf(ctl->out, "%s unit         %s", indent, unit);
        if (pid > 0)
                fprintf(ctl->out, ", pid %lld", (long long) pid);
        if (restarts > 0)
                fprintf(ctl->out, ", %lld automatic restart%s", (long long) restarts,
                        restarts == 1 ? "" : "s");
        fputc('\n', ctl->out);
}

static void print_address(Ctl *ctl, const char *indent, const MrTree *node) {
        const char *address = mr_tree_get_string(node, "address");
        const MrTree *ports = mr_tree_get(node, "ports");

        if (!address && mr_tree_size(ports) == 0)
                return;
        fprintf(ctl->out, "%s address      %s", indent, address ? address : "(unknown)");
        for (size_t i = 0; i < mr_tree_size(ports); i++)
                fprintf(ctl->out, "%s %s %lld", i > 0 ? "," : ":", mr_tree_key(ports, i),
                        (long long) mr_tree_int(mr_tree_at(ports, i), 0));
        fputc('\n', ctl->out);
}

static void print_storage(Ctl *ctl, const char *indent, const MrTree *node) {
        const MrTree *storage = mr_tree_get(node, "storage");

        for (size_t i = 0; i < mr_tree_size(storage); i++) {
                const MrTree *entry = mr_tree_at(storage, i);
                int64_t size = mr_tree_get_int(entry, "size", 0);
                _cleanup_free_ char *text = size_text(size);
                fprintf(ctl->out, "%s storage      %s%s%s%s\n", indent,
                        mr_tree_get_string(entry, "claim"), size > 0 ? ", " : "",
                        size > 0 ? text : "",
                        mr_tree_get_bool(entry, "ephemeral", false) ? ", ephemeral" : "");
        }
}

static void print_certificate(Ctl *ctl, const char *indent, const MrTree *node) {
        int64_t until = mr_tree_get_int(mr_tree_get(node, "certificate"), "notAfter", 0);
        time_t time = (time_t) until;
        char day[16];
        struct tm tm;

        if (until <= 0 || !gmtime_r(&time, &tm))
                return;
        (void) strftime(day, sizeof(day), "%Y-%m-%d", &tm);
        long long days = (long long) ((until - now_realtime_sec()) / 86400);
        fprintf(ctl->out, "%s certificate  until %s, %lld day%s left\n", indent, day, days,
                days == 1 ? "" : "s");
}

static void print_node(Ctl *ctl, const char *base, const MrTree *node, bool is_last) {
        const Branch *lines = branch(ctl);
        const char *waits = mr_tree_get_string(node, "waits"),
                   *message = mr_tree_get_string(node, "message");
        bool is_ready = mr_tree_get_bool(node, "ready", false);
        _cleanup_free_ char *since = since_text(mr_tree_get_int(node, "since", 0));
        _cleanup_free_ char *indent =
                mr_strf("%s%s  ", base, is_last ? lines->last_line : lines->line);

        fprintf(ctl->out, "%s%s%s  %s%s%s\n", base, is_last ? lines->last_item : lines->item,
                mr_tree_get_string(node, "name"), mr_tree_get_string(node, "state"), since,
                is_ready ? ", ready" : "");
        if (waits)
                fprintf(ctl->out, "%s waits for    %s\n", indent, waits);
        if (message && !is_ready)
                fprintf(ctl->out, "%s says         %s\n", indent, message);
        if (mr_tree_get_string(node, "held"))
                fprintf(ctl->out, "%s held         %s\n", indent, mr_tree_get_string(node, "held"));
        print_unit(ctl, indent, node);
        print_address(ctl, indent, node);
        print_storage(ctl, indent, node);
        print_certificate(ctl, indent, node);
}

static const char *group_of(const MrTree *node) {
        const char *group = mr_tree_get_string(node, "group");
        return group ? group : "nodes";
}

/* Nodes of one group stand together in the list. */
static void print_nodes(Ctl *ctl, const MrTree *nodes) {
        for (size_t i = 0, end; i < mr_tree_size(nodes); i = end) {
                const char *group = group_of(mr_tree_at(nodes, i));
                size_t n_ready = 0;

                for (end = i;
                     end < mr_tree_size(nodes) && mr_streq(group_of(mr_tree_at(nodes, end)), group);
                     end++)
                        n_ready += mr_tree_get_bool(mr_tree_at(nodes, end), "ready", false);
                bool is_last = end == mr_tree_size(nodes);
                fprintf(ctl->out, "%s%s  %zu of %zu ready\n",
                        is_last ? branch(ctl)->last_item : branch(ctl)->item, group, n_ready,
                        end - i);
                for (size_t k = i; k < end; k++)
                        print_node(ctl, is_last ? branch(ctl)->last_line : branch(ctl)->line,
                                   mr_tree_at(nodes, k), k + 1 == end);
        }
}

static const MrTree *condition(const MrTree *status, const char *type) {
        const MrTree *conditions = mr_tree_get(status, "conditions");

        for (size_t i = 0; i < mr_tree_size(conditions); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(conditions, i), "type"), type))
                        return mr_tree_at(conditions, i);
        return NULL;
}

static void print_head(Ctl *ctl, const MrTree *answer) {
        const MrTree *ready = condition(mr_tree_get(answer, "status"), "Ready");
        const char *value = mr_tree_get_string(ready, "status"),
                   *message = mr_tree_get_string(ready, "message");
        const char *error = mr_tree_get_string(answer, "error"),
                   *source = mr_tree_get_string(answer, "source");

        fprintf(ctl->out, "%s %s/%s  %s\n", mr_tree_get_string(answer, "kind"),
                mr_tree_get_string(answer, "namespace"), mr_tree_get_string(answer, "name"),
                !value                    ? "not looked at yet"
                : mr_streq(value, "True") ? "ready"
                                          : "not ready");
        if (message && !mr_streq(value, "True"))
                fprintf(ctl->out, "%s waits for   %s\n", branch(ctl)->line, message);
        if (error && !mr_streq(error, message))
                fprintf(ctl->out, "%s error       %s\n", branch(ctl)->line, error);
        if (source)
                fprintf(ctl->out, "%s source      %s\n", branch(ctl)->line,
                        mr_starts_with(source, "file:") ? source + strlen("file:")
                                                        : "the local API");
        if (mr_tree_get_string(answer, "platform"))
                fprintf(ctl->out, "%s platform    %s\n", branch(ctl)->line,
                        mr_tree_get_string(answer, "platform"));
}

/* Listeners of a Kafka cluster, by their bootstrap addresses. */
static void print_listeners(Ctl *ctl, const MrTree *status) {
        const MrTree *listeners = mr_tree_get(status, "listeners");

        for (size_t i = 0; i < mr_tree_size(listeners); i++) {
                const MrTree *listener = mr_tree_at(listeners, i);
                if (mr_tree_get_string(listener, "bootstrapServers"))
                        fprintf(ctl->out, "%s listener    %s: %s\n", branch(ctl)->line,
                                mr_tree_get_string(listener, "name"),
                                mr_tree_get_string(listener, "bootstrapServers"));
        }
}

static void print_warnings(Ctl *ctl, const MrTree *status) {
        const MrTree *conditions = mr_tree_get(status, "conditions");
        bool is_first = true;

        for (size_t i = 0; i < mr_tree_size(conditions); i++) {
                const MrTree *entry = mr_tree_at(conditions, i);
                if (!mr_streq(mr_tree_get_string(entry, "type"), "Warning"))
                        continue;
                if (is_first)
                        fputs("\nWarnings\n", ctl->out);
                is_first = false;
                fprintf(ctl->out, "  %s: %s\n", mr_tree_get_string(entry, "reason"),
                        mr_tree_get_string(entry, "message"));
        }
}

static void print_steps(Ctl *ctl, const MrTree *steps) {
        if (mr_tree_size(steps) > 0)
                fputs("\nNext steps\n", ctl->out);
        for (size_t i = 0; i < mr_tree_size(steps); i++) {
                const MrTree *step = mr_tree_at(steps, i);
                const char *waits = mr_tree_get_string(step, "waits");
                fprintf(ctl->out, "  %s %s: %s\n", mr_tree_get_string(step, "verb"),
                        mr_tree_get_string(step, "subject"), mr_tree_get_string(step, "reason"));
                if (waits)
                        fprintf(ctl->out, "    waits: %s\n", waits);
        }
}

static void print_events(Ctl *ctl, const MrTree *events) {
        _cleanup_table_ Table table = {};
        size_t n = mr_tree_size(events);

        if (n == 0)
                return;
        table_init(&table, 5);
        for (size_t i = 0; i < 5; i++)
                table_add(&table,
                          ((const char *const[]){"  AGE", "TYPE", "REASON", "NODE", "MESSAGE"})[i]);
        for (size_t i = n > EVENTS_SHOWN ? n - EVENTS_SHOWN : 0; i < n; i++) {
                const MrTree *event = mr_tree_at(events, i);
                const char *node = mr_tree_get_string(event, "node"),
                           *message = mr_tree_get_string(event, "message");
                int64_t count = mr_tree_get_int(event, "count", 1);
                _cleanup_free_ char *age =
                        age_text(now_realtime_sec() - mr_tree_get_int(event, "time", 0));
                _cleanup_free_ char *first =
                        count > 1 ? mr_strf("  %s (x%lld)", age, (long long) count)
                                  : mr_strf("  %s", age);
                table_add(&table, first);
                table_add(&table, mr_tree_get_string(event, "type")
                                          ? mr_tree_get_string(event, "type")
                                          : "");
                table_add(&table, mr_tree_get_string(event, "reason")
                                          ? mr_tree_get_string(event, "reason")
                                          : "");
                table_add(&table, node ? node : "");
                table_add(&table, message ? message : "");
        }
        fputs("\nEvents\n", ctl->out);
        table_print(&table, ctl->out);
}

static void print_all(Ctl *ctl, const MrTree *answer) {
        const MrTree *status = mr_tree_get(answer, "status");

        print_head(ctl, answer);
        print_listeners(ctl, status);
        print_nodes(ctl, mr_tree_get(answer, "nodes"));
        print_warnings(ctl, status);
        print_steps(ctl, mr_tree_get(answer, "steps"));
        print_events(ctl, mr_tree_get(answer, "events"));
}

static int describe_one(Ctl *ctl, const Name *name) {
        _cleanup_free_ char *target =
                api_own_target(api_namespace(ctl), name->kind->plural, name->name, "describe");
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf text = {};

        if (api_get(ctl, target, &answer, &err) < 0)
                return ctl_fail(ctl, &err);
        if (mr_streq(ctl->options.output, "json"))
                mr_json_write(answer, MR_JSON_PRETTY, &text);
        else if (mr_streq(ctl->options.output, "yaml"))
                mr_yaml_write(answer, &text);
        else
                print_all(ctl, answer);
        ctl_print(ctl, &text);
        return CTL_OK;
}

int verb_describe(Ctl *ctl) {
        _cleanup_names_ Names names = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        int code = CTL_OK;

        if (ctl->options.output && !mr_streq(ctl->options.output, "json") &&
            !mr_streq(ctl->options.output, "yaml"))
                return ctl_misused(ctl, "there is no format %s; use json or yaml",
                                   ctl->options.output);
        if (ctl->options.n_arguments == 0)
                return ctl_misused(ctl, "say what to describe: millctl describe kafka my-cluster");
        if (names_read(ctl, 0, &names, &err) < 0)
                return ctl_fail(ctl, &err);
        for (size_t i = 0; i < names.n; i++) {
                if (i > 0)
                        fputc('\n', ctl->out);
                int one = describe_one(ctl, &names.items[i]);
                code = one == CTL_OK ? code : one;
        }
        return code;
}
