/* Requests to the local API. The input is a method, a target, a content type and a body, one line
 * each but the last:
 *
 *      PUT
 *      /apis/kafka.strimzi.io/v1/namespaces/default/kafkas/a?dryRun=All
 *      application/yaml
 *      {kind: …
 *
 * Several requests are separated by a line "%%"; they share one store, so that one can build on
 * another. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const versions[] = {"v1beta2", "v1", NULL};
static const MrKind kafka_kind = {
        .group = "kafka.strimzi.io", .versions = versions, .name = "Kafka", .plural = "kafkas"};
static const MrKind *const kinds[] = {&kafka_kind, NULL};

#define CA_KEY "CAKEYBYTES"

/* Takes the next line (or all the rest) away from the front. */
static char *take(char **rest, const char *separator) {
        char *line = *rest, *end = strstr(line, separator);

        if (!end) {
                *rest = line + strlen(line);
                return line;
        }
        *end = '\0';
        *rest = end + strlen(separator);
        return line;
}

/* Whatever is asked, the answer is complete and never holds the key of an authority. Errors may
 * quote the request. */
static void check(const HttpResponse *response) {
        if (response->status < 200 || response->status > 599)
                abort();
        if (response->status == 200 && strstr(mr_buf_text(&response->body), "\"kind\":\"Secret") &&
            strstr(mr_buf_text(&response->body), "Q0FLRVlCWVRFUw"))
                abort();
        if (!response->stream && mr_streq(response->content_type, "application/json")) {
                MrTree *tree = NULL;
                if (mr_json_read(mr_buf_text(&response->body), response->body.size, NULL, &tree,
                                 NULL) < 0)
                        abort();
                mr_tree_free(tree);
        }
}

static void run_one(Api *api, char *text) {
        HttpRequest request = {.is_local = true};
        HttpResponse response = {};

        request.method = take(&text, "\n");
        const char *target = take(&text, "\n");
        request.content_type = mr_strdup(take(&text, "\n"));
        mr_buf_puts(&request.body, text);
        if (http_request_set_target(&request, target, NULL) == 0) {
                api_handle(api, &request, &response);
                check(&response);
        }
        http_request_done(&request);
        http_response_done(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const ApiOps ops = {};
        const StoreSecretValue key = {"ca.key", CA_KEY, strlen(CA_KEY)};
        Store *store = NULL;
        Api *api = NULL;

        if (size > 65536 || store_open(":memory:", &store, NULL) < 0)
                return 0;
        if (store_secret_put(store, "default", "c-cluster-ca", &key, 1, NULL, NULL) < 0 ||
            api_new(store, kinds, "0", &ops, NULL, &api, NULL) < 0)
                abort();
        _cleanup_free_ char *text = mr_strndup((const char *) data, size);
        for (char *rest = text; *rest;)
                run_one(api, take(&rest, "\n%%\n"));
        api_free(api);
        store_free(store);
        return 0;
}
