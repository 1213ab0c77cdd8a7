#pragma once

/* Requests of millctl to the local API: trees in, trees out, failures as errors with the daemon's
 * own words. */

#include "ctl/ctl.h"
#include "io/http-client.h"
#include "sdk/tree.h"

/* "/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME" with what is given; ns NULL: all namespaces. The
 * caller frees it. */
char *api_target(const MrKind *kind, const char *ns, const char *name);
/* The same below millrace.io: "/apis/millrace.io/v1/namespaces/NS/FIRST[/NAME[/SUB]]". */
char *api_own_target(const char *ns, const char *first, const char *name, const char *sub);
/* The namespace asked for, or default. */
const char *api_namespace(const Ctl *ctl);

typedef struct ApiReply {
        unsigned status;
        MrTree *body;
        MrTree *warnings; /* a list of strings */
} ApiReply;

void api_reply_done(ApiReply *reply);
#define _cleanup_reply_ _cleanup_(api_reply_done)

/* `body` NULL: none; it goes out as JSON, or as YAML for an apply patch. A status of 400 and above
 * is a failure: -ENOENT for 404, -ESTALE for 409 and 410; err has the message, and its path when
 * the daemon named a field. */
int api_call(Ctl *ctl, const char *method, const char *target, const char *type, const MrTree *body,
             ApiReply *ret, MrError *err) _must_check_;
int api_get(Ctl *ctl, const char *target, MrTree **ret, MrError *err) _must_check_;
/* A stream of watch events: each line is {type, object}. 1 event, 0 too late, -ENODATA ended. */
int api_watch(Ctl *ctl, const char *target, const char *version, HttpClient **ret,
              MrError *err) _must_check_;
int api_watch_next(HttpClient *client, int64_t timeout_msec, MrTree **ret,
                   MrError *err) _must_check_;
