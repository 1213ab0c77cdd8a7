/* References to addresses and secrets in what the core lowers itself. */

#include "references.h"

#include <string.h>

#include "str.h"

typedef struct Scope {
        const MrManifests *manifests;
        const MrFacts *facts;
} Scope;

static int resolve_address(const Scope *scope, const char *node, MrBuf *out) {
        const MrAddress *address = mr_manifests_find_address(scope->manifests, node, NULL);

        if (!address)
                return 1;
        mr_buf_puts(out, address->host);
        return 0;
}

/* "NODE/ENDPOINT" */
static const MrAddress *find_endpoint(const Scope *scope, const char *argument) {
        const char *slash = strchr(argument, '/');
        _cleanup_free_ char *node =
                mr_strndup(argument, slash ? (size_t) (slash - argument) : strlen(argument));

        return mr_manifests_find_address(scope->manifests, node, slash ? slash + 1 : "");
}

static int resolve_port(const Scope *scope, const char *argument, MrBuf *out) {
        const MrAddress *address = find_endpoint(scope, argument);

        if (!address)
                return 1;
        mr_buf_printf(out, "%lld", (long long) address->port);
        return 0;
}

static int resolve_host(const Scope *scope, const char *argument, MrBuf *out) {
        const MrAddress *address = find_endpoint(scope, argument);

        if (!address)
                return 1;
        mr_buf_puts(out, address->host);
        return 0;
}

static int resolve_secret(const Scope *scope, const char *argument, MrBuf *out) {
        const char *slash = strchr(argument, '/');
        _cleanup_free_ char *name =
                mr_strndup(argument, slash ? (size_t) (slash - argument) : strlen(argument));
        const char *value =
                scope->facts && slash ? mr_facts_secret(scope->facts, name, slash + 1) : NULL;

        if (!value)
                return 1;
        mr_buf_puts(out, value);
        return 0;
}

static int resolve(const char *what, const char *argument, MrBuf *out, void *userdata,
                   MrError *err) {
        const Scope *scope = userdata;

        if (mr_streq(what, "addr"))
                return resolve_address(scope, argument, out);
        if (mr_streq(what, "host"))
                return resolve_host(scope, argument, out);
        if (mr_streq(what, "port"))
                return resolve_port(scope, argument, out);
        if (mr_streq(what, "secret"))
                return resolve_secret(scope, argument, out);
        return mr_fail(err, MR_BUG, NULL, "a reference to \"%s\" means nothing here", what);
}

int reference_text(const char *text, const MrManifests *manifests, const MrFacts *facts,
                   MrArena *arena, const char **ret, MrError *err) {
        Scope scope = {.manifests = manifests, .facts = facts};
        _cleanup_(mr_buf_wipe) MrBuf out = {};

        int r = mr_expand(text, resolve, &scope, &out, err);
        if (r < 0)
                return r;
        *ret = mr_arena_strdup(arena, mr_buf_text(&out));
        return r;
}

/* What stands for a string with references: *ret is NULL when it has none. */
static int reference_value(const MrTree *tree, const MrManifests *manifests, MrTree **ret,
                           MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        const char *text = mr_tree_string(tree), *value;

        *ret = NULL;
        if (!text || !strstr(text, "@{"))
                return 0;
        int r = reference_text(text, manifests, NULL, arena, &value, err);
        if (r < 0)
                return r;
        /* A port alone is a number. */
        int64_t number;
        bool is_number = mr_starts_with(text, "@{port:") && strchr(text, '}')[1] == '\0' &&
                         mr_parse_int(value, &number) == 0;
        *ret = is_number ? mr_tree_new_int(number) : mr_tree_new_string(value);
        return 0;
}

static void replace(MrTree *parent, size_t i, MrTree *take_value) {
        if (mr_tree_type(parent) == MR_TREE_MAP) {
                _cleanup_free_ char *key = mr_strdup(mr_tree_key(parent, i));
                mr_tree_set(parent, key, take_value);
                return;
        }
        /* A list only grows at its end, so what follows is moved behind the new value. */
        size_t n = mr_tree_size(parent);
        mr_tree_append(parent, take_value);
        for (size_t k = i + 1; k < n; k++)
                mr_tree_append(parent, mr_tree_copy(mr_tree_at(parent, k)));
        for (size_t k = i; k < n; k++)
                mr_tree_remove_at(parent, i);
}

int reference_tree(MrTree *tree, const MrManifests *manifests, MrError *err) {
        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                MrTree *value;
                int r = reference_value(mr_tree_at(tree, i), manifests, &value, err);
                if (r < 0)
                        return r;
                if (value)
                        replace(tree, i, value);
                else if ((r = reference_tree(mr_tree_at(tree, i), manifests, err)) < 0)
                        return r;
        }
        return 0;
}
