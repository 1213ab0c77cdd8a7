#pragma once

/* One run of another program that reads its standard input and writes its standard output. */

#include "sdk/buf.h"
#include "sdk/error.h"

/* Waits for the end; what the program says on its standard error is part of the message. `input`
 * may hold secrets: nothing but the pipe sees them. It has at most 4 KiB, the answer 1 MiB. */
int filter_run(char *const argv[], const void *input, size_t size, MrBuf *out,
               MrError *err) _must_check_;
