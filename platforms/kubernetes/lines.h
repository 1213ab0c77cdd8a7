#pragma once

/* The answer to a watch: JSON documents, one a line, that arrive in pieces. */

#include "error.h"
#include "tree.h"

/* More than a single object ever takes. */
#define LINE_MAX_SIZE MR_DOCUMENT_MAX

typedef struct Lines {
        MrBuf rest; /* of a line whose end has not arrived */
} Lines;

/* Negative: the rest is not read. The event is borrowed. */
typedef int (*LineFound)(void *userdata, MrTree *event, MrError *err);

void lines_done(Lines *lines);
/* Calls `found` for each line that is complete now; empty ones are left out. */
int lines_push(Lines *lines, const void *data, size_t size, LineFound found, void *userdata,
               MrError *err) _must_check_;
