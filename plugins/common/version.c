/* One row a release. */

#include "version.h"

#include <string.h>

#include "str.h"

static const KafkaVersion versions[] = {
        {"3.8.0", 3, 8, "3.8-IV0", "3.8"}, {"3.8.1", 3, 8, "3.8-IV0", "3.8"},
        {"3.9.0", 3, 9, "3.9-IV0", "3.9"}, {"3.9.1", 3, 9, "3.9-IV0", "3.9"},
        {"3.9.2", 3, 9, "3.9-IV0", "3.9"}, {"4.0.0", 4, 0, "4.0-IV3", NULL},
        {"4.0.1", 4, 0, "4.0-IV3", NULL},  {"4.0.2", 4, 0, "4.0-IV3", NULL},
        {"4.1.0", 4, 1, "4.1-IV1", NULL},  {"4.1.1", 4, 1, "4.1-IV1", NULL},
        {"4.1.2", 4, 1, "4.1-IV1", NULL},  {"4.2.0", 4, 2, "4.2-IV1", NULL},
        {"4.2.1", 4, 2, "4.2-IV1", NULL},  {"4.3.0", 4, 3, "4.3-IV0", NULL},
        {"4.3.1", 4, 3, "4.3-IV0", NULL},
};

/* Those a cluster may be made with, oldest first. Versions that a release knows but does not yet
 * vouch for are left out. */
static const KafkaMetadata metadata[] = {
        {"3.0-IV1", 1},  {"3.1-IV0", 2},  {"3.2-IV0", 3},  {"3.3-IV0", 4},  {"3.3-IV1", 5},
        {"3.3-IV2", 6},  {"3.3-IV3", 7},  {"3.4-IV0", 8},  {"3.5-IV0", 9},  {"3.5-IV1", 10},
        {"3.5-IV2", 11}, {"3.6-IV0", 12}, {"3.6-IV1", 13}, {"3.6-IV2", 14}, {"3.7-IV0", 15},
        {"3.7-IV1", 16}, {"3.7-IV2", 17}, {"3.7-IV3", 18}, {"3.7-IV4", 19}, {"3.8-IV0", 20},
        {"3.9-IV0", 21}, {"4.0-IV0", 22}, {"4.0-IV1", 23}, {"4.0-IV2", 24}, {"4.0-IV3", 25},
        {"4.1-IV0", 26}, {"4.1-IV1", 27}, {"4.2-IV0", 28}, {"4.2-IV1", 29}, {"4.3-IV0", 30},
};

const KafkaMetadata *kafka_metadata(const char *name) {
        const KafkaMetadata *found = NULL;
        size_t n = name ? strlen(name) : 0;

        for (size_t i = 0; n > 0 && i < MR_ELEMENTS(metadata); i++)
                if (mr_starts_with(metadata[i].name, name) &&
                    (!metadata[i].name[n] || metadata[i].name[n] == '-'))
                        found = &metadata[i];
        return found;
}

const char *kafka_metadata_name(MrArena *arena, int64_t level) {
        for (size_t i = 0; i < MR_ELEMENTS(metadata); i++)
                if (metadata[i].level == level)
                        return metadata[i].name;
        return mr_arena_strf(arena, "level %lld", (long long) level);
}

const KafkaVersion *kafka_version(const char *name, bool with_zookeeper) {
        if (!name)
                name = with_zookeeper ? "3.9.1" : "4.3.1";
        for (size_t i = 0; i < MR_ELEMENTS(versions); i++)
                if (mr_streq(versions[i].name, name))
                        return &versions[i];
        return NULL;
}

bool kafka_version_is_at_least(const KafkaVersion *version, int major, int minor) {
        return version->major > major || (version->major == major && version->minor >= minor);
}

const char *kafka_versions_text(MrArena *arena) {
        const char *text = versions[0].name;

        for (size_t i = 1; i < MR_ELEMENTS(versions); i++)
                text = mr_arena_strf(arena, "%s, %s", text, versions[i].name);
        return text;
}
