#pragma once

/* The reference of a kind: every field with its type, bounds, default, and what becomes of it on
 * each platform, as Markdown or as a manual page. Made from the tables, so it is complete. */

#include "io/plugins.h"
#include "model/registry.h"

typedef enum ReferenceFormat {
        REFERENCE_MARKDOWN,
        REFERENCE_MAN,
} ReferenceFormat;

void reference_write(const Registry *registry, const Plugins *plugins, const MrKind *kind,
                     ReferenceFormat format, MrBuf *out);
