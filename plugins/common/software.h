#pragma once

/* What comes beside the software itself: plugins and agents, as jars. */

#include <stdbool.h>

#include "facts.h"

/* Whether the distribution of this version holds the jar called `name`, with or without a version
 * behind it. Where nothing is known of distributions, as in a plan on paper, it is taken to be
 * there. */
bool software_has_jar(const MrFacts *facts, const char *software, const char *version,
                      const char *name);
