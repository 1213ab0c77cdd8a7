#pragma once

/* Storage carries an identity, and what is wanted must agree with what is there: a spec that
 * describes another cluster, or another kind of quorum, over the same storage is refused before
 * anything is done. Pure. */

#include "manifest.h"

/* Compares the volumes an owner wants with all volumes found that were made for it. */
int identity_check(const MrManifests *wanted, const MrManifests *observed, const char *owner,
                   MrError *err) _must_check_;
