/* Telling people: the journal, and the events of the resource. */

#include "base/log.h"
#include "base/message-ids.h"
#include "engine-private.h"
#include "sdk/str.h"

typedef struct Telling {
        const char *reason; /* of the event */
        const char *message_id;
        int priority;
} Telling;

/* What follows from a change of the spec repairs nothing. */
static Telling telling_of(const Tracked *tracked, const Step *step) {
        bool is_file = step->manifest && mr_streq(step->manifest->kind, "File");
        bool is_secret = step->manifest && mr_streq(step->manifest->kind, "Secret");

        if (step->verb == MR_VERB_RESTART)
                return (Telling){"Restarted", MSG_RESTART_BEGUN, LOG_NOTICE};
        if (step->verb == MR_VERB_START)
                return step->is_repair ? (Telling){"Repaired", MSG_NODE_REPAIRED, LOG_WARNING}
                                       : (Telling){"Started", MSG_NODE_STARTED, LOG_NOTICE};
        if (step->verb == MR_VERB_STOP)
                return (Telling){"Stopped", MSG_PART_APPLIED, LOG_NOTICE};
        if (is_secret && step->verb != MR_VERB_REMOVE)
                return (Telling){"Issued", MSG_CERTIFICATE_ISSUED, LOG_NOTICE};
        if (step->is_repair && tracked->is_in_force)
                return (Telling){"Repaired", is_file ? MSG_FILE_REPAIRED : MSG_PART_APPLIED,
                                 LOG_WARNING};
        return (Telling){
                step->verb == MR_VERB_REMOVE   ? "Removed"
                : step->verb == MR_VERB_CREATE ? "Created"
                                               : "Updated",
                MSG_PART_APPLIED,
                LOG_INFO,
        };
}

static LogScope scope_of(const Tracked *tracked, const char *node) {
        const MrResource *resource = tracked->document ? &tracked->document->resource : NULL;

        return (LogScope){
                .kind = resource ? resource->kind->name : NULL,
                .ns = resource ? resource->ns : NULL,
                .name = resource ? resource->name : NULL,
                .station = "apply",
                .node = node,
        };
}

void engine_tell_step(Engine *engine, const Tracked *tracked, const Step *step) {
        Telling telling = telling_of(tracked, step);
        LogScope scope = scope_of(tracked, step->node);
        const char *outcome = step->verb == MR_VERB_RESTART ? NULL : outcome_name(step->outcome);
        _cleanup_free_ char *message =
                mr_strf("%s %s: %s%s%s%s", mr_verb_name(step->verb), step->subject, step->reason,
                        outcome ? " (" : "", outcome ? outcome : "", outcome ? ")" : "");
        bool is_small = step->verb == MR_VERB_CREATE && telling.priority == LOG_INFO;

        log_fields(telling.priority, &scope, telling.message_id,
                   LOG_FIELDS({"MILLRACE_ACTION", mr_verb_name(step->verb)},
                              {"MILLRACE_REASON", step->reason}),
                   "%s: %s", tracked->key, message);
        /* The files of a first start would push everything else out. */
        if (!is_small)
                events_add(engine->events, tracked->key, step->node,
                           telling.priority == LOG_WARNING ? "Warning" : "Normal", telling.reason,
                           message);
}

/* What the node said last, before it was started again, usually is why. */
void engine_tell_revival(Engine *engine, const Tracked *tracked, const MrTree *node,
                         const char *last) {
        const char *name = mr_tree_get_string(node, "name"),
                   *where = mr_tree_get_string(node, "unit");
        LogScope scope = scope_of(tracked, name);
        _cleanup_free_ char *message = mr_strf("%s ended by itself and was started again%s%s", name,
                                               mr_is_empty(last) ? "; see the log of " : ": ",
                                               !mr_is_empty(last) ? last
                                               : where            ? where
                                                                  : name);

        log_fields(LOG_WARNING, &scope, MSG_NODE_REPAIRED, LOG_FIELDS({"MILLRACE_REASON", message}),
                   "%s: %s", tracked->key, message);
        events_add(engine->events, tracked->key, name, "Warning", "Repaired", message);
}

void engine_tell_error(Engine *engine, const Tracked *tracked, const char *what,
                       const MrError *err) {
        LogScope scope = scope_of(tracked, NULL);
        _cleanup_free_ char *text = mr_error_text(err);

        log_fields(LOG_ERR, &scope, MSG_PASS_FAILED,
                   LOG_FIELDS({"MILLRACE_ERROR_KIND", mr_error_kind_name(err->kind)}), "%s: %s: %s",
                   tracked->key, what, text);
        events_add(engine->events, tracked->key, NULL, "Warning", "Failed", text);
}
