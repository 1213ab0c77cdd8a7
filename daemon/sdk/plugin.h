#pragma once

/* The plugin ABI. A plugin is a shared object that exports exactly one symbol, the data object
 * `mr_plugin`. The loader checks owner and mode of the file, then magic, ABI and size, all before
 * any code of the plugin runs.
 *
 * Changes: 1.0 first version; 2.0 functions of a platform get the ops they were called
 * through; 3.0 a platform may tell what its settings say; 4.0 a platform may keep resources, and
 * says whether it tells of every change. */

#include "operand.h"
#include "platform.h"

#define MR_PLUGIN_MAGIC 0x4d494c4cU /* "MILL" */
#define MR_PLUGIN_ABI_MAJOR 4
#define MR_PLUGIN_ABI_MINOR 0

typedef struct MrPlugin {
        uint32_t magic; /* these four come first: they protect the rest */
        uint16_t abi_major;
        uint16_t abi_minor;
        uint32_t struct_size;
        const char *name; /* "kafka", "rhel-baremetal"; equals the file name without ".so" */
        const char *doc;
        const MrOperandOps *operand; /* one of the two is set */
        const MrPlatformOps *platform;
} MrPlugin;

#define MR_PLUGIN_HEADER                                                                           \
        .magic = MR_PLUGIN_MAGIC, .abi_major = MR_PLUGIN_ABI_MAJOR,                                \
        .abi_minor = MR_PLUGIN_ABI_MINOR, .struct_size = sizeof(MrPlugin)

extern const MrPlugin mr_plugin;
