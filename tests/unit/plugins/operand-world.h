#pragma once

/* A small world for tests of operands: the plugins as they are built, documents from YAML text,
 * facts from JSON text, and what an operand makes of them. Paths of the documents' own errors come
 * with the texts. */

#include "io/plugins.h"
#include "model/facts.h"

typedef struct World {
        Plugins plugins;
        Registry *registry;
        MrFacts *facts;
        Document *documents[16];
        size_t n_documents;
        MrTree *trees[32]; /* behind the facts */
        size_t n_trees;
} World;

#define WORLD_NOW INT64_C(1790000000)

World *world_new(void);
World *world_free(World *world);
DEFINE_CLEANUP(World *, world_free);
/* Reads a stream of documents; all of them become facts, too. Returns the first error. */
int world_read(World *world, const char *yaml, MrError *err);
/* The document of a kind and name. */
const Document *world_find(const World *world, const char *kind, const char *name);
/* Facts as JSON: nodes {NODE: {…}}, claims {CLAIM: {…}}, views {PROBE: {…}}. */
void world_see_nodes(World *world, const char *json);
void world_see_claims(World *world, const char *json);
void world_see_view(World *world, const char *probe, const char *json);

/* All operands' parts, health and status of one document. */
int world_parts(const World *world, const Document *document, MrParts *parts, MrError *err);
int world_health(const World *world, const Document *document, MrArena *arena, MrHealth *ret,
                 MrError *err);
int world_status(const World *world, const Document *document, MrTree *status, MrError *err);

/* Parts as text, one line a fact, in the order they were made; warnings at the end. */
void parts_write(const MrParts *parts, MrBuf *out);
const MrPart *parts_find(const MrParts *parts, MrPartKind kind, const char *node, const char *name);
