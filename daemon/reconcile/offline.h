#pragma once

/* A plan on paper: files in, what would be done out, without a daemon, a network or root. Two runs
 * give the same bytes. */

#include "model/registry.h"

typedef enum OfflineFormat {
        OFFLINE_TEXT, /* each step with its reason */
        OFFLINE_JSON,
        OFFLINE_MANIFESTS, /* each object or file with its content, secrets masked */
        _OFFLINE_FORMAT_MAX,
} OfflineFormat;

typedef struct OfflineArgs {
        const Registry *registry;
        const MrPlugin *platform;
        Document *const *documents; /* as io/documents.h reads them */
        size_t n_documents;
        OfflineFormat format;
        const MrTree *host; /* what is known of the platform, as mr_facts_host() has it; or NULL */
} OfflineArgs;

/* Warnings about the documents go to `warnings` (a list, may be NULL) as maps {source, path, line,
 * column, message}. */
int offline_plan(const OfflineArgs *args, MrBuf *out, MrTree *warnings, MrError *err) _must_check_;
