/* Files as users write them, through the tables of every kind there is and on to a plan on paper
 * for each platform: what may be anything ends in a plan or in an error with a message. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/documents.h"
#include "io/plugins.h"
#include "reconcile/offline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Loaded by the first input, for the life of the process. */
static Registry *registry;
static Plugins plugins;

static void load(void) {
        const char *directory = getenv("MILLRACE_BUILD");
        _cleanup_error_ MrError err = {};

        if (registry)
                return;
        registry = registry_new();
        if (plugins_load(directory ? directory : ".", getuid(), NULL, NULL, &plugins, &err) < 0 ||
            plugins_register(&plugins, registry, &err) < 0 || registry_operands(registry) == 0) {
                fprintf(stderr, "set MILLRACE_BUILD to where the plugins are\n");
                abort();
        }
}

static void require_told(const MrError *err) {
        if (!err->message || !*err->message)
                abort();
}

static void plan(const MrPlugin *platform, const Documents *documents) {
        OfflineArgs args = {.registry = registry,
                            .platform = platform,
                            .documents = documents->items,
                            .n_documents = documents->n,
                            .format = OFFLINE_JSON};
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf out = {};

        if (offline_plan(&args, &out, NULL, &err) < 0)
                require_told(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_documents_ Documents documents = {};
        _cleanup_error_ MrError err = {};

        load();
        if (documents_read_text(registry, (const char *) data, size, "input", NULL, &documents,
                                &err) < 0) {
                require_told(&err);
                return 0;
        }
        for (size_t i = 0; i < plugins.n; i++)
                if (plugins.items[i]->platform)
                        plan(plugins.items[i], &documents);
        return 0;
}
