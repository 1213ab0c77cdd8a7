/* Errors that grow their path on the way up. */

#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"

static const struct {
        const char *name;
        int errnum;
} kinds[_MR_ERROR_KIND_MAX] = {
        [MR_OK] = {"ok", 0},
        [MR_INVALID] = {"invalid", EINVAL},
        [MR_TRANSIENT] = {"transient", EAGAIN},
        [MR_CONFLICT] = {"conflict", ESTALE},
        [MR_DENIED] = {"denied", EACCES},
        [MR_BUG] = {"bug", ENOTRECOVERABLE},
};

void mr_error_done(MrError *err) {
        free(err->path);
        free(err->message);
        free(err->source);
        *err = MR_ERROR_INIT;
}

void mr_error_move(MrError *to, MrError *from) {
        if (to && !to->message) {
                *to = *from;
                *from = MR_ERROR_INIT;
        } else
                mr_error_done(from);
}

static MrErrorKind kind_of_errno(int errnum) {
        switch (errnum) {
        case EINVAL:
        case ERANGE:
                return MR_INVALID;
        case EACCES:
        case EPERM:
        case EROFS:
                return MR_DENIED;
        case ESTALE:
                return MR_CONFLICT;
        case ENOTRECOVERABLE:
                return MR_BUG;
        default:
                return MR_TRANSIENT;
        }
}

int mr_fail(MrError *err, MrErrorKind kind, const char *path, const char *format, ...) {
        int r = -kinds[kind].errnum;

        if (!err || err->message)
                return r;
        va_list args;
        va_start(args, format);
        err->message = mr_vstrf(format, args);
        va_end(args);
        err->kind = kind;
        err->path = mr_strdup(path);
        return r;
}

int mr_fail_errno(MrError *err, int errnum, const char *path, const char *format, ...) {
        if (!err || err->message)
                return -errnum;
        va_list args;
        va_start(args, format);
        _cleanup_free_ char *what = mr_vstrf(format, args);
        va_end(args);
        err->message = mr_strf("%s: %s", what, strerror(errnum));
        err->kind = kind_of_errno(errnum);
        err->path = mr_strdup(path);
        return -errnum;
}

int mr_error_within(MrError *err, int r, const char *format, ...) {
        if (!err || !err->message)
                return r;
        va_list args;
        va_start(args, format);
        _cleanup_free_ char *segment = mr_vstrf(format, args);
        va_end(args);
        char *path = !err->path            ? mr_strdup(segment)
                     : err->path[0] == '[' ? mr_strf("%s%s", segment, err->path)
                                           : mr_strf("%s.%s", segment, err->path);
        free(err->path);
        err->path = path;
        return r;
}

int mr_error_at(MrError *err, int r, const char *source, unsigned line, unsigned column) {
        if (!err)
                return r;
        if (source) {
                free(err->source);
                err->source = mr_strdup(source);
        }
        if (line > 0) {
                err->line = line;
                err->column = column;
        }
        return r;
}

char *mr_error_text(const MrError *err) {
        _cleanup_buf_ MrBuf text = {};

        if (err->source)
                mr_buf_puts(&text, err->source);
        if (err->line > 0)
                mr_buf_printf(&text, "%s%u:%u", err->source ? ":" : "", err->line, err->column);
        if (text.size > 0)
                mr_buf_puts(&text, ": ");
        if (err->path)
                mr_buf_printf(&text, "%s: ", err->path);
        mr_buf_puts(&text, err->message ? err->message : "no error");
        return mr_buf_take(&text);
}

const char *mr_error_kind_name(MrErrorKind kind) {
        return kinds[kind].name;
}

MrErrorKind mr_error_kind(const MrError *err, int r) {
        if (r >= 0)
                return MR_OK;
        return err && err->message ? err->kind : r == -EAGAIN ? MR_TRANSIENT : kind_of_errno(-r);
}

void mr_abort(const char *format, ...) {
        va_list args;

        va_start(args, format);
        _cleanup_free_ char *text = mr_vstrf(format, args);
        va_end(args);
        fprintf(stderr, "%s\n", text);
        abort();
}
