#pragma once

/* Whole files: read with a limit, and written so that a reader sees the old content or the new,
 * never a part. */

#include <sys/types.h>

#include "sdk/buf.h"
#include "sdk/error.h"

/* Appends the content of a regular file to `out`. More than `max` bytes is MR_INVALID; a missing
 * file is -ENOENT. */
int read_file_capped(const char *path, size_t max, MrBuf *out, MrError *err) _must_check_;
/* Writes through a temporary dot file beside `path`, which must be in a directory only we can
 * write. */
int write_file_atomic(const char *path, const void *data, size_t size, mode_t mode,
                      MrError *err) _must_check_;
