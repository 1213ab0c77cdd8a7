/* What is no resource: holds, restarts, views of a resource, health and metrics. */

#include <errno.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api-private.h"

static void answer_success(Call *call, unsigned status, const char *message) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();

        mr_tree_set_string(tree, "apiVersion", "v1");
        mr_tree_set_string(tree, "kind", "Status");
        mr_tree_set_string(tree, "status", "Success");
        mr_tree_set_string(tree, "message", message);
        http_response_json(call->response, status, tree);
}

static void list_holds(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *holds = NULL, *list = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = store_holds(call->api->store, call->ns, &holds, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        mr_tree_set_string(list, "apiVersion", "millrace.io/v1");
        mr_tree_set_string(list, "kind", "HoldList");
        mr_tree_set(list, "items", TAKE(holds));
        http_response_json(call->response, 200, list);
}

/* A missing body means: no reason given. */
static int read_reason(Call *call, MrTree **ret) {
        if (call->request->body.size > 0)
                return call_body(call, ret);
        *ret = mr_tree_new_map();
        return 0;
}

static void put_hold(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *body = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!mr_is_object_name(call->name) || !mr_is_object_name(call->ns))
                return call_fail(call, 400, "\"%.64s\" cannot be the name of a node", call->name);
        if (read_reason(call, &body) < 0)
                return;
        int r = store_hold(call->api->store, call->ns, call->name,
                           mr_tree_get_string(body, "reason"), &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        answer_success(call, r > 0 ? 201 : 200, "held");
}

static void delete_hold(Call *call) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = store_release(call->api->store, call->ns, call->name, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        if (r == 0)
                return call_fail(call, 404, "%s is not held", call->name);
        answer_success(call, 200, "released");
}

void api_handle_holds(Call *call) {
        if (!call->name && call_is(call, "GET"))
                return list_holds(call);
        if (call->name && call->ns && call_is(call, "PUT"))
                return put_hold(call);
        if (call->name && call->ns && call_is(call, "DELETE"))
                return delete_hold(call);
        call_refuse_method(call);
}

void api_handle_restarts(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *body = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const Api *api = call->api;

        if (!call_is(call, "POST"))
                return call_refuse_method(call);
        if (call_body(call, &body) < 0)
                return;
        const char *node = mr_tree_get_string(body, "node"),
                   *cluster = mr_tree_get_string(body, "cluster");
        if ((node != NULL) == (cluster != NULL))
                return call_fail(call, 400, "name either a node or a cluster to restart");
        if (!api->ops->restart)
                return call_fail(call, 501, "restarts cannot be asked for here");
        int r = api->ops->restart(api->userdata, call->ns, cluster, node,
                                  mr_tree_get_string(body, "reason"), &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        answer_success(call, 202, "the restart will be made under the usual rules of safety");
}

typedef int (*Asking)(void *userdata, const char *ns, const char *node, const char *reason,
                      MrError *err);

static void begin_anew(Call *call, Asking ask, const char *answer) {
        _cleanup_(mr_tree_freep) MrTree *body = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!call_is(call, "POST"))
                return call_refuse_method(call);
        if (call_body(call, &body) < 0)
                return;
        const char *node = mr_tree_get_string(body, "node");
        if (!node)
                return call_fail(call, 400, "name the node that is to begin anew");
        if (!ask)
                return call_fail(call, 501, "nodes cannot begin anew here");
        int r = ask(call->api->userdata, call->ns, node, mr_tree_get_string(body, "reason"), &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        answer_success(call, 202, answer);
}

void api_handle_renewals(Call *call) {
        begin_anew(call, call->api->ops->renew, "the node begins anew with an empty disk");
}

void api_handle_discards(Call *call) {
        begin_anew(call, call->api->ops->discard,
                   "the node begins anew as soon as nothing is lost by it");
}

/* The copy itself is the caller's to read, which takes root: there are keys of authorities in it.
 */
void api_handle_backups(Call *call) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!call_is(call, "POST"))
                return call_refuse_method(call);
        int r = store_backup(call->api->store, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        answer_success(call, 200, "the second copy of the state has all changes");
}

typedef int (*View)(void *userdata, const char *kind, const char *ns, const char *name,
                    MrTree **ret, MrError *err);

static View view_named(const ApiOps *ops, const char *name) {
        if (mr_streq(name, "plan"))
                return ops->plan;
        if (mr_streq(name, "record"))
                return ops->record;
        return mr_streq(name, "describe") ? ops->describe : ops->events;
}

void api_handle_view(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_resource_ StoreResource resource = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const Api *api = call->api;
        View view = view_named(api->ops, call->sub);

        call->kind = api_kind(api, NULL, call->plural);
        if (!call_is(call, "GET"))
                return call_refuse_method(call);
        if (!call->kind)
                return call_fail(call, 404, "there is no kind of resources called %s",
                                 call->plural);
        if (!view)
                return call_fail(call, 501, "%s is not available here", call->sub);
        int r = store_get(api->store, call->kind->name, call->ns, call->name, &resource, &err);
        if (r == 0)
                r = view(api->userdata, call->kind->name, call->ns, call->name, &tree, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        http_response_json(call->response, 200, tree);
}

static void answer_health(Call *call, bool ready) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const Api *api = call->api;

        int r = api->ops->health ? api->ops->health(api->userdata, ready, &err) : 0;
        call->response->status = r < 0 ? 503 : 200;
        call->response->content_type = "text/plain; charset=utf-8";
        mr_buf_printf(&call->response->body, "%s\n",
                      r < 0 ? (err.message ? err.message : "not healthy") : "ok");
}

void api_handle_health(Call *call) {
        if (!call_is(call, "GET") && !call_is(call, "HEAD"))
                return call_refuse_method(call);
        if (!mr_streq(call->segments[0], "metrics"))
                return answer_health(call, mr_streq(call->segments[0], "readyz"));
        call->response->status = 200;
        call->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
        if (call->api->ops->metrics)
                call->api->ops->metrics(call->api->userdata, &call->response->body);
}
