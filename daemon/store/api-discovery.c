/* Discovery: what kubectl asks first. Everything here is derived from the kinds. */

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api-private.h"

static MrTree *object_new(const char *kind) {
        MrTree *tree = mr_tree_new_map();

        mr_tree_set_string(tree, "apiVersion", "v1");
        mr_tree_set_string(tree, "kind", kind);
        return tree;
}

static void add_strings(MrTree *list, const char *const *strings) {
        for (size_t i = 0; strings && strings[i]; i++)
                mr_tree_append(list, mr_tree_new_string(strings[i]));
}

static MrTree *add_resource(MrTree *list, const char *name, const char *kind,
                            const char *const *verbs) {
        MrTree *resource = mr_tree_append(mr_tree_need_list(list, "resources"), mr_tree_new_map());

        mr_tree_set_string(resource, "name", name);
        mr_tree_set_string(resource, "kind", kind);
        mr_tree_set_string(resource, "singularName", "");
        mr_tree_set_bool(resource, "namespaced", true);
        add_strings(mr_tree_need_list(resource, "verbs"), verbs);
        return resource;
}

static void add_kind(MrTree *list, const MrKind *kind) {
        static const char *const verbs[] = {"create", "delete", "get",   "list",
                                            "patch",  "update", "watch", NULL};
        static const char *const status_verbs[] = {"get", "patch", "update", NULL};
        _cleanup_free_ char *status = mr_strf("%s/status", kind->plural);
        MrTree *resource = add_resource(list, kind->plural, kind->name, verbs);

        mr_tree_set_bool(resource, "namespaced", !kind->is_global);
        if (kind->short_names && kind->short_names[0])
                add_strings(mr_tree_need_list(resource, "shortNames"), kind->short_names);
        if (!kind->is_data)
                add_resource(list, status, kind->name, status_verbs);
}

static void answer_core_resources(Call *call) {
        static const char *const verbs[] = {"get", "list", NULL};
        _cleanup_(mr_tree_freep) MrTree *list = object_new("APIResourceList");

        mr_tree_set_string(list, "groupVersion", "v1");
        for (size_t i = 0; call->api->kinds[i]; i++)
                if (!*call->api->kinds[i]->group)
                        add_kind(list, call->api->kinds[i]);
        if (!api_kind(call->api, "", "secrets"))
                add_resource(list, "secrets", "Secret", verbs);
        http_response_json(call->response, 200, list);
}

static void answer_core(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *tree = object_new("APIVersions");

        mr_tree_remove(tree, "apiVersion");
        mr_tree_append(mr_tree_need_list(tree, "versions"), mr_tree_new_string("v1"));
        http_response_json(call->response, 200, tree);
}

static void add_version(MrTree *group, const char *name, const char *version) {
        MrTree *versions = mr_tree_need_list(group, "versions");
        _cleanup_free_ char *text = mr_strf("%s/%s", name, version);

        for (size_t i = 0; i < mr_tree_size(versions); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(versions, i), "version"), version))
                        return;
        MrTree *entry = mr_tree_append(versions, mr_tree_new_map());
        mr_tree_set_string(entry, "groupVersion", text);
        mr_tree_set_string(entry, "version", version);
        if (!mr_tree_get(group, "preferredVersion"))
                mr_tree_set(group, "preferredVersion", mr_tree_copy(entry));
}

/* NULL when no kind belongs to the group. */
static MrTree *group_new(const Api *api, const char *name) {
        _cleanup_(mr_tree_freep) MrTree *group = object_new("APIGroup");

        mr_tree_set_string(group, "name", name);
        mr_tree_need_list(group, "versions");
        for (size_t i = 0; api->kinds[i]; i++)
                for (size_t j = 0;
                     mr_streq(api->kinds[i]->group, name) && api->kinds[i]->versions[j]; j++)
                        add_version(group, name, api->kinds[i]->versions[j]);
        if (mr_streq(name, "millrace.io"))
                add_version(group, name, "v1");
        return mr_tree_size(mr_tree_get(group, "versions")) > 0 ? TAKE(group) : NULL;
}

static bool has_group(const MrTree *groups, const char *name) {
        for (size_t i = 0; i < mr_tree_size(groups); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(groups, i), "name"), name))
                        return true;
        return false;
}

static void answer_groups(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *list = object_new("APIGroupList");
        MrTree *groups = mr_tree_need_list(list, "groups");

        for (size_t i = 0; call->api->kinds[i]; i++)
                if (*call->api->kinds[i]->group && !has_group(groups, call->api->kinds[i]->group))
                        mr_tree_append(groups, group_new(call->api, call->api->kinds[i]->group));
        if (!has_group(groups, "millrace.io"))
                mr_tree_append(groups, group_new(call->api, "millrace.io"));
        http_response_json(call->response, 200, list);
}

static void answer_group(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *group = group_new(call->api, call->group);

        if (!group)
                return call_fail(call, 404, "there is no API group %s", call->group);
        http_response_json(call->response, 200, group);
}

static void answer_resources(Call *call) {
        static const char *const verbs[] = {"delete", "list", "update", NULL};
        _cleanup_(mr_tree_freep) MrTree *list = object_new("APIResourceList");
        _cleanup_free_ char *name = mr_strf("%s/%s", call->group, call->api_version);

        mr_tree_set_string(list, "groupVersion", name);
        for (size_t i = 0; call->api->kinds[i]; i++)
                if (mr_streq(call->api->kinds[i]->group, call->group) &&
                    api_kind_serves(call->api->kinds[i], call->api_version))
                        add_kind(list, call->api->kinds[i]);
        if (mr_streq(name, "millrace.io/v1"))
                add_resource(list, "holds", "Hold", verbs);
        if (mr_tree_size(mr_tree_get(list, "resources")) == 0)
                return call_fail(call, 404, "there is nothing in %s", name);
        http_response_json(call->response, 200, list);
}

static void answer_version(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();
        _cleanup_free_ char *text = mr_strf("v%s", call->api->version);

        mr_tree_set_string(tree, "major", "1");
        mr_tree_set_string(tree, "minor", "0");
        mr_tree_set_string(tree, "gitVersion", text);
        mr_tree_set_string(tree, "millrace", call->api->version);
        http_response_json(call->response, 200, tree);
}

void api_handle_discovery(Call *call) {
        if (!call_is(call, "GET"))
                return call_refuse_method(call);
        if (mr_streq(call->segments[0], "version"))
                return answer_version(call);
        if (mr_streq(call->segments[0], "api")) {
                if (call->n_segments == 1)
                        return answer_core(call);
                if (mr_streq(call->segments[1], "v1"))
                        return answer_core_resources(call);
                return call_fail(call, 404, "there is nothing at %s", call->request->path);
        }
        if (call->n_segments == 1)
                return answer_groups(call);
        if (call->n_segments == 2)
                return answer_group(call);
        answer_resources(call);
}
