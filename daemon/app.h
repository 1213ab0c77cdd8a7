#pragma once

/* The daemon's wiring: configuration → event loop, store, plugins, engine, files and local API. It
 * decides nothing. */

#include "config.h"

typedef struct App App;

int app_new(const char *config_path, App **ret, MrError *err) _must_check_;
/* Runs until SIGTERM or SIGINT. */
int app_run(App *app, MrError *err) _must_check_;
App *app_free(App *app);
DEFINE_CLEANUP(App *, app_free);
