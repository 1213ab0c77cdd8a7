#pragma once

/* /etc/millrace/millraced.yaml, through the same field tables as resources. */

#include "sdk/field.h"

#define CONFIG_PATH "/etc/millrace/millraced.yaml"

typedef struct ConfigHttp {
        const char *address;
        int64_t port;
} ConfigHttp;

typedef struct Config {
        MrArena *arena;
        MrTree *tree;
        MrTree *notes; /* list of sentences about variables without effect */
        const char *platform;
        const char *resources;
        const char *socket;
        const char *state;
        int64_t grace_seconds;
        int64_t resync_seconds;
        int64_t certificate_day_seconds;
        const char *log_level;
        ConfigHttp *http; /* NULL: only on the socket */
        const MrTree *platform_config;
} Config;

extern const MrField config_fields[];

/* The file, and what environment.h knows of. A missing file gives the defaults. Unknown fields are
 * errors: a typo in a setting must not go unnoticed. */
int config_read(const char *path, Config **ret, MrError *err) _must_check_;
Config *config_free(Config *config);
DEFINE_CLEANUP(Config *, config_free);
