/* Secrets, read-only, as Kubernetes shows them. The key of a certificate authority is never shown
 * to anybody: whoever has it can make certificates for every cluster member and user. */

#include <errno.h>

#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api-private.h"

static bool is_authority(const char *name) {
        return mr_ends_with(name, "-cluster-ca") || mr_ends_with(name, "-clients-ca");
}

static bool is_hidden(const char *name, const char *key) {
        return mr_streq(key, "ca.key") || (is_authority(name) && mr_ends_with(key, ".key"));
}

static int add_value(void *userdata, const char *ns _unused_, const char *name, const char *key,
                     const void *data, size_t size) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        if (is_hidden(name, key))
                return 0;
        mr_base64(data, size, &text);
        mr_tree_set_string(userdata, key, mr_buf_text(&text));
        return 0;
}

/* `entry` as store_secret_list() makes them → a Kubernetes Secret. */
static int secret_object(Call *call, const MrTree *entry, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *object = mr_tree_new_map();
        MrTree *metadata = mr_tree_need_map(object, "metadata"),
               *data = mr_tree_need_map(object, "data");
        const char *ns = mr_tree_get_string(entry, "namespace"),
                   *name = mr_tree_get_string(entry, "name");
        _cleanup_free_ char *version =
                mr_strf("%lld", (long long) mr_tree_get_int(entry, "version", 0));

        mr_tree_set_string(object, "apiVersion", "v1");
        mr_tree_set_string(object, "kind", "Secret");
        mr_tree_set_string(object, "type", "Opaque");
        mr_tree_set_string(metadata, "name", name);
        mr_tree_set_string(metadata, "namespace", ns);
        mr_tree_set_string(metadata, "resourceVersion", version);
        mr_tree_set_string(metadata, "creationTimestamp",
                           mr_tree_get_string(entry, "creationTimestamp"));
        if (mr_tree_size(mr_tree_get(entry, "labels")) > 0)
                mr_tree_set(metadata, "labels", mr_tree_copy(mr_tree_get(entry, "labels")));
        int r = store_secret_each(call->api->store, ns, name, add_value, data, err);
        if (r < 0)
                return r;
        *ret = TAKE(object);
        return 0;
}

static void answer_one(Call *call, const MrTree *entries) {
        _cleanup_(mr_tree_freep) MrTree *object = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        for (size_t i = 0; i < mr_tree_size(entries); i++) {
                if (!mr_streq(mr_tree_get_string(mr_tree_at(entries, i), "name"), call->name))
                        continue;
                int r = secret_object(call, mr_tree_at(entries, i), &object, &err);
                return r < 0 ? call_fail_error(call, r, &err)
                             : http_response_json(call->response, 200, object);
        }
        call_fail(call, 404, "there is no secret %s in namespace %s", call->name, call->ns);
}

static void answer_list(Call *call, const MrTree *entries, const Selector *selector) {
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_map();
        _cleanup_free_ char *version = mr_strf("%lld", (long long) store_version(call->api->store));
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *items = mr_tree_need_list(list, "items");

        mr_tree_set_string(list, "apiVersion", "v1");
        mr_tree_set_string(list, "kind", "SecretList");
        mr_tree_set_string(mr_tree_need_map(list, "metadata"), "resourceVersion", version);
        for (size_t i = 0; i < mr_tree_size(entries); i++) {
                const MrTree *entry = mr_tree_at(entries, i);
                MrTree *object = NULL;

                if (!selector_matches(selector, mr_tree_get_string(entry, "name"),
                                      mr_tree_get(entry, "labels")))
                        continue;
                int r = secret_object(call, entry, &object, &err);
                if (r < 0)
                        return call_fail_error(call, r, &err);
                mr_tree_append(items, object);
        }
        http_response_json(call->response, 200, list);
}

void api_handle_secrets(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *entries = NULL;
        _cleanup_(selector_done) Selector selector = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!call_is(call, "GET"))
                return call_fail(call, 405,
                                 "secrets are read-only here; millrace makes them from resources");
        if (http_request_flag(call->request, "watch"))
                return call_fail(call, 405, "secrets cannot be watched; read them again");
        if (call->name && !call->ns)
                return call_fail(call, 404,
                                 "say in which namespace: /api/v1/namespaces/NAMESPACE/secrets/%s",
                                 call->name);
        if (selector_read(call, &selector) < 0)
                return;
        int r = store_secret_list(call->api->store, call->ns, &entries, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        if (call->name)
                answer_one(call, entries);
        else
                answer_list(call, entries, &selector);
}
