/* Probes matter where a platform asks containers how they are. Nothing here reads them: a platform
 * that has probes finds them in the document. */

#include "probe.h"

#define NUMBER(n, least, usual, text)                                                              \
        MR_INT(n, MrUnread, integer, .min = (least), .max = 86400, .fallback = (usual),            \
               .doc = (text))

const MrField probe_fields[] = {
        NUMBER("initialDelaySeconds", 0, "15", "Seconds after the start until the first look."),
        NUMBER("timeoutSeconds", 1, "5", "Seconds one look may take."),
        NUMBER("periodSeconds", 1, "10", "Seconds from one look to the next."),
        NUMBER("successThreshold", 1, "1", "Looks that must succeed one after the other."),
        NUMBER("failureThreshold", 1, "3", "Looks that must fail one after the other."),
        {},
};
