/* One row a release. */

#include "version.h"

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
