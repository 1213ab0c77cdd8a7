#include "host-known.h"

#include <stdlib.h>

#include "host-units.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

typedef struct KnownUnit {
        char *name;
        sd_bus_slot *match;
        HostUnitState state;
        bool is_referred_to; /* systemd keeps it in memory for us */
        bool is_true;        /* `state` holds */
        uint64_t changes;    /* that systemd told of */
} KnownUnit;

struct HostKnown {
        sd_bus *bus;
        KnownUnit **items;
        size_t n, allocated;
};

static void state_copy(HostUnitState *to, const HostUnitState *from) {
        to->since_usec = from->since_usec;
        to->pid = from->pid;
        to->restarts = from->restarts;
        to->exit_code = from->exit_code;
        to->exit_status = from->exit_status;
        free(to->status);
        to->status = mr_strdup(from->status);
        free(to->result);
        to->result = mr_strdup(from->result);
}

static int unit_changed(sd_bus_message *m _unused_, void *userdata,
                        sd_bus_error *ret_error _unused_) {
        KnownUnit *unit = userdata;

        unit->is_true = false;
        unit->changes++;
        return 0;
}

static KnownUnit *unit_need(HostKnown *known, const char *name) {
        _cleanup_free_ char *path = NULL;

        for (size_t i = 0; i < known->n; i++)
                if (mr_streq(known->items[i]->name, name))
                        return known->items[i];
        KnownUnit *unit = mr_new(KnownUnit, 1);
        unit->name = mr_strdup(name);
        if (sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path) >= 0)
                (void) sd_bus_match_signal_async(known->bus, &unit->match, SYSTEMD_NAME, path,
                                                 "org.freedesktop.DBus.Properties",
                                                 "PropertiesChanged", unit_changed, NULL, unit);
        MR_GROW(known->items, known->n, known->allocated);
        known->items[known->n++] = unit;
        return unit;
}

static void call_for(const HostKnown *known, const char *method, const KnownUnit *unit) {
        (void) sd_bus_call_method_async(known->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                        SYSTEMD_MANAGER, method, NULL, NULL, "s", unit->name);
}

bool host_known_recall(HostKnown *known, const char *name, HostUnitState *state) {
        KnownUnit *unit = unit_need(known, name);

        if (!unit->is_referred_to && !mr_streq(state->active, "inactive")) {
                call_for(known, "RefUnit", unit);
                unit->is_referred_to = true;
        }
        state->as_of = unit->changes;
        if (!unit->is_true || !mr_streq(unit->state.load, state->load) ||
            !mr_streq(unit->state.active, state->active) || !mr_streq(unit->state.sub, state->sub))
                return false;
        state_copy(state, &unit->state);
        return true;
}

void host_known_learn(HostKnown *known, const char *name, const HostUnitState *state) {
        KnownUnit *unit = unit_need(known, name);

        if (state->as_of != unit->changes || !unit->match)
                return;
        host_unit_state_done(&unit->state);
        unit->state.load = mr_strdup(state->load);
        unit->state.active = mr_strdup(state->active);
        unit->state.sub = mr_strdup(state->sub);
        state_copy(&unit->state, state);
        unit->is_true = true;
}

static void unit_free(KnownUnit *unit) {
        sd_bus_slot_unref(unit->match);
        host_unit_state_done(&unit->state);
        free(unit->name);
        free(unit);
}

void host_known_keep(HostKnown *known, bool (*is_wanted)(const char *unit, void *userdata),
                     void *userdata) {
        size_t kept = 0;

        for (size_t i = 0; i < known->n; i++) {
                KnownUnit *unit = known->items[i];
                if (is_wanted(unit->name, userdata)) {
                        known->items[kept++] = unit;
                        continue;
                }
                if (unit->is_referred_to)
                        call_for(known, "UnrefUnit", unit);
                unit_free(unit);
        }
        known->n = kept;
}

HostKnown *host_known_new(sd_bus *bus) {
        HostKnown *known = mr_new(HostKnown, 1);

        known->bus = bus;
        return known;
}

HostKnown *host_known_free(HostKnown *known) {
        if (!known)
                return NULL;
        for (size_t i = 0; i < known->n; i++)
                unit_free(known->items[i]);
        free(known->items);
        free(known);
        return NULL;
}
