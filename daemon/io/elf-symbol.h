#pragma once

/* Reads the bytes of one exported data symbol straight from a shared object's file, so that a
 * plugin's header can be checked before the dynamic loader runs anything of it. */

#include "sdk/error.h"

/* Pointers inside the symbol are relocated only by the loader: they mean nothing here. */
int elf_read_symbol(const char *path, const char *name, void *ret, size_t size,
                    MrError *err) _must_check_;
