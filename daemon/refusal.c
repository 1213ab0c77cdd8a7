#include "refusal.h"

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define REASON "InvalidResource"

static const MrTree *find_condition(const MrTree *status, const char *type) {
        const MrTree *conditions = mr_tree_get(status, "conditions");

        for (size_t i = 0; i < mr_tree_size(conditions); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(conditions, i), "type"), type))
                        return mr_tree_at(conditions, i);
        return NULL;
}

/* Since when it has been said; NULL: it has not. */
static const char *earlier_time(const MrTree *before, const MrTree *status, const char *message) {
        const MrTree *ready = find_condition(status, "Ready");

        if (mr_streq(mr_tree_get_string(before, "message"), message))
                return mr_tree_get_string(before, "since");
        return mr_streq(mr_tree_get_string(ready, "reason"), REASON) &&
                               mr_streq(mr_tree_get_string(ready, "message"), message)
                       ? mr_tree_get_string(ready, "lastTransitionTime")
                       : NULL;
}

MrTree *refusal_new(const MrTree *resource, const MrError *err, const MrTree *before,
                    int64_t now_sec) {
        MrTree *refusal = mr_tree_new_map();
        const char *path = err->path;
        _cleanup_free_ char *message = mr_strf("%s%s%s", path ? path : "", path ? ": " : "",
                                               err->message ? err->message : "is not valid");
        const char *since = earlier_time(before, mr_tree_get(resource, "status"), message);
        char now[TIME_TEXT_MAX];

        time_text(now_sec, now);
        mr_tree_set_string(refusal, "message", message);
        mr_tree_set_string(refusal, "since", since ? since : now);
        mr_tree_set_int(refusal, "generation",
                        mr_tree_get_int(mr_tree_get(resource, "metadata"), "generation", 0));
        return refusal;
}

static MrTree *ready_condition(const MrTree *refusal) {
        MrTree *condition = mr_tree_new_map();

        mr_tree_set_string(condition, "type", "Ready");
        mr_tree_set_string(condition, "status", "False");
        mr_tree_set_string(condition, "reason", REASON);
        mr_tree_set_string(condition, "message", mr_tree_get_string(refusal, "message"));
        mr_tree_set_string(condition, "lastTransitionTime", mr_tree_get_string(refusal, "since"));
        return condition;
}

MrTree *refusal_status(const MrTree *refusal, const MrTree *status) {
        MrTree *result = status ? mr_tree_copy(status) : mr_tree_new_map();
        const MrTree *before = mr_tree_get(status, "conditions");
        MrTree *conditions = mr_tree_new_list();

        mr_tree_append(conditions, ready_condition(refusal));
        for (size_t i = 0; i < mr_tree_size(before); i++)
                if (!mr_streq(mr_tree_get_string(mr_tree_at(before, i), "type"), "Ready"))
                        mr_tree_append(conditions, mr_tree_copy(mr_tree_at(before, i)));
        mr_tree_set(result, "conditions", conditions);
        mr_tree_set_int(result, "observedGeneration", mr_tree_get_int(refusal, "generation", 0));
        return result;
}
