#pragma once

/* Loading plugins: shared objects with one data symbol that is checked before any of their code
 * runs. */

#include "model/registry.h"

typedef struct Plugins {
        const MrPlugin **items; /* never unloaded */
        size_t n, allocated;
} Plugins;

/* A plugin that was refused; the program goes on without it. */
typedef void (*PluginRefused)(void *userdata, const char *path, const MrError *err);

/* Loads every *.so of a directory, sorted by name. `owner` is the only user besides root a file may
 * belong to (the build tree); pass 0 for installed ones. Nothing a plugin could run runs before its
 * header was checked. */
int plugins_load(const char *directory, unsigned owner, PluginRefused refused, void *userdata,
                 Plugins *ret, MrError *err) _must_check_;
/* The directory to load from: what $MILLRACE_PLUGINS says to a program that is not setuid, the
 * build tree next to the running program, or the installed one. The caller frees it. */
char *plugins_directory(unsigned *ret_owner);
void plugins_done(Plugins *plugins);
/* Registers all operands. */
int plugins_register(const Plugins *plugins, Registry *registry, MrError *err) _must_check_;
const MrPlugin *plugins_find_platform(const Plugins *plugins, const char *name);
