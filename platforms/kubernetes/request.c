/* What goes out and comes back. */

#include "request.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "str.h"

Request *request_new(const RequestArgs *args) {
        Request *request = mr_new(Request, 1);

        *request = (Request){
                .method = mr_strdup(args->method),
                .path = mr_strdup(args->path),
                .type = mr_strdup(args->type ? args->type : "application/json"),
                .what = mr_strdup(args->what),
                .is_secret = args->is_secret,
                .timeout_sec = args->timeout_sec,
                .begun = args->begun,
                .found = args->found,
                .done = args->done,
                .userdata = args->userdata,
        };
        if (args->content) {
                _cleanup_(mr_buf_wipe) MrBuf text = {};
                mr_json_write(args->content, 0, &text);
                request->body = mr_strdup(mr_buf_text(&text));
        }
        return request;
}

Request *request_free(Request *request) {
        if (!request)
                return NULL;
        if (request->body)
                explicit_bzero(request->body, strlen(request->body));
        free(request->body);
        free(request->method);
        free(request->path);
        free(request->type);
        free(request->what);
        mr_buf_wipe(&request->content);
        lines_done(&request->lines);
        mr_error_done(&request->why);
        free(request);
        return NULL;
}

int request_take(Request *request, unsigned status, const void *data, size_t size) {
        if (request->found && status == 200) {
                request->stopped = lines_push(&request->lines, data, size, request->found,
                                              request->userdata, &request->why);
                return request->stopped;
        }
        if (request->content.size + size > MR_DOCUMENT_MAX) {
                request->stopped = mr_fail(&request->why, MR_TRANSIENT, NULL,
                                           "the API server answers with more than %u MiB",
                                           MR_DOCUMENT_MAX >> 20);
                return request->stopped;
        }
        mr_buf_append(&request->content, data, size);
        return 0;
}

static MrErrorKind kind_of(unsigned status) {
        switch (status) {
        case 401:
        case 403:
                return MR_DENIED;
        case 409:
        case 410:
                return MR_CONFLICT;
        case 400:
        case 405:
        case 413:
        case 415:
        case 422:
                return MR_INVALID;
        default:
                return MR_TRANSIENT;
        }
}

/* What says that an object is wrong may quote it. */
static int fail_as_told(const Request *request, unsigned status, const MrTree *answer,
                        MrError *err) {
        bool may_quote = request->is_secret && kind_of(status) == MR_INVALID;
        const char *message = may_quote ? NULL : mr_tree_get_string(answer, "message");
        const char *reason = mr_tree_get_string(answer, "reason");

        if (!message)
                message = reason ? reason : "it does not say why";
        int r = mr_fail(err, kind_of(status), NULL, "%s%sthe API server answers %u: %s",
                        request->what ? request->what : "", request->what ? ": " : "", status,
                        message);
        return status == 404 ? -ENOENT : r;
}

int request_answer(const Request *request, unsigned status, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;
        bool is_good = status >= 200 && status < 300;
        int r = 0;

        if (request->content.size > 0)
                r = mr_json_read(mr_buf_text(&request->content), request->content.size, NULL,
                                 &answer, is_good ? err : NULL);
        if (!is_good)
                return fail_as_told(request, status, answer, err);
        if (r < 0)
                return mr_fail(err, MR_TRANSIENT, NULL, "the answer of the API server is no JSON");
        *ret = TAKE(answer);
        return 0;
}
