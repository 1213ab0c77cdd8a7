/* The local API from the other side. */

#include "ctl/ctl-api.h"

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

const char *api_namespace(const Ctl *ctl) {
        return ctl->options.ns ? ctl->options.ns : "default";
}

static void add_segment(MrBuf *target, const char *text) {
        if (!text)
                return;
        mr_buf_putc(target, '/');
        http_encode(text, target);
}

char *api_target(const MrKind *kind, const char *ns, const char *name) {
        MrBuf target = {};

        if (*kind->group)
                mr_buf_printf(&target, "/apis/%s/%s", kind->group, kind->versions[0]);
        else
                mr_buf_printf(&target, "/api/%s", kind->versions[0]);
        if (ns && !kind->is_global) {
                mr_buf_puts(&target, "/namespaces");
                add_segment(&target, ns);
        }
        add_segment(&target, kind->plural);
        add_segment(&target, name);
        return mr_buf_take(&target);
}

char *api_own_target(const char *ns, const char *first, const char *name, const char *sub) {
        MrBuf target = {};

        mr_buf_puts(&target, "/apis/millrace.io/v1/namespaces");
        add_segment(&target, ns);
        add_segment(&target, first);
        add_segment(&target, name);
        add_segment(&target, sub);
        return mr_buf_take(&target);
}

void api_reply_done(ApiReply *reply) {
        mr_tree_free(reply->body);
        mr_tree_free(reply->warnings);
        *reply = (ApiReply){};
}

static int status_errno(unsigned status, MrErrorKind *ret_kind) {
        switch (status) {
        case 404:
                *ret_kind = MR_INVALID;
                return -ENOENT;
        case 405:
                *ret_kind = MR_INVALID;
                return -EOPNOTSUPP;
        case 409:
        case 410:
                *ret_kind = MR_CONFLICT;
                return -ESTALE;
        case 403:
                *ret_kind = MR_DENIED;
                return -EACCES;
        case 503:
                *ret_kind = MR_TRANSIENT;
                return -EAGAIN;
        default:
                *ret_kind = MR_INVALID;
                return -EINVAL;
        }
}

/* The message of a failure about a field begins with the field's path, which the details hold as
 * well. */
static int fail_status(unsigned status, const MrTree *body, MrError *err) {
        const MrTree *cause = mr_tree_find(body, "details.causes[0]", false);
        const char *path = mr_tree_get_string(cause, "field"),
                   *message = mr_tree_get_string(body, "message");
        MrErrorKind kind;

        int r = status_errno(status, &kind);
        if (path)
                message = mr_tree_get_string(cause, "message");
        if (message)
                (void) mr_fail(err, kind, path, "%s", message);
        else
                (void) mr_fail(err, kind, NULL, "millraced answered with status %u", status);
        return r;
}

static int read_reply(HttpClient *client, ApiReply *reply, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        reply->status = http_client_status(client);
        reply->warnings = mr_tree_new_list();
        for (size_t i = 0; http_client_warning(client, i); i++)
                mr_tree_append(reply->warnings, mr_tree_new_string(http_client_warning(client, i)));
        int r = http_client_read(client, &text, err);
        if (r == 0)
                r = mr_json_read(mr_buf_text(&text), text.size, NULL, &reply->body, err);
        if (r == 0 && reply->status >= 400)
                r = fail_status(reply->status, reply->body, err);
        return r;
}

int api_call(Ctl *ctl, const char *method, const char *target, const char *type, const MrTree *body,
             ApiReply *ret, MrError *err) {
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_buf_ MrBuf text = {};
        HttpCall call = {.method = method, .target = target, .content_type = body ? type : NULL};

        if (body && mr_ends_with(type, "yaml"))
                mr_yaml_write(body, &text);
        else if (body)
                mr_json_write(body, 0, &text);
        call.body = mr_buf_text(&text);
        call.body_size = text.size;
        int r = http_client_open(ctl->socket, &call, &client, err);
        return r < 0 ? r : read_reply(client, ret, err);
}

int api_get(Ctl *ctl, const char *target, MrTree **ret, MrError *err) {
        _cleanup_reply_ ApiReply reply = {};

        int r = api_call(ctl, "GET", target, NULL, NULL, &reply, err);
        if (r < 0)
                return r;
        *ret = TAKE(reply.body);
        return 0;
}

int api_watch(Ctl *ctl, const char *target, const char *version, HttpClient **ret, MrError *err) {
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_reply_ ApiReply reply = {};
        _cleanup_free_ char *full = mr_strf("%s%cwatch=1&resourceVersion=%s", target,
                                            strchr(target, '?') ? '&' : '?', version);
        HttpCall call = {.method = "GET", .target = full};

        int r = http_client_open(ctl->socket, &call, &client, err);
        if (r < 0)
                return r;
        if (http_client_status(client) != 200)
                return read_reply(client, &reply, err);
        *ret = TAKE(client);
        return 0;
}

int api_watch_next(HttpClient *client, int64_t timeout_msec, MrTree **ret, MrError *err) {
        _cleanup_free_ char *line = NULL;

        int r = http_client_read_line(client, timeout_msec, &line, err);
        if (r <= 0)
                return r;
        r = mr_json_read(line, strlen(line), NULL, ret, err);
        return r < 0 ? r : 1;
}
