#pragma once

/* The daemon's memory: accepted resources, secrets, remembered values and holds, in one SQLite file
 * that only this program opens. Every change is one transaction that is on disk when the function
 * returns; a failure leaves everything as it was. The store knows nothing of Kafka or of platforms,
 * and it never logs.
 *
 * Besides the usual negative errno of MrError, functions return:
 *      -ENOENT  there is no such thing                         (kind MR_INVALID)
 *      -EEXIST  it exists already                              (kind MR_CONFLICT)
 *      -ESTALE  it has changed since it was read               (kind MR_CONFLICT)
 *      -EPERM   it comes from elsewhere, as the message says   (kind MR_DENIED)
 *      -EAGAIN  disk full, I/O error: nothing was changed      (kind MR_TRANSIENT)
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "sdk/error.h"
#include "sdk/field.h"
#include "sdk/tree.h"

typedef struct Store Store;

/* Opens or creates the file, mode 0600. A damaged file, or one of a newer version, is refused with
 * MR_DENIED and is neither changed nor removed; the message names PATH.backup and says what to do.
 * ":memory:" is for what is kept elsewhere, and for tests. */
#define STORE_IN_MEMORY ":memory:"
int store_open(const char *path, Store **ret, MrError *err) _must_check_;
/* Refreshes the backup if it is due, and closes. Returns NULL; takes NULL. */
Store *store_free(Store *store);
DEFINE_CLEANUP(Store *, store_free);
/* After a change of anything but a status PATH.backup is due. With an event loop attached it is
 * made a moment later, once for many changes; store_backup() makes it at once, and does nothing
 * when none is due. `failed` is called when a backup made from the loop fails, and may be NULL. */
typedef void (*StoreBackupFailed)(void *userdata, const MrError *err);
int store_attach_event(Store *store, sd_event *event, StoreBackupFailed failed, void *userdata,
                       MrError *err);
int store_backup(Store *store, MrError *err);
/* Whether it was made by store_open(): nothing had been kept in it before. */
bool store_is_new(const Store *store);
/* The highest resource version given out so far. */
int64_t store_version(const Store *store);

/* A resource as stored. The tree is the whole Kubernetes-like object: apiVersion, kind, metadata
 * (name, namespace, uid, generation, resourceVersion, creationTimestamp, deletionTimestamp, labels,
 * annotations), spec, status. */
typedef struct StoreResource {
        char *kind; /* "Kafka" */
        char *ns;
        char *name;
        char *uid;
        char *source;       /* "api", "file:PATH" or STORE_SOURCE_PLATFORM */
        int64_t generation; /* counts changes of everything but metadata and status, from 1 */
        int64_t version;    /* resourceVersion */
        bool is_deleting;   /* metadata.deletionTimestamp is set: store_remove() ends it */
        MrTree *tree;
} StoreResource;

typedef struct StoreResources {
        StoreResource *items; /* sorted by kind, namespace, name */
        size_t n;
} StoreResources;

void store_resource_done(StoreResource *resource);
void store_resources_done(StoreResources *resources);
#define _cleanup_resource_ _cleanup_(store_resource_done)
#define _cleanup_resources_ _cleanup_(store_resources_done)

/* Readers. `kind` and `ns` may be NULL in a list: any. */
int store_get(Store *store, const char *kind, const char *ns, const char *name, StoreResource *ret,
              MrError *err);
int store_list(Store *store, const char *kind, const char *ns, StoreResources *ret, MrError *err);

/* Writers. `object` is borrowed; kind, namespace ("default" when absent) and name are read from it,
 * its status and its server-side metadata (uid, generation, creationTimestamp …) are ignored. `ret`
 * may be NULL. */
int store_create(Store *store, const MrTree *object, StoreResource *ret, MrError *err);
/* Replaces everything but status and server-side metadata. A metadata.resourceVersion (or uid) in
 * the object must be the stored one. Returns 1 when something changed, 0 when nothing did (and
 * nothing is written). */
int store_update(Store *store, const MrTree *object, StoreResource *ret, MrError *err);
/* Writes the status alone; generation stays. `expected` is the resource version it was made from,
 * 0: any. Returns 1 when something changed, 0 when the status was equal already. */
int store_update_status(Store *store, const char *kind, const char *ns, const char *name,
                        const MrTree *status, int64_t expected, MrError *err);
/* Asks for deletion: sets metadata.deletionTimestamp, once. Refused for resources that come from a
 * file or from the platform. Returns 1 when it was set now, 0 when it was set before. */
int store_delete(Store *store, const char *kind, const char *ns, const char *name, MrError *err);
/* Ends a deletion: the resource is gone, whatever its source. The daemon calls this once nothing is
 * left to do. */
int store_remove(Store *store, const char *kind, const char *ns, const char *name, MrError *err);

/* A resource that a file under resources.d holds. It is kept like any other, so uid, generation and
 * status outlive a restart, and it is read-only for the API. One that the API made already is
 * refused; another file may take over (the file was renamed): telling two files with the same
 * resource apart is the caller's, who sees both. Putting a resource that is being deleted fails
 * with -EEXIST until store_remove(). Returns 1 changed, 0 not. */
int store_put_file_resource(Store *store, const char *path, const MrTree *object,
                            StoreResource *ret, MrError *err);
/* The file, or the document in it, is gone: the same as store_delete(), for a resource from a file.
 */
int store_delete_file_resource(Store *store, const char *kind, const char *ns, const char *name,
                               MrError *err);

/* A resource that the platform keeps itself, as an API server does. It is a copy: uid, generation
 * and creationTimestamp are those it has there, and when it is new here, so is its status. Refused
 * with -EEXIST when it comes from elsewhere already, and with -ESTALE while another one of its name
 * (of another uid, or one that is being deleted) is kept here, until store_remove(). A kind without
 * a generation of its own gets one here. Returns 1 changed, 0 not. */
#define STORE_SOURCE_PLATFORM "platform"
int store_put_platform_resource(Store *store, const MrTree *object, StoreResource *ret,
                                MrError *err);
/* It is gone there: the same as store_delete(), for a resource from the platform; -ENOENT when
 * there is no such resource from there. */
int store_delete_platform_resource(Store *store, const char *kind, const char *ns, const char *name,
                                   MrError *err);

/* The change feed. Subscribers are called after the transaction, in order of versions. */
typedef enum StoreChange {
        STORE_ADDED,
        STORE_MODIFIED,
        STORE_DELETED,
        _STORE_CHANGE_MAX,
} StoreChange;

typedef struct StoreEvent {
        StoreChange change;
        int64_t version;
        const char *kind; /* "Kafka"; "Secret" and "Hold" (name: the node) have no json and no
                             history */
        const char *ns;
        const char *name;
        bool is_status_only; /* nothing but status changed: no reason to reconcile */
        const char *json;    /* the object as compact JSON; NULL for secrets and holds */
} StoreEvent;

typedef void (*StoreChanged)(void *userdata, const StoreEvent *event);
typedef struct StoreSubscription StoreSubscription;

/* A subscriber may subscribe, unsubscribe and write from within its callback. */
StoreSubscription *store_subscribe(Store *store, StoreChanged changed, void *userdata);
StoreSubscription *store_unsubscribe(
        StoreSubscription *subscription); /* returns NULL; takes NULL */
/* Calls `changed` for each remembered event after `version`; -ESTALE when some of them are
 * forgotten already. */
int store_replay(Store *store, int64_t version, StoreChanged changed, void *userdata, MrError *err);

/* Secrets: values are bytes. A value returned is owned by the caller, who wipes it. */
typedef struct StoreSecretValue {
        const char *key;
        const void *data;
        size_t size;
} StoreSecretValue;

/* What a secret becomes as a whole; its notes are added to those it has, see
 * store_secret_annotate(). */
typedef struct StoreSecretPut {
        const char *name;
        const StoreSecretValue *values;
        size_t n;
        const MrPairs *labels; /* may be NULL */
        MrPairs notes;
} StoreSecretPut;

/* Replaces all of them or, when it fails, none. Returns how many have changed. */
int store_secrets_put(Store *store, const char *ns, const StoreSecretPut *puts, size_t n,
                      MrError *err);
/* Replaces the secret and its labels as a whole. Returns 1 when something changed, 0 when it was
 * equal already. */
int store_secret_put(Store *store, const char *ns, const char *name, const StoreSecretValue *values,
                     size_t n, const MrPairs *labels, MrError *err);
int store_secret_remove(Store *store, const char *ns, const char *name,
                        MrError *err); /* 1 removed, 0 was absent */
/* One value: 1 and appended to `out`, or 0 when absent. */
int store_secret_get(Store *store, const char *ns, const char *name, const char *key, MrBuf *out,
                     MrError *err);
/* Calls `found` for each key of a secret (name NULL: of every secret of the namespace; ns NULL: of
 * all), sorted by namespace, name, key. Data is valid during the call only. A negative return of
 * `found` ends it and is returned. */
typedef int (*StoreSecretFound)(void *userdata, const char *ns, const char *name, const char *key,
                                const void *data, size_t size);
int store_secret_each(Store *store, const char *ns, const char *name, StoreSecretFound found,
                      void *userdata, MrError *err);
/* Names of the secrets of a namespace (NULL: of all), sorted: a list of maps {namespace, name,
 * labels, annotations, version, creationTimestamp}. */
int store_secret_list(Store *store, const char *ns, MrTree **ret, MrError *err);

/* A note on a secret, shown as an annotation of it; it goes with the secret. A NULL value forgets.
 * Returns 1 when something changed. */
int store_secret_annotate(Store *store, const char *ns, const char *name, const char *key,
                          const char *value, MrError *err);
/* All notes on secrets of a namespace: a map NAME → {key: value}. */
int store_secret_annotations(Store *store, const char *ns, MrTree **ret, MrError *err);

/* Small values to remember, for example allocated ports. A NULL value forgets. Returns 1 when
 * something changed. */
int store_remember(Store *store, const char *key, const char *value, MrError *err);
int store_remember_all(Store *store, const MrPairs *pairs,
                       MrError *err); /* one transaction; keeps other keys */
/* All keys that begin with the prefix ("" for all), as a map key → string. */
int store_remembered(Store *store, const char *prefix, MrTree **ret, MrError *err);

/* Holds: nodes an administrator keeps the daemon's hands off. */
int store_hold(Store *store, const char *ns, const char *node, const char *reason,
               MrError *err); /* 1 changed */
int store_release(Store *store, const char *ns, const char *node,
                  MrError *err); /* 1 was held, 0 not */
/* A list of maps {namespace, node, reason, since}; since in seconds since the epoch. ns NULL: all.
 */
int store_holds(Store *store, const char *ns, MrTree **ret, MrError *err);
