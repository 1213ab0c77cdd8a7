#pragma once

/* The kinds this program knows, from the operands that were loaded, and the way from a document to
 * a resource: the same for files, the local API and `millctl plan`. */

#include "plugin.h"

typedef struct Registry Registry;

/* Begins with the kinds of core-kinds.h. Operands are borrowed and never unloaded. */
Registry *registry_new(void);
Registry *registry_free(Registry *registry);
DEFINE_CLEANUP(Registry *, registry_free);
/* Refuses a kind or section another operand has taken. */
int registry_add(Registry *registry, const MrPlugin *plugin, MrError *err) _must_check_;
size_t registry_operands(const Registry *registry);
const MrOperandOps *registry_operand_at(const Registry *registry, size_t i);
/* All kinds, NULL at the end, sorted by name; valid until the next add. */
const MrKind *const *registry_kinds(const Registry *registry);
/* By name, plural or short name, in any case; NULL when unknown. */
const MrKind *registry_find(const Registry *registry, const char *name);

/* The kind with the rows of sections other operands own in the place where they stand: for
 * explaining and walking, not for decoding. */
MrKind registry_whole(const Registry *registry, const MrKind *kind, MrArena *arena);
/* Calls `found` for each field of a whole kind, top down, with its path ("spec.listeners[].name")
 * and its flags together with those it inherits. */
typedef void (*FieldFound)(void *userdata, const MrKind *kind, const char *path,
                           const MrField *field, unsigned flags);
void registry_walk(const Registry *registry, const MrKind *kind, FieldFound found, void *userdata);

/* A resource together with everything it was decoded to. */
typedef struct Document {
        MrResource resource;
        MrArena *arena;
        MrTree *tree;
        const void **sections; /* by index of the operand: its section's struct, or NULL */
        MrTree *warnings;      /* list of maps, as mr_decode() makes them */
        char *source;          /* file, or NULL */
} Document;

/* Decodes and validates one document. `take_tree` is consumed also on failure. Errors know path,
 * line and column; `source` (may be NULL) names the file. uid and generation come from metadata; a
 * document without a uid gets one derived from its kind, namespace and name, so that a plan on
 * paper is the same each time. */
int document_read(const Registry *registry, MrTree *take_tree, const char *source, Document **ret,
                  MrError *err) _must_check_;
Document *document_free(Document *document);
DEFINE_CLEANUP(Document *, document_free);
/* The struct the i-th operand's slots get for this resource: spec or section; NULL when the operand
 * has no say. */
const void *document_spec_for(const Registry *registry, const Document *document, size_t operand);
/* Whether a map looks like a resource at all (apiVersion and kind are strings). */
bool document_is_resource(const MrTree *tree);
