#pragma once

/* What the operands of one Kafka cluster share: the identity of the cluster, its labels, and the
 * names in its certificates. The functions read the resource as a document, so that no operand
 * needs the structs of another. */

#include "facts.h"
#include "part.h"
#include "str.h"

#define CLUSTER_ORGANIZATION "io.strimzi"
#define CLUSTER_SOFTWARE "kafka"
#define COMMON_NAME_MAX 64 /* of X.509 */

/* "default/my-cluster", the owner that is written on storage. */
const char *cluster_key(MrArena *arena, const MrResource *resource);
/* The id of the cluster: what the claims that exist agree on, else derived from the uid of the
 * resource. Fails when two claims disagree, unless the resource is deleted: then storage that is
 * gone anyway must not be in the way. */
int cluster_identity(const MrResource *resource, const MrFacts *facts, MrArena *arena,
                     char ret[MR_KAFKA_ID_MAX], MrError *err);

/* "strimzi.io/cluster" and its companions for a component: "kafka", "zookeeper". */
MrPairs cluster_labels(MrArena *arena, const MrResource *resource, const char *component);
/* SERVICE, SERVICE.NS, SERVICE.NS.svc, SERVICE.NS.svc.cluster.local */
void cluster_add_service_names(MrArena *arena, MrStrings *names, const char *service,
                               const char *ns);
/* Days from spec.clusterCa or spec.clientsCa; 365 and 30 when the spec says nothing. */
int64_t cluster_ca_days(const MrResource *resource, const char *ca, const char *field);
/* Why certificates are not renewed now: the time is outside of spec.maintenanceTimeWindows; NULL:
 * they are. */
const char *cluster_renewal_postponed(const MrResource *resource, const MrFacts *facts);
/* The secret and its keys with the certificates that the cluster's nodes trust. */
#define CLUSTER_TRUST_KEY "cluster-ca.crt"
#define CLIENTS_TRUST_KEY "clients-ca.crt"
const char *cluster_trust(MrArena *arena, const MrResource *resource);
/* "@{secret:…}" for a file that holds them. */
const char *cluster_trust_text(MrArena *arena, const MrResource *resource, const char *key);
/* The certificate of one node of a component, with every name under which it is reached. `headless`
 * is the service through which nodes have names of their own; the caller adds what else is needed.
 */
MrCertificate cluster_node_certificate(MrArena *arena, const MrResource *resource,
                                       const MrFacts *facts, const char *node,
                                       const char *component, const char *headless);
