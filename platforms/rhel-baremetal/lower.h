#pragma once

/* Lowering: neutral parts → the objects of a systemd host. Everything behind this header is pure.
 *
 * kind          name                 rank  payload
 * Distribution  SOFTWARE-VERSION     0     —
 * Volume        CLAIM                1     —
 * File          NODE/FILE            2     the file's text
 * Unit          NODE                 3     —   (body.properties is what millrace-hostd applies)
 */

#include "facts.h"
#include "platform.h"

enum {
        RANK_DISTRIBUTION,
        RANK_VOLUME,
        RANK_FILE,
        RANK_UNIT,
};

/* One lowering under way. */
typedef struct Lowering {
        const char *ns;
        const MrParts *parts;
        const MrFacts *facts;
        MrManifests *out;
        MrArena *arena; /* of out */
        MrPairs ports;  /* "NODE/ENDPOINT" → port */
} Lowering;

int rhel_lower(const MrPlatformOps *ops, const char *ns, const MrParts *parts, const MrFacts *facts,
               MrManifests *ret, MrError *err);

/* Gives every endpoint a port: the standard one where it is free, else one that is free, remembered
 * for good. */
int lower_ports(Lowering *lowering, MrError *err) _must_check_;
/* Expands the references of `text` for one node. Returns 1 when a secret is not there yet;
 * *ret_pending then names it. *ret_is_secret is set when the text holds a secret's value; both may
 * be NULL. */
int lower_text(Lowering *lowering, const char *node, const char *text, const char **ret,
               bool *ret_is_secret, const char **ret_pending, MrError *err) _must_check_;
/* The name or address under which this host is reached. */
const char *lower_address(const Lowering *lowering);
/* The directory with the data of a claim, as the process sees it. */
const char *lower_claim_directory(Lowering *lowering, const MrVolume *volume);
/* The distribution the host offers for a workload: a map of mr_facts_host().distributions, or NULL.
 */
const MrTree *lower_distribution(const Lowering *lowering, const char *software,
                                 const char *version);
const MrVolume *lower_find_volume(const Lowering *lowering, const char *node, const char *name);
/* The networks a unit may exchange packets with, where the peers of its endpoints can be told so;
 * where not, the warning says it. */
void lower_guard(Lowering *lowering, const char *node, MrTree *properties);
void lower_guard_warn(Lowering *lowering);
void lower_volume(Lowering *lowering, const MrVolume *volume);
/* Why the node of this volume must not start: the disk is a foreign one, or has lost its data.
 * NULL: it may. */
const char *lower_volume_problem(Lowering *lowering, const MrVolume *volume);
void lower_warn_of_sizes(Lowering *lowering);
int lower_workload(Lowering *lowering, const MrWorkload *workload, MrError *err) _must_check_;
