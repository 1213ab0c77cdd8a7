/* Resources of the kinds that operands bring: get, list, create, update, patch, delete, status. */

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api-private.h"

/* All versions of a kind have the same fields, so an object is answered in the version that was
 * asked for. */
static void set_api_version(const Call *call, MrTree *object) {
        _cleanup_free_ char *text = api_version_text(call->group, call->api_version);
        mr_tree_set_string(object, "apiVersion", text);
        if (call->kind->is_global)
                mr_tree_remove(mr_tree_need_map(object, "metadata"), "namespace");
}

static void answer(Call *call, unsigned status, StoreResource *resource) {
        set_api_version(call, resource->tree);
        api_hide_values(resource->tree);
        http_response_json(call->response, status, resource->tree);
}

static void handle_get(Call *call) {
        _cleanup_resource_ StoreResource resource = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = store_get(call->api->store, call->kind->name, call->ns, call->name, &resource,
                          &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        answer(call, 200, &resource);
}

static MrTree *list_new(const Call *call) {
        _cleanup_free_ char *kind = mr_strf("%sList", call->kind->name);
        _cleanup_free_ char *version = mr_strf("%lld", (long long) store_version(call->api->store));
        MrTree *list = mr_tree_new_map();

        set_api_version(call, list);
        mr_tree_set_string(list, "kind", kind);
        mr_tree_set_string(mr_tree_need_map(list, "metadata"), "resourceVersion", version);
        mr_tree_need_list(list, "items");
        return list;
}

static void handle_list(Call *call) {
        _cleanup_(selector_done) Selector selector = {};
        _cleanup_resources_ StoreResources resources = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (selector_read(call, &selector) < 0)
                return;
        int r = store_list(call->api->store, call->kind->name, call->ns, &resources, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);

        _cleanup_(mr_tree_freep) MrTree *list = list_new(call);
        MrTree *items = mr_tree_get(list, "items");
        for (size_t i = 0; i < resources.n; i++) {
                MrTree *tree = resources.items[i].tree;

                if (!selector_matches(&selector, resources.items[i].name,
                                      mr_tree_find(tree, "metadata.labels", false)))
                        continue;
                set_api_version(call, tree);
                mr_tree_append(items, TAKE(resources.items[i].tree));
        }
        http_response_json(call->response, 200, list);
}

static bool is_version_of(const MrKind *kind, const char *api_version) {
        for (size_t i = 0; kind->versions[i]; i++) {
                _cleanup_free_ char *text = api_version_text(kind->group, kind->versions[i]);
                if (mr_streq(text, api_version))
                        return true;
        }
        return false;
}

/* What belongs to no namespace is kept in the one that is implied. */
static int check_names(Call *call, MrTree *metadata) {
        const char *ns = mr_tree_get_string(metadata, "namespace");

        if (call->name && mr_tree_type(mr_tree_get(metadata, "name")) == MR_TREE_NULL)
                mr_tree_set_string(metadata, "name", call->name);
        if (call->kind->is_global)
                mr_tree_remove(metadata, "namespace");
        else if (!mr_streq(ns, call->ns))
                ns = NULL;
        if ((ns || call->kind->is_global) &&
            (!call->name || mr_streq(mr_tree_get_string(metadata, "name"), call->name)))
                return 0;
        call_fail(call, 400, "name or namespace of the object differ from those of the address %s",
                  call->request->path);
        return -EINVAL;
}

/* The object says what it is and where it belongs; both must agree with the address. */
static int check_object(Call *call, MrTree *object) {
        const char *api_version = mr_tree_get_string(object, "apiVersion");
        const char *kind = mr_tree_get_string(object, "kind");
        MrTree *metadata = mr_tree_need_map(object, "metadata");

        if (!mr_streq(kind, call->kind->name) || !is_version_of(call->kind, api_version)) {
                _cleanup_free_ char *wanted = api_version_text(call->group, call->api_version);
                call_fail(call, 400, "the object is %s of %s, this address takes %s of %s",
                          kind ? kind : "of no kind", api_version ? api_version : "no apiVersion",
                          call->kind->name, wanted);
                return -EINVAL;
        }
        if (call->kind->is_global)
                return check_names(call, metadata);
        if (mr_tree_type(mr_tree_get(metadata, "namespace")) == MR_TREE_NULL)
                mr_tree_set_string(metadata, "namespace", call->ns);
        return check_names(call, metadata);
}

static void add_warnings(Call *call, const MrTree *warnings) {
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *warning = mr_tree_at(warnings, i);
                const char *path = mr_tree_get_string(warning, "path");
                const char *message = mr_tree_get_string(warning, "message");
                _cleanup_free_ char *text = mr_strf("%s%s%s", path ? path : "", path ? ": " : "",
                                                    message ? message : "");

                http_response_warn(call->response, text);
        }
}

static int admit(Call *call, const MrTree *object) {
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const ApiOps *ops = call->api->ops;

        int r = ops->admit ? ops->admit(call->api->userdata, object, warnings, &err) : 0;
        add_warnings(call, warnings);
        if (r < 0)
                call_fail_error(call, r, &err);
        return r;
}

static bool is_dry_run(const Call *call) {
        return mr_streq(http_request_parameter(call->request, "dryRun"), "All");
}

static void create(Call *call, const MrTree *object) {
        _cleanup_resource_ StoreResource resource = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (admit(call, object) < 0)
                return;
        if (is_dry_run(call))
                return http_response_json(call->response, 201, object);
        int r = store_create(call->api->store, object, &resource, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        answer(call, 201, &resource);
}

static void update(Call *call, const MrTree *object) {
        _cleanup_resource_ StoreResource resource = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (admit(call, object) < 0)
                return;
        if (is_dry_run(call))
                return http_response_json(call->response, 200, object);
        int r = store_update(call->api->store, object, &resource, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        answer(call, 200, &resource);
}

static void handle_post(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *object = NULL;

        if (call_body(call, &object) < 0 || check_object(call, object) < 0)
                return;
        create(call, object);
}

static void handle_put(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *object = NULL;

        if (call_body(call, &object) < 0 || check_object(call, object) < 0)
                return;
        update(call, object);
}

/* Apply: what the file says, whether the resource exists or not. */
static void handle_apply(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *object = NULL;
        _cleanup_resource_ StoreResource stored = {};

        if (call_body(call, &object) < 0 || check_object(call, object) < 0)
                return;
        int r = store_get(call->api->store, call->kind->name, call->ns, call->name, &stored, NULL);
        if (r == -ENOENT)
                return create(call, object);
        if (stored.is_deleting)
                return call_fail(
                        call, 409,
                        "%s %s/%s is being deleted; wait until it is gone and apply it again",
                        call->kind->name, call->ns, call->name);
        update(call, object);
}

static void handle_merge_patch(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *patch = NULL, *object = NULL;
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (call_body(call, &patch) < 0)
                return;
        int r = store_get(call->api->store, call->kind->name, call->ns, call->name, &stored, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        object = mr_tree_merge_patch(TAKE(stored.tree), patch);
        if (check_object(call, object) < 0)
                return;
        update(call, object);
}

static void handle_patch(Call *call) {
        const char *type = call->request->content_type;

        if (mr_streq(type, "application/merge-patch+json"))
                return handle_merge_patch(call);
        if (mr_streq(type, "application/apply-patch+yaml"))
                return handle_apply(call);
        call_fail(call, 415,
                  "a patch of type %s is not known; use application/merge-patch+json or "
                  "application/apply-patch+yaml",
                  type ? type : "(none)");
}

static void handle_delete(Call *call) {
        _cleanup_resource_ StoreResource resource = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = store_delete(call->api->store, call->kind->name, call->ns, call->name, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        /* Whoever watches may have ended the deletion already. */
        r = store_get(call->api->store, call->kind->name, call->ns, call->name, &resource, NULL);
        if (r == 0)
                return answer(call, 200, &resource);
        _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map();
        mr_tree_set_string(status, "apiVersion", "v1");
        mr_tree_set_string(status, "kind", "Status");
        mr_tree_set_string(status, "status", "Success");
        http_response_json(call->response, 200, status);
}

/* The version of the resource a status was made from; 0 when the writer does not care. */
static int64_t expected_version(const MrTree *object) {
        const char *text = mr_tree_get_string(mr_tree_get(object, "metadata"), "resourceVersion");
        int64_t version = 0;

        return text && mr_parse_int(text, &version) < 0 ? -1 : version;
}

static void handle_write_status(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *body = NULL, *status = NULL;
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (call_body(call, &body) < 0)
                return;
        if (mr_tree_type(mr_tree_get(body, "status")) != MR_TREE_MAP)
                return call_fail(call, 400, "the object has no status; write one as a map");
        int r = store_get(call->api->store, call->kind->name, call->ns, call->name, &stored, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        status = mr_tree_copy(mr_tree_get(call_is(call, "PATCH") ? stored.tree : body, "status"));
        if (call_is(call, "PATCH"))
                status = mr_tree_merge_patch(TAKE(status), mr_tree_get(body, "status"));
        r = store_update_status(call->api->store, call->kind->name, call->ns, call->name, status,
                                expected_version(body), &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        handle_get(call);
}

static void handle_status(Call *call) {
        if (call_is(call, "GET"))
                return handle_get(call);
        if (call_is(call, "PUT") ||
            (call_is(call, "PATCH") &&
             mr_streq(call->request->content_type, "application/merge-patch+json")))
                return handle_write_status(call);
        call_refuse_method(call);
}

static void handle_collection(Call *call) {
        if (call_is(call, "GET"))
                return http_request_flag(call->request, "watch") ? api_start_watch(call)
                                                                 : handle_list(call);
        if (call_is(call, "POST") && call->ns)
                return handle_post(call);
        call_refuse_method(call);
}

static void handle_object(Call *call) {
        static const struct {
                const char *method;
                void (*handle)(Call *call);
        } methods[] = {{"GET", handle_get},
                       {"PUT", handle_put},
                       {"PATCH", handle_patch},
                       {"DELETE", handle_delete}};

        for (size_t i = 0; i < MR_ELEMENTS(methods); i++)
                if (call_is(call, methods[i].method))
                        return methods[i].handle(call);
        call_refuse_method(call);
}

void api_handle_resource(Call *call) {
        call->kind = api_kind(call->api, call->group, call->plural);
        if (!call->kind || !api_kind_serves(call->kind, call->api_version))
                return call_fail(call, 404, "there is no kind of resources called %s in %s/%s",
                                 call->plural, call->group, call->api_version);
        if (call->kind->is_global)
                call->ns = "default";
        if (!call->name)
                return handle_collection(call);
        if (!call->ns)
                return call_fail(call, 404,
                                 "say in which namespace: /apis/%s/%s/namespaces/NAMESPACE/%s/%s",
                                 call->group, call->api_version, call->plural, call->name);
        if (!call->sub)
                return handle_object(call);
        if (mr_streq(call->sub, "status") && !call->kind->is_data)
                return handle_status(call);
        call_fail(call, 404, "there is nothing at %s", call->request->path);
}
