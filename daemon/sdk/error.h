#pragma once

/* Errors that grow their path on the way up. The leaf says what is wrong and what to do about it,
 * each caller adds only where. A function that can fail returns 0 (or a documented positive
 * answer), or a negative errno together with a filled MrError when the caller passed one.
 *
 *      if (listener->type == LISTENER_ROUTE && !listener->tls)
 *              return mr_fail(err, MR_INVALID, "tls", "a route carries only TLS; set tls to true");
 *      …
 *      return mr_error_within(err, r, "listeners[%zu]", i);
 *
 * Messages read "what is wrong; what to do". They never contain key material or passwords. */

#include "macros.h"

typedef enum MrErrorKind {
        MR_OK,
        MR_INVALID,   /* the input is wrong: parked until it changes              (-EINVAL) */
        MR_TRANSIENT, /* may work later: retried with back-off                    (-EAGAIN) */
        MR_CONFLICT,  /* the world changed meanwhile: observed again at once      (-ESTALE) */
        MR_DENIED,    /* a permission is missing: reported, retried slowly        (-EACCES) */
        MR_BUG, /* this program is wrong: logged with its origin            (-ENOTRECOVERABLE) */
        _MR_ERROR_KIND_MAX,
} MrErrorKind;

typedef struct MrError {
        MrErrorKind kind;
        char *path;            /* "spec.kafka.listeners[1].tls", or NULL; owned */
        char *message;         /* owned; NULL when no error was set */
        char *source;          /* file or resource the path belongs to, owned; may be NULL */
        unsigned line, column; /* from 1; 0 when unknown */
} MrError;

#define MR_ERROR_INIT ((MrError){})

void mr_error_done(MrError *err); /* frees the contents; the struct is reusable */
#define _cleanup_error_ _cleanup_(mr_error_done)

/* Sets *err (when not NULL and not set yet) and returns the negative errno of the kind. `path` may
 * be NULL. */
int mr_fail(MrError *err, MrErrorKind kind, const char *path, const char *format, ...)
        _printf_(4, 5);
/* The same with the text of an errno at the end: "cannot open /x: Permission denied". `errnum` is
 * positive. The kind follows from errnum: EACCES/EPERM denied, EINVAL invalid, the rest transient.
 * Returns -errnum. */
int mr_fail_errno(MrError *err, int errnum, const char *path, const char *format, ...)
        _printf_(4, 5);
/* Prefixes the path with one more segment and returns r unchanged. */
int mr_error_within(MrError *err, int r, const char *format, ...) _printf_(3, 4);
/* Says in which file (and where in it) the error lies; line 0 keeps what is set. Returns r
 * unchanged. */
int mr_error_at(MrError *err, int r, const char *source, unsigned line, unsigned column);
void mr_error_move(MrError *to, MrError *from);
/* "file:line:column: path: message", leaving out what is unknown. The caller frees it. */
char *mr_error_text(const MrError *err);
/* Ends the program because it is wrong itself: a table that contradicts itself, a state that cannot
 * be. */
void mr_abort(const char *format, ...) _printf_(1, 2) __attribute__((noreturn));
const char *mr_error_kind_name(MrErrorKind kind);
MrErrorKind mr_error_kind(const MrError *err,
                          int r); /* err's kind, or the kind r (a negative errno) stands for */
