/* Allocation that aborts instead of failing, and arenas for values that live and die together. */

#include "alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_SIZE (16U * 1024)
#define ALIGNMENT 16U

static void *checked(void *p) {
        if (p)
                return p;
        fputs("Out of memory.\n", stderr);
        abort();
}

void *mr_malloc(size_t size) {
        return checked(malloc(size ? size : 1));
}

void *mr_calloc(size_t n, size_t size) {
        return checked(calloc(n ? n : 1, size ? size : 1));
}

void *mr_realloc_array(void *p, size_t n, size_t size) {
        return checked(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *mr_strdup(const char *s) {
        return s ? checked(strdup(s)) : NULL;
}

char *mr_strndup(const char *s, size_t n) {
        return s ? checked(strndup(s, n)) : NULL;
}

char *mr_vstrf(const char *format, va_list args) {
        char *text = NULL;

        if (vasprintf(&text, format, args) < 0)
                return checked(NULL);
        return text;
}

char *mr_strf(const char *format, ...) {
        va_list args;

        va_start(args, format);
        char *text = mr_vstrf(format, args);
        va_end(args);
        return text;
}

/* Chunks are linked, newest first. A request larger than a chunk gets a chunk of its own. */
typedef struct Chunk {
        struct Chunk *next;
        size_t used, size;
        unsigned char data[] __attribute__((aligned(ALIGNMENT)));
} Chunk;

struct MrArena {
        Chunk *chunks;
        size_t next_size; /* grows with use, so that small arenas stay small */
};

MrArena *mr_arena_new(void) {
        MrArena *arena = mr_new(MrArena, 1);

        arena->next_size = 1024;
        return arena;
}

MrArena *mr_arena_free(MrArena *arena) {
        if (!arena)
                return NULL;
        for (Chunk *chunk = arena->chunks; chunk;) {
                Chunk *next = chunk->next;
                free(chunk);
                chunk = next;
        }
        free(arena);
        return NULL;
}

MrArena *mr_arena_wipe(MrArena *arena) {
        for (Chunk *chunk = arena ? arena->chunks : NULL; chunk; chunk = chunk->next)
                explicit_bzero(chunk->data, chunk->used);
        return mr_arena_free(arena);
}

static Chunk *arena_grow(MrArena *arena, size_t size) {
        size_t capacity = size > arena->next_size ? size : arena->next_size;
        Chunk *chunk = mr_calloc(1, sizeof(Chunk) + capacity);

        chunk->size = capacity;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        if (arena->next_size < CHUNK_SIZE)
                arena->next_size *= 2;
        return chunk;
}

void *mr_arena_alloc(MrArena *arena, size_t size) {
        size_t rounded = (size + ALIGNMENT - 1) & ~(size_t) (ALIGNMENT - 1);
        Chunk *chunk = arena->chunks;

        if (!chunk || chunk->size - chunk->used < rounded)
                chunk = arena_grow(arena, rounded);
        void *p = chunk->data + chunk->used;
        chunk->used += rounded;
        return p;
}

char *mr_arena_strndup(MrArena *arena, const char *s, size_t n) {
        if (!s)
                return NULL;
        size_t size = strnlen(s, n);
        char *copy = mr_arena_alloc(arena, size + 1);
        memcpy(copy, s, size);
        return copy;
}

char *mr_arena_strdup(MrArena *arena, const char *s) {
        return mr_arena_strndup(arena, s, SIZE_MAX);
}

char *mr_arena_strf(MrArena *arena, const char *format, ...) {
        va_list args;

        va_start(args, format);
        _cleanup_free_ char *text = mr_vstrf(format, args);
        va_end(args);
        return mr_arena_strdup(arena, text);
}
