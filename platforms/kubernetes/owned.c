/* managedFields → our part of an object, and the way there.
 *
 * The record is a tree like the object: "f:NAME" is a field, "k:{…}" the element of a list that has
 * these keys, "v:…" an element with this value; an empty map is the whole value. */

#include "owned.h"

#include <string.h>

#include "str.h"

static MrTree *extract(const MrTree *value, const MrTree *fields);

static bool has_keys(const MrTree *element, const MrTree *keys) {
        for (size_t i = 0; i < mr_tree_size(keys); i++)
                if (!mr_tree_equal(mr_tree_get(element, mr_tree_key(keys, i)), mr_tree_at(keys, i)))
                        return false;
        return true;
}

/* The record of this element of a list, or NULL. */
static const MrTree *record_of(const MrTree *element, const MrTree *fields) {
        for (size_t i = 0; i < mr_tree_size(fields); i++) {
                const char *name = mr_tree_key(fields, i);
                _cleanup_(mr_tree_freep) MrTree *keys = NULL;
                bool is_value = mr_starts_with(name, "v:");
                if ((!is_value && !mr_starts_with(name, "k:")) ||
                    mr_json_read(name + 2, strlen(name + 2), NULL, &keys, NULL) < 0)
                        continue;
                if (is_value ? mr_tree_equal(element, keys) : has_keys(element, keys))
                        return mr_tree_at(fields, i);
        }
        return NULL;
}

static MrTree *extract_list(const MrTree *value, const MrTree *fields) {
        MrTree *list = mr_tree_new_list();

        for (size_t i = 0; i < mr_tree_size(value); i++) {
                const MrTree *record = record_of(mr_tree_at(value, i), fields);
                if (record)
                        mr_tree_append(list, extract(mr_tree_at(value, i), record));
        }
        return list;
}

static MrTree *extract_map(const MrTree *value, const MrTree *fields) {
        MrTree *map = mr_tree_new_map();

        for (size_t i = 0; i < mr_tree_size(fields); i++) {
                const char *name = mr_tree_key(fields, i);
                const MrTree *field =
                        mr_starts_with(name, "f:") ? mr_tree_get(value, name + 2) : NULL;
                if (field)
                        mr_tree_set(map, name + 2, extract(field, mr_tree_at(fields, i)));
        }
        return map;
}

static MrTree *extract(const MrTree *value, const MrTree *fields) {
        if (mr_tree_size(fields) == 0)
                return mr_tree_copy(value);
        if (mr_tree_type(value) == MR_TREE_LIST)
                return extract_list(value, fields);
        return mr_tree_type(value) == MR_TREE_MAP ? extract_map(value, fields)
                                                  : mr_tree_copy(value);
}

static const MrTree *our_fields(const MrTree *object) {
        const MrTree *managers = mr_tree_get(mr_tree_get(object, "metadata"), "managedFields");

        for (size_t i = 0; i < mr_tree_size(managers); i++) {
                const MrTree *entry = mr_tree_at(managers, i);
                if (mr_streq(mr_tree_get_string(entry, "manager"), FIELD_MANAGER) &&
                    mr_streq(mr_tree_get_string(entry, "operation"), "Apply") &&
                    !mr_tree_get(entry, "subresource"))
                        return mr_tree_get(entry, "fieldsV1");
        }
        return NULL;
}

bool owned_is_binary(const char *key) {
        return mr_ends_with(key, ".p12");
}

static void digest_data(MrTree *body) {
        const MrTree *data = mr_tree_get(body, "data");
        MrTree *digests = data ? mr_tree_need_map(body, "digests") : NULL;

        for (size_t i = 0; i < mr_tree_size(data); i++) {
                const char *key = mr_tree_key(data, i);
                const char *text = mr_tree_string(mr_tree_at(data, i));
                _cleanup_(mr_buf_wipe) MrBuf bytes = {};
                char digest[MR_DIGEST_MAX];
                if (!text || owned_is_binary(key) || mr_unbase64(text, strlen(text), &bytes) < 0)
                        mr_digest(text ? text : "", text ? strlen(text) : 0, digest);
                else
                        mr_digest(mr_buf_text(&bytes), bytes.size, digest);
                mr_tree_set_string(digests, key, digest);
        }
        mr_tree_remove(body, "data");
}

static void restore_owners(MrTree *body) {
        MrTree *metadata = mr_tree_get(body, "metadata");
        MrTree *annotations = mr_tree_get(metadata, "annotations"), *owners = NULL;
        const char *text = mr_tree_get_string(annotations, OWNERS_ANNOTATION);

        if (!text)
                return;
        if (mr_json_read(text, strlen(text), NULL, &owners, NULL) >= 0)
                mr_tree_set(metadata, "ownerReferences", owners);
        mr_tree_remove(annotations, OWNERS_ANNOTATION);
        if (mr_tree_size(annotations) == 0)
                mr_tree_remove(metadata, "annotations");
}

/* A set has one pod. Whether it has it now is said by starting and stopping it, not by its body. */
static void settle_replicas(MrTree *body) {
        MrTree *spec = mr_tree_get(body, "spec");

        if (spec && mr_streq(mr_tree_get_string(body, "kind"), "StatefulSet"))
                mr_tree_set_int(spec, "replicas", 1);
}

MrTree *owned_body(const MrTree *object) {
        const MrTree *fields = our_fields(object), *metadata = mr_tree_get(object, "metadata");
        MrTree *body = fields ? extract_map(object, fields) : mr_tree_new_map();
        MrTree *own = mr_tree_need_map(body, "metadata");

        mr_tree_set_string(body, "apiVersion", mr_tree_get_string(object, "apiVersion"));
        mr_tree_set_string(body, "kind", mr_tree_get_string(object, "kind"));
        mr_tree_set_string(own, "name", mr_tree_get_string(metadata, "name"));
        mr_tree_set_string(own, "namespace", mr_tree_get_string(metadata, "namespace"));
        restore_owners(body);
        settle_replicas(body);
        if (mr_streq(mr_tree_get_string(object, "kind"), "Secret"))
                digest_data(body);
        return body;
}

static void note_owners(MrTree *object) {
        MrTree *metadata = mr_tree_get(object, "metadata");
        const MrTree *owners = mr_tree_get(metadata, "ownerReferences");
        _cleanup_buf_ MrBuf text = {};

        if (!owners)
                return;
        mr_json_write(owners, 0, &text);
        mr_tree_set_string(mr_tree_need_map(metadata, "annotations"), OWNERS_ANNOTATION,
                           mr_buf_text(&text));
        mr_tree_remove(metadata, "ownerReferences");
}

static int add_data(MrTree *object, const char *payload, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *values = NULL;

        int r = payload ? mr_json_read(payload, strlen(payload), NULL, &values, err) : 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < mr_tree_size(values); i++) {
                const char *key = mr_tree_key(values, i);
                const char *text = mr_tree_string(mr_tree_at(values, i));
                _cleanup_(mr_buf_wipe) MrBuf bytes = {};
                if (text && owned_is_binary(key))
                        mr_buf_puts(&bytes, text);
                else if (text)
                        mr_base64(text, strlen(text), &bytes);
                mr_tree_set_string(mr_tree_need_map(object, "data"), key, mr_buf_text(&bytes));
        }
        return 0;
}

int owned_object(const MrTree *body, const char *payload, bool has_owners, MrTree **ret,
                 MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *object = mr_tree_copy(body);

        mr_tree_remove(object, "digests");
        if (!has_owners)
                note_owners(object);
        int r = add_data(object, payload, err);
        if (r >= 0)
                *ret = TAKE(object);
        return r;
}
