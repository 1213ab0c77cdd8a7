/* Finding values of secrets in texts, and putting masks in their places. */

#include "mask.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "crypto/secret.h"
#include "str.h"

/* What is shorter stands in too many texts by chance; as a whole text it is masked all the same. */
#define WITHIN_MIN 6U

typedef struct Mask {
        char *name; /* NULL: whatever its name is */
        char *value, *mask;
        bool is_whole; /* only where it is the whole text */
} Mask;

struct Masks {
        Mask *items;
        size_t n, allocated;
};

Masks *masks_new(void) {
        return mr_new(Masks, 1);
}

static void wipe(char *text) {
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
}

Masks *masks_free(Masks *masks) {
        if (!masks)
                return NULL;
        for (size_t i = 0; i < masks->n; i++) {
                wipe(masks->items[i].value);
                free(masks->items[i].mask);
                free(masks->items[i].name);
        }
        free(masks->items);
        free(masks);
        return NULL;
}

static void add(Masks *masks, const char *value, const char *mask, bool is_whole) {
        for (size_t i = 0; i < masks->n; i++)
                if (!masks->items[i].name && mr_streq(masks->items[i].value, value))
                        return;
        MR_GROW(masks->items, masks->n, masks->allocated);
        masks->items[masks->n++] =
                (Mask){.value = mr_strdup(value), .mask = mr_strdup(mask), .is_whole = is_whole};
}

void masks_exchange(Masks *masks, const char *from, const char *to) {
        add(masks, from, to, true);
}

/* Where data is text in base64, as in a Secret. */
static void add_base64(Masks *masks, const char *value, const char *mask) {
        _cleanup_buf_ MrBuf to = {};
        MrBuf from = {};

        mr_base64(value, strlen(value), &from);
        mr_base64(mask, strlen(mask), &to);
        add(masks, mr_buf_text(&from), mr_buf_text(&to), true);
        mr_buf_wipe(&from);
}

static void add_value(Masks *masks, const char *value, const char *mask) {
        add(masks, value, mask, strlen(value) < WITHIN_MIN);
        add_base64(masks, value, mask);
}

/* One text with all masks in it: NULL when there is nothing to mask. The longest first, since a
 * value may be part of another. */
static char *masked(const Masks *masks, const char *text) {
        char *result = NULL;

        for (size_t i = masks->n; i-- > 0;) {
                const Mask *mask = &masks->items[i];
                const char *from = result ? result : text, *at;
                if (mask->name ||
                    (mask->is_whole ? !mr_streq(from, mask->value) : !strstr(from, mask->value)))
                        continue;
                MrBuf out = {};
                for (; (at = strstr(from, mask->value)); from = at + strlen(mask->value)) {
                        mr_buf_append(&out, from, (size_t) (at - from));
                        mr_buf_puts(&out, mask->mask);
                }
                mr_buf_puts(&out, from);
                wipe(result);
                result = mr_buf_take(&out);
        }
        return result;
}

/* The lines between the marks of each private key; the rest of the text is public. */
static void add_keys(Masks *masks, const char *path, const char *value) {
        for (const char *at = value; (at = strstr(at, "PRIVATE KEY-----\n"));) {
                const char *begin = strchr(at, '\n') + 1, *end = strstr(begin, "-----END ");
                if (!end)
                        end = begin + strlen(begin);
                _cleanup_free_ char *lines = mr_strndup(begin, (size_t) (end - begin));
                _cleanup_free_ char *mask = mr_strf(SECRET_MASK "%s)\n", path);
                if (*lines)
                        add(masks, lines, mask, false);
                explicit_bzero(lines, strlen(lines));
                at = *end ? strchr(end, '\n') : end;
                if (!at)
                        break;
        }
}

void masks_add(Masks *masks, const char *path, const char *value, bool is_made) {
        _cleanup_free_ char *mask = mr_strf(SECRET_MASK "%s)", path);

        if (mr_is_empty(value) || (mr_starts_with(value, "-----BEGIN CERTIFICATE-----") &&
                                   !strstr(value, "PRIVATE KEY-----")))
                return;
        if (strstr(value, "PRIVATE KEY-----\n"))
                add_keys(masks, path, value);
        char *composed =
                is_made || strstr(value, "PRIVATE KEY-----\n") ? masked(masks, value) : NULL;
        if (composed)
                add_base64(masks, value, composed);
        else
                add_value(masks, value, mask);
        wipe(composed);
}

void masks_add_named(Masks *masks, const char *path, const char *name, const char *lead,
                     const char *value) {
        _cleanup_free_ char *mask = mr_strf(SECRET_MASK "%s)", path);
        _cleanup_free_ char *mask_in_text = mr_strf("%s%s", lead, mask);
        char *text = mr_strf("%s%s", lead, value);

        add(masks, text, mask_in_text, false);
        wipe(text);
        MR_GROW(masks->items, masks->n, masks->allocated);
        masks->items[masks->n++] =
                (Mask){.name = mr_strdup(name), .value = mr_strdup(value), .mask = mr_strdup(mask)};
}

/* The mask of a value by its name; NULL: it has none. */
static const char *mask_of_named(const Masks *masks, const char *name, const MrTree *value) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        if (!name || !mr_tree_text(value, &text))
                return NULL;
        for (size_t i = 0; i < masks->n; i++)
                if (mr_streq(masks->items[i].name, name) &&
                    mr_streq(masks->items[i].value, mr_buf_text(&text)))
                        return masks->items[i].mask;
        return NULL;
}

/* {"name": NAME, "value": VALUE}, or "key", names a value as well as {NAME: VALUE} does. */
static MrTree *copy_map(const Masks *masks, const MrTree *map) {
        const char *name = mr_tree_get_string(map, mr_tree_get(map, "name") ? "name" : "key");
        MrTree *copy = mr_tree_new_map();

        for (size_t i = 0; i < mr_tree_size(map); i++) {
                const char *key = mr_tree_key(map, i);
                const MrTree *value = mr_tree_at(map, i);
                const char *mask =
                        mask_of_named(masks, mr_streq(key, "value") && name ? name : key, value);
                mr_tree_set(copy, key, mask ? mr_tree_new_string(mask) : masks_copy(masks, value));
        }
        return copy;
}

MrTree *masks_copy(const Masks *masks, const MrTree *tree) {
        const char *text = mr_tree_string(tree);
        MrTree *copy;

        if (text) {
                _cleanup_free_ char *fresh = masked(masks, text);
                return mr_tree_new_string(fresh ? fresh : text);
        }
        if (mr_tree_type(tree) == MR_TREE_MAP)
                return copy_map(masks, tree);
        if (mr_tree_type(tree) != MR_TREE_LIST)
                return mr_tree_copy(tree);
        copy = mr_tree_new_list();
        for (size_t i = 0; i < mr_tree_size(tree); i++)
                mr_tree_append(copy, masks_copy(masks, mr_tree_at(tree, i)));
        return copy;
}
