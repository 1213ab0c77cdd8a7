#pragma once

/* What the files of the API share: a call on its way through the router. */

#include "store/api.h"

typedef struct Watch Watch;

struct Api {
        Store *store;
        const MrKind *const *kinds;
        const char *version;
        const ApiOps *ops;
        void *userdata;
        Watch *watches;
        size_t n_watches;
};

#define API_SEGMENTS_MAX 10U

/* One request with its path taken apart. */
typedef struct Call {
        Api *api;
        const HttpRequest *request;
        HttpResponse *response;
        char *path; /* the memory behind the segments */
        const char *segments[API_SEGMENTS_MAX];
        size_t n_segments;

        const char *group, *api_version;
        const char *ns; /* NULL: across namespaces */
        const char *plural;
        const char *name; /* NULL: the collection */
        const char *sub;  /* "status", "plan" …; NULL: the resource itself */
        const MrKind *kind;
} Call;

bool call_is(const Call *call, const char *method);
void call_fail(Call *call, unsigned status, const char *format, ...) _printf_(3, 4);
/* Answers with what the store or a callback reported. */
void call_fail_error(Call *call, int r, const MrError *err);
void call_refuse_method(Call *call);
/* The body as a map; answers and returns a negative errno when it is none. */
int call_body(Call *call, MrTree **ret);

/* "GROUP/VERSION", or "VERSION" for the core group, whose name is empty. The caller frees it. */
char *api_version_text(const char *group, const char *version);
/* Takes out of a Secret what nobody may read, and turns its texts into base64, as Kubernetes shows
 * them. Does nothing with other kinds. */
void api_hide_values(MrTree *object);

/* Areas. Each answers the call completely. */
void api_handle_discovery(Call *call);
void api_handle_resource(Call *call);
void api_handle_secrets(Call *call);
void api_handle_holds(Call *call);
void api_handle_restarts(Call *call);
void api_handle_renewals(Call *call);
void api_handle_discards(Call *call);
void api_handle_backups(Call *call);
void api_handle_view(Call *call); /* plan, describe, events */
void api_handle_health(Call *call);

const MrKind *api_kind(const Api *api, const char *group, const char *plural);
bool api_kind_serves(const MrKind *kind, const char *version);

/* labelSelector and fieldSelector of a list or watch: equality only. */
typedef struct Selector {
        const char *name; /* metadata.name=…, or NULL */
        MrTree *labels;   /* map label → value, NULL: any */
} Selector;

void selector_done(Selector *selector);
int selector_read(Call *call, Selector *ret);
bool selector_matches(const Selector *selector, const char *name, const MrTree *labels);

void api_start_watch(Call *call);
void api_end_watches(Api *api);
