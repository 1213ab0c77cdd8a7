#pragma once

/* Claims: storage with an identity. BASE/CLAIM belongs to root and holds identity.json and
 * claim.json; only BASE/CLAIM/data belongs to the service user. The identity reaches the disk
 * before data/ exists, so data without an owner is never ours. */

#include "host-batch.h"
#include "host-files.h"

#define HOST_REMOVED_PREFIX ".removed-"

/* User and group of a class. */
int host_class_ids(const HostClass *class, uid_t *ret_uid, gid_t *ret_gid,
                   MrError *err) _must_check_;

/* Carries out claim.create. Returns 1 when something was made, 0 when the claim was complete
 * already. */
int host_claim_create(const char *root, const HostConfig *config, const HostStep *step,
                      MrError *err) _must_check_;
/* Carries out the first half of claim.remove: the claim takes a hidden name. Returns 1 and the base
 * directory in which host_claims_sweep() has work, or 0 when there is no such claim. Of a claim
 * that is a disk of its own the data takes that name: the work is then in the claim itself, and 2
 * is returned. */
int host_claim_remove(const char *root, const HostConfig *config, const HostStep *step,
                      HostDir *ret_base, MrError *err) _must_check_;
/* Deletes what host_claim_remove() hid in a base directory. Blocks. */
int host_claims_sweep(const HostDir *base, MrError *err) _must_check_;
/* Whether the claim, opened beneath its base directory, is a disk of its own. */
bool host_claim_is_mounted(const HostDir *base, const HostDir *claim);
/* The same by name. A claim that is not there is not mounted. */
bool host_claim_find_mounted(const char *root, const HostStep *step);
/* Bytes of the disk it is on; 0: nobody can tell. */
int64_t host_claim_disk_size(const char *root, const HostStep *step);
/* Whether a volume's claim exists, has an identity, and its data belongs to this class. */
int host_claim_check(const char *root, const HostVolume *volume, const HostClass *class,
                     MrError *err) _must_check_;

/* Notes that the claim has held data; `asked` is what its claim.json says now. */
int host_claim_mark(const HostDir *claim, const MrTree *asked, MrError *err) _must_check_;

/* Remembers how much claims hold, so that not every observation walks through all files. */
typedef struct HostUsage HostUsage;
HostUsage *host_usage_new(void);
HostUsage *host_usage_free(HostUsage *usage);
DEFINE_CLEANUP(HostUsage *, host_usage_free);

/* Adds every claim of this host to `claims` (a map). */
int host_claims_observe(const char *root, const HostConfig *config, HostUsage *usage,
                        MrTree *claims, MrError *err) _must_check_;
