#pragma once

/* What keeps a node from being restarted, or from losing its data, for now: in words, NULL when
 * nothing does. Texts live in the plan's arena. Pure. */

#include "plan.h"

const MrNodeHealth *gates_health(const PlanInput *input, const char *node); /* NULL: unknown */
MrNodeState gates_state(const PlanInput *input, const char *node);
bool gates_is_up(MrNodeState state);
/* Why somebody keeps his hands on it. */
const char *gates_hold(const PlanInput *input, const char *node);
/* Nobody may connect to a node whose certificate has ended, so others may not become ready before
 * it restarts. */
bool gates_has_expired(const PlanInput *input, const char *node);
const char *gates_restart(const PlanInput *input, Plan *plan, const MrNodeWanted *wanted);
const char *gates_discard(const PlanInput *input, Plan *plan, const char *node);
