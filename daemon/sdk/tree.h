#pragma once

/* A document as data: YAML and JSON read into the same tree. Scalars are typed the way kubectl
 * types them, maps are sorted by key, and every node read from YAML knows its line and column.
 * Trees are plain values: equal trees print the same bytes. */

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

typedef enum MrTreeType {
        MR_TREE_NULL,
        MR_TREE_BOOL,
        MR_TREE_INT,
        MR_TREE_REAL,
        MR_TREE_STRING,
        MR_TREE_LIST,
        MR_TREE_MAP,
} MrTreeType;

typedef struct MrTree MrTree;

MrTree *mr_tree_new_null(void);
MrTree *mr_tree_new_bool(bool value);
MrTree *mr_tree_new_int(int64_t value);
MrTree *mr_tree_new_real(
        double value); /* a whole number makes an int, as in kubectl; NaN makes null */
MrTree *mr_tree_new_string(const char *value); /* copies; NULL makes a null node */
MrTree *mr_tree_new_string_n(const char *value, size_t n);
MrTree *mr_tree_new_list(void);
MrTree *mr_tree_new_map(void);
MrTree *mr_tree_copy(const MrTree *tree);
MrTree *mr_tree_free(MrTree *tree); /* returns NULL; takes NULL */
DEFINE_CLEANUP(MrTree *, mr_tree_free);

/* Every reader takes NULL for tree and then answers as for a null node. */
MrTreeType mr_tree_type(const MrTree *tree);
const char *mr_tree_type_name(MrTreeType type); /* "a string", "a list" … for messages */
bool mr_tree_bool(const MrTree *tree, bool otherwise);
int64_t mr_tree_int(const MrTree *tree, int64_t otherwise); /* also whole reals */
double mr_tree_real(const MrTree *tree, double otherwise);  /* also ints */
const char *mr_tree_string(const MrTree *tree);             /* NULL unless a string */
unsigned mr_tree_line(const MrTree *tree);                  /* from 1; 0 unknown */
unsigned mr_tree_column(const MrTree *tree);
void mr_tree_set_position(MrTree *tree, unsigned line, unsigned column);

size_t mr_tree_size(const MrTree *tree); /* elements of a list or map, else 0 */
MrTree *mr_tree_at(const MrTree *tree,
                   size_t i); /* list element or map value; NULL beyond the end */
const char *mr_tree_key(const MrTree *tree, size_t i); /* map key, borrowed */
unsigned mr_tree_key_line(const MrTree *map, size_t i,
                          unsigned *ret_column);         /* where the key is written; 0 unknown */
MrTree *mr_tree_get(const MrTree *map, const char *key); /* borrowed; NULL when absent or no map */
/* Appends a scalar as plain text: 1, 0.5, true, a string as it is. False, and nothing appended, for
 * all else. */
bool mr_tree_text(const MrTree *tree, MrBuf *out);
/* The node a field path names ("spec.kafka.listeners[1].tls"), or, when `nearest`, its closest
 * existing ancestor.
 * ["log.dirs"] names a key with odd characters, [Ready] the element of a list with that type or
 * name. */
MrTree *mr_tree_find(const MrTree *tree, const char *path, bool nearest);
/* Builds such paths: ".key" (or ["odd.key"]) and "[i]". */
void mr_tree_path_key(MrBuf *path, const char *key);
void mr_tree_path_index(MrBuf *path, size_t i);
const char *mr_tree_get_string(const MrTree *map, const char *key);
int64_t mr_tree_get_int(const MrTree *map, const char *key, int64_t otherwise);
bool mr_tree_get_bool(const MrTree *map, const char *key, bool otherwise);

/* Writers own `take_value`; a NULL value is stored as a null node. set replaces. All return the
 * stored node. */
MrTree *mr_tree_set(MrTree *map, const char *key, MrTree *take_value);
MrTree *mr_tree_append(MrTree *list, MrTree *take_value);
MrTree *mr_tree_set_string(MrTree *map, const char *key,
                           const char *value); /* a NULL value sets nothing */
MrTree *mr_tree_set_int(MrTree *map, const char *key, int64_t value);
MrTree *mr_tree_set_bool(MrTree *map, const char *key, bool value);
/* The map or list stored at key, made empty when there is none. */
MrTree *mr_tree_need_map(MrTree *map, const char *key);
MrTree *mr_tree_need_list(MrTree *map, const char *key);
void mr_tree_remove(MrTree *map, const char *key);
void mr_tree_remove_at(MrTree *list_or_map, size_t i);

bool mr_tree_equal(const MrTree *a, const MrTree *b); /* positions do not count */
/* RFC 7386: returns the patched tree, consuming `take_target`. */
MrTree *mr_tree_merge_patch(MrTree *take_target, const MrTree *patch);

/* Calls `found` for each leaf path at which a and b differ; a or b is NULL where a side has
 * nothing. */
typedef void (*MrTreeDifference)(const char *path, const MrTree *a, const MrTree *b,
                                 void *userdata);
void mr_tree_diff(const MrTree *a, const MrTree *b, MrTreeDifference found, void *userdata);

/* Limits for what comes from outside; a document beyond one is MR_INVALID. */
#define MR_DOCUMENT_MAX (4U * 1024 * 1024) /* bytes of one file */
#define MR_DEPTH_MAX 64U
#define MR_NODES_MAX 200000U /* after expanding aliases */
#define MR_KEY_MAX 1024U     /* bytes of a key */
#define MR_WARNINGS_MAX 100U /* warnings in one list; further ones are dropped */

/* Reads all documents of a YAML stream into a list (empty documents are left out). Scalars as
 * YAML 1.1 as kubectl reads them; duplicate keys are errors; aliases are copied and count against
 * MR_NODES_MAX. `warnings` (a list, may be NULL) gets one map {line, column, message} for each
 * plain scalar that YAML 1.1 turns into a boolean. */
int mr_yaml_read(const char *text, size_t size, const char *source, MrTree **ret, MrTree *warnings,
                 MrError *err) _must_check_;
int mr_json_read(const char *text, size_t size, const char *source, MrTree **ret,
                 MrError *err) _must_check_;
#define MR_JSON_PRETTY (1U << 0) /* two-space indent and a newline at the end */
void mr_json_write(const MrTree *tree, unsigned flags, MrBuf *out);
void mr_yaml_write(const MrTree *tree,
                   MrBuf *out); /* block style, safe to read back to an equal tree */
/* Text from outside as a message shows it: in double quotes, on one line, without control
 * characters, and cut after 80 characters. */
void mr_text_quote(const char *text, MrBuf *out);
/* SHA-256 of the compact JSON. */
void mr_tree_digest(const MrTree *tree, char ret[65]);
