/* What the platform tells by itself. */

#include <stdlib.h>

#include "base/log.h"
#include "engine-private.h"
#include "sdk/str.h"

/* Another replica leads, or does not any more. */
static void note_waiting(Engine *engine) {
        const MrPlatformOps *ops = engine->args.platform->platform;
        const char *whom =
                ops->waits_for && engine->platform ? ops->waits_for(engine->platform) : NULL;

        if (mr_streq(whom, engine->waits_for))
                return;
        free(engine->waits_for);
        engine->waits_for = mr_strdup(whom);
        if (whom)
                log_notice(NULL, NULL, "Waiting for %s; what it does is followed meanwhile.", whom);
        else
                log_notice(NULL, NULL, "Nobody else leads any more.");
}

void engine_platform_changed(void *userdata, const char *node) {
        (void) node;
        note_waiting(userdata);
        engine_kick(userdata);
}

void engine_platform_ended(void *userdata, const MrError *err) {
        Engine *engine = userdata;

        log_error(NULL, NULL, "The daemon ends: %s.", err->message);
        (void) sd_event_exit(engine->args.event, EXIT_FAILURE);
}
