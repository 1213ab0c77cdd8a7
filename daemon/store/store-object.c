/* What of an object comes from the user and what from the store. */

#include <errno.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-resources.h"

static const char *const server_metadata[] = {
        "uid",
        "generation",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
};

/* Long names would not fit into unit and file names that are made of them. */
#define NAME_LENGTH_MAX 253
#define NAMESPACE_PATTERN "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"

int object_key(const MrTree *object, ObjectKey *ret, MrError *err) {
        const MrTree *metadata = mr_tree_get(object, "metadata");
        const MrTree *ns = mr_tree_get(metadata, "namespace");
        ObjectKey key = {
                .kind = mr_tree_get_string(object, "kind"),
                .ns = mr_tree_type(ns) == MR_TREE_NULL ? "default" : mr_tree_string(ns),
                .name = mr_tree_get_string(metadata, "name"),
        };

        if (!key.kind)
                return mr_fail(err, MR_INVALID, "kind",
                               "the kind is missing; write for example \"kind: Kafka\"");
        if (!key.name)
                return mr_fail(err, MR_INVALID, "metadata.name",
                               "the name is missing or no string; give the resource a name, in "
                               "quotes if it is a number");
        if (!mr_is_object_name(key.name))
                return mr_fail(err, MR_INVALID, "metadata.name",
                               "\"%.64s\" cannot be a name; use lower-case letters, digits, \"-\" "
                               "and \".\"",
                               key.name);
        if (!key.ns || !mr_matches(key.ns, NAMESPACE_PATTERN))
                return mr_fail(err, MR_INVALID, "metadata.namespace",
                               "\"%.64s\" cannot be a namespace; use at most 63 lower-case "
                               "letters, digits and \"-\"",
                               key.ns ? key.ns : "");
        *ret = key;
        return 0;
}

MrTree *object_accept(const MrTree *object, const ObjectKey *key) {
        MrTree *copy = mr_tree_copy(object);
        MrTree *metadata = mr_tree_need_map(copy, "metadata");

        for (size_t i = 0; i < MR_ELEMENTS(server_metadata); i++)
                mr_tree_remove(metadata, server_metadata[i]);
        mr_tree_set_string(metadata, "name", key->name);
        mr_tree_set_string(metadata, "namespace", key->ns);
        mr_tree_remove(copy, "status");
        return copy;
}

void object_inherit(MrTree *object, const MrTree *stored) {
        const MrTree *from = mr_tree_get(stored, "metadata");
        MrTree *to = mr_tree_need_map(object, "metadata");
        const MrTree *status = mr_tree_get(stored, "status");

        for (size_t i = 0; i < MR_ELEMENTS(server_metadata); i++) {
                const MrTree *value = mr_tree_get(from, server_metadata[i]);
                if (value)
                        mr_tree_set(to, server_metadata[i], mr_tree_copy(value));
        }
        if (status)
                mr_tree_set(object, "status", mr_tree_copy(status));
}

static bool is_content(const char *key) {
        return !mr_streq(key, "apiVersion") && !mr_streq(key, "metadata") &&
               !mr_streq(key, "status");
}

static bool content_within(const MrTree *a, const MrTree *b) {
        for (size_t i = 0; i < mr_tree_size(a); i++) {
                const char *key = mr_tree_key(a, i);
                const MrTree *other = mr_tree_get(b, key);

                if (is_content(key) && (!other || !mr_tree_equal(mr_tree_at(a, i), other)))
                        return false;
        }
        return true;
}

bool object_content_equal(const MrTree *a, const MrTree *b) {
        return content_within(a, b) && content_within(b, a);
}
