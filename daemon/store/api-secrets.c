/* Secrets as Kubernetes shows them: those that were made here, which nobody else writes, and those
 * that were written like any other resource. The key of a certificate authority is never shown
 * to anybody: whoever has it can make certificates for every cluster member and user. */

#include <errno.h>
#include <string.h>

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
        if (mr_tree_size(mr_tree_get(entry, "annotations")) > 0)
                mr_tree_set(metadata, "annotations",
                            mr_tree_copy(mr_tree_get(entry, "annotations")));
        int r = store_secret_each(call->api->store, ns, name, add_value, data, err);
        if (r < 0)
                return r;
        *ret = TAKE(object);
        return 0;
}

/* A value of a Secret somebody wrote: base64 may stand on several lines there. */
static void join_lines(MrTree *data, const char *key) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};
        const char *value = mr_tree_get_string(data, key);

        for (; value && *value; value++)
                if (*value != '\n' && *value != '\r')
                        mr_buf_putc(&text, *value);
        mr_tree_set_string(data, key, mr_buf_text(&text));
}

void api_hide_values(MrTree *object) {
        const char *name = mr_tree_get_string(mr_tree_get(object, "metadata"), "name");

        if (!mr_streq(mr_tree_get_string(object, "kind"), "Secret") ||
            !mr_streq(mr_tree_get_string(object, "apiVersion"), "v1"))
                return;
        const MrTree *texts = mr_tree_get(object, "stringData");
        MrTree *data = mr_tree_type(mr_tree_get(object, "data")) == MR_TREE_MAP
                               ? mr_tree_get(object, "data")
                               : mr_tree_set(object, "data", mr_tree_new_map());
        for (size_t i = 0; i < mr_tree_size(data); i++)
                join_lines(data, mr_tree_key(data, i));
        for (size_t i = 0; i < mr_tree_size(texts); i++) {
                _cleanup_(mr_buf_wipe) MrBuf text = {};
                const char *value = mr_tree_string(mr_tree_at(texts, i));
                mr_base64(value ? value : "", value ? strlen(value) : 0, &text);
                mr_tree_set_string(data, mr_tree_key(texts, i), mr_buf_text(&text));
        }
        mr_tree_remove(object, "stringData");
        for (size_t i = mr_tree_size(data); i > 0; i--)
                if (is_hidden(name, mr_tree_key(data, i - 1)))
                        mr_tree_remove_at(data, i - 1);
}

static void add_missing(MrTree *map, const MrTree *from) {
        for (size_t i = 0; i < mr_tree_size(from); i++)
                if (!mr_tree_get(map, mr_tree_key(from, i)))
                        mr_tree_set(map, mr_tree_key(from, i), mr_tree_copy(mr_tree_at(from, i)));
}

/* Of a Secret that was written over one that was made here, what it does not say stays as it was
 * made: one without values only asks for something. */
static void complete_object(MrTree *written, const MrTree *made) {
        MrTree *metadata = mr_tree_get(written, "metadata");
        const MrTree *known = mr_tree_get(made, "metadata");

        add_missing(mr_tree_need_map(written, "data"), mr_tree_get(made, "data"));
        if (mr_tree_get(known, "labels"))
                add_missing(mr_tree_need_map(metadata, "labels"), mr_tree_get(known, "labels"));
        if (mr_tree_get(known, "annotations"))
                add_missing(mr_tree_need_map(metadata, "annotations"),
                            mr_tree_get(known, "annotations"));
        add_missing(written, made);
}

static void add_object(MrTree *objects, MrTree *take_object) {
        const MrTree *metadata = mr_tree_get(take_object, "metadata");
        _cleanup_free_ char *key = mr_strf("%s/%s", mr_tree_get_string(metadata, "namespace"),
                                           mr_tree_get_string(metadata, "name"));
        const MrTree *made = mr_tree_get(objects, key);

        if (made)
                complete_object(take_object, made);
        mr_tree_set(objects, key, take_object);
}

/* All secrets, by namespace and name: those that were made here, and over them those that were
 * written. */
static int read_objects(Call *call, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *entries = NULL, *objects = mr_tree_new_map();
        _cleanup_resources_ StoreResources written = {};
        Store *store = call->api->store;

        int r = store_secret_list(store, call->ns, &entries, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(entries); i++) {
                MrTree *object = NULL;
                r = secret_object(call, mr_tree_at(entries, i), &object, err);
                if (r >= 0)
                        add_object(objects, object);
        }
        if (r >= 0)
                r = store_list(store, "Secret", call->ns, &written, err);
        for (size_t i = 0; r >= 0 && i < written.n; i++) {
                api_hide_values(written.items[i].tree);
                add_object(objects, TAKE(written.items[i].tree));
        }
        if (r >= 0)
                *ret = TAKE(objects);
        return r;
}

static void answer_one(Call *call, const MrTree *objects) {
        _cleanup_free_ char *key = mr_strf("%s/%s", call->ns, call->name);
        const MrTree *object = mr_tree_get(objects, key);

        if (!object)
                return call_fail(call, 404, "there is no secret %s in namespace %s", call->name,
                                 call->ns);
        http_response_json(call->response, 200, object);
}

static void answer_list(Call *call, const MrTree *objects, const Selector *selector) {
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_map();
        _cleanup_free_ char *version = mr_strf("%lld", (long long) store_version(call->api->store));
        MrTree *items = mr_tree_need_list(list, "items");

        mr_tree_set_string(list, "apiVersion", "v1");
        mr_tree_set_string(list, "kind", "SecretList");
        mr_tree_set_string(mr_tree_need_map(list, "metadata"), "resourceVersion", version);
        for (size_t i = 0; i < mr_tree_size(objects); i++) {
                const MrTree *object = mr_tree_at(objects, i),
                             *metadata = mr_tree_get(object, "metadata");
                if (selector_matches(selector, mr_tree_get_string(metadata, "name"),
                                     mr_tree_get(metadata, "labels")))
                        mr_tree_append(items, mr_tree_copy(object));
        }
        http_response_json(call->response, 200, list);
}

static void handle_read(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *objects = NULL;
        _cleanup_(selector_done) Selector selector = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (http_request_flag(call->request, "watch"))
                return call_fail(call, 405, "secrets cannot be watched; read them again");
        if (call->name && !call->ns)
                return call_fail(call, 404,
                                 "say in which namespace: /api/v1/namespaces/NAMESPACE/secrets/%s",
                                 call->name);
        if (selector_read(call, &selector) < 0)
                return;
        int r = read_objects(call, &objects, &err);
        if (r < 0)
                return call_fail_error(call, r, &err);
        if (call->name)
                answer_one(call, objects);
        else
                answer_list(call, objects, &selector);
}

static int found_one(void *userdata, const char *ns _unused_, const char *name _unused_,
                     const char *key _unused_, const void *data _unused_, size_t size _unused_) {
        *(bool *) userdata = true;
        return 0;
}

/* Secrets that millrace makes are its own; the authorities' may be brought instead. */
static bool is_made_here(Call *call, const char *name) {
        bool is_found = false;

        if (!name || !call->ns || is_authority(name) || mr_ends_with(name, "-ca-cert"))
                return false;
        (void) store_secret_each(call->api->store, call->ns, name, found_one, &is_found, NULL);
        return is_found;
}

static bool is_written(Call *call) {
        _cleanup_resource_ StoreResource written = {};

        return store_get(call->api->store, "Secret", call->ns, call->name, &written, NULL) >= 0;
}

static bool has_values(const MrTree *secret) {
        return mr_tree_size(mr_tree_get(secret, "data")) +
                       mr_tree_size(mr_tree_get(secret, "stringData")) >
               0;
}

/* A Secret without values may stand beside one that was made here: its annotations ask for
 * something. Answers and returns a negative errno when this one may not. */
static int check_made_here(Call *call) {
        _cleanup_(mr_tree_freep) MrTree *body = NULL;
        bool is_removal = call_is(call, "DELETE");
        int r = is_removal ? 0 : call_body(call, &body);

        if (r < 0)
                return r;
        const char *name =
                call->name ? call->name : mr_tree_get_string(mr_tree_get(body, "metadata"), "name");
        if (!is_made_here(call, name) || (is_removal ? is_written(call) : !has_values(body)))
                return 0;
        call_fail(call, 409, "millrace makes the secret %s itself; give yours another name", name);
        return -EEXIST;
}

void api_handle_secrets(Call *call) {
        if (call_is(call, "GET"))
                return handle_read(call);
        if (!api_kind(call->api, "", "secrets"))
                return call_fail(call, 405,
                                 "secrets are read-only here; millrace makes them from resources");
        if (check_made_here(call) >= 0)
                api_handle_resource(call);
}
