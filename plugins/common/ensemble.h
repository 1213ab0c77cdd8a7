#pragma once

/* The number of members of a cluster's ZooKeeper ensemble, on which brokers and members must agree.
 */

#include "facts.h"

/* Members as they should run now. It is what spec.zookeeper.replicas says, unless the ensemble runs
 * with another number: new members with empty disks could elect a leader among themselves and wipe
 * the others, so the number stays as it is until there is a procedure for changing it. 0 without
 * spec.zookeeper. */
int64_t ensemble_members(const MrResource *resource, const MrFacts *facts);
