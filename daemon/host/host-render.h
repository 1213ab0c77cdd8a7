#pragma once

/* Text that hostd writes for one node: the drop-in of its unit, its launch description and its
 * manifest. Pure: two calls with the same properties and configuration give the same bytes, so what
 * lies on disk can be compared. */

#include "host-batch.h"

#define HOST_DROPIN_NAME "50-millrace.conf"
#define HOST_UNITS_DIRECTORY "/etc/systemd/system"

/* "CLASS@INSTANCE.service"; the caller frees. */
char *host_unit_name(const char *class_name, const char *instance);

void host_render_dropin(const char *class_name, const char *instance,
                        const HostProperties *properties, const HostConfig *config, MrBuf *out);
void host_render_launch(const HostProperties *properties, const HostConfig *config, MrBuf *out);
/* {"version": 1, "class", "instance", "properties"}: the truth from which the other two can be
 * rendered again. */
void host_render_manifest(const char *class_name, const char *instance, const MrTree *properties,
                          MrBuf *out);

/* Appends a path as one word of a unit file: '%' doubled, quoted, specials escaped. */
void host_unit_quote(const char *text, MrBuf *out);
