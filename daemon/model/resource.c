/* Keys of resources. */

#include "resource.h"

char *mr_resource_key(const char *kind, const char *ns, const char *name) {
        return mr_strf("%s/%s/%s", kind, ns, name);
}
