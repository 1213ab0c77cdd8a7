/* Requests and responses as values: targets are decoded here, for the server, the tests and the
 * fuzz target alike. */

#include <ctype.h>
#include <string.h>

#include "io/http-server.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define HTTP_TARGET_MAX 4096U

void http_request_done(HttpRequest *request) {
        for (size_t i = 0; i < request->n_parameters; i++) {
                free(request->parameters[i].name);
                free(request->parameters[i].value);
        }
        free(request->parameters);
        free(request->path);
        free(request->content_type);
        mr_buf_done(&request->body);
        *request = (HttpRequest){};
}

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

static int decode(const char *text, size_t size, bool is_query, char **ret, MrError *err) {
        _cleanup_buf_ MrBuf out = {};

        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (c == '%') {
                        int high = size - i > 2 ? digit_value(text[i + 1]) : -1;
                        int low = size - i > 2 ? digit_value(text[i + 2]) : -1;
                        if (high < 0 || low < 0 || (high == 0 && low == 0))
                                return mr_fail(err, MR_INVALID, NULL,
                                               "the address has a broken \"%%\" escape");
                        c = (char) (high * 16 + low);
                        i += 2;
                } else if (c == '+' && is_query) {
                        c = ' ';
                }
                mr_buf_putc(&out, c);
        }
        *ret = mr_buf_take(&out);
        return 0;
}

static int add_parameter(HttpRequest *request, const char *text, size_t size, MrError *err) {
        const char *equals = memchr(text, '=', size);
        size_t n_name = equals ? (size_t) (equals - text) : size;
        size_t n_value = equals ? size - n_name - 1 : 0;
        HttpParameter parameter = {};

        if (request->n_parameters == HTTP_PARAMETERS_MAX)
                return mr_fail(err, MR_INVALID, NULL, "the address has more than %u parameters",
                               HTTP_PARAMETERS_MAX);
        int r = decode(text, n_name, true, &parameter.name, err);
        if (r == 0)
                r = decode(equals ? equals + 1 : "", n_value, true, &parameter.value, err);
        if (r < 0) {
                free(parameter.name);
                return r;
        }
        if (!request->parameters)
                request->parameters = mr_new(HttpParameter, HTTP_PARAMETERS_MAX);
        request->parameters[request->n_parameters++] = parameter;
        return 0;
}

int http_request_set_target(HttpRequest *request, const char *target, MrError *err) {
        size_t n_path = strcspn(target, "?#");
        const char *at = target + n_path;

        if (target[0] != '/')
                return mr_fail(err, MR_INVALID, NULL, "the address must begin with \"/\"");
        if (strlen(target) > HTTP_TARGET_MAX)
                return mr_fail(err, MR_INVALID, NULL, "the address is longer than %u bytes",
                               HTTP_TARGET_MAX);
        int r = decode(target, n_path, false, &request->path, err);
        while (r == 0 && (*at == '?' || *at == '&')) {
                size_t n = strcspn(++at, "&#");
                if (n > 0)
                        r = add_parameter(request, at, n, err);
                at += n;
        }
        return r;
}

const char *http_request_parameter(const HttpRequest *request, const char *name) {
        for (size_t i = 0; i < request->n_parameters; i++)
                if (mr_streq(request->parameters[i].name, name))
                        return request->parameters[i].value;
        return NULL;
}

bool http_request_flag(const HttpRequest *request, const char *name) {
        const char *value = http_request_parameter(request, name);

        return value && (!*value || mr_streq(value, "1") || mr_streq(value, "true"));
}

void http_response_done(HttpResponse *response) {
        mr_buf_wipe(&response->body);
        if (response->stream)
                http_stream_hang_up(response->stream);
        http_stream_unref(response->stream);
        for (size_t i = 0; i < response->n_warnings; i++)
                free(response->warnings[i]);
        free(response->warnings);
        *response = (HttpResponse){};
}

#define WARNINGS_MAX 25U /* together they must fit into the headers of one response */
#define WARNING_LENGTH_MAX 240U

/* Quotes and backslashes would need escapes that few readers undo, so they are replaced. */
void http_response_warn(HttpResponse *response, const char *text) {
        if (response->n_warnings == WARNINGS_MAX)
                return;
        if (response->n_warnings == WARNINGS_MAX - 1)
                text = "there are more warnings; see the conditions of the resource's status";
        if (!response->warnings)
                response->warnings = mr_new(char *, WARNINGS_MAX);
        char *copy = mr_strndup(text, WARNING_LENGTH_MAX);
        for (char *c = copy; *c; c++) {
                if (*c == '"' || *c == '\\')
                        *c = '\'';
                else if (iscntrl((unsigned char) *c))
                        *c = ' ';
        }
        response->warnings[response->n_warnings++] = copy;
}

void http_response_json(HttpResponse *response, unsigned status, const MrTree *tree) {
        response->status = status;
        response->content_type = "application/json";
        mr_buf_clear(&response->body);
        mr_json_write(tree, 0, &response->body);
        mr_buf_putc(&response->body, '\n');
}

static const struct {
        unsigned status;
        const char *reason;
} reasons[] = {
        {400, "BadRequest"},
        {403, "Forbidden"},
        {404, "NotFound"},
        {405, "MethodNotAllowed"},
        {409, "Conflict"},
        {410, "Expired"},
        {413, "RequestEntityTooLarge"},
        {415, "UnsupportedMediaType"},
        {422, "Invalid"},
        {500, "InternalError"},
        {501, "NotImplemented"},
        {503, "ServiceUnavailable"},
};

void http_response_fail(HttpResponse *response, unsigned status, const char *reason,
                        const char *message, MrTree *take_details) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();

        mr_tree_set_string(tree, "apiVersion", "v1");
        mr_tree_set_string(tree, "kind", "Status");
        mr_tree_set(tree, "metadata", mr_tree_new_map());
        mr_tree_set_string(tree, "status", "Failure");
        mr_tree_set_string(tree, "message", message);
        for (size_t i = 0; i < MR_ELEMENTS(reasons) && !reason; i++)
                if (reasons[i].status == status)
                        reason = reasons[i].reason;
        mr_tree_set_string(tree, "reason", reason);
        if (take_details)
                mr_tree_set(tree, "details", take_details);
        mr_tree_set_int(tree, "code", status);
        http_response_json(response, status, tree);
}
