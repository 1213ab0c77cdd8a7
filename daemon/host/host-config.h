#pragma once

/* What the administrator of a host decides about it: /etc/millrace/hostd.yaml, owned by root. It
 * names the java runtime, the classes of units with their users, the base directories of storage,
 * and where distributions come from. millrace-hostd and millrace-fetch read it; nothing in it can
 * be set from outside the host. */

#include "sdk/field.h"

#define HOST_CONFIG_PATH "/etc/millrace/hostd.yaml"
#define HOST_NODES_DIRECTORY "/etc/millrace/nodes"
#define HOST_DATA_DIRECTORY "/var/lib/millrace-data"
#define HOST_DIST_DIRECTORY "/var/lib/millrace-dist"

/* A class of units: CLASS@INSTANCE.service, run by this user. */
typedef struct HostClass {
        const char *name;
        const char *user;
        const char *group;
} HostClass;

typedef struct HostStorageClass {
        const char *name;
        const char *path;  /* claims are made beneath it */
        MrStrings devices; /* whole disks, one for each claim, mounted beneath it; none: directories
                            */
} HostStorageClass;

/* Either a directory with libs/ that is used in place, or an archive to fetch. */
typedef struct HostDistribution {
        const char *software;
        const char *version;
        const char *directory; /* NULL when there is an archive */
        const char *archive;   /* absolute path, or file:, http: or https: URL; NULL when there is a
                                  directory */
        const char *sha512;    /* of the archive; always set for a URL */
        const char *extras;    /* directory with further jars, behind those of libs/; or NULL */
} HostDistribution;

typedef struct HostConfig {
        MrArena *arena; /* owns everything below */
        const char *java;
        const char *address;    /* name or address to advertise; NULL: the host's own name */
        MrList classes;         /* HostClass */
        MrList storage_classes; /* HostStorageClass */
        MrList distributions;   /* HostDistribution */
        MrPairs labels;         /* what is known of this host: its zone, its rack */
} HostConfig;

extern const MrField host_config_fields[];

/* Reads a configuration from text; `source` names it in errors. An empty text gives the defaults.
 */
int host_config_parse(const char *text, size_t size, const char *source, HostConfig **ret,
                      MrError *err) _must_check_;
/* Reads the file; a missing one gives the defaults, one that others than its owner can write is
 * refused, and so is one owned by anybody but root and the caller. */
int host_config_read(const char *path, HostConfig **ret, MrError *err) _must_check_;
HostConfig *host_config_free(HostConfig *config);
DEFINE_CLEANUP(HostConfig *, host_config_free);

const HostClass *host_config_class(const HostConfig *config, const char *name); /* NULL: unknown */
const HostStorageClass *host_config_storage_class(const HostConfig *config,
                                                  const char *name); /* NULL: unknown */
const HostDistribution *host_config_distribution(const HostConfig *config, const char *software,
                                                 const char *version);
/* The same by the instance name of the fetcher's unit, "SOFTWARE-VERSION". */
const HostDistribution *host_config_distribution_by_id(const HostConfig *config, const char *id);

/* Where things of a distribution lie; the caller frees. `libs` is beneath the directory. */
char *host_distribution_id(const HostDistribution *distribution); /* "kafka-3.9.1" */
char *host_distribution_directory(
        const HostDistribution *distribution); /* the one that holds libs/ */
char *host_distribution_classes(
        const HostDistribution *distribution); /* the class-data archive, may not exist */
/* Written by the fetcher: {"state": "fetching"|"ready"|"failed", "message": text}; absent until it
 * ran. */
char *host_distribution_state(const HostDistribution *distribution);
