#pragma once

/* Whole files in and out, with a cap on the size and errors that say what to do. */

#include <sys/types.h>

#include "sdk/buf.h"
#include "sdk/error.h"

/* Appends the content of a file; one larger than `max` bytes is MR_INVALID. A device or directory is refused. */
int read_file_capped(const char *path, size_t max, MrBuf *out, MrError *err) _must_check_;
int read_stdin_capped(size_t max, MrBuf *out, MrError *err) _must_check_;
/* Replaces a file in one move: after a crash there is the old content or the new one, nothing between. */
int write_file_atomic(const char *path, const void *data, size_t size, mode_t mode, MrError *err) _must_check_;
