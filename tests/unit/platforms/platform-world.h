#pragma once

/* What the tests of platforms share. */

#include "plugin.h"

/* The platform of the build that has this name; it stays loaded. Fails the test when it is missing.
 */
const MrPlugin *platform_load(const char *name);
