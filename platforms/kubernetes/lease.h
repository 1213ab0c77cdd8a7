#pragma once

/* Which of several replicas leads: the one that holds a Lease of the API (coordination.k8s.io/v1).
 * One that is not renewed for its duration may be taken; how long that has been is measured by the
 * clock of whoever watches, from when it saw the last change, so clocks need not agree. */

#include "client.h"
#include "field.h"

/* The section "lease" of the platform's settings, as it is written. */
typedef struct LeaseSection {
        const char *ns, *name, *identity;
        int64_t duration, deadline, retry; /* s */
} LeaseSection;

extern const MrField lease_fields[];

typedef struct LeaseSettings {
        char *ns, *name, *identity;
        int64_t duration_sec; /* not renewed for so long, others may take it */
        int64_t deadline_sec; /* not renewed for so long, we do not lead any more; less */
        int64_t retry_sec;    /* how often it is renewed or looked at; less than that */
} LeaseSettings;

/* What the section and the environment say
 * (MR_VARIABLE_PREFIX "LEADER_ELECTION_…"; a variable wins). `ns` is where we are, NULL: not known.
 * Returns 1, or 0 when there is to be no lease: one replica is all there is. */
int lease_settings_read(const MrTree *config, const char *ns, LeaseSettings *ret,
                        MrError *err) _must_check_;
void lease_settings_done(LeaseSettings *settings);

/* What to do about a lease that was read; pure. */
typedef struct LeaseView {
        const char *holder;  /* "" or NULL: nobody */
        int64_t transitions; /* how often it went from one to another */
        bool is_ours;
        bool is_free; /* nobody has it, or whoever had it does not renew it */
} LeaseView;

/* `lease` as read; unchanged for `unchanged_usec`. */
LeaseView lease_view(const MrTree *lease, const LeaseSettings *settings, uint64_t unchanged_usec);
/* What is written for having it; `before` NULL: there is none. `now_usec` since the epoch. The
 * caller frees it. */
MrTree *lease_body(const MrTree *before, const LeaseSettings *settings, int64_t now_usec);

typedef struct LeaseArgs {
        sd_event *event;
        Client *client;
        const LeaseSettings *settings;                    /* borrowed while it lasts */
        void (*changed)(void *userdata);                  /* of whether we lead, or who does */
        void (*lost)(void *userdata, const MrError *err); /* we led, and may not any more */
        void *userdata;
} LeaseArgs;

typedef struct Lease Lease;

int lease_new(const LeaseArgs *args, Lease **ret, MrError *err) _must_check_;
/* Lets go of it, so that another need not wait; for at most a second. */
Lease *lease_free(Lease *lease);
/* Whether we lead: 1; 0: not yet; negative: why that cannot be told. */
int lease_state(const Lease *lease, MrError *err);
/* Who leads, in words; NULL: we do, or nobody is known to. */
const char *lease_leader(const Lease *lease);
