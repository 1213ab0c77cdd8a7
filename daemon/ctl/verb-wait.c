/* millctl wait: until a condition holds, with a line whenever a node's waiting changes. */

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl-api.h"
#include "ctl/names.h"
#include "ctl/table.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define WAIT_TIMEOUT_SEC 300
#define LOOK_AGAIN_MSEC 500

/* What is waited for. */
typedef struct Wanted {
        bool is_delete;
        char *type;   /* "Ready" */
        char *status; /* "True" */
} Wanted;

typedef struct Wait {
        Ctl *ctl;
        const Wanted *wanted;
        const Name *name;
        char *title;
        uint64_t started, deadline;
        MrTree *shown; /* node → what was printed last */
        char *missing; /* why it is not there yet, for the last line */
} Wait;

static void wanted_done(Wanted *wanted) {
        free(wanted->type);
        free(wanted->status);
}

static int wanted_read(const char *text, Wanted *ret, MrError *err) {
        static const char prefix[] = "condition=";

        if (!text)
                text = "condition=Ready";
        if (mr_streq(text, "delete")) {
                ret->is_delete = true;
                return 0;
        }
        if (!mr_starts_with(text, prefix) || !text[strlen(prefix)])
                return mr_fail(err, MR_INVALID, NULL,
                               "\"%s\" cannot be waited for; use condition=Ready or delete", text);
        text += strlen(prefix);
        size_t n = strcspn(text, "=");
        ret->type = mr_strndup(text, n);
        ret->status = mr_strdup(text[n] ? text + n + 1 : "True");
        return 0;
}

static void print_line(Wait *wait, const char *node, const char *text) {
        long long seconds = (long long) ((now_usec() - wait->started) / 1000000);

        fprintf(wait->ctl->out, "%4llds  %s: %s\n", seconds, node, text);
        (void) fflush(wait->ctl->out);
}

/* Prints when it is not what was printed for the node before. */
static void show(Wait *wait, const char *node, const char *text) {
        if (mr_streq(mr_tree_get_string(wait->shown, node), text))
                return;
        mr_tree_set_string(wait->shown, node, text);
        print_line(wait, node, text);
}

static void set_missing(Wait *wait, const char *text) {
        free(wait->missing);
        wait->missing = mr_strdup(text);
}

static void show_nodes(Wait *wait) {
        const Name *name = wait->name;
        _cleanup_free_ char *target = api_own_target(api_namespace(wait->ctl), name->kind->plural,
                                                     name->name, "describe");
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;

        if (api_get(wait->ctl, target, &answer, NULL) < 0)
                return;
        const MrTree *nodes = mr_tree_get(answer, "nodes");
        for (size_t i = 0; i < mr_tree_size(nodes); i++) {
                const MrTree *node = mr_tree_at(nodes, i);
                const char *waits = mr_tree_get_string(node, "waits"),
                           *message = mr_tree_get_string(node, "message");
                const char *state = mr_tree_get_string(node, "state"),
                           *why = waits ? waits : message;
                bool is_ready = mr_tree_get_bool(node, "ready", false);
                _cleanup_free_ char *text = is_ready ? mr_strdup("ready")
                                                     : mr_strf("%s%s%s", state ? state : "unknown",
                                                               why ? ", " : "", why ? why : "");
                show(wait, mr_tree_get_string(node, "name"), text);
        }
        const char *error = mr_tree_get_string(answer, "error");
        if (error) {
                show(wait, name->name, error);
                set_missing(wait, error);
        }
}

static bool is_met(Wait *wait, const MrTree *object) {
        const MrTree *status = mr_tree_get(object, "status"),
                     *conditions = mr_tree_get(status, "conditions");
        int64_t observed = mr_tree_get_int(status, "observedGeneration", 0);

        if (observed < mr_tree_get_int(mr_tree_get(object, "metadata"), "generation", 0)) {
                set_missing(wait, "the daemon has not taken up the newest spec yet");
                return false;
        }
        set_missing(wait, "it has no such condition");
        for (size_t i = 0; i < mr_tree_size(conditions); i++) {
                const MrTree *condition = mr_tree_at(conditions, i);
                const char *type = mr_tree_get_string(condition, "type"),
                           *value = mr_tree_get_string(condition, "status");
                if (!type || strcasecmp(type, wait->wanted->type) != 0)
                        continue;
                if (value && strcasecmp(value, wait->wanted->status) == 0)
                        return true;
                set_missing(wait, mr_tree_get_string(condition, "message"));
        }
        return false;
}

/* CTL_OK met, CTL_TIMEOUT not yet, CTL_FAILED never. */
static int look(Wait *wait) {
        _cleanup_free_ char *target =
                api_target(wait->name->kind, api_namespace(wait->ctl), wait->name->name);
        _cleanup_(mr_tree_freep) MrTree *object = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = api_get(wait->ctl, target, &object, &err);
        if (r == -ENOENT && wait->wanted->is_delete)
                return CTL_OK;
        if (r < 0 && err.kind == MR_TRANSIENT) { /* The daemon restarts: it will be back. */
                set_missing(wait, err.message);
                return CTL_TIMEOUT;
        }
        if (r < 0)
                return ctl_fail(wait->ctl, &err);
        if (wait->wanted->is_delete)
                set_missing(wait, "it is still there");
        else if (is_met(wait, object))
                return CTL_OK;
        show_nodes(wait);
        return CTL_TIMEOUT;
}

/* A change of the resource, or the time to look again at what nodes wait for. */
static void pause_for(Wait *wait, int64_t msec) {
        _cleanup_free_ char *all = api_target(wait->name->kind, api_namespace(wait->ctl), NULL);
        MrBuf target = {};
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_(mr_tree_freep) MrTree *event = NULL;

        mr_buf_printf(&target, "%s?fieldSelector=metadata.name%%3D", all);
        http_encode(wait->name->name, &target);
        uint64_t until = now_usec() + (uint64_t) msec * 1000;
        int r = api_watch(wait->ctl, mr_buf_text(&target), "0", &client, NULL);
        if (r == 0) /* The first event tells what is there already. */
                r = api_watch_next(client, msec, &event, NULL);
        event = mr_tree_free(event);
        if (r == 1)
                r = api_watch_next(client, msec, &event, NULL);
        if (r < 0 && until > now_usec())
                (void) usleep((useconds_t) (until - now_usec()));
        mr_buf_done(&target);
}

static int wait_one(Ctl *ctl, const Wanted *wanted, const Name *name, uint64_t started,
                    uint64_t deadline) {
        Wait wait = {.ctl = ctl,
                     .wanted = wanted,
                     .name = name,
                     .title = kind_title(name->kind, name->name),
                     .started = started,
                     .deadline = deadline,
                     .shown = mr_tree_new_map()};
        int code;

        while ((code = look(&wait)) == CTL_TIMEOUT && now_usec() < deadline) {
                uint64_t left = (deadline - now_usec()) / 1000;
                pause_for(&wait, left < LOOK_AGAIN_MSEC ? (int64_t) left + 1 : LOOK_AGAIN_MSEC);
        }
        if (code == CTL_OK)
                fprintf(ctl->out, "%s %s\n", wait.title,
                        wanted->is_delete ? "deleted" : "condition met");
        if (code == CTL_TIMEOUT)
                fprintf(ctl->errors,
                        "millctl: the time is up: %s: %s; millctl describe %s %s says more\n",
                        wait.title, wait.missing ? wait.missing : "not there yet",
                        name->kind->plural, name->name);
        free(wait.title);
        free(wait.missing);
        mr_tree_free(wait.shown);
        return code;
}

static int wait_all(Ctl *ctl, const Wanted *wanted, const Names *names) {
        int64_t limit = ctl->options.timeout_sec >= 0 ? ctl->options.timeout_sec : WAIT_TIMEOUT_SEC;
        uint64_t started = now_usec(), deadline = started + (uint64_t) limit * 1000000;
        int code = CTL_OK;

        for (size_t i = 0; i < names->n; i++) {
                int one = wait_one(ctl, wanted, &names->items[i], started, deadline);
                code = one == CTL_OK ? code : one;
        }
        return code;
}

int verb_wait(Ctl *ctl) {
        _cleanup_names_ Names names = {};
        _cleanup_(wanted_done) Wanted wanted = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (ctl->options.n_arguments == 0)
                return ctl_misused(ctl, "say what to wait for: millctl wait kafka/my-cluster "
                                        "--for=condition=Ready");
        if (wanted_read(ctl->options.condition, &wanted, &err) < 0)
                return ctl_misused(ctl, "%s", err.message);
        if (names_read(ctl, 0, &names, &err) < 0)
                return ctl_fail(ctl, &err);
        return wait_all(ctl, &wanted, &names);
}
