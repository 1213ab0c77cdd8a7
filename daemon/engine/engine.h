#pragma once

/* The shell around the pure middle: it observes, lets desire and plan be made, has the steps
 * carried out, and reports. Nothing is remembered between rounds but what is needed to be polite:
 * back-off, views, requested restarts.
 *
 * A round observes the platform once and then takes each resource in turn. It is begun by a change
 * of a resource, of the platform, of a view, or by a timer; when the last round planned nothing,
 * none follows. */

#include <systemd/sd-event.h>

#include "io/worker.h"
#include "model/registry.h"
#include "store/store.h"

typedef struct Engine Engine;

typedef struct EngineArgs {
        sd_event *event; /* all borrowed */
        Store *store;
        const Registry *registry;
        const MrPlugin *platform;
        const MrTree *platform_config; /* section of the configuration, or NULL */
        const MrFollowing *following;  /* what a platform that keeps resources tells; may be NULL */
        /* Called once, with the first observation: from now on this replica acts. May be NULL. */
        void (*acts)(void *userdata);
        void *userdata;
        Worker *worker;
        int64_t grace_sec;  /* how long a node stopped by hand stays down */
        int64_t resync_sec; /* a round at least this often */
        int64_t day_sec;    /* of the lives of certificates; 0: a real day */
} EngineArgs;

int engine_new(const EngineArgs *args, Engine **ret, MrError *err) _must_check_;
Engine *engine_free(Engine *engine);
DEFINE_CLEANUP(Engine *, engine_free);
/* Begins a round as soon as the loop is free. */
void engine_kick(Engine *engine);
/* The one it has opened. */
MrPlatform *engine_platform(const Engine *engine);
/* New settings after a reload of the configuration. */
void engine_configure(Engine *engine, int64_t grace_sec, int64_t resync_sec, int64_t day_sec);

/* Answers for the local API; see store/api.h. */
int engine_plan(Engine *engine, const char *kind, const char *ns, const char *name, MrTree **ret,
                MrError *err);
/* The next pass over it as data, without secrets; see reconcile/record.h. */
int engine_record(Engine *engine, const char *kind, const char *ns, const char *name, MrTree **ret,
                  MrError *err) _must_check_;
int engine_describe(Engine *engine, const char *kind, const char *ns, const char *name,
                    MrTree **ret, MrError *err);
int engine_events(Engine *engine, const char *kind, const char *ns, const char *name, MrTree **ret,
                  MrError *err);
int engine_restart(Engine *engine, const char *ns, const char *cluster, const char *node,
                   const char *reason, MrError *err);
/* A node whose storage has lost its data begins anew; an error when nothing of it is lost. */
int engine_renew(Engine *engine, const char *ns, const char *node, const char *reason,
                 MrError *err);
/* A node that gives its data up, and begins anew as soon as nothing is lost by it. */
int engine_discard(Engine *engine, const char *ns, const char *node, const char *reason,
                   MrError *err);
int engine_health(Engine *engine, bool ready, MrError *err);
void engine_metrics(Engine *engine, MrBuf *out);
