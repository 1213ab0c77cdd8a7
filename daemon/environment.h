#pragma once

/* The variables of a deployment of Strimzi's Cluster Operator: what they say is taken over as
 * settings, or told to have no meaning here, so that nothing is lost in silence. Pure. */

#include "sdk/error.h"
#include "sdk/tree.h"

/* Completes settings (a tree of millraced.yaml) by what `variables` ("NAME=VALUE", NULL at the end)
 * say; a variable wins. What has no effect is noted in a list of sentences. */
int environment_apply(char *const *variables, MrTree *settings, MrTree *ret_notes,
                      MrError *err) _must_check_;
