#pragma once

/* Allocation that never fails: out of memory aborts the process with one line, because every pass
 * is idempotent and a restart observes the world again. Sizes that come from outside are capped by
 * the caller before they reach these functions. */

#include <stdarg.h>
#include <stdlib.h>

#include "macros.h"

void *mr_malloc(size_t size);
void *mr_calloc(size_t n, size_t size);
void *mr_realloc_array(void *p, size_t n, size_t size);
char *mr_strdup(const char *s); /* NULL stays NULL */
char *mr_strndup(const char *s, size_t n);
char *mr_strf(const char *format, ...) _printf_(1, 2);
char *mr_vstrf(const char *format, va_list args) _printf_(1, 0);

#define mr_new(type, n) ((type *) mr_calloc((n), sizeof(type)))

static inline void mr_freep(void *p) {
        free(*(void **) p);
}
#define _cleanup_free_ _cleanup_(mr_freep)

/* Makes room for one more element in a growing array: (array, used, allocated). */
#define MR_GROW(array, used, allocated)                                                            \
        do {                                                                                       \
                if ((used) >= (allocated)) {                                                       \
                        (allocated) = (allocated) ? (allocated) *2 : 8;                            \
                        (array) = mr_realloc_array((array), (allocated), sizeof(*(array)));        \
                }                                                                                  \
        } while (0)

/* An arena owns many small allocations that live and die together: a decoded spec, a set of parts.
 * Everything from it is zeroed, aligned for any type, and freed by mr_arena_free() alone. */
typedef struct MrArena MrArena;

MrArena *mr_arena_new(void);
MrArena *mr_arena_free(MrArena *arena); /* returns NULL; takes NULL */
DEFINE_CLEANUP(MrArena *, mr_arena_free);
/* The same, for an arena that held secrets: nothing of them stays in memory. */
MrArena *mr_arena_wipe(MrArena *arena);
DEFINE_CLEANUP(MrArena *, mr_arena_wipe);
void *mr_arena_alloc(MrArena *arena, size_t size);
char *mr_arena_strdup(MrArena *arena, const char *s);
char *mr_arena_strndup(MrArena *arena, const char *s, size_t n);
char *mr_arena_strf(MrArena *arena, const char *format, ...) _printf_(2, 3);

#define mr_arena_new_array(arena, type, n) ((type *) mr_arena_alloc((arena), (n) * sizeof(type)))
