#pragma once

/* How a node lies in memory, for the files of this folder alone. A node is 24 bytes: a thousand
 * clusters are held at once, and most nodes are numbers and short strings, which need no second
 * allocation. */

#include "tree.h"

/* A key with the place where it was written: most complaints are about the key, not about its
 * value. */
typedef struct TreeKey {
        unsigned line;
        unsigned column;
        char name[];
} TreeKey;

typedef struct TreeEntry {
        TreeKey *key;  /* owned */
        MrTree *value; /* owned, never NULL */
} TreeEntry;

#define TREE_SHORT_MAX 16U /* bytes of a string held inside its node, NUL included */

struct MrTree {
        uint8_t type;  /* MrTreeType */
        bool is_short; /* the string is in short_string */
        uint16_t column;
        uint32_t line;
        union {
                bool boolean;
                int64_t integer;
                double real;
                char *string;
                char short_string[TREE_SHORT_MAX];
                struct {
                        union {
                                MrTree **items;     /* of a list */
                                TreeEntry *entries; /* of a map, sorted by key */
                        };
                        uint32_t n, allocated;
                };
        };
};

MrTree *tree_new(MrTreeType type);
TreeKey *tree_key_new(const char *name, size_t n, unsigned line, unsigned column);
/* Adds without looking for the place; tree_sort() must follow before anything reads the map. */
void tree_add_unsorted(MrTree *map, TreeKey *take_key, MrTree *take_value);
/* Sorts the entries; of two equal keys the one written later is returned (borrowed), otherwise
 * NULL. */
const TreeKey *tree_sort(MrTree *map);
/* Gives back what a growing array has too much. */
void tree_trim(MrTree *list_or_map);
/* Where key is (true), or where it belongs (false). */
bool tree_search(const MrTree *map, const char *key, size_t *ret_i);

/* YAML's "<<": adds to a sorted map what one map, or each map of a list, has and it has not.
 * Returns what is wrong with `from`, or NULL. */
const char *tree_merge_key(MrTree *map, const MrTree *from);

/* What a plain YAML scalar is, as kubectl's YAML reader sees it. `ret` is a scalar without a
 * position. */
typedef enum ScalarSurprise {
        SCALAR_AS_WRITTEN,
        SCALAR_BECAME_BOOL, /* yes, no, on, off, y, n */
} ScalarSurprise;
ScalarSurprise scalar_resolve(const char *text, size_t n, MrTree **ret);
/* Would this text, written plainly, be read as anything but this string? */
bool scalar_is_ambiguous(const char *text);

/* Decodes one UTF-8 character. Returns its length, or 0 when the bytes are not UTF-8; n > 0. */
size_t utf8_decode(const char *text, size_t n, uint32_t *ret);
