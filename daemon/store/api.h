#pragma once

/* The local API: Kubernetes API conventions over the store. A function from request to response, so
 * that tests need no socket; the HTTP server calls api_handle(). What a pass knows (plan, describe,
 * metrics …) comes from the callbacks of whoever owns the passes.
 *
 *      /apis/GROUP/VERSION/namespaces/NS/PLURAL[/NAME[/status]]
 *              get list watch create update patch delete
 *      /apis/GROUP/VERSION/PLURAL
 *              the same across namespaces: list, watch
 *      /api/v1/namespaces/NS/secrets[/NAME]
 *              the same but watch, and never a CA key; those that millrace makes are read only
 *      /api/v1/namespaces/NS/configmaps[/NAME]  /apis/storage.k8s.io/v1/storageclasses[/NAME]
 *              the same, without status
 *      /apis/millrace.io/v1/namespaces/NS/PLURAL/NAME/{plan,describe,events,record}
 *              GET
 *      /apis/millrace.io/v1/namespaces/NS/holds[/NODE]
 *              GET, PUT {reason}, DELETE
 *      /apis/millrace.io/v1/namespaces/NS/restarts
 *              POST {node | cluster, reason}
 *      /apis/millrace.io/v1/namespaces/NS/renewals
 *              POST {node, reason}
 *      /apis/millrace.io/v1/namespaces/NS/discards
 *              POST {node, reason}
 *      /version /api /apis … (discovery), /healthz /readyz /metrics
 */

#include "io/http-server.h"
#include "sdk/field.h"
#include "store/store.h"

/* Every slot gets Api's userdata, runs on the loop and must not block. Trees returned are owned by
 * the caller. A NULL slot answers 501, an absent admit admits everything, absent health is healthy.
 */
typedef struct ApiOps {
        /* Is the resource right? Called before it is stored. Positions of the tree are those of the
         * request's body. Warnings (a list) get maps as mr_decode() makes them; their messages
         * become Warning headers. */
        int (*admit)(void *userdata, const MrTree *resource, MrTree *warnings, MrError *err);
        /* What the next pass over the resource would do, and how the resource is doing. -ENOENT
         * becomes 404. */
        int (*plan)(void *userdata, const char *kind, const char *ns, const char *name,
                    MrTree **ret, MrError *err);
        int (*describe)(void *userdata, const char *kind, const char *ns, const char *name,
                        MrTree **ret, MrError *err);
        int (*record)(void *userdata, const char *kind, const char *ns, const char *name,
                      MrTree **ret, MrError *err);
        int (*events)(void *userdata, const char *kind, const char *ns, const char *name,
                      MrTree **ret, MrError *err);
        /* Remembers that a node, or all nodes of a cluster, should restart under the usual rules.
         * One is NULL. */
        int (*restart)(void *userdata, const char *ns, const char *cluster, const char *node,
                       const char *reason, MrError *err);
        /* Lets a node whose storage has lost its data begin anew. Fails when nothing is lost. */
        int (*renew)(void *userdata, const char *ns, const char *node, const char *reason,
                     MrError *err);
        /* Lets a node give its data up and begin anew, once nothing is lost by it. */
        int (*discard)(void *userdata, const char *ns, const char *node, const char *reason,
                       MrError *err);
        /* 0 when alive (ready: when the first pass over everything is done), else an error that
         * says why not. */
        int (*health)(void *userdata, bool ready, MrError *err);
        void (*metrics)(void *userdata, MrBuf *out); /* Prometheus text format */
} ApiOps;

typedef struct Api Api;

/* Borrows everything. `kinds` ends with NULL. `version` is the program's. */
int api_new(Store *store, const MrKind *const *kinds, const char *version, const ApiOps *ops,
            void *userdata, Api **ret, MrError *err);
Api *api_free(Api *api); /* ends all watches; returns NULL; takes NULL */
DEFINE_CLEANUP(Api *, api_free);

/* An HttpHandler; userdata is the Api. Requests that did not come over the UNIX socket reach only
 * /healthz, /readyz and /metrics. */
void api_handle(void *userdata, const HttpRequest *request, HttpResponse *response);
/* How many watches are open now, for metrics. */
size_t api_watches(const Api *api);
/* Sends a BOOKMARK to every watch that asked for them; for a slow timer, or never. */
void api_bookmark(Api *api);
