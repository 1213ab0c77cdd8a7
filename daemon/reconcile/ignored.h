#pragma once

/* What a document says that means nothing on a platform: reported once for each reason, not once
 * for each field. Pure. */

#include "model/registry.h"

/* Copies of the document's warnings into `ret` (a list), where those about the platform's own
 * affairs are put into words, or left out where the platform has what they concern. */
void ignored_warnings(const Document *document, const MrPlatformOps *platform, MrTree *ret);
/* What becomes of the field at `path` with these flags, its own and those it inherits, on a
 * platform: "works", "ignored: why", "refused", "not yet"; "next" where there is no such platform
 * yet (NULL). */
void ignored_state(const MrPlatformOps *platform, const char *path, unsigned flags, MrBuf *out);
/* Whether a warning of a document is one only a platform can put into words. */
bool ignored_is_open(const MrTree *warning);
/* What the platform says of the field at `path` beyond the tables; NULL: nothing. */
const MrExcept *ignored_exception(const MrPlatformOps *platform, const char *path);
