#pragma once

/* Java's properties format: sorted keys, one a line, escaped so that a value can never become a
 * second line. */

#include "part.h"

/* The text of a properties file in the arena, with a first line that says who writes it. */
const char *properties_text(MrArena *arena, const MrPairs *properties);
/* The pairs of a text in that format as a person writes it: comments, continued lines and escapes
 * are understood; of a key that is there twice the last value counts. */
MrPairs properties_read(MrArena *arena, const char *text);
