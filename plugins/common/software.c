/* Jars beside those of the software. */

#include "software.h"

#include <ctype.h>
#include <string.h>

#include "str.h"

static bool is_jar(const char *file, const char *name) {
        size_t n = strlen(name);

        return mr_starts_with(file, name) &&
               (mr_streq(file + n, ".jar") ||
                (file[n] == '-' && isdigit((unsigned char) file[n + 1])));
}

static bool has(const MrTree *jars, const char *name) {
        for (size_t i = 0; i < mr_tree_size(jars); i++)
                if (is_jar(mr_tree_string(mr_tree_at(jars, i)), name))
                        return true;
        return false;
}

bool software_has_jar(const MrFacts *facts, const char *software, const char *version,
                      const char *name) {
        const MrTree *list = mr_tree_get(mr_facts_host(facts), "distributions");

        for (size_t i = 0; i < mr_tree_size(list); i++) {
                const MrTree *entry = mr_tree_at(list, i);
                if (mr_streq(mr_tree_get_string(entry, "software"), software) &&
                    mr_streq(mr_tree_get_string(entry, "version"), version) &&
                    mr_tree_size(mr_tree_get(entry, "libs")) > 0)
                        return has(mr_tree_get(entry, "libs"), name) ||
                               has(mr_tree_get(entry, "extra_jars"), name);
        }
        return true;
}
