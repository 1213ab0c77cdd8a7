/* Aligned columns, values at paths, and ages. */

#include "ctl/table.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

void table_init(Table *table, size_t n_columns) {
        *table = (Table){.n_columns = n_columns, .widths = mr_new(size_t, n_columns)};
}

/* Bytes that continue a UTF-8 character take no room of their own. */
static size_t text_width(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += ((unsigned char) *text & 0xc0) != 0x80;
        return n;
}

void table_add(Table *table, const char *cell) {
        size_t column = table->n_cells % table->n_columns, width = text_width(cell ? cell : "");

        MR_GROW(table->cells, table->n_cells, table->allocated);
        table->cells[table->n_cells++] = mr_strdup(cell ? cell : "");
        if (width > table->widths[column])
                table->widths[column] = width;
}

void table_print(Table *table, FILE *out) {
        for (; (table->n_printed + 1) * table->n_columns <= table->n_cells; table->n_printed++) {
                char **row = table->cells + table->n_printed * table->n_columns;
                for (size_t i = 0; i < table->n_columns; i++) {
                        fputs(row[i], out);
                        if (i + 1 < table->n_columns)
                                fprintf(out, "%*s",
                                        (int) (table->widths[i] - text_width(row[i]) + 3), "");
                }
                fputc('\n', out);
        }
}

void table_done(Table *table) {
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        free(table->cells);
        free(table->widths);
        *table = (Table){};
}

static char *scalar_text(const MrTree *tree) {
        switch (mr_tree_type(tree)) {
        case MR_TREE_STRING:
                return mr_strdup(mr_tree_string(tree));
        case MR_TREE_INT:
                return mr_strf("%lld", (long long) mr_tree_int(tree, 0));
        case MR_TREE_REAL:
                return mr_strf("%g", mr_tree_real(tree, 0));
        case MR_TREE_BOOL:
                return mr_strdup(mr_tree_bool(tree, false) ? "true" : "false");
        default:
                return mr_strdup("");
        }
}

static char *value_text(const MrTree *tree) {
        MrBuf out = {};

        if (mr_tree_type(tree) != MR_TREE_LIST)
                return scalar_text(tree);
        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                _cleanup_free_ char *item = scalar_text(mr_tree_at(tree, i));
                mr_buf_printf(&out, "%s%s", i > 0 ? "," : "", item);
        }
        return mr_buf_take(&out);
}

/* "[Ready]" or "[0]". */
static const MrTree *element(const MrTree *list, const char *which) {
        int64_t i;

        if (mr_parse_int(which, &i) == 0)
                return i < 0 ? NULL : mr_tree_at(list, (size_t) i);
        for (size_t k = 0; k < mr_tree_size(list); k++) {
                const MrTree *item = mr_tree_at(list, k);
                if (mr_streq(mr_tree_get_string(item, "type"), which) ||
                    mr_streq(mr_tree_get_string(item, "name"), which))
                        return item;
        }
        return NULL;
}

/* Takes the next key, up to a dot or bracket that is not escaped, from the front of the path. */
static char *take_key(const char **path) {
        MrBuf key = {};

        for (; **path && !strchr(".[", **path); (*path)++) {
                if (**path == '\\' && (*path)[1])
                        (*path)++;
                mr_buf_putc(&key, **path);
        }
        return mr_buf_take(&key);
}

char *column_value(const MrTree *object, const char *path) {
        while (*path && object) {
                if (*path == '[') {
                        size_t n = strcspn(++path, "]");
                        _cleanup_free_ char *which = mr_strndup(path, n);
                        object = element(object, which);
                        path += n + (path[n] == ']');
                } else {
                        _cleanup_free_ char *key = take_key(&path);
                        object = mr_tree_get(object, key);
                }
                path += *path == '.';
        }
        return value_text(object);
}

char *age_text(int64_t s) {
        int64_t m = s / 60, h = s / 3600, d = s / 86400;

        if (s < 0)
                return mr_strdup("0s");
        if (s < 120)
                return mr_strf("%llds", (long long) s);
        if (m < 10)
                return s % 60 ? mr_strf("%lldm%llds", (long long) m, (long long) (s % 60))
                              : mr_strf("%lldm", (long long) m);
        if (m < 180)
                return mr_strf("%lldm", (long long) m);
        if (h < 8)
                return m % 60 ? mr_strf("%lldh%lldm", (long long) h, (long long) (m % 60))
                              : mr_strf("%lldh", (long long) h);
        if (h < 48)
                return mr_strf("%lldh", (long long) h);
        if (d < 8)
                return h % 24 ? mr_strf("%lldd%lldh", (long long) d, (long long) (h % 24))
                              : mr_strf("%lldd", (long long) d);
        if (d < 730)
                return mr_strf("%lldd", (long long) d);
        return mr_strf("%lldy%lldd", (long long) (d / 365), (long long) (d % 365));
}

int time_read(const char *text, int64_t *ret) {
        struct tm tm = {};
        const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

        if (!end || *end)
                return -EINVAL;
        *ret = timegm(&tm);
        return 0;
}
