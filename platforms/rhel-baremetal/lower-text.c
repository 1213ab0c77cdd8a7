/* What the references in the text of parts stand for on a host. */

#include <string.h>

#include "lower.h"
#include "names.h"
#include "str.h"

typedef struct Scope {
        Lowering *lowering;
        const char *node;
        bool is_secret;
        const char *pending;
} Scope;

static const MrTree *host_of(const Lowering *lowering) {
        return mr_facts_host(lowering->facts);
}

const MrVolume *lower_find_volume(const Lowering *lowering, const char *node, const char *name) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_VOLUME && mr_streq(part->volume.node, node) &&
                    mr_streq(part->volume.name, name))
                        return &part->volume;
        }
        return NULL;
}

const char *lower_address(const Lowering *lowering) {
        const char *address = mr_tree_get_string(host_of(lowering), "address");

        if (!address)
                address = mr_tree_get_string(host_of(lowering), "fqdn");
        return address ? address : "localhost";
}

const char *lower_claim_directory(Lowering *lowering, const MrVolume *volume) {
        const char *class = volume->storage_class ? volume->storage_class : DEFAULT_STORAGE_CLASS;
        const char *base =
                mr_tree_get_string(mr_tree_get(host_of(lowering), "storage_classes"), class);

        return mr_arena_strf(lowering->arena, "%s/%s/data", base ? base : DATA_BASE,
                             instance_name(lowering->arena, lowering->ns, volume->claim));
}

const MrTree *lower_distribution(const Lowering *lowering, const char *software,
                                 const char *version) {
        const MrTree *list = mr_tree_get(host_of(lowering), "distributions");

        for (size_t i = 0; i < mr_tree_size(list); i++) {
                const MrTree *entry = mr_tree_at(list, i);
                if (mr_streq(mr_tree_get_string(entry, "software"), software) &&
                    mr_streq(mr_tree_get_string(entry, "version"), version))
                        return entry;
        }
        return NULL;
}

static int resolve_library(Scope *scope, MrBuf *out) {
        const MrPart *part = mr_parts_find_workload(scope->lowering->parts, scope->node);
        if (!part)
                return 0;
        const MrTree *distribution = lower_distribution(scope->lowering, part->workload.software,
                                                        part->workload.version);
        const char *directory = mr_tree_get_string(distribution, "directory");

        if (directory)
                mr_buf_printf(out, "%s/libs", directory);
        else
                mr_buf_printf(out, DISTRIBUTION_BASE "/%s-%s/libs", part->workload.software,
                              part->workload.version);
        return 0;
}

/* "NAME.jar" or "NAME-1.2.3.jar", not "NAME-other-1.2.3.jar". */
static bool is_jar(const char *file, const char *name) {
        size_t n = strlen(name);

        return mr_starts_with(file, name) &&
               (mr_streq(file + n, ".jar") ||
                (file[n] == '-' && file[n + 1] >= '0' && file[n + 1] <= '9'));
}

static const char *find_jar(const MrTree *distribution, const char *list, const char *name) {
        const MrTree *jars = mr_tree_get(distribution, list);

        for (size_t i = 0; i < mr_tree_size(jars); i++)
                if (is_jar(mr_tree_string(mr_tree_at(jars, i)), name))
                        return mr_tree_string(mr_tree_at(jars, i));
        return NULL;
}

static int resolve_jar(Scope *scope, const char *name, MrBuf *out) {
        const MrPart *part = mr_parts_find_workload(scope->lowering->parts, scope->node);
        if (!part)
                return 0;
        const MrTree *distribution = lower_distribution(scope->lowering, part->workload.software,
                                                        part->workload.version);
        const char *jar = find_jar(distribution, "extra_jars", name);

        if (jar) {
                mr_buf_printf(out, "%s/%s", mr_tree_get_string(distribution, "extras"), jar);
                return 0;
        }
        jar = find_jar(distribution, "libs", name);
        int r = resolve_library(scope, out);
        mr_buf_printf(out, jar ? "/%s" : "/%s.jar", jar ? jar : name);
        return r;
}

static int resolve_secret(Scope *scope, const char *argument, MrBuf *out) {
        _cleanup_free_ char *name = mr_strdup(argument);
        char *key = name;

        while (*key && *key != '/')
                key++;
        if (*key)
                *key++ = '\0';
        scope->is_secret = true;
        const char *value = mr_facts_secret(scope->lowering->facts, name, key);
        if (value) {
                mr_buf_puts(out, value);
                return 0;
        }
        mr_buf_printf(out, "<%s of secret %s>", key, name);
        scope->pending = mr_arena_strf(scope->lowering->arena, "secret %s", name);
        return 1;
}

static int resolve_port(Scope *scope, const char *key, MrBuf *out, MrError *err) {
        const char *port = mr_pairs_get(&scope->lowering->ports, key);

        if (!port)
                return mr_fail(err, MR_BUG, NULL, "no endpoint is called %s", key);
        mr_buf_puts(out, port);
        return 0;
}

static int resolve(const char *what, const char *argument, MrBuf *out, void *userdata,
                   MrError *err) {
        Scope *scope = userdata;
        Lowering *lowering = scope->lowering;

        if (mr_streq(what, "addr") || mr_streq(what, "host")) {
                mr_buf_puts(out, lower_address(lowering));
                return 0;
        }
        if (mr_streq(what, "port"))
                return resolve_port(scope, argument, out, err);
        if (mr_streq(what, "bind")) {
                _cleanup_free_ char *key = mr_strf("%s/%s", scope->node, argument);
                return resolve_port(scope, key, out, err);
        }
        if (mr_streq(what, "file")) {
                mr_buf_printf(out, NODE_BASE "/%s/%s",
                              instance_name(lowering->arena, lowering->ns, scope->node), argument);
                return 0;
        }
        if (mr_streq(what, "dir")) {
                const MrVolume *volume = lower_find_volume(lowering, scope->node, argument);
                if (!volume)
                        return mr_fail(err, MR_BUG, NULL, "%s has no volume %s", scope->node,
                                       argument);
                mr_buf_puts(out, lower_claim_directory(lowering, volume));
                return 0;
        }
        if (mr_streq(what, "secret"))
                return resolve_secret(scope, argument, out);
        if (mr_streq(what, "lib"))
                return resolve_library(scope, out);
        if (mr_streq(what, "jar"))
                return resolve_jar(scope, argument, out);
        if (mr_streq(what, "label") || mr_streq(what, "variable")) {
                const MrTree *labels = mr_tree_get(host_of(lowering), "labels");
                const char *value = mr_tree_get_string(labels, argument);
                if (value)
                        mr_buf_puts(out, value);
                else if (!host_of(lowering))
                        mr_buf_printf(out, "<label %s of the host>", argument);
                return 0;
        }
        return mr_fail(err, MR_BUG, NULL, "a reference to \"%s\" means nothing on a host", what);
}

int lower_text(Lowering *lowering, const char *node, const char *text, const char **ret,
               bool *ret_is_secret, const char **ret_pending, MrError *err) {
        Scope scope = {.lowering = lowering, .node = node};
        _cleanup_buf_ MrBuf out = {};

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
