/* What millrace-hostd saw becomes manifests, nodes, claims and facts of the host. */

#include "batch.h"

#include <inttypes.h>

#include "lower.h"
#include "names.h"
#include "str.h"

typedef struct Seen {
        MrArena *arena;
        const MrTree *observed;
        MrObservation *out;
} Seen;

static const char *owner_of(const Seen *seen, const MrTree *instance) {
        const MrTree *volumes = mr_tree_get(mr_tree_get(instance, "unit"), "volumes");
        const char *claim = mr_tree_get_string(mr_tree_at(volumes, 0), "claim");
        const MrTree *found =
                claim ? mr_tree_get(mr_tree_get(seen->observed, "claims"), claim) : NULL;

        return mr_tree_get_string(mr_tree_get(found, "identity"), "cluster");
}

static void add_files(Seen *seen, const MrTree *instance, const char *ns, const char *node,
                      const char *owner) {
        const MrTree *files = mr_tree_get(instance, "files");

        for (size_t i = 0; i < mr_tree_size(files); i++) {
                MrTree *body = mr_tree_new_map();
                mr_tree_set_string(body, "class", mr_tree_get_string(instance, "class"));
                mr_tree_set_string(body, "digest", mr_tree_string(mr_tree_at(files, i)));
                mr_manifests_add(seen->out->found,
                                 (MrManifest){
                                         .kind = "File",
                                         .ns = ns,
                                         .node = node,
                                         .owner = owner,
                                         .rank = RANK_FILE,
                                         .body = body,
                                         .name = mr_arena_strf(seen->arena, "%s/%s", node,
                                                               mr_tree_key(files, i)),
                                 });
        }
}

static void add_unit(Seen *seen, const MrTree *instance, const char *ns, const char *node,
                     const char *owner) {
        const MrTree *properties = mr_tree_get(instance, "unit");

        if (mr_tree_type(properties) != MR_TREE_MAP)
                return;
        MrTree *body = mr_tree_new_map();
        mr_tree_set_string(body, "class", mr_tree_get_string(instance, "class"));
        mr_tree_set_string(body, "dropin", mr_tree_get_string(instance, "dropin"));
        mr_tree_set_bool(body, "enabled", mr_tree_get_bool(instance, "enabled", false));
        mr_tree_set(body, "properties", mr_tree_copy(properties));
        mr_manifests_add(seen->out->found, (MrManifest){
                                                   .kind = "Unit",
                                                   .ns = ns,
                                                   .name = node,
                                                   .node = node,
                                                   .owner = owner,
                                                   .rank = RANK_UNIT,
                                                   .body = body,
                                           });
}

static void add_node(Seen *seen, const MrTree *instance, const char *name, const char *key,
                     const char *owner) {
        static const char *const copied[] = {"state", "since", "message", "restarts", "pid"};
        const MrTree *running = mr_tree_get(instance, "running"), *host = seen->out->host,
                     *unit = mr_tree_get(instance, "unit");
        const char *address = mr_tree_get_string(host, "address");
        MrTree *node = mr_tree_need_map(seen->out->nodes, key);

        for (size_t i = 0; i < MR_ELEMENTS(copied); i++) {
                const MrTree *value = mr_tree_get(instance, copied[i]);
                if (value)
                        mr_tree_set(node, copied[i], mr_tree_copy(value));
        }
        mr_tree_set_string(node, "fingerprint", mr_tree_get_string(running, "fingerprint"));
        if (mr_tree_get(running, "settings"))
                mr_tree_set(node, "settings", mr_tree_copy(mr_tree_get(running, "settings")));
        mr_tree_set_string(node, "address", address ? address : mr_tree_get_string(host, "fqdn"));
        mr_tree_set_string(node, "where",
                           mr_arena_strf(seen->arena, "%s@%s.service",
                                         mr_tree_get_string(instance, "class"), name));
        mr_tree_set_string(node, "owner", owner);
        mr_tree_set_string(node, "role", mr_tree_get_string(instance, "class"));
        mr_tree_set_string(node, "version", mr_tree_get_string(running, "version"));
        mr_tree_set_int(node, "order", mr_tree_get_int(unit, "order", 0));
        if (mr_tree_get(unit, "settings"))
                mr_tree_set(node, "applied", mr_tree_copy(mr_tree_get(unit, "settings")));
}

static void add_instance(Seen *seen, const char *name, const MrTree *instance) {
        const char *ns, *node, *owner = owner_of(seen, instance);

        instance_split(seen->arena, name, &ns, &node);
        add_files(seen, instance, ns, node, owner);
        add_unit(seen, instance, ns, node, owner);
        add_node(seen, instance, name, mr_arena_strf(seen->arena, "%s/%s", ns, node), owner);
}

/* The node whose unit, or whose running process, has the claim among its volumes; NULL: none. */
static const char *user_of(const Seen *seen, const char *claim, const char *which) {
        const MrTree *instances = mr_tree_get(seen->observed, "instances");

        for (size_t i = 0; i < mr_tree_size(instances); i++) {
                const MrTree *volumes =
                        mr_tree_get(mr_tree_get(mr_tree_at(instances, i), which), "volumes");
                for (size_t k = 0; k < mr_tree_size(volumes); k++)
                        if (mr_streq(mr_tree_get_string(mr_tree_at(volumes, k), "claim"), claim)) {
                                const char *ns, *node;
                                instance_split(seen->arena, mr_tree_key(instances, i), &ns, &node);
                                return node;
                        }
        }
        return NULL;
}

/* What operands and lowering may know of a claim. */
static MrTree *claim_facts(Seen *seen, const char *name, const MrTree *claim) {
        static const char *const copied[] = {"storage_class", "ephemeral", "size", "capacity",
                                             "prepared",      "lost",      "used"};
        const MrTree *identity = mr_tree_get(claim, "identity");
        const char *path = mr_tree_get_string(claim, "path");
        MrTree *facts =
                mr_tree_type(identity) == MR_TREE_MAP ? mr_tree_copy(identity) : mr_tree_new_map();

        for (size_t i = 0; i < MR_ELEMENTS(copied); i++)
                if (mr_tree_get(claim, copied[i]))
                        mr_tree_set(facts, copied[i], mr_tree_copy(mr_tree_get(claim, copied[i])));
        if (path)
                mr_tree_set_string(facts, "directory", mr_arena_strf(seen->arena, "%s/data", path));
        mr_tree_set_string(facts, "node", user_of(seen, name, "unit"));
        return facts;
}

/* Compared with what is wanted: whose the data is, and how it was asked for. */
static MrTree *claim_body(const MrTree *claim) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set(body, "identity", mr_tree_copy(mr_tree_get(claim, "identity")));
        mr_tree_set_int(body, "size", mr_tree_get_int(claim, "size", 0));
        mr_tree_set_bool(body, "delete", mr_tree_get_bool(claim, "delete", false));
        mr_tree_set_string(body, "marker", mr_tree_get_string(claim, "marker"));
        if (mr_tree_get_bool(claim, "lost", false))
                mr_tree_set_bool(body, "lost", true);
        if (mr_tree_get_bool(claim, "outgrown", false))
                mr_tree_set_string(body, "reissue", "its disk has grown");
        return body;
}

static void add_claim(Seen *seen, const char *name, const MrTree *claim) {
        const MrTree *identity = mr_tree_get(claim, "identity");
        const char *ns, *plain, *user = user_of(seen, name, "running");
        bool goes = mr_tree_get_bool(claim, "delete", false) ||
                    mr_tree_get_bool(claim, "ephemeral", false);

        instance_split(seen->arena, name, &ns, &plain);
        mr_manifests_add(seen->out->found,
                         (MrManifest){
                                 .kind = "Volume",
                                 .ns = ns,
                                 .name = plain,
                                 .node = user ? user : user_of(seen, name, "unit"),
                                 .rank = RANK_VOLUME,
                                 .keep = !goes,
                                 .is_in_use = user != NULL,
                                 .body = claim_body(claim),
                                 .owner = mr_tree_get_string(identity, "cluster"),
                         });
        mr_tree_set(seen->out->claims, mr_arena_strf(seen->arena, "%s/%s", ns, plain),
                    claim_facts(seen, name, claim));
}

static void add_distributions(Seen *seen) {
        const MrTree *list = mr_tree_get(seen->out->host, "distributions");

        for (size_t i = 0; i < mr_tree_size(list); i++) {
                const MrTree *entry = mr_tree_at(list, i);
                const char *software = mr_tree_get_string(entry, "software");
                const char *version = mr_tree_get_string(entry, "version");
                const char *state = mr_tree_get_string(entry, "state");
                bool rests = mr_streq(state, "failed") && !mr_tree_get_bool(entry, "again", true);
                /* What is being fetched, or failed a moment ago, needs no second order. */
                if (!software || !version ||
                    (!mr_streq(state, "ready") && !mr_streq(state, "fetching") && !rests))
                        continue;
                MrTree *body = mr_tree_new_map();
                mr_tree_set_string(body, "software", software);
                mr_tree_set_string(body, "version", version);
                mr_tree_set_string(body, "state", "ready");
                mr_manifests_add(
                        seen->out->found,
                        (MrManifest){
                                .kind = "Distribution",
                                .ns = "",
                                .rank = RANK_DISTRIBUTION,
                                .keep = true,
                                .body = body,
                                .name = mr_arena_strf(seen->arena, "%s-%s", software, version),
                        });
        }
}

int protocol_agree(const MrTree *observed, int64_t *ret, MrError *err) {
        int64_t theirs = mr_tree_get_int(observed, "version", 0);
        int64_t accepts = mr_tree_get_int(observed, "accepts", theirs - 1);

        if (theirs < PROTOCOL_OLDEST)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "millrace-hostd speaks version %" PRId64 " of its protocol, and "
                               "this millraced %d or newer; stop the old one: systemctl stop "
                               "millrace-hostd",
                               theirs, PROTOCOL_OLDEST);
        if (accepts > PROTOCOL)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "millrace-hostd is newer than this millraced: it takes version "
                               "%" PRId64 " of its protocol or newer, and this one speaks %d; "
                               "install the newer millrace again",
                               accepts, PROTOCOL);
        *ret = theirs < PROTOCOL ? theirs : PROTOCOL;
        return 0;
}

int observation_of_host(MrTree *take_observed, MrObservation *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *observed = take_observed;
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        const MrTree *instances = mr_tree_get(observed, "instances"),
                     *claims = mr_tree_get(observed, "claims");

        if (mr_tree_get_int(observed, "version", 0) < 1 || mr_tree_type(instances) != MR_TREE_MAP ||
            mr_tree_type(claims) != MR_TREE_MAP ||
            mr_tree_type(mr_tree_get(observed, "host")) != MR_TREE_MAP)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the answer of millrace-hostd is incomplete; nothing is done until "
                               "it is whole");
        *ret = (MrObservation){
                .found = mr_manifests_new(),
                .nodes = mr_tree_new_map(),
                .claims = mr_tree_new_map(),
                .host = mr_tree_copy(mr_tree_get(observed, "host")),
        };
        Seen seen = {.arena = arena, .observed = observed, .out = ret};
        for (size_t i = 0; i < mr_tree_size(instances); i++)
                add_instance(&seen, mr_tree_key(instances, i), mr_tree_at(instances, i));
        for (size_t i = 0; i < mr_tree_size(claims); i++)
                add_claim(&seen, mr_tree_key(claims, i), mr_tree_at(claims, i));
        add_distributions(&seen);
        return 0;
}
