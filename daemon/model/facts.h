#pragma once

/* The builder behind mr_facts_*: the shell fills one MrFacts per pass, pure stations read it. Trees
 * and resources are borrowed and must outlive the facts; strings are copied. */

#include "../sdk/facts.h"

MrFacts *facts_new(int64_t now_sec, const char *platform);
MrFacts *facts_free(MrFacts *facts);
DEFINE_CLEANUP(MrFacts *, facts_free);

void facts_add_resource(MrFacts *facts, const MrResource *resource);
void facts_add_secret(MrFacts *facts, const char *name, const char *key, const char *value);
/* From the map of one observed node; see MrObservation.nodes. */
void facts_add_node(MrFacts *facts, const char *node, const MrTree *observed);
void facts_set_view(MrFacts *facts, const char *probe, const MrTree *view);
/* `claims` is the map of MrObservation, keyed "NS/CLAIM"; the facts answer for the one namespace.
 */
void facts_set_claims(MrFacts *facts, const char *ns, const MrTree *claims);
void facts_set_host(MrFacts *facts, const MrTree *host);
/* What is noted of a secret that was made here. */
void facts_annotate(MrFacts *facts, const char *secret, const char *key, const char *value);
const char *facts_annotation(const MrFacts *facts, const char *secret, const char *key);
/* Whether a user wrote values of this secret; one with annotations alone asks for something. */
bool facts_is_written(const MrFacts *facts, const char *secret);
/* Which data was asked for since the facts were made, but for secrets that were made here: sorted
 * pairs of "Secret/NAME" and "Secret". */
const MrPairs *facts_asked(const MrFacts *facts);
void facts_remember(MrFacts *facts, const char *key, const char *value);
size_t facts_nodes(const MrFacts *facts);
const MrNodeFact *facts_node_at(const MrFacts *facts, size_t i);
/* The resources that were added. */
size_t facts_resources(const MrFacts *facts);
const MrResource *facts_resource_at(const MrFacts *facts, size_t i);
/* All facts but the resources, as data, and back; the tree must outlive what is made of it. */
MrTree *facts_to_tree(const MrFacts *facts);
MrFacts *facts_of_tree(const MrTree *tree);
/* How many seconds a day of a certificate's life lasts; 0: as many as a real one. */
void facts_set_day(MrFacts *facts, int64_t sec);
int64_t facts_day(const MrFacts *facts);
/* What earlier passes found out about certificates; borrowed, and nothing to the model. */
struct CertificateMemo;
void facts_set_certificate_memo(MrFacts *facts, struct CertificateMemo *memo);
struct CertificateMemo *facts_certificate_memo(const MrFacts *facts);
