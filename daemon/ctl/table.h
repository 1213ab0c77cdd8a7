#pragma once

/* Tables as kubectl prints them: aligned columns, three spaces between them, nothing after the
 * last. */

#include <stdio.h>

#include "sdk/field.h"

typedef struct Table {
        char **cells; /* row by row; the first row is the header */
        size_t n_cells, allocated;
        size_t n_columns;
        size_t *widths;
        size_t n_printed; /* rows that are printed already */
} Table;

/* Cells are copied (NULL: empty); a row is complete when it has n_columns cells. */
void table_init(Table *table, size_t n_columns);
void table_add(Table *table, const char *cell);
/* Prints the rows that were not printed yet. Columns only ever become wider. */
void table_print(Table *table, FILE *out);
void table_done(Table *table);
#define _cleanup_table_ _cleanup_(table_done)

/* What stands at a column's path: "status.conditions[Ready].status" (the element of that type or
 * name), "metadata.labels.strimzi\\.io/cluster". Lists are joined with commas; nothing is "". The
 * caller frees it. */
char *column_value(const MrTree *object, const char *path);
/* Seconds as kubectl tells an age: "42s", "5m3s", "3h", "12d". The caller frees it. */
char *age_text(int64_t seconds);
/* "2026-01-31T12:00:00Z" → seconds since the epoch; -EINVAL otherwise. */
int time_read(const char *text, int64_t *ret) _must_check_;
