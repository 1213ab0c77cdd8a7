#include "warn.h"

#include <string.h>

#include "scalar.h"
#include "str.h"

static MrTree *warn(Decoder *decoder, const char *reason, const MrTree *map, size_t i,
                    const char *message) {
        unsigned column, line = mr_tree_key_line(map, i, &column);
        MrTree *warning = mr_tree_append(decoder->warnings, mr_tree_new_map());

        mr_tree_set_string(warning, "path", mr_buf_text(&decoder->path));
        mr_tree_set_int(warning, "line", line);
        mr_tree_set_int(warning, "column", column);
        mr_tree_set_string(warning, "reason", reason);
        mr_tree_set_string(warning, "message", message);
        return warning;
}

static bool has_room(const Decoder *decoder) {
        return decoder->warnings && mr_tree_size(decoder->warnings) < MR_WARNINGS_MAX;
}

static bool is_reported(Decoder *decoder, const MrField *field) {
        for (size_t i = 0; i < decoder->n_reported; i++)
                if (decoder->reported[i] == field)
                        return true;
        MR_GROW(decoder->reported, decoder->n_reported, decoder->allocated_reported);
        decoder->reported[decoder->n_reported++] = field;
        return false;
}

typedef struct Notice {
        unsigned flag;
        const char *reason;
        const char *message; /* what follows the path */
} Notice;

void warn_flags(Decoder *decoder, const MrField *field, const MrTree *map, size_t at) {
        static const Notice notices[] = {
                {MR_OBSOLETE, "Obsolete", "is obsolete and has no effect; remove it"},
                {MR_CONCERNS, "Concerns", "means something only on some platforms"},
                {MR_REFUSED, "Refused", "has no effect: what it belongs to is refused"},
                {MR_NOT_YET, "NotYet", "has no effect yet"},
                {MR_DEPRECATED, "Deprecated", "is deprecated; it still works"},
        };
        unsigned flags = field->flags & ~decoder->inherited;

        /* What was told of something holds for all below; that it is obsolete is told besides. */
        if (decoder->inherited)
                flags &= MR_OBSOLETE;

        for (size_t i = 0; i < MR_ELEMENTS(notices); i++) {
                if (!(flags & notices[i].flag))
                        continue;
                if (!has_room(decoder) || is_reported(decoder, field))
                        return;
                MrTree *warning = warn(decoder, notices[i].reason, map, at, notices[i].message);
                if (notices[i].flag == MR_CONCERNS)
                        mr_tree_set_int(warning, "concerns", flags & MR_CONCERNS);
                return;
        }
}

#define NAME_MAX_COMPARED 63U

static size_t smaller(size_t a, size_t b) {
        return a < b ? a : b;
}

/* Levenshtein's distance, one row of the table at a time. Names too long to compare are far
 * apart. */
static size_t distance(const char *a, const char *b) {
        size_t row[NAME_MAX_COMPARED + 1], n_a = strlen(a), n_b = strlen(b);

        if (n_a > NAME_MAX_COMPARED || n_b > NAME_MAX_COMPARED)
                return SIZE_MAX;
        for (size_t j = 0; j <= n_b; j++)
                row[j] = j;
        for (size_t i = 1; i <= n_a; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= n_b; j++) {
                        size_t above = row[j];
                        row[j] = smaller(smaller(above, row[j - 1]) + 1,
                                         diagonal + (a[i - 1] != b[j - 1]));
                        diagonal = above;
                }
        }
        return row[n_b];
}

#define DISTANCE_MAX 2U

static const MrField *nearest(const MrField *fields, const char *name) {
        const MrField *best = NULL;
        size_t best_distance = DISTANCE_MAX + 1;

        for (const MrField *field = fields; field->type != MR_TYPE_NONE; field++) {
                size_t d = distance(field->name, name);
                if (d < best_distance && d < strlen(name)) {
                        best = field;
                        best_distance = d;
                }
        }
        return best;
}

static void warn_key(Decoder *decoder, const MrField *fields, const MrTree *map, size_t i) {
        const MrField *meant = nearest(fields, mr_tree_key(map, i));
        _cleanup_free_ char *message =
                meant ? mr_strf("unknown field, ignored; did you mean %s?", meant->name)
                      : mr_strf("unknown field, ignored; remove it");

        warn(decoder, "UnknownField", map, i, message);
}

void warn_unknown(Decoder *decoder, const MrField *fields, const MrTree *map) {
        const MrField *rest = field_named(fields, "*", 1);

        for (size_t i = 0; i < mr_tree_size(map) && has_room(decoder); i++) {
                const char *key = mr_tree_key(map, i);
                size_t before = decoder->path.size;
                if (field_named(fields, key, strlen(key)))
                        continue;
                mr_tree_path_key(&decoder->path, key);
                if (rest)
                        warn_flags(decoder, rest, map, i);
                else
                        warn_key(decoder, fields, map, i);
                decoder->path.size = before;
                decoder->path.data[before] = '\0';
        }
}
