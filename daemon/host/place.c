/* The object of a machine, and what is in it. */

#include "place.h"

#include <curl/curl.h>
#include <string.h>

#include "base/file.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define ANSWER_MAX (4U * 1024 * 1024)
#define TOKEN_MAX (64U * 1024)

DEFINE_CLEANUP(CURL *, curl_easy_cleanup);

static void curl_slist_done(struct curl_slist **list) {
        curl_slist_free_all(*list);
}

/* --- the values */

static const char *address_of(const MrTree *machine, const char *type) {
        const MrTree *list = mr_tree_get(mr_tree_get(machine, "status"), "addresses");

        for (size_t i = 0; i < mr_tree_size(list); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(list, i), "type"), type))
                        return mr_tree_get_string(mr_tree_at(list, i), "address");
        return NULL;
}

/* Names before numbers, and what is seen from outside before what is not. */
static const char *preferred_address(const MrTree *machine, const char *type) {
        static const char *const types[] = {"ExternalDNS", "ExternalIP", "InternalDNS",
                                            "InternalIP", "Hostname"};
        const char *address = address_of(machine, type);

        for (size_t i = 0; !address && i < MR_ELEMENTS(types); i++)
                address = address_of(machine, types[i]);
        return address;
}

static const char *label_of(const MrTree *machine, const char *key) {
        const char *value =
                mr_tree_get_string(mr_tree_get(mr_tree_get(machine, "metadata"), "labels"), key);

        return value ? value : "";
}

static int add_line(const MrTree *machine, const char *wanted, MrBuf *out, MrError *err) {
        static const char label[] = "label:", address[] = "address:";
        const char *sign = strchr(wanted, '='), *what = sign ? sign + 1 : "";
        const char *value = NULL;

        if (mr_starts_with(what, label) && what[strlen(label)])
                value = label_of(machine, what + strlen(label));
        else if (mr_starts_with(what, address))
                value = preferred_address(machine, what + strlen(address));
        else
                return mr_fail(err, MR_INVALID, NULL,
                               "\"%s\" reads neither NAME=label:KEY nor NAME=address:TYPE", wanted);
        if (!value)
                return mr_fail(err, MR_INVALID, NULL,
                               "the machine has no address of any type; clients cannot be told "
                               "where it is");
        if (strpbrk(value, "\n\r\\"))
                return mr_fail(err, MR_INVALID, NULL, "%s of the machine is more than one word",
                               what);
        mr_buf_printf(out, "%.*s=%s\n", (int) (sign - wanted), wanted, value);
        return 0;
}

int place_text(const MrTree *machine, char *const *wanted, size_t n, MrBuf *out, MrError *err) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_line(machine, wanted[i], out, err);
        return r;
}

/* --- the request */

static size_t take(char *data, size_t one, size_t n, void *userdata) {
        MrBuf *answer = userdata;

        if (answer->size + one * n > ANSWER_MAX)
                return 0;
        mr_buf_append(answer, data, one * n);
        return one * n;
}

static int read_token(const PlaceServer *server, MrBuf *header, MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s/token", server->account);
        _cleanup_(mr_buf_wipe) MrBuf token = {};

        int r = read_file_capped(path, TOKEN_MAX, &token, err);
        if (r < 0)
                return r;
        mr_buf_puts(header, "Authorization: Bearer ");
        mr_buf_append(header, mr_buf_text(&token), strcspn(mr_buf_text(&token), "\r\n"));
        return 0;
}

static void prepare(CURL *curl, const char *url, const char *authorities, MrBuf *answer) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "millrace-place");
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

static int judge(CURL *curl, CURLcode code, const char *machine, const MrBuf *answer, MrTree **ret,
                 MrError *err) {
        long status = 0;

        if (code != CURLE_OK)
                return mr_fail(err, MR_TRANSIENT, NULL, "cannot ask the API for machine %s: %s",
                               machine, curl_easy_strerror(code));
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (status == 403 || status == 401)
                return mr_fail(err, MR_DENIED, NULL,
                               "the API does not let this account read machine %s; bind the "
                               "ClusterRole millrace-machine-reader to it",
                               machine);
        if (status != 200)
                return mr_fail(err, MR_TRANSIENT, NULL, "the API answers %ld for machine %s",
                               status, machine);
        return mr_json_read(mr_buf_text(answer), answer->size, machine, ret, err);
}

int place_ask(const PlaceServer *server, const char *machine, MrTree **ret, MrError *err) {
        bool is_v6 = strchr(server->host, ':') && server->host[0] != '[';
        _cleanup_free_ char *url = mr_strf("https://%s%s%s:%s/api/v1/nodes/%s", is_v6 ? "[" : "",
                                           server->host, is_v6 ? "]" : "", server->port, machine);
        _cleanup_free_ char *authorities = mr_strf("%s/ca.crt", server->account);
        _cleanup_(curl_easy_cleanupp) CURL *curl = curl_easy_init();
        _cleanup_(curl_slist_done) struct curl_slist *headers = NULL;
        _cleanup_(mr_buf_wipe) MrBuf header = {};
        _cleanup_buf_ MrBuf answer = {};

        if (!curl)
                return mr_fail(err, MR_BUG, NULL, "cannot use libcurl");
        int r = read_token(server, &header, err);
        if (r < 0)
                return r;
        prepare(curl, url, authorities, &answer);
        headers = curl_slist_append(NULL, mr_buf_text(&header));
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        return judge(curl, curl_easy_perform(curl), machine, &answer, ret, err);
}
