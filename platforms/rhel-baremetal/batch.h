#pragma once

/* Actions → one batch of millrace-hostd (daemon/host/README.md), and its answer to Observe → an
 * observation. Pure. */

#include "platform.h"

MrTree *batch_of_actions(const MrAction *actions, size_t n);
/* `observed` is consumed. */
int observation_of_host(MrTree *take_observed, MrObservation *ret, MrError *err) _must_check_;
