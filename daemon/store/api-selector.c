/* labelSelector and fieldSelector: "a=b,c==d" and "metadata.name=x". Whatever else they can say is
 * refused, because an ignored selector would answer with too much. */

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api-private.h"

void selector_done(Selector *selector) {
        selector->labels = mr_tree_free(selector->labels);
}

/* "a=b,c==d" → a map; -EINVAL for anything that is no equality. */
static int read_equalities(const char *text, MrTree **ret) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();

        while (*text) {
                size_t n = strcspn(text, ",");
                const char *equals = memchr(text, '=', n);
                if (!equals || equals == text || equals[-1] == '!' || memchr(text, '(', n))
                        return -EINVAL;
                const char *value = equals[1] == '=' ? equals + 2 : equals + 1;
                if (value > text + n)
                        return -EINVAL;
                _cleanup_free_ char *key = mr_strndup(text, (size_t) (equals - text));
                mr_tree_set(map, key, mr_tree_new_string_n(value, (size_t) (text + n - value)));
                text += n + (text[n] == ',');
        }
        *ret = TAKE(map);
        return 0;
}

static int refuse(Call *call, const char *parameter, const char *text) {
        call_fail(call, 400, "the %s \"%s\" is not understood; use equalities such as a=b%s",
                  parameter, text,
                  mr_streq(parameter, "fieldSelector") ? ", of metadata.name only" : "");
        return -EINVAL;
}

int selector_read(Call *call, Selector *ret) {
        const char *labels = http_request_parameter(call->request, "labelSelector");
        const char *fields = http_request_parameter(call->request, "fieldSelector");
        _cleanup_(selector_done) Selector selector = {};

        if (!mr_is_empty(labels) && read_equalities(labels, &selector.labels) < 0)
                return refuse(call, "labelSelector", labels);
        if (!mr_is_empty(fields)) {
                if (mr_starts_with(fields, "metadata.name=") && !strchr(fields, ','))
                        selector.name = fields + strlen("metadata.name=") +
                                        (fields[strlen("metadata.name=")] == '=');
                else
                        return refuse(call, "fieldSelector", fields);
        }
        *ret = selector;
        selector.labels = NULL;
        return 0;
}

bool selector_matches(const Selector *selector, const char *name, const MrTree *labels) {
        if (selector->name && !mr_streq(selector->name, name))
                return false;
        for (size_t i = 0; i < mr_tree_size(selector->labels); i++)
                if (!mr_streq(mr_tree_get_string(labels, mr_tree_key(selector->labels, i)),
                              mr_tree_string(mr_tree_at(selector->labels, i))))
                        return false;
        return true;
}
