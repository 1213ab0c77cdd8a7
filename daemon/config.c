/* Settings of the daemon. */

#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "environment.h"
#include "sdk/str.h"

#define CONFIG_SIZE_MAX (256U * 1024)

static const MrField http_fields[] = {
        MR_STRING("address", ConfigHttp, address, .fallback = "127.0.0.1",
                  .doc = "Address to listen on. There is no password, so choose one that only "
                         "monitoring reaches."),
        MR_INT("port", ConfigHttp, port, .min = 1, .max = 65535, .fallback = "8085",
               .doc = "Port to listen on."),
        {},
};

const MrField config_fields[] = {
        MR_STRING("platform", Config, platform, .fallback = "rhel-baremetal",
                  .doc = "The platform plugin that applies what resources want."),
        MR_STRING("resources", Config, resources, .fallback = "/etc/millrace/resources.d",
                  .pattern = "^/.*$", .form = "an absolute path",
                  .doc = "Directory whose YAML files are a second source of resources beside the "
                         "local API."),
        MR_STRING("socket", Config, socket, .fallback = "/run/millrace/api.sock",
                  .pattern = "^/.*$", .form = "an absolute path",
                  .doc = "Socket of the local API."),
        MR_STRING("state", Config, state, .fallback = "/var/lib/millrace/state.db",
                  .pattern = "^(/.*|:memory:)$", .form = "an absolute path or :memory:",
                  .doc = "Database with accepted resources, certificate authorities and what must "
                         "be remembered; :memory: in a pod, where the API server keeps all of it."),
        MR_INT("grace_seconds", Config, grace_seconds, .min = 0, .max = 86400, .fallback = "60",
               .unit = "s",
               .doc = "How long a node that was stopped by hand stays down before it is started "
                      "again."),
        MR_INT("resync_seconds", Config, resync_seconds, .min = 1, .max = 86400, .fallback = "300",
               .unit = "s",
               .doc = "How often everything is compared again when nothing seems to have "
                      "happened."),
        MR_INT("certificate_day_seconds", Config, certificate_day_seconds, .min = 1, .max = 86400,
               .fallback = "86400", .unit = "s",
               .doc = "How long a day of validityDays and renewalDays lasts. With less than a real "
                      "one, renewals that are years away can be rehearsed."),
        MR_STRING("log_level", Config, log_level, .fallback = "info",
                  .pattern = "^(debug|info|notice|warning|error)$",
                  .form = "debug, info, notice, warning or error",
                  .doc = "The least important entries that reach the journal."),
        MR_OBJECT("http", Config, http, ConfigHttp, http_fields,
                  .doc = "Serves /healthz, /readyz and /metrics over TCP as well."),
        MR_TREE("platform_config", Config, platform_config,
                .doc = "Settings of the platform plugin."),
        {},
};

Config *config_free(Config *config) {
        if (!config)
                return NULL;
        mr_arena_free(config->arena);
        mr_tree_free(config->tree);
        mr_tree_free(config->notes);
        free(config);
        return NULL;
}

static int refuse_unknown(const MrTree *warnings, const char *path, MrError *err) {
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *warning = mr_tree_at(warnings, i);
                if (!mr_streq(mr_tree_get_string(warning, "reason"), "UnknownField"))
                        continue;
                int r = mr_fail(err, MR_INVALID, mr_tree_get_string(warning, "path"), "%s",
                                mr_tree_get_string(warning, "message"));
                return mr_error_at(err, r, path, (unsigned) mr_tree_get_int(warning, "line", 0),
                                   (unsigned) mr_tree_get_int(warning, "column", 0));
        }
        return 0;
}

static int decode(const char *path, const MrBuf *text, Config *config, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL, *warnings = mr_tree_new_list();

        int r = mr_yaml_read(mr_buf_text(text), text->size, path, &list, NULL, err);
        if (r < 0)
                return r;
        if (mr_tree_size(list) > 1)
                return mr_fail(err, MR_INVALID, NULL, "%s holds more than one document; keep one",
                               path);
        config->tree =
                mr_tree_size(list) == 1 ? mr_tree_copy(mr_tree_at(list, 0)) : mr_tree_new_map();
        if (mr_tree_type(config->tree) == MR_TREE_MAP)
                r = environment_apply(environ, config->tree, config->notes, err);
        if (r < 0)
                return r;
        r = mr_decode(config_fields, config->tree, config->arena, config, warnings, err);
        return r < 0 ? mr_error_at(err, r, path, 0, 0) : refuse_unknown(warnings, path, err);
}

int config_read(const char *path, Config **ret, MrError *err) {
        _cleanup_(config_freep) Config *config = mr_new(Config, 1);
        _cleanup_error_ MrError why = {};
        _cleanup_buf_ MrBuf text = {};

        config->arena = mr_arena_new();
        int r = read_file_capped(path, CONFIG_SIZE_MAX, &text, &why);
        if (r < 0 && r != -ENOENT) {
                mr_error_move(err, &why);
                return r;
        }
        MrArena *arena = config->arena;
        MrTree *notes = config->notes = mr_tree_new_list();
        r = decode(path, &text, config, err);
        config->arena = arena;
        config->notes = notes;
        if (r < 0)
                return r;
        *ret = TAKE(config);
        return 0;
}
