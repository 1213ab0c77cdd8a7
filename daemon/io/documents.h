#pragma once

/* Documents from texts, files and directories. */

#include "model/registry.h"

typedef struct Documents {
        Document **items;
        size_t n, allocated;
} Documents;

/* Every document of a file, of a directory (*.yaml, *.yml, *.json, sorted by name), or of standard
 * input ("-"). `ns`: namespace of documents that name none; NULL: default. */
int documents_read_path(const Registry *registry, const char *path, const char *ns, Documents *ret,
                        MrError *err) _must_check_;
/* All documents of one text. Two documents with the same kind, namespace and name are an error that
 * names both. */
int documents_read_text(const Registry *registry, const char *text, size_t size, const char *source,
                        const char *ns, Documents *ret, MrError *err) _must_check_;
void documents_done(Documents *documents);
#define _cleanup_documents_ _cleanup_(documents_done)
