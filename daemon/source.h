#pragma once

/* Resources from files: a directory that is watched, read-only for the API. A file with an error
 * changes nothing: what it held before stays as it was. A file that goes away takes its resources
 * with it. */

#include <systemd/sd-event.h>

#include "model/registry.h"
#include "store/store.h"

typedef struct Source Source;

int source_new(sd_event *event, const char *directory, const Registry *registry, Store *store,
               Source **ret, MrError *err) _must_check_;
Source *source_free(Source *source);
DEFINE_CLEANUP(Source *, source_free);
/* Reads everything; `again`: also files that did not change. */
int source_scan(Source *source, bool again, MrError *err) _must_check_;
/* How many files hold an error now. */
size_t source_errors(const Source *source);
