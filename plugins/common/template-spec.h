#pragma once

/* Rows of the details a `template` may give of generated objects: of pods, containers, services and
 * their like, the same wherever they stand. Nobody here reads them from a struct: a platform that
 * has such objects finds them in the document. The flags of a row say what it concerns, so these
 * rows need none of their own. */

#include "field.h"

/* A row of a table of details: an object with these rows, and what it concerns. */
#define DETAIL(n, f, concern, d)                                                                   \
        MR_OBJECT(n, MrUnread, object, MrUnread, f, .flags = (concern), .doc = (d))

extern const MrField metadata_template[];   /* labels and annotations alone */
extern const MrField pod_template[];        /* of Deployments */
extern const MrField node_pod_template[];   /* of nodes: templatedVolumes as well */
extern const MrField container_template[];  /* environment, mounts, security */
extern const MrField service_template[];    /* families of addresses */
extern const MrField budget_template[];     /* of disruption */
extern const MrField set_template[];        /* StatefulSets, as they were once */
extern const MrField deployment_template[]; /* how it is rolled out */

/* A key of a ConfigMap or Secret. */
extern const MrField key_reference_fields[];
