#pragma once

/* Actions → one batch of millrace-hostd (daemon/host/README.md), and its answer to Observe → an
 * observation. Pure. */

#include "platform.h"

/* The protocol of millrace-hostd that this side speaks, and the oldest one it can do with: both
 * programs come in one package, but one of them may still be of the package before it. */
#define PROTOCOL 2
#define PROTOCOL_OLDEST 1

/* `protocol` is what both sides speak. */
MrTree *batch_of_actions(const MrAction *actions, size_t n, int64_t protocol);
/* What both sides speak, from an answer to Observe; -EAGAIN when there is nothing. */
int protocol_agree(const MrTree *observed, int64_t *ret, MrError *err) _must_check_;
/* `observed` is consumed. */
int observation_of_host(MrTree *take_observed, MrObservation *ret, MrError *err) _must_check_;
