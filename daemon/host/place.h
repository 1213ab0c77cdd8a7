#pragma once

/* millrace-place: what a pod is not told of the machine it runs on, such as a label or an address
 * for clients from outside. It asks the API of the cluster as the pod's account, in a container
 * that ends before the node starts, so that the node itself needs no rights and no token. */

#include <stddef.h>

#include "sdk/tree.h"

#define PLACE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

typedef struct PlaceServer {
        const char *host, *port; /* of the API */
        const char *account;     /* directory with token and ca.crt */
} PlaceServer;

/* The machine's object. */
int place_ask(const PlaceServer *server, const char *machine, MrTree **ret,
              MrError *err) _must_check_;
/* One line "NAME=VALUE" for each "NAME=label:KEY", nothing when there is no such label, or
 * "NAME=address:TYPE", any address when there is none of that type or no type is given. */
int place_text(const MrTree *machine, char *const *wanted, size_t n, MrBuf *out,
               MrError *err) _must_check_;
