#include "platform-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/plugins.h"

const MrPlugin *platform_load(const char *name) {
        _cleanup_(plugins_done) Plugins plugins = {};
        const char *directory = getenv("MILLRACE_PLUGINS");

        assert_int_equal(
                plugins_load(directory ? directory : "build", getuid(), NULL, NULL, &plugins, NULL),
                0);
        /* The list goes, the plugins stay. */
        const MrPlugin *platform = plugins_find_platform(&plugins, name);
        assert_non_null(platform);
        return platform;
}
