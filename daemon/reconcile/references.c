/* References to addresses and secrets in what the core lowers itself. */

#include "references.h"

#include <string.h>

#include "str.h"

typedef struct Scope {
        const MrManifests *manifests;
        const MrFacts *facts;
        bool is_told; /* to people, who may also know what passes */
} Scope;

/* `endpoint` NULL: any. */
static const MrAddress *find_address(const Scope *scope, const char *node, const char *endpoint) {
        const MrAddress *address = mr_manifests_find_address(scope->manifests, node, endpoint);

        return address && address->is_passing && !scope->is_told ? NULL : address;
}

static int resolve_address(const Scope *scope, const char *node, MrBuf *out) {
        const MrAddress *address = find_address(scope, node, NULL);

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

        return find_address(scope, node, slash ? slash + 1 : "");
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

static int expand(const char *text, Scope scope, MrArena *arena, const char **ret, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf out = {};

        int r = mr_expand(text, resolve, &scope, &out, err);
        if (r < 0)
                return r;
        *ret = mr_arena_strdup(arena, mr_buf_text(&out));
        return r;
}

int reference_text(const char *text, const MrManifests *manifests, const MrFacts *facts,
                   MrArena *arena, const char **ret, MrError *err) {
        return expand(text, (Scope){.manifests = manifests, .facts = facts}, arena, ret, err);
}

/* Of a list "A,B" what is known. 1: nothing is. */
static int known_text(const char *text, const MrManifests *manifests, MrArena *arena,
                      const char **ret, MrError *err) {
        _cleanup_buf_ MrBuf out = {};

        while (*text) {
                size_t n = strcspn(text, ",");
                const char *value;
                int r = expand(mr_arena_strndup(arena, text, n),
                               (Scope){.manifests = manifests, .is_told = true}, arena, &value,
                               err);
                if (r < 0)
                        return r;
                if (r == 0)
                        mr_buf_printf(&out, "%s%s", out.size > 0 ? "," : "", value);
                text += n + (text[n] == ',');
        }
        *ret = mr_arena_strdup(arena, mr_buf_text(&out));
        return out.size == 0;
}

/* What stands for a string with references: *ret is NULL when it has none. 1: it is not known. */
static int reference_value(const MrTree *tree, const MrManifests *manifests, MrTree **ret,
                           MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        const char *text = mr_tree_string(tree), *value;

        *ret = NULL;
        if (!text || !strstr(text, "@{"))
                return 0;
        int r = known_text(text, manifests, arena, &value, err);
        if (r != 0)
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

/* A map that says something else, too, is worth telling without what is not known. */
static bool has_own_text(const MrTree *tree) {
        for (size_t i = 0; i < mr_tree_size(tree); i++)
                if (mr_tree_type(mr_tree_at(tree, i)) == MR_TREE_STRING)
                        return true;
        return false;
}

static int resolve_tree(MrTree *tree, const MrManifests *manifests, MrError *err);

/* The element `i` of a tree. 1: it is to be left out. */
static int resolve_element(MrTree *tree, size_t i, const MrManifests *manifests, MrError *err) {
        MrTree *value;

        int r = reference_value(mr_tree_at(tree, i), manifests, &value, err);
        if (value)
                replace(tree, i, value);
        if (r != 0 || value)
                return r;
        r = resolve_tree(mr_tree_at(tree, i), manifests, err);
        if (r <= 0)
                return r;
        return mr_tree_type(tree) == MR_TREE_LIST && !has_own_text(mr_tree_at(tree, i));
}

/* 1: something in it was left out. */
static int resolve_tree(MrTree *tree, const MrManifests *manifests, MrError *err) {
        int result = 0;

        for (size_t i = 0; i < mr_tree_size(tree);) {
                int r = resolve_element(tree, i, manifests, err);
                if (r < 0)
                        return r;
                if (r > 0)
                        mr_tree_remove_at(tree, i);
                else
                        i++;
                result = result || r;
        }
        return result;
}

/* Addresses that are not known are not told. */
int reference_tree(MrTree *tree, const MrManifests *manifests, MrError *err) {
        int r = resolve_tree(tree, manifests, err);

        return r < 0 ? r : 0;
}
