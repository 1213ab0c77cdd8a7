/* Field paths: how a place in a tree is written and found again. "a.b[0].c", and a["log.dirs"]
 * for keys that are not plain words. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "str.h"
#include "tree-node.h"

static bool is_plain_key(const char *key) {
        if (!*key)
                return false;
        for (const char *c = key; *c; c++)
                if (!isalnum((unsigned char) *c) && !strchr("_-/$", *c))
                        return false;
        return true;
}

void mr_tree_path_key(MrBuf *path, const char *key) {
        if (is_plain_key(key)) {
                if (path->size > 0)
                        mr_buf_putc(path, '.');
                mr_buf_puts(path, key);
                return;
        }
        mr_buf_puts(path, "[\"");
        for (const char *c = key; *c; c++) {
                if (iscntrl((unsigned char) *c)) {
                        mr_buf_printf(path, "\\x%02x", (unsigned) (unsigned char) *c);
                        continue;
                }
                if (*c == '"' || *c == '\\')
                        mr_buf_putc(path, '\\');
                mr_buf_putc(path, *c);
        }
        mr_buf_puts(path, "\"]");
}

void mr_tree_path_index(MrBuf *path, size_t i) {
        mr_buf_printf(path, "[%zu]", i);
}

/* Takes ["key"] apart; *path stands after the opening quote and is left after the closing
 * bracket. */
static bool quoted_key(const char **path, MrBuf *key) {
        const char *c = *path;

        for (; *c && *c != '"'; c++) {
                unsigned byte;
                if (sscanf(c, "\\x%2x", &byte) == 1 && isxdigit((unsigned char) c[3])) {
                        mr_buf_putc(key, (char) byte);
                        c += 3;
                        continue;
                }
                if (*c == '\\' && c[1])
                        c++;
                mr_buf_putc(key, *c);
        }
        if (c[0] != '"' || c[1] != ']')
                return false;
        *path = c + 2;
        return true;
}

/* [Ready] names the element of a list whose type or name it is, as in
 * "status.conditions[Ready].status". */
static MrTree *element_named(const MrTree *list, const char *name) {
        if (mr_tree_type(list) != MR_TREE_LIST)
                return NULL;
        for (size_t i = 0; i < mr_tree_size(list); i++) {
                MrTree *element = mr_tree_at(list, i);
                if (mr_streq(mr_tree_get_string(element, "type"), name) ||
                    mr_streq(mr_tree_get_string(element, "name"), name))
                        return element;
        }
        return NULL;
}

static MrTree *bracketed(const MrTree *tree, const char *inside) {
        char *end = NULL;

        if (!isdigit((unsigned char) inside[0]))
                return element_named(tree, inside);
        unsigned long long i = strtoull(inside, &end, 10);
        if (*end)
                return element_named(tree, inside);
        return mr_tree_type(tree) == MR_TREE_LIST ? mr_tree_at(tree, i) : NULL;
}

/* Goes one step down and leaves *path behind the step. */
static MrTree *step(const MrTree *tree, const char **path) {
        _cleanup_buf_ MrBuf word = {};

        if (mr_starts_with(*path, "[\"")) {
                *path += 2;
                return quoted_key(path, &word) ? mr_tree_get(tree, mr_buf_text(&word)) : NULL;
        }
        if (**path == '[') {
                const char *end = strchr(*path, ']');
                if (!end)
                        return NULL;
                mr_buf_append(&word, *path + 1, (size_t) (end - *path - 1));
                *path = end + 1;
                return bracketed(tree, mr_buf_text(&word));
        }
        size_t n = strcspn(*path, ".[");
        mr_buf_append(&word, *path, n);
        *path += n;
        return mr_tree_get(tree, mr_buf_text(&word));
}

MrTree *mr_tree_find(const MrTree *tree, const char *path, bool nearest) {
        /* The answer is as changeable as the tree the caller holds, as with strchr(). */
        union {
                const MrTree *borrowed;
                MrTree *found;
        } at = {.borrowed = tree};

        while (path && *path && at.found) {
                MrTree *next = step(at.found, &path);
                if (!next)
                        return nearest ? at.found : NULL;
                at.found = next;
                if (*path == '.')
                        path++;
        }
        return at.found;
}
