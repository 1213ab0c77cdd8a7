#pragma once

/* Settings of a running system: what should hold now, without a restart, against what a probe has
 * read back. Pure. */

#include "loaded.h"
#include "operand.h"

#define RANK_SETTING 50

/* Adds Setting manifests, named SCOPE/KEY, where the probe's view knows the scope; nothing is
 * planned for a system that could not be asked. */
void settings_lower(const Loading *loading, MrManifests *wanted, MrManifests *found);
/* "SCOPE/KEY", the caller's. The view's map "accepted" has what was altered a moment ago by that
 * name: it may not be in force everywhere yet, and is waited for. */
char *settings_name(const MrSetting *setting);
/* The setting a manifest describes. */
MrSetting settings_setting(const MrManifest *manifest);
