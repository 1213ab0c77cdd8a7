#include "host-unit-state.h"

#include <signal.h>
#include <stdlib.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

/* systemd's words for a unit → ours. Pure. */

void host_unit_state_done(HostUnitState *state) {
        free(state->load);
        free(state->active);
        free(state->sub);
        free(state->status);
        free(state->result);
        *state = (HostUnitState){};
}

static const struct {
        const char *active;
        const char *name;
} states[] = {
        {"active", "running"},      {"reloading", "running"},     {"refreshing", "running"},
        {"activating", "starting"}, {"deactivating", "stopping"}, {"maintenance", "stopping"},
};

/* A mask keeps down what is down; what still runs is said to run. */
const char *host_unit_state_name(const HostUnitState *state, bool is_masked, bool has_manifest) {
        for (size_t i = 0; i < MR_ELEMENTS(states); i++)
                if (mr_streq(state->active, states[i].active))
                        return states[i].name;
        if (is_masked || mr_streq(state->load, "masked"))
                return "held";
        if (mr_streq(state->active, "failed"))
                return "failed";
        return has_manifest ? "stopped" : "absent";
}

static bool is_success(const HostUnitState *state) {
        return !state->result || mr_streq(state->result, "success");
}

static char *failure_message(const HostUnitState *state, const char *unit) {
        bool was_killed = state->exit_code == CLD_KILLED || state->exit_code == CLD_DUMPED;
        const char *what = mr_streq(state->active, "failed") ? "it failed" : "it starts again";

        if (state->exit_code == 0)
                return mr_strf("%s (%s); see: journalctl -u %s", what, state->result, unit);
        return mr_strf("%s (%s, %s %d)%s%s; see: journalctl -u %s", what, state->result,
                       was_killed ? "signal" : "status", state->exit_status,
                       mr_is_empty(state->status) ? "" : ", last words: ",
                       mr_is_empty(state->status) ? "" : state->status, unit);
}

char *host_unit_state_message(const HostUnitState *state, const char *unit) {
        bool is_down = mr_streq(state->active, "failed") || mr_streq(state->sub, "auto-restart");

        if (is_down && !is_success(state))
                return failure_message(state, unit);
        return mr_strdup(state->status ? state->status : "");
}
