#pragma once

#include "ctl/ctl.h"

typedef void (*NodeSeen)(const char *node, void *userdata);
/* Each node of each resource of the namespace in force. Fails when the daemon does not answer. */
int nodes_each(Ctl *ctl, NodeSeen seen, void *userdata);
