/* The router: which area answers a path. */

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api-private.h"

bool call_is(const Call *call, const char *method) {
        return mr_streq(call->request->method, method);
}

void call_fail(Call *call, unsigned status, const char *format, ...) {
        va_list args;
        va_start(args, format);
        _cleanup_free_ char *text = mr_vstrf(format, args);
        va_end(args);
        http_response_fail(call->response, status, NULL, text, NULL);
}

void call_refuse_method(Call *call) {
        call_fail(call, 405, "%s is not possible at %s", call->request->method,
                  call->request->path);
}

static void error_status(int r, const MrError *err, unsigned *ret_status, const char **ret_reason) {
        static const unsigned statuses[_MR_ERROR_KIND_MAX] = {
                [MR_OK] = 500,       [MR_INVALID] = 422, [MR_TRANSIENT] = 503,
                [MR_CONFLICT] = 409, [MR_DENIED] = 403,  [MR_BUG] = 500,
        };

        *ret_reason = NULL;
        if (r == -ENOENT) {
                *ret_status = 404;
        } else if (r == -EEXIST) {
                *ret_status = 409;
                *ret_reason = "AlreadyExists";
        } else {
                *ret_status = statuses[mr_error_kind(err, r)];
        }
}

/* Line and column are those of the request's body. */
static MrTree *error_details(const Call *call, const MrError *err) {
        MrTree *details = mr_tree_new_map();
        MrTree *cause = mr_tree_append(mr_tree_need_list(details, "causes"), mr_tree_new_map());

        mr_tree_set_string(details, "name", call->name);
        mr_tree_set_string(details, "group", call->group);
        mr_tree_set_string(details, "kind", call->kind ? call->kind->name : NULL);
        mr_tree_set_string(cause, "field", err->path);
        mr_tree_set_string(cause, "message", err->message);
        mr_tree_set_string(cause, "reason", "FieldValueInvalid");
        if (err->line > 0) {
                mr_tree_set_int(details, "line", err->line);
                mr_tree_set_int(details, "column", err->column);
        }
        return details;
}

void call_fail_error(Call *call, int r, const MrError *err) {
        const char *message = err->message ? err->message : strerror(-r), *reason = NULL;
        unsigned status = 500;

        error_status(r, err, &status, &reason);
        _cleanup_free_ char *text =
                err->path ? mr_strf("%s: %s", err->path, message) : mr_strdup(message);
        http_response_fail(call->response, status, reason, text,
                           err->path ? error_details(call, err) : NULL);
}

static int body_read_yaml(const MrBuf *body, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *documents = NULL;

        int r = mr_yaml_read(mr_buf_text(body), body->size, NULL, &documents, NULL, err);
        if (r < 0)
                return r;
        if (mr_tree_size(documents) != 1)
                return mr_fail(err, MR_INVALID, NULL,
                               "the request must hold exactly one document, not %zu",
                               mr_tree_size(documents));
        *ret = mr_tree_copy(mr_tree_at(documents, 0));
        return 0;
}

int call_body(Call *call, MrTree **ret) {
        const MrBuf *body = &call->request->body;
        const char *type = call->request->content_type;
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        bool is_json = type && mr_ends_with(type, "json");
        int r = is_json ? mr_json_read(mr_buf_text(body), body->size, NULL, &tree, &err)
                        : body_read_yaml(body, &tree, &err);
        if (r == 0 && mr_tree_type(tree) != MR_TREE_MAP)
                r = mr_fail(&err, MR_INVALID, NULL, "the request must hold an object, not %s",
                            mr_tree_type_name(mr_tree_type(tree)));
        if (r < 0) {
                _cleanup_free_ char *text = mr_error_text(&err);
                call_fail(call, 400, "%s", text);
                return r;
        }
        *ret = TAKE(tree);
        return 0;
}

const MrKind *api_kind(const Api *api, const char *group, const char *plural) {
        for (size_t i = 0; api->kinds[i]; i++)
                if ((!group || mr_streq(api->kinds[i]->group, group)) &&
                    mr_streq(api->kinds[i]->plural, plural))
                        return api->kinds[i];
        return NULL;
}

bool api_kind_serves(const MrKind *kind, const char *version) {
        for (size_t i = 0; kind->versions[i]; i++)
                if (mr_streq(kind->versions[i], version))
                        return true;
        return false;
}

char *api_version_text(const char *group, const char *version) {
        return mr_strf("%s%s%s", group, *group ? "/" : "", version);
}

static int split_path(Call *call) {
        call->path = mr_strdup(call->request->path);
        for (char *at = call->path; *at;) {
                while (*at == '/')
                        *at++ = '\0';
                if (!*at)
                        break;
                if (call->n_segments == API_SEGMENTS_MAX)
                        return -ENOENT;
                call->segments[call->n_segments++] = at;
                at += strcspn(at, "/");
        }
        return 0;
}

static const char *segment(const Call *call, size_t i) {
        return i < call->n_segments ? call->segments[i] : NULL;
}

/* What stands after the version: [namespaces/NS/]PLURAL[/NAME[/SUB]]. */
static bool read_tail(Call *call, size_t i) {
        if (mr_streq(segment(call, i), "namespaces") && call->n_segments > i + 2) {
                call->ns = segment(call, i + 1);
                i += 2;
        }
        call->plural = segment(call, i);
        call->name = segment(call, i + 1);
        call->sub = segment(call, i + 2);
        return call->plural && call->n_segments <= i + 3;
}

static bool is_view(const char *sub) {
        return mr_streq(sub, "plan") || mr_streq(sub, "describe") || mr_streq(sub, "events") ||
               mr_streq(sub, "record");
}

static void route_own(Call *call) {
        if (mr_streq(call->plural, "holds") && !call->sub)
                return api_handle_holds(call);
        if (mr_streq(call->plural, "restarts") && call->ns && !call->name)
                return api_handle_restarts(call);
        if (mr_streq(call->plural, "renewals") && call->ns && !call->name)
                return api_handle_renewals(call);
        if (mr_streq(call->plural, "discards") && call->ns && !call->name)
                return api_handle_discards(call);
        if (mr_streq(call->plural, "backups") && !call->ns && !call->name)
                return api_handle_backups(call);
        if (call->ns && is_view(call->sub))
                return api_handle_view(call);
        api_handle_resource(call);
}

static void route_groups(Call *call) {
        call->group = segment(call, 1);
        call->api_version = segment(call, 2);
        if (call->n_segments <= 3)
                return api_handle_discovery(call);
        if (!read_tail(call, 3))
                return call_fail(call, 404, "there is nothing at %s", call->request->path);
        if (mr_streq(call->group, "millrace.io") && mr_streq(call->api_version, "v1"))
                return route_own(call);
        api_handle_resource(call);
}

static void route_core(Call *call) {
        if (call->n_segments <= 2)
                return api_handle_discovery(call);
        call->group = "";
        call->api_version = segment(call, 1);
        if (!mr_streq(call->api_version, "v1") || !read_tail(call, 2))
                return call_fail(call, 404, "there is nothing at %s", call->request->path);
        if (mr_streq(call->plural, "secrets") && !call->sub)
                return api_handle_secrets(call);
        api_handle_resource(call);
}

static void route(Call *call) {
        const char *first = segment(call, 0);

        if (call->n_segments == 1 &&
            (mr_streq(first, "healthz") || mr_streq(first, "readyz") || mr_streq(first, "metrics")))
                return api_handle_health(call);
        if (!call->request->is_local)
                return call_fail(call, 403,
                                 "only /healthz, /readyz and /metrics are served here; use the "
                                 "local socket");
        if (mr_streq(first, "apis"))
                return route_groups(call);
        if (mr_streq(first, "api"))
                return route_core(call);
        if (mr_streq(first, "version") && call->n_segments == 1)
                return api_handle_discovery(call);
        call_fail(call, 404, "there is nothing at %s", call->request->path);
}

void api_handle(void *userdata, const HttpRequest *request, HttpResponse *response) {
        Call call = {.api = userdata, .request = request, .response = response};

        if (split_path(&call) < 0)
                call_fail(&call, 404, "there is nothing at %s", request->path);
        else
                route(&call);
        free(call.path);
}

int api_new(Store *store, const MrKind *const *kinds, const char *version, const ApiOps *ops,
            void *userdata, Api **ret, MrError *err _unused_) {
        Api *api = mr_new(Api, 1);

        *api = (Api){.store = store,
                     .kinds = kinds,
                     .version = version,
                     .ops = ops,
                     .userdata = userdata};
        *ret = api;
        return 0;
}

Api *api_free(Api *api) {
        if (!api)
                return NULL;
        api_end_watches(api);
        free(api);
        return NULL;
}

size_t api_watches(const Api *api) {
        return api->n_watches;
}
