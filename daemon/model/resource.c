/* Keys of resources. */

#include "resource.h"

#include <string.h>

char *mr_resource_key(const char *kind, const char *ns, const char *name) {
        return mr_strf("%s/%s/%s", kind, ns, name);
}

bool mr_resource_key_split(char *key, char **ret_ns, char **ret_name) {
        char *ns = key ? strchr(key, '/') : NULL, *name = ns ? strchr(ns + 1, '/') : NULL;

        if (!name)
                return false;
        *ns++ = *name++ = '\0';
        *ret_ns = ns;
        *ret_name = name;
        return true;
}
