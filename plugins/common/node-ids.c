/* Lists of node ids. */

#include "node-ids.h"

#include <string.h>

#include "str.h"

/* More ranges than a list can sensibly have; ids are 32 bits wide in Kafka. */
#define RANGES_MAX 1000U
#define DIGITS_MAX 9U

static void skip_spaces(const char **p) {
        *p += strspn(*p, " \t");
}

static bool read_id(const char **p, int64_t *ret) {
        size_t n = strspn(*p, "0123456789");

        if (n == 0 || n > DIGITS_MAX)
                return false;
        *ret = 0;
        for (; n > 0; n--)
                *ret = *ret * 10 + *(*p)++ - '0';
        skip_spaces(p);
        return true;
}

static bool read_range(const char **p, NodeIdRange *ret) {
        skip_spaces(p);
        if (!read_id(p, &ret->first))
                return false;
        ret->last = ret->first;
        if (**p != '-')
                return true;
        (*p)++;
        skip_spaces(p);
        return read_id(p, &ret->last);
}

static int not_a_list(const char *text, MrError *err) {
        return mr_fail(err, MR_INVALID, NULL,
                       "'%.60s' is no list of node ids; write for example [0, 2, 10-20]", text);
}

int node_ids_parse(MrArena *arena, const char *text, NodeIds *ret, MrError *err) {
        const char *p = text;
        size_t n_max = 1;

        *ret = (NodeIds){};
        if (!text)
                return 0;
        for (const char *c = text; *c; c++)
                n_max += *c == ',';
        skip_spaces(&p);
        if (*p++ != '[' || n_max > RANGES_MAX)
                return not_a_list(text, err);
        NodeIds ids = {.ranges = mr_arena_new_array(arena, NodeIdRange, n_max)};
        skip_spaces(&p);
        while (*p != ']' || ids.n > 0) {
                if (!read_range(&p, &ids.ranges[ids.n++]))
                        return not_a_list(text, err);
                if (*p == ']')
                        break;
                if (*p++ != ',')
                        return not_a_list(text, err);
        }
        p++;
        skip_spaces(&p);
        if (*p)
                return not_a_list(text, err);
        *ret = ids;
        return 0;
}

int64_t node_ids_first(const NodeIds *ids, bool (*fits)(int64_t id, void *userdata),
                       void *userdata) {
        for (size_t i = 0; i < ids->n; i++) {
                const NodeIdRange *range = &ids->ranges[i];
                int64_t step = range->first <= range->last ? 1 : -1;
                /* Of a range wider than any cluster only its beginning can ever be wanted. */
                for (int64_t id = range->first, n = 0; n < 5000; id += step, n++) {
                        if (fits(id, userdata))
                                return id;
                        if (id == range->last)
                                break;
                }
        }
        return -1;
}
