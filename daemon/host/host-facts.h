#pragma once

/* What the host itself is: names, addresses, memory, processors, java, storage and distributions.
 */

#include "host-config.h"
#include "sdk/tree.h"

/* `is_fetching` tells of a distribution whether its fetcher runs. */
typedef bool (*HostIsFetching)(const HostDistribution *distribution, void *userdata);
MrTree *host_facts(const char *root, const HostConfig *config, HostIsFetching is_fetching,
                   void *userdata);

/* The version a java program says it has, in the file "release" of its runtime. NULL with a message
 * otherwise. */
char *host_java_version(const char *java, char **ret_message);
/* The full name of a host according to text in the form of /etc/hosts; NULL when it tells none. */
char *host_fqdn_find(const char *hosts, const char *hostname);
/* Appends the addresses of the name servers in the text of /etc/resolv.conf to the list. */
void host_nameservers_find(const char *text, MrTree *list);
