/* A request as libcurl is told of it. */

#include <string.h>

#include "alloc.h"
#include "client-private.h"
#include "str.h"

static void set_pem(const Client *client, CURL *easy, CURLoption by_path, CURLoption by_data,
                    const char *path, char *data) {
        struct curl_blob blob = {
                .data = data, .len = data ? strlen(data) : 0, .flags = CURL_BLOB_COPY};

        if (data)
                (void) client->library.easy_set(easy, by_data, &blob);
        else if (path)
                (void) client->library.easy_set(easy, by_path, path);
}

static void set_identity(const Client *client, CURL *easy) {
        const KubeConfig *config = client->config;
        _cleanup_free_ char *fd_path = client->authority_fd >= 0
                                               ? mr_strf("/proc/self/fd/%d", client->authority_fd)
                                               : NULL;
        const char *authority = fd_path ? fd_path : config->authority;

        if (authority)
                (void) client->library.easy_set(easy, CURLOPT_CAINFO, authority);
        set_pem(client, easy, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB, config->certificate,
                config->certificate_data);
        set_pem(client, easy, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB, config->key, config->key_data);
}

/* --- requests */

static void add_header(const Client *client, Request *request, const char *text) {
        request->headers = client->library.list_append(request->headers, text);
}

static void set_headers(Client *client, Request *request) {
        const char *token =
                client->config->token_file ? mr_buf_text(&client->token) : client->config->token;
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        add_header(client, request, "Accept: application/json");
        add_header(client, request, "Expect:");
        if (request->body) {
                mr_buf_printf(&text, "Content-Type: %s", request->type);
                add_header(client, request, mr_buf_text(&text));
        }
        if (!mr_is_empty(token)) {
                mr_buf_clear(&text);
                mr_buf_printf(&text, "Authorization: Bearer %s", token);
                add_header(client, request, mr_buf_text(&text));
        }
}

void transfer_wipe(const Client *client, Request *request) {
        for (struct curl_slist *entry = request->headers; entry; entry = entry->next)
                explicit_bzero(entry->data, strlen(entry->data));
        client->library.list_free(request->headers);
        request->headers = NULL;
}

static size_t on_data(char *data, size_t one, size_t n, void *userdata) {
        Request *request = userdata;
        const Library *library = &request->client->library;
        long status = 0;

        if (request->is_cancelled)
                return 0;
        (void) library->easy_get(request->easy, CURLINFO_RESPONSE_CODE, &status);
        request->client->is_inside = true;
        int r = request_take(request, (unsigned) status, data, one * n);
        request->client->is_inside = false;
        return r < 0 ? 0 : one * n;
}

/* The empty line behind the headers. */
static size_t on_header(char *data, size_t one, size_t n, void *userdata) {
        Request *request = userdata;
        long status = 0;

        if (one * n > 2 || *data != '\r' || !request->begun || request->is_cancelled)
                return one * n;
        (void) request->client->library.easy_get(request->easy, CURLINFO_RESPONSE_CODE, &status);
        request->client->is_inside = true;
        if (status == 200)
                request->begun(request->userdata);
        request->client->is_inside = false;
        return one * n;
}

static void set_content(const Client *client, const Request *request) {
        const Library *library = &client->library;

        (void) library->easy_set(request->easy, CURLOPT_CUSTOMREQUEST, request->method);
        if (!request->body)
                return;
        (void) library->easy_set(request->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                 (curl_off_t) strlen(request->body));
        (void) library->easy_set(request->easy, CURLOPT_POSTFIELDS, request->body);
}

static void set_transfer(const Client *client, Request *request) {
        const Library *library = &client->library;
        _cleanup_free_ char *url = mr_strf("%s%s", client->config->server, request->path);
        CURL *easy = request->easy;

        (void) library->easy_set(easy, CURLOPT_URL, url);
        (void) library->easy_set(easy, CURLOPT_NOSIGNAL, 1L);
        (void) library->easy_set(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
        (void) library->easy_set(easy, CURLOPT_PIPEWAIT, 1L);
        (void) library->easy_set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        (void) library->easy_set(easy, CURLOPT_TCP_KEEPIDLE, 20L);
        (void) library->easy_set(easy, CURLOPT_TCP_KEEPINTVL, 5L);
        (void) library->easy_set(easy, CURLOPT_CONNECTTIMEOUT, 10L);
        (void) library->easy_set(easy, CURLOPT_TIMEOUT, (long) request->timeout_sec);
        (void) library->easy_set(easy, CURLOPT_USERAGENT, "millrace/" MILLRACE_VERSION);
        (void) library->easy_set(easy, CURLOPT_HTTPHEADER, request->headers);
        (void) library->easy_set(easy, CURLOPT_ERRORBUFFER, request->trouble);
        (void) library->easy_set(easy, CURLOPT_WRITEFUNCTION, on_data);
        (void) library->easy_set(easy, CURLOPT_WRITEDATA, request);
        (void) library->easy_set(easy, CURLOPT_HEADERFUNCTION, on_header);
        (void) library->easy_set(easy, CURLOPT_HEADERDATA, request);
        (void) library->easy_set(easy, CURLOPT_PRIVATE, request);
}

void transfer_prepare(Client *client, Request *request) {
        set_headers(client, request);
        set_transfer(client, request);
        set_identity(client, request->easy);
        set_content(client, request);
}
