#pragma once

/* spec.*.jmxOptions: the JMX port of a node. With authentication its users are in a secret, without
 * it only the node's own host reaches it, because whoever does may run anything inside. */

#include "part.h"

typedef struct JmxAuthentication {
        int type;
} JmxAuthentication;

typedef struct Jmx {
        JmxAuthentication *authentication;
} Jmx;

extern const MrField jmx_fields[];

#define JMX_ENDPOINT "jmx"
#define JMX_PORT 9999

/* Whether the port can be reached from elsewhere. */
bool jmx_is_reached(const Jmx *jmx);
/* The secret with the keys jmx-username and jmx-password, where there is authentication. */
void jmx_add_secret(MrParts *parts, const Jmx *jmx, const char *secret, MrPairs labels);
/* The port in one node: its options and files. */
void jmx_add(MrParts *parts, const Jmx *jmx, const char *secret, const char *group,
             MrWorkload *workload);
/* What a person should know, once. */
void jmx_warn(MrParts *parts, const Jmx *jmx, const char *where);
