#pragma once

/* The handful of compiler helpers that every file uses: cleanup attributes, ownership transfer and
 * printf checking. Nothing here allocates or calls a function. */

#include <stddef.h>
#include <stdint.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))
#define _unused_ __attribute__((unused))
#define _public_ __attribute__((visibility("default")))

#define MR_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/* Moves a pointer out of a variable: the variable becomes NULL, the value is the old pointer. */
#define TAKE(p)                                                                                    \
        ({                                                                                         \
                __typeof__(p) _taken_ = (p);                                                       \
                (p) = NULL;                                                                        \
                _taken_;                                                                           \
        })

/* DEFINE_CLEANUP(MrTree *, mr_tree_free) makes mr_tree_freep() for _cleanup_(mr_tree_freep). */
#define DEFINE_CLEANUP(type, func)                                                                 \
        static inline _unused_ void func##p(type *p) {                                             \
                if (*p)                                                                            \
                        func(*p);                                                                  \
        }                                                                                          \
        struct _mr_semicolon_
