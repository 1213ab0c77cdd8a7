#pragma once

/* What became of a distribution on this host, as the fetcher left it. */

#include "host-config.h"
#include "sdk/tree.h"

/* "millrace-fetch@SOFTWARE-VERSION.service"; the caller frees. */
char *host_distribution_unit(const HostDistribution *distribution);
/* Ready, and its class-data archive made: nothing is left for the fetcher to do. */
bool host_distribution_is_complete(const char *root, const HostDistribution *distribution);
/* {software, version, state, directory, archive, message}. `is_fetching` tells whether the fetcher
 * runs. */
MrTree *host_distribution_observe(const char *root, const HostDistribution *distribution,
                                  bool is_fetching);
