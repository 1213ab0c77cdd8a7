#pragma once

/* What lies on disk for one instance: its node directory with files, launch description and
 * manifest, and the drop-in of its unit. Writing, removing, and looking. */

#include "host-files.h"
#include "host-render.h"
#include "sdk/str.h"

#define HOST_MANIFEST_MAX (4U * 1024 * 1024)

/* Each returns 1 when something changed, 0 when all was so already. */
int host_node_file_write(const char *root, const HostStep *step, MrError *err) _must_check_;
int host_node_file_remove(const char *root, const HostStep *step, MrError *err) _must_check_;
/* Checks the claims, then writes launch description, drop-in and manifest. */
int host_node_unit_write(const char *root, const HostConfig *config, const HostStep *step,
                         MrError *err) _must_check_;
/* *ret_dropin tells whether there was a drop-in, which systemd may have in memory. */
int host_node_unit_remove(const char *root, const HostStep *step, bool *ret_dropin,
                          MrError *err) _must_check_;

/* The launcher refuses to start a node without the markers that are listed in this file. It is kept
 * by hostd alone. */
#define HOST_KNOWN_NAME ".known"
/* Lists the markers of all claims of the node that are known to have held data; `markers` is a
 * HostNode's, `claims` what host_claims_observe() found. */
int host_node_known_write(const char *root, const char *instance, const MrTree *markers,
                          const MrTree *claims, MrError *err) _must_check_;

/* Digests of files and what JSON files say, remembered while a file's identity and times stay. */
typedef struct HostDigests HostDigests;
HostDigests *host_digests_new(void);
HostDigests *host_digests_free(HostDigests *digests);
DEFINE_CLEANUP(HostDigests *, host_digests_free);
/* What was rendered with another configuration is of no use any more. */
void host_digests_forget_rendered(HostDigests *digests);
/* Returns 1, or 0 when there is no such regular file. */
int host_digests_get(HostDigests *digests, const HostDir *dir, const char *name, char ret[65],
                     MrError *err) _must_check_;

typedef enum HostDropin {
        HOST_DROPIN_MISSING,
        HOST_DROPIN_EDITED,
        HOST_DROPIN_INTACT,
} HostDropin;

const char *host_dropin_name(HostDropin dropin);

/* What was found of one instance. */
typedef struct HostNode {
        char *class_name;   /* NULL: no readable manifest */
        MrTree *files;      /* map name → SHA-256 */
        MrTree *properties; /* as last applied; NULL without a manifest */
        MrTree *markers; /* map path of a marker → its claim; NULL without a drop-in to compare */
        char manifest_digest[MR_DIGEST_MAX];
        HostDropin dropin;
        bool is_enabled;
        bool is_masked;
        char *message; /* what is wrong with the files, or NULL */
} HostNode;

void host_node_done(HostNode *node);
int host_node_observe(const char *root, const HostConfig *config, HostDigests *digests,
                      const char *instance, HostNode *ret, MrError *err) _must_check_;
/* The properties the running process was started with, from a file its user can write: data, never
 * more. NULL: none. */
MrTree *host_node_running(const char *root, HostDigests *digests, const char *class_name,
                          const char *instance);
