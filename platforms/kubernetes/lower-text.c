/* What the references in the text of parts stand for in a container. */

#include <inttypes.h>
#include <string.h>

#include "lower.h"

typedef struct Scope {
        Lowering *lowering;
        const char *node;
        bool is_secret;
        const char *pending;
} Scope;

const MrVolume *lower_find_volume(const Lowering *lowering, const char *node, const char *name) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_VOLUME && mr_streq(part->volume.node, node) &&
                    mr_streq(part->volume.name, name))
                        return &part->volume;
        }
        return NULL;
}

const char *lower_volume_path(const Lowering *lowering, const MrVolume *volume) {
        return mr_arena_strf(lowering->arena, "/var/lib/%s/%s", volume->role, volume->name);
}

static int resolve_address(Scope *scope, const char *node, MrBuf *out, MrError *err) {
        const MrPart *part = mr_parts_find_workload(scope->lowering->parts, node);

        if (!part)
                return mr_fail(err, MR_BUG, NULL, "no node is called %s", node);
        mr_buf_puts(out, lower_pod_address(scope->lowering, &part->workload));
        return 0;
}

/* "NODE/ENDPOINT" */
static int reach(Scope *scope, const char *argument, Reached *ret, MrError *err) {
        const char *slash = strchr(argument, '/');
        _cleanup_free_ char *node =
                mr_strndup(argument, slash ? (size_t) (slash - argument) : strlen(argument));

        if (!slash || !lower_reach(scope->lowering, node, slash + 1, ret))
                return mr_fail(err, MR_BUG, NULL, "no endpoint is called %s", argument);
        if (ret->pending)
                scope->pending = ret->pending;
        return 0;
}

/* Whether "NODE/ENDPOINT" is of this node. */
static bool is_own(const Scope *scope, const char *argument) {
        size_t n = strlen(scope->node);

        return strncmp(argument, scope->node, n) == 0 && argument[n] == '/';
}

static int unknown_host(Scope *scope, const char *argument, MrBuf *out) {
        if (!scope->pending)
                scope->pending =
                        mr_arena_strf(scope->lowering->arena, "the address of %s", argument);
        mr_buf_printf(out, "<%s>", scope->pending);
        return 1;
}

static int resolve_host(Scope *scope, const char *argument, MrBuf *out, MrError *err) {
        Reached reached;

        int r = reach(scope, argument, &reached, err);
        if (r < 0)
                return r;
        if (reached.host)
                mr_buf_puts(out, reached.host);
        else if (reached.learned.variable && is_own(scope, argument))
                mr_buf_printf(out, "@{variable:%s}", reached.learned.variable);
        else
                return unknown_host(scope, argument, out);
        return 0;
}

static int resolve_port(Scope *scope, const char *argument, MrBuf *out, MrError *err) {
        Reached reached;

        int r = reach(scope, argument, &reached, err);
        if (r < 0)
                return r;
        if (reached.port > 0)
                mr_buf_printf(out, "%" PRId64, reached.port);
        else
                mr_buf_puts(out, "<port>");
        return reached.port > 0 ? 0 : 1;
}

/* A container has all ports for itself, so none ever moves. */
static int resolve_bind(Scope *scope, const char *name, MrBuf *out, MrError *err) {
        for (size_t i = 0; i < mr_parts_size(scope->lowering->parts); i++) {
                const MrPart *part = mr_parts_at(scope->lowering->parts, i);
                if (part->kind != MR_PART_ENDPOINT || !mr_streq(part->endpoint.name, name) ||
                    !mr_streq(part->endpoint.node, scope->node))
                        continue;
                mr_buf_printf(out, "%" PRId64, inner_port(&part->endpoint));
                return 0;
        }
        return mr_fail(err, MR_BUG, NULL, "%s has no endpoint %s", scope->node, name);
}

static int resolve_directory(Scope *scope, const char *name, MrBuf *out, MrError *err) {
        const MrVolume *volume = lower_find_volume(scope->lowering, scope->node, name);

        if (!volume)
                return mr_fail(err, MR_BUG, NULL, "%s has no volume %s", scope->node, name);
        mr_buf_puts(out, lower_volume_path(scope->lowering, volume));
        return 0;
}

static int resolve_secret(Scope *scope, const char *argument, MrBuf *out) {
        const char *slash = strchr(argument, '/');
        _cleanup_free_ char *name =
                mr_strndup(argument, slash ? (size_t) (slash - argument) : strlen(argument));
        const char *key = slash ? slash + 1 : "";
        const char *value = mr_facts_secret(scope->lowering->facts, name, key);

        scope->is_secret = true;
        if (value) {
                mr_buf_puts(out, value);
                return 0;
        }
        mr_buf_printf(out, "<%s of secret %s>", key, name);
        scope->pending = mr_arena_strf(scope->lowering->arena, "secret %s", name);
        return 1;
}

static int resolve_library(Scope *scope, MrBuf *out) {
        const MrPart *part = mr_parts_find_workload(scope->lowering->parts, scope->node);

        if (part)
                mr_buf_printf(out, SOFTWARE_DIRECTORY "/%s/libs", part->workload.software);
        return 0;
}

/* The image has its jars under their plain names. */
static int resolve_jar(Scope *scope, const char *name, MrBuf *out) {
        int r = resolve_library(scope, out);

        mr_buf_printf(out, "/%s.jar", name);
        return r;
}

/* Where a pod will run is not known when its configuration is made: the launcher fills it in. */
static int resolve_label(Scope *scope, const char *key, MrBuf *out) {
        mr_buf_printf(out, "@{variable:%s}", place_label(scope->lowering->arena, key).variable);
        return 0;
}

static int resolve_file(const Scope *scope, const char *name, MrBuf *out) {
        bool is_filled = place_fills(scope->lowering, scope->node, name);

        mr_buf_printf(out, "%s/%s", is_filled ? RUN_DIRECTORY : NODE_DIRECTORY, name);
        return 0;
}

static int resolve(const char *what, const char *argument, MrBuf *out, void *userdata,
                   MrError *err) {
        Scope *scope = userdata;

        if (mr_streq(what, "addr"))
                return resolve_address(scope, argument, out, err);
        if (mr_streq(what, "host"))
                return resolve_host(scope, argument, out, err);
        if (mr_streq(what, "port"))
                return resolve_port(scope, argument, out, err);
        if (mr_streq(what, "bind"))
                return resolve_bind(scope, argument, out, err);
        if (mr_streq(what, "file"))
                return resolve_file(scope, argument, out);
        if (mr_streq(what, "dir"))
                return resolve_directory(scope, argument, out, err);
        if (mr_streq(what, "secret"))
                return resolve_secret(scope, argument, out);
        if (mr_streq(what, "lib"))
                return resolve_library(scope, out);
        if (mr_streq(what, "jar"))
                return resolve_jar(scope, argument, out);
        if (mr_streq(what, "label"))
                return resolve_label(scope, argument, out);
        if (mr_streq(what, "variable")) {
                mr_buf_printf(out, "@{variable:%s}", argument);
                return 0;
        }
        return mr_fail(err, MR_BUG, NULL, "a reference to \"%s\" means nothing in a container",
                       what);
}

int lower_text(Lowering *lowering, const char *node, const char *text, const char **ret,
               bool *ret_is_secret, const char **ret_pending, MrError *err) {
        Scope scope = {.lowering = lowering, .node = node};
        _cleanup_(mr_buf_wipe) MrBuf out = {};

        int r = mr_expand(text, resolve, &scope, &out, err);
        if (r < 0)
                return r;
        *ret = mr_arena_strdup(lowering->arena, mr_buf_text(&out));
        if (ret_is_secret)
                *ret_is_secret = scope.is_secret;
        if (ret_pending)
                *ret_pending = scope.pending;
        return r;
}
