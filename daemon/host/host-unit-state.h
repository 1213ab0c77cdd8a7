#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What systemd says of one unit. */
typedef struct HostUnitState {
        bool is_loaded;
        int32_t is_outdated;       /* systemd has not read the unit's files as they are now */
        char *load, *active, *sub; /* owned */
        char *status;              /* the unit's own words, owned; may be NULL */
        char *result;              /* "success", "exit-code" …; owned; may be NULL */
        int32_t exit_code;         /* si_code of the main process that ended */
        int32_t exit_status;
        uint64_t since_usec;
        uint32_t pid;
        uint32_t restarts;
        uint64_t as_of; /* host-known.h */
} HostUnitState;

void host_unit_state_done(HostUnitState *state);
/* One of the names in README.md. */
const char *host_unit_state_name(const HostUnitState *state, bool is_masked, bool has_manifest);
/* A sentence for people; the caller frees. */
char *host_unit_state_message(const HostUnitState *state, const char *unit);
