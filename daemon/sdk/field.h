#pragma once

/* One table per kind. A row of MrField says everything there is to say about one field: its name,
 * type, bounds, default, unit, prose, and where its value lives in a C struct. Decoding, defaults,
 * validation, `millctl explain`, the manual and schemas are all derived from the rows; nowhere else
 * is a field's name spelled.
 *
 *      static const MrField listener_fields[] = {
 *              MR_STRING("name", Listener, name, .pattern = "^[a-z0-9]{1,11}$",
 *                        .form = "up to 11 lower-case letters and digits", .flags = MR_REQUIRED,
 *                        .doc = "Name of the listener, unique within the cluster."),
 *              MR_INT("port", Listener, port, .min = 9092, .max = 65535, .flags = MR_REQUIRED,
 *                     .doc = "Port on which every broker listens."),
 *              {},
 *      };
 *
 * A row called "*", of type TREE, stands for all members that no other row names: they are taken as
 * they are, and read from the document.
 *
 * All memory of a decoded struct comes from one arena. */

#include "alloc.h"
#include "error.h"
#include "tree.h"

typedef enum MrType {
        MR_TYPE_NONE,    /* ends a table */
        MR_TYPE_BOOL,    /* int: 0, 1, or MR_UNSET when absent without fallback */
        MR_TYPE_INT,     /* int64_t, MR_INT_UNSET when absent */
        MR_TYPE_NUMBER,  /* double, NaN when absent */
        MR_TYPE_STRING,  /* const char *, NULL when absent; numbers and booleans are refused as
                            kubectl refuses them */
        MR_TYPE_ENUM,    /* int: value of the MrEnum row, MR_UNSET when absent */
        MR_TYPE_BYTES,   /* uint64_t quantity of bytes ("100Gi", 512), 0 when absent */
        MR_TYPE_MILLI,   /* uint64_t thousandths ("500m", 2), 0 when absent */
        MR_TYPE_OBJECT,  /* pointer to a struct described by .fields, NULL when absent */
        MR_TYPE_LIST,    /* MrList of structs described by .fields */
        MR_TYPE_STRINGS, /* MrStrings */
        MR_TYPE_INTS,    /* MrInts */
        MR_TYPE_MAP,  /* MrPairs: scalar values as text, sorted by key (Kafka's config, labels) */
        MR_TYPE_TREE, /* const MrTree *: kept as read, borrowed from the document */
} MrType;

#define MR_UNSET (-1)
#define MR_INT_UNSET INT64_MIN

typedef struct MrList {
        void *items; /* array of the element struct */
        size_t n;
} MrList;

typedef struct MrStrings {
        const char **items;
        size_t n;
} MrStrings;

typedef struct MrInts {
        int64_t *items;
        size_t n;
} MrInts;

typedef struct MrPair {
        const char *key;
        const char *value;
} MrPair;

typedef struct MrPairs {
        MrPair *items; /* sorted by key */
        size_t n;
} MrPairs;

bool mr_strings_has(const MrStrings *strings, const char *text);
const char *mr_pairs_get(const MrPairs *pairs, const char *key); /* NULL when absent */
/* A map, the caller's; `pairs` may be NULL. */
MrTree *mr_pairs_tree(const MrPairs *pairs);

typedef struct MrEnum {
        const char *name; /* NULL ends the table */
        int value;
        const char *doc;
} MrEnum;

typedef enum MrFieldFlags {
        MR_REQUIRED = 1U << 0,
        MR_NOT_YET = 1U << 1, /* accepted and kept, has no effect yet: reported as a Warning, once,
                                 by name */
        MR_SECRET = 1U << 2,  /* the value is masked wherever it is printed */
        MR_DEPRECATED = 1U << 3, /* works, and is reported */
        MR_STRICT = 1U << 4,     /* a MAP whose values must be strings, not numbers or booleans */
        MR_REFUSED = 1U << 5,   /* belongs to something that a rule refuses, with a clear message */
        MR_OBSOLETE = 1U << 12, /* accepted, and without effect everywhere for good */
        MR_ONLY_MAP = 1U << 6,  /* a TREE that must be a map */
        MR_ONLY_LIST = 1U << 7, /* a TREE that must be a list */
        /* What a field concerns, where not every platform has such things. A platform says which of
         * these mean nothing there (platform.h), and what a resource says about them is then
         * reported once. These, and MR_NOT_YET,
         * MR_REFUSED and MR_OBSOLETE, hold for all fields below. */
        MR_POD = 1U << 8,       /* pods: scheduling, containers, their images and volumes */
        MR_SERVICE = 1U << 9,   /* services, load balancers, ingresses, routes */
        MR_METADATA = 1U << 10, /* labels and annotations of objects that are made */
        MR_BUDGET = 1U << 11,   /* disruption budgets of pods */
        MR_PROBE = 1U << 13,    /* probes of containers */
        MR_CHOICE = 1U << 14,   /* which of many volumes is taken for a claim */
        MR_CLASS = 1U << 15,    /* how volumes of a storage class are made */
} MrFieldFlags;

#define MR_CONCERNS                                                                                \
        (MR_POD | MR_SERVICE | MR_METADATA | MR_BUDGET | MR_PROBE | MR_CHOICE | MR_CLASS)
#define MR_INHERITED (MR_CONCERNS | MR_NOT_YET | MR_REFUSED | MR_OBSOLETE)

/* Where rows put what nobody reads from a struct yet: checked, and then only found in the document.
 * Rows of one struct may share it, and whole tables may be made of it alone. */
typedef struct MrUnread MrUnread;
struct MrUnread {
        int word; /* BOOL, ENUM */
        int64_t integer;
        double number;
        const char *text;
        uint64_t quantity;
        MrUnread *object;
        MrList list;
        MrStrings texts;
        MrInts integers;
        MrPairs pairs;
        const MrTree *tree;
};

/* A rule across the members of an object that an API server checks as well, in CEL. The decoder
 * does not read it: the same is said by the rows or by `rule`. */
typedef struct MrCheck {
        const char *rule; /* NULL ends the table */
        const char *message;
} MrCheck;

typedef struct MrField MrField;
struct MrField {
        const char *name;
        MrType type;
        unsigned flags;
        size_t offset;         /* of the member */
        size_t size;           /* of the element struct, for OBJECT and LIST */
        const MrField *fields; /* rows of the element struct, for OBJECT and LIST */
        const MrEnum *values;  /* for ENUM */
        int64_t min, max;    /* inclusive bounds of INT, BYTES, MILLI, length of a LIST; both 0: no
                                bounds */
        const char *pattern; /* POSIX extended, for STRING and the elements of STRINGS */
        const char *form;    /* what matches the pattern, in words: "three numbers such as 3.9.1" */
        const char *fallback; /* the default, written as in YAML */
        const char *unit;     /* "ms", "bytes" … for the documentation */
        const char *doc;      /* one or two full sentences */
        /* A rule across the members of this OBJECT or of each element of this LIST, run after
         * decoding. It fails with a path relative to the object. */
        int (*rule)(const void *object, MrError *err);
        const MrCheck *checks; /* of this OBJECT or of each element of this LIST; may be NULL */
};

/* Refuses a member of the wrong C type at compile time and yields its offset. */
#define MR_MEMBER(ctype, type, member)                                                             \
        (offsetof(type, member) +                                                                  \
         0 * sizeof(char[__builtin_types_compatible_p(ctype, __typeof__(((type *) 0)->member))     \
                                 ? 1                                                               \
                                 : -1]))

#define MR_BOOL(n, T, m, ...)                                                                      \
        { .name = (n), .type = MR_TYPE_BOOL, .offset = MR_MEMBER(int, T, m), __VA_ARGS__ }
#define MR_INT(n, T, m, ...)                                                                       \
        { .name = (n), .type = MR_TYPE_INT, .offset = MR_MEMBER(int64_t, T, m), __VA_ARGS__ }
#define MR_NUMBER(n, T, m, ...)                                                                    \
        { .name = (n), .type = MR_TYPE_NUMBER, .offset = MR_MEMBER(double, T, m), __VA_ARGS__ }
#define MR_STRING(n, T, m, ...)                                                                    \
        {                                                                                          \
                .name = (n), .type = MR_TYPE_STRING, .offset = MR_MEMBER(const char *, T, m),      \
                __VA_ARGS__                                                                        \
        }
#define MR_ENUM(n, T, m, v, ...)                                                                   \
        {                                                                                          \
                .name = (n), .type = MR_TYPE_ENUM, .offset = MR_MEMBER(int, T, m), .values = (v),  \
                __VA_ARGS__                                                                        \
        }
#define MR_BYTES(n, T, m, ...)                                                                     \
        { .name = (n), .type = MR_TYPE_BYTES, .offset = MR_MEMBER(uint64_t, T, m), __VA_ARGS__ }
#define MR_MILLI(n, T, m, ...)                                                                     \
        { .name = (n), .type = MR_TYPE_MILLI, .offset = MR_MEMBER(uint64_t, T, m), __VA_ARGS__ }
#define MR_STRINGS(n, T, m, ...)                                                                   \
        { .name = (n), .type = MR_TYPE_STRINGS, .offset = MR_MEMBER(MrStrings, T, m), __VA_ARGS__ }
#define MR_INTS(n, T, m, ...)                                                                      \
        { .name = (n), .type = MR_TYPE_INTS, .offset = MR_MEMBER(MrInts, T, m), __VA_ARGS__ }
#define MR_MAP(n, T, m, ...)                                                                       \
        { .name = (n), .type = MR_TYPE_MAP, .offset = MR_MEMBER(MrPairs, T, m), __VA_ARGS__ }
#define MR_TREE(n, T, m, ...)                                                                      \
        {                                                                                          \
                .name = (n), .type = MR_TYPE_TREE, .offset = MR_MEMBER(const MrTree *, T, m),      \
                __VA_ARGS__                                                                        \
        }
/* A pointer member to E, described by the rows f. */
#define MR_OBJECT(n, T, m, E, f, ...)                                                              \
        {                                                                                          \
                .name = (n), .type = MR_TYPE_OBJECT, .offset = MR_MEMBER(E *, T, m),               \
                .size = sizeof(E), .fields = (f), __VA_ARGS__                                      \
        }
/* An object of any struct E in a member that is for objects of MrUnread. */
#define MR_UNREAD_OBJECT(n, T, m, E, f, ...)                                                       \
        {                                                                                          \
                .name = (n), .type = MR_TYPE_OBJECT, .offset = MR_MEMBER(MrUnread *, T, m),        \
                .size = sizeof(E), .fields = (f), __VA_ARGS__                                      \
        }
/* An MrList member whose elements are E, described by the rows f. */
#define MR_LIST(n, T, m, E, f, ...)                                                                \
        {                                                                                          \
                .name = (n), .type = MR_TYPE_LIST, .offset = MR_MEMBER(MrList, T, m),              \
                .size = sizeof(E), .fields = (f), __VA_ARGS__                                      \
        }

/* Decodes `tree` (a map) into `object` (zeroed memory of the struct that `fields` describes):
 * defaults first, then what is written, then the rules. Fails on the first wrong field with its
 * path and position. Unknown fields, fields that are not yet supported and deprecated ones are
 * appended to `warnings` (a list, may be NULL) as maps {path, line, column, reason:
 * "UnknownField"|"NotYet"|"Refused"|"Obsolete"|"Deprecated", message}, and fields that concern
 * something special as maps with the reason "Concerns" and the flag under `concerns`. Strings
 * borrow from the arena. */
int mr_decode(const MrField *fields, const MrTree *tree, MrArena *arena, void *object,
              MrTree *warnings, MrError *err) _must_check_;
/* Sets every member to its fallback or its "absent" value. */
void mr_defaults(const MrField *fields, MrArena *arena, void *object);
/* The row a dotted path names, list brackets left out: "spec.kafka.listeners.tls". NULL when there
 * is none. */
const MrField *mr_field_find(const MrField *fields, const char *path);
const char *mr_type_name(MrType type); /* "integer", "list of objects" … */

/* A kind of resource: one entry in the table of an operand. */
typedef struct MrKind {
        const char *group; /* "kafka.strimzi.io" */
        const char *const
                *versions;  /* served versions, NULL at the end; the first is the one printed */
        const char *name;   /* "Kafka" */
        const char *plural; /* "kafkas" */
        const char *const *short_names; /* NULL at the end; may be NULL */
        const MrField *spec;            /* rows of spec */
        size_t spec_size;
        int (*rule)(const void *spec,
                    MrError *err); /* across all of spec, path relative to spec; may be NULL */
        /* A kind that is part of another resource's reconcile: the owner's kind, found by this
         * label. NULL: its own. */
        const char *owner_kind;
        const char *owner_label;
        /* Columns of `millctl get`, NULL name at the end: name and path into the resource. */
        const struct MrColumn {
                const char *name;
                const char *path; /* "status.conditions[Ready].status", "spec.replicas" */
                bool wide;        /* only with -o wide */
        } * columns;
        const char *doc;
        /* Rows of the status beside what each status has (conditions, observedGeneration): for
         * explaining and for schemas, never decoded. NULL: none. */
        const MrField *status;
        /* Where `kubectl scale` finds replicas wanted and found, and the pods' selector, as dotted
         * paths into the resource; all three or none. */
        struct MrScale {
                const char *wanted, *found, *selector;
        } scale;
        /* Holds values for other resources, as a Secret does: `spec` and `rule` are of the document
         * itself, there is no status, and nothing runs for it. */
        bool is_data;
        bool is_global; /* belongs to no namespace */
        /* A kind with a life of its own that is about another resource, which this label names:
         * where only some are to be cared for, it is cared for with that one. NULL: none. */
        const char *about_kind;
        const char *about_label;
} MrKind;
typedef struct MrColumn MrColumn;

/* Resources of this kind are planned and reconciled by themselves; others are part of another
 * resource's reconcile, or hold data for it. */
bool mr_kind_is_planned(const MrKind *kind);

/* The text of `explain`: what the field at a dotted path ("spec.kafka.listeners", "" for the kind
 * itself) is for, with type, bounds, default and the fields below it; all of them, without prose,
 * when `recursive`. */
int mr_explain(const MrKind *kind, const char *path, bool recursive, MrBuf *out,
               MrError *err) _must_check_;

/* The CustomResourceDefinition of a kind whose rows are whole (registry_whole()): every served
 * version with the same properties, because an API server prunes what a version's schema lacks.
 * Defaults are told, not set: what is stored stays what was written. Owned by the caller. */
MrTree *mr_crd_new(const MrKind *kind) _must_check_;
