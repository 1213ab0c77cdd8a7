#pragma once

/* Requests to the API server. Nothing blocks: the answer comes by a callback from the event loop.
 *
 * Few requests are under way at once, and not too many follow each other: a server that is asked to
 * do a lot stays there for others. One that says it has enough is asked again when it wants to. */

#include <systemd/sd-event.h>

#include "kubeconfig.h"
#include "lines.h"

typedef struct Client Client;
typedef struct Request Request;

/* `r` negative: err says why, in words for people; -ENOENT when there is no such object, and
 * -ESTALE when the world was another. `answer` is the document that came, taken over; it may be
 * NULL. The request is gone when this is called. */
typedef void (*ClientDone)(void *userdata, int r, const MrError *err, unsigned status,
                           MrTree *take_answer);

typedef struct RequestArgs {
        const char *method;
        const char *path;      /* with its query */
        const MrTree *content; /* NULL: none */
        const char *type;      /* of the content; NULL: application/json */
        const char *what;      /* for messages: "secret default/a" */
        bool is_secret;        /* what the server says of the content is not repeated */
        unsigned timeout_sec;
        /* A stream: called when it has been accepted, and for each line. */
        void (*begun)(void *userdata);
        LineFound found;
        ClientDone done;
        void *userdata;
} RequestArgs;

/* `config` is copied from while it lasts: it must outlive the client. */
int client_new(sd_event *event, const KubeConfig *config, Client **ret, MrError *err) _must_check_;
/* Cancels what is under way, without calling anybody. */
Client *client_free(Client *client);
/* Everything is copied. Valid until `done` is called. */
Request *client_request(Client *client, const RequestArgs *args);
/* Blocks until it is answered, or its time is over: for when the loop has ended. Nobody is told
 * what came of it; `done` is not called. */
void client_request_at_once(Client *client, const RequestArgs *args);
void client_cancel(Client *client, Request *request);
