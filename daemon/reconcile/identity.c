/* Agreement of identities. */

#include "identity.h"

#include <string.h>

#include "str.h"

static const char *identity_text(const MrManifest *volume, const char *field) {
        return mr_tree_get_string(mr_tree_get(volume->body, "identity"), field);
}

/* "kraft-static" and "kraft-dynamic" are two ways of one kind. */
static bool is_same_kind(const char *a, const char *b) {
        size_t n = strcspn(a, "-");

        return strcspn(b, "-") == n && strncmp(a, b, n) == 0;
}

static int check_pair(const MrManifest *wanted, const MrManifest *found, MrError *err) {
        const char *id = identity_text(wanted, "cluster_id"),
                   *other_id = identity_text(found, "cluster_id");
        const char *quorum = identity_text(wanted, "quorum"),
                   *other_quorum = identity_text(found, "quorum");

        if (id && other_id && !mr_streq(id, other_id))
                return mr_fail(
                        err, MR_INVALID, NULL,
                        "storage %s belongs to the cluster with id %s, and %s is wanted with id "
                        "%s; restore the "
                        "storage that belongs here, or choose another name for the new cluster",
                        found->name, other_id, wanted->name, id);
        if (quorum && other_quorum && !is_same_kind(quorum, other_quorum))
                return mr_fail(err, MR_INVALID, "spec",
                               "storage %s holds a cluster whose quorum is %s, and the spec "
                               "describes %s; change the spec "
                               "back: a running cluster is not converted by editing it",
                               found->name, other_quorum, quorum);
        return 0;
}

int identity_check(const MrManifests *wanted, const MrManifests *observed, const char *owner,
                   MrError *err) {
        const MrManifest *any = NULL;

        for (size_t i = 0; i < mr_manifests_size(wanted) && !any; i++)
                if (mr_tree_get(mr_manifests_at(wanted, i)->body, "identity"))
                        any = mr_manifests_at(wanted, i);
        for (size_t i = 0; any && i < mr_manifests_size(observed); i++) {
                const MrManifest *found = mr_manifests_at(observed, i);
                if (!mr_streq(found->kind, any->kind) || !mr_streq(found->owner, owner))
                        continue;
                int r = check_pair(any, found, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
