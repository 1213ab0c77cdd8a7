#pragma once

/* The object /org/millrace/Host1 on the bus: who may call, what is queued, when the service may
 * leave. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "sdk/error.h"

#define HOSTD_NAME "org.millrace.Host1"
#define HOSTD_PATH "/org/millrace/Host1"
#define HOSTD_USER "millrace"

typedef struct HostdArgs {
        sd_event *event;    /* borrowed, as all of these */
        sd_bus *bus;        /* attached to the event loop */
        const char *root;   /* prefix of all paths; "" on a real host */
        uint64_t idle_usec; /* how long the service stays without a subscriber */
} HostdArgs;

typedef struct Hostd Hostd;

/* Offers the object and takes the name. The loop is left with sd_event_exit() when nobody needs the
 * service. */
int hostd_new(const HostdArgs *args, Hostd **ret, MrError *err) _must_check_;
Hostd *hostd_free(Hostd *hostd);
DEFINE_CLEANUP(Hostd *, hostd_free);
