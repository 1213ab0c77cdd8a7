#pragma once

/* Turns a host name into socket addresses without holding up the event loop: a name is looked up by
 * a short-lived thread, because getaddrinfo() has no other form. Numeric addresses need no thread.
 */

#include <netdb.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "sdk/error.h"

typedef struct Resolve Resolve;

/* Called once, from the loop, never from resolve_start(). Exactly one of err and addresses is set;
 * both are borrowed, and the Resolve may be freed from inside. */
typedef void (*ResolveDone)(const MrError *err, const struct addrinfo *addresses, void *userdata);

int resolve_start(sd_event *event, const char *host, uint16_t port, ResolveDone done,
                  void *userdata, Resolve **ret, MrError *err) _must_check_;
/* Forgets the question: done is not called any more. Takes and returns NULL. */
Resolve *resolve_free(Resolve *resolve);
DEFINE_CLEANUP(Resolve *, resolve_free);
