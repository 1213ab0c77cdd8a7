#include "io/tls-look.h"

#include "sdk/alloc.h"

typedef struct Looking {
        TlsLook *look; /* weak */
        char *node, *endpoint;
        Stream *stream;
} Looking;

struct TlsLook {
        Looking *lookings;
        size_t n, n_open;
        MrTree *result;
        TlsSeen seen;
        void *userdata;
};

static void finish(Looking *looking, MrTree *take_shown) {
        TlsLook *look = looking->look;

        looking->stream = stream_free(looking->stream);
        mr_tree_set(mr_tree_need_map(look->result, looking->node), looking->endpoint, take_shown);
        if (--look->n_open > 0)
                return;
        look->seen(look->userdata, TAKE(look->result));
}

static void connected(Stream *stream, void *userdata) {
        finish(userdata, stream_shown(stream));
}

static void closed(Stream *stream, const MrError *err, void *userdata) {
        MrTree *shown = mr_tree_new_map();

        (void) stream;
        mr_tree_set_string(shown, "error", err ? err->message : "the peer has ended");
        finish(userdata, shown);
}

static const StreamOps stream_ops = {
        .connected = connected,
        .closed = closed,
};

static int begin(sd_event *event, const TlsEndpoint *endpoint, TlsClient *tls,
                 uint64_t timeout_usec, Looking *looking, MrError *err) {
        StreamArgs args = {
                .host = endpoint->host,
                .port = endpoint->port,
                .tls = tls,
                .timeout_usec = timeout_usec,
                .ops = &stream_ops,
                .userdata = looking,
        };

        looking->node = mr_strdup(endpoint->node);
        looking->endpoint = mr_strdup(endpoint->endpoint);
        return stream_new(event, &args, &looking->stream, err);
}

int tls_look_new(sd_event *event, const TlsEndpoint *endpoints, size_t n, uint64_t timeout_usec,
                 TlsSeen seen, void *userdata, TlsLook **ret, MrError *err) {
        _cleanup_(tls_client_unrefp) TlsClient *tls = NULL;
        TlsClientArgs args = {.only_looks = true};

        if (n == 0)
                return mr_fail(err, MR_INVALID, NULL, "there is no endpoint to look at");
        int r = tls_client_new(&args, &tls, err);
        if (r < 0)
                return r;
        TlsLook *look = mr_new(TlsLook, 1);
        look->lookings = mr_new(Looking, n);
        look->n = look->n_open = n;
        look->result = mr_tree_new_map();
        look->seen = seen;
        look->userdata = userdata;
        for (size_t i = 0; i < n && r >= 0; i++) {
                look->lookings[i].look = look;
                r = begin(event, &endpoints[i], tls, timeout_usec, &look->lookings[i], err);
        }
        if (r < 0) {
                tls_look_free(look);
                return r;
        }
        *ret = look;
        return 0;
}

TlsLook *tls_look_free(TlsLook *look) {
        if (!look)
                return NULL;
        for (size_t i = 0; i < look->n; i++) {
                stream_free(look->lookings[i].stream);
                free(look->lookings[i].node);
                free(look->lookings[i].endpoint);
        }
        free(look->lookings);
        mr_tree_free(look->result);
        free(look);
        return NULL;
}
