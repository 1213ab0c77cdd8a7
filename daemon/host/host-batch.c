#include "host-batch.h"

#include <inttypes.h>
#include <string.h>

#include "sdk/str.h"

/* Each operation has a table of its own, so a member that belongs to another operation is refused,
 * not ignored. */

#define INSTANCE_FIELD                                                                             \
        MR_STRING("instance", HostStep, instance, .flags = MR_REQUIRED,                            \
                  .doc = "Name of the instance.")
#define CLASS_FIELD                                                                                \
        MR_STRING("class", HostStep, class_name, .flags = MR_REQUIRED, .doc = "Class of the unit.")
#define CLAIM_FIELD                                                                                \
        MR_STRING("claim", HostStep, claim, .flags = MR_REQUIRED, .doc = "Name of the claim.")
#define FILE_FIELD                                                                                 \
        MR_STRING("name", HostStep, name, .flags = MR_REQUIRED, .doc = "Name of the file.")
#define STORAGE_FIELD(f)                                                                           \
        MR_STRING("storage_class", HostStep, storage_class, .flags = (f),                          \
                  .doc = "Storage class of the claim.")

static const MrField identity_fields[] = {
        MR_STRING("cluster", HostIdentity, cluster, .pattern = "^[a-z0-9][a-z0-9./-]{0,500}$",
                  .flags = MR_REQUIRED, .doc = "NAMESPACE/NAME of the cluster."),
        MR_STRING("cluster_id", HostIdentity, cluster_id, .pattern = "^[A-Za-z0-9_=+/.-]{1,100}$",
                  .flags = MR_REQUIRED, .doc = "Identity of the cluster."),
        MR_STRING("role", HostIdentity, role, .pattern = "^[a-z][a-z0-9-]{0,60}$",
                  .flags = MR_REQUIRED, .doc = "What the node does."),
        MR_INT("node_id", HostIdentity, node_id, .min = 0, .max = INT32_MAX, .flags = MR_REQUIRED,
               .doc = "Id of the node."),
        MR_STRING("quorum", HostIdentity, quorum, .pattern = "^[a-z][a-z0-9-]{0,60}$",
                  .doc = "Kind of quorum."),
        MR_STRING("directory_id", HostIdentity, directory_id, .pattern = "^[A-Za-z0-9_-]{1,100}$",
                  .doc = "Identity of the directory, where Kafka has one."),
        {},
};

static const MrField claim_create_fields[] = {
        CLAIM_FIELD,
        CLASS_FIELD,
        STORAGE_FIELD(MR_REQUIRED),
        MR_BOOL("ephemeral", HostStep, is_ephemeral, .fallback = "false",
                .doc = "The data goes with the node."),
        MR_INT("size", HostStep, size, .fallback = "0", .max = INT64_C(1) << 60, .unit = "bytes",
               .doc = "Size that was asked for; 0 for no limit."),
        MR_BOOL("delete", HostStep, is_deleted_with_node, .fallback = "false",
                .doc = "The data goes when the node is no longer wanted."),
        MR_STRING("marker", HostStep, marker,
                  .doc = "File beneath data/ that exists once the claim holds data."),
        MR_BOOL("anew", HostStep, begins_anew, .fallback = "false",
                .doc = "Data that was there once may be missing from now on."),
        MR_OBJECT("identity", HostStep, identity, HostIdentity, identity_fields,
                  .flags = MR_REQUIRED, .doc = "Who owns the data."),
        {},
};

static const MrField claim_remove_fields[] = {
        CLAIM_FIELD,
        STORAGE_FIELD(0),
        MR_STRING("cluster_id", HostStep, cluster_id, .flags = MR_REQUIRED,
                  .doc = "Must equal the identity's."),
        {},
};

static const MrField file_write_fields[] = {
        INSTANCE_FIELD,
        CLASS_FIELD,
        FILE_FIELD,
        MR_STRING("content", HostStep, content, .flags = MR_REQUIRED | MR_SECRET,
                  .doc = "Text of the file."),
        MR_BOOL("private", HostStep, is_private, .fallback = "false",
                .doc = "Only the user of the class may read it; some programs insist on that."),
        {},
};

static const MrField file_remove_fields[] = {INSTANCE_FIELD, FILE_FIELD, {}};
static const MrField unit_fields[] = {INSTANCE_FIELD, CLASS_FIELD, {}};

/* `properties` is decoded by host_properties_decode(), which keeps the tree. */
typedef struct UnitWrite {
        const char *instance;
        const char *class_name;
        const MrTree *properties;
} UnitWrite;

static const MrField unit_write_fields[] = {
        MR_STRING("instance", UnitWrite, instance, .flags = MR_REQUIRED,
                  .doc = "Name of the instance."),
        MR_STRING("class", UnitWrite, class_name, .flags = MR_REQUIRED,
                  .doc = "Class of the unit."),
        MR_TREE("properties", UnitWrite, properties, .flags = MR_REQUIRED,
                .doc = "What the unit runs."),
        {},
};

static const MrField distribution_fields[] = {
        MR_STRING("software", HostStep, software, .flags = MR_REQUIRED,
                  .doc = "Software of the distribution."),
        MR_STRING("version", HostStep, version, .flags = MR_REQUIRED,
                  .doc = "Version of the distribution."),
        {},
};

static const struct {
        const char *name;
        const MrField *fields;
} ops[_HOST_OP_MAX] = {
        [HOST_CLAIM_CREATE] = {"claim.create", claim_create_fields},
        [HOST_CLAIM_REMOVE] = {"claim.remove", claim_remove_fields},
        [HOST_FILE_WRITE] = {"file.write", file_write_fields},
        [HOST_FILE_REMOVE] = {"file.remove", file_remove_fields},
        [HOST_UNIT_WRITE] = {"unit.write", unit_write_fields},
        [HOST_UNIT_REMOVE] = {"unit.remove", unit_fields},
        [HOST_START] = {"start", unit_fields},
        [HOST_STOP] = {"stop", unit_fields},
        [HOST_RESTART] = {"restart", unit_fields},
        [HOST_DISTRIBUTION_ENSURE] = {"distribution.ensure", distribution_fields},
};

typedef struct Document {
        int64_t version;
        const MrTree *steps;
} Document;

static const MrField document_fields[] = {
        MR_INT("version", Document, version, .min = 1, .flags = MR_REQUIRED,
               .doc = "Version of the protocol."),
        MR_TREE("steps", Document, steps, .flags = MR_REQUIRED, .doc = "What to do, in order."),
        {},
};

const char *host_op_name(HostOp op) {
        return op < _HOST_OP_MAX ? ops[op].name : NULL;
}

static int op_find(const char *name, HostOp *ret, MrError *err) {
        for (size_t i = 0; i < MR_ELEMENTS(ops); i++)
                if (mr_streq(name, ops[i].name)) {
                        *ret = (HostOp) i;
                        return 0;
                }
        return mr_fail(err, MR_INVALID, "op",
                       "there is no such operation; see the manual of org.millrace.Host1");
}

/* mr_decode() only notes what a table does not know; here the note is an error. */
int host_table_decode(const MrField *fields, const MrTree *tree, MrArena *arena, void *object,
                      MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list();

        if (mr_tree_type(tree) != MR_TREE_MAP)
                return mr_fail(err, MR_INVALID, NULL, "this must be an object");
        int r = mr_decode(fields, tree, arena, object, warnings, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *w = mr_tree_at(warnings, i);

                if (mr_streq(mr_tree_get_string(w, "reason"), "UnknownField"))
                        return mr_fail(err, MR_INVALID, mr_tree_get_string(w, "path"),
                                       "there is no such member here; remove it, or update "
                                       "millrace on this host");
        }
        return 0;
}

static int names_check(const HostStep *step, MrError *err) {
        if (step->instance && !host_name_is_valid(step->instance))
                return mr_fail(err, MR_INVALID, "instance",
                               "this is no name of an instance; use NODE or NAMESPACE_NODE");
        if (step->claim && !host_name_is_valid(step->claim))
                return mr_fail(err, MR_INVALID, "claim",
                               "this is no name of a claim; use CLAIM or NAMESPACE_CLAIM");
        if (step->marker && !host_path_is_plain(step->marker))
                return mr_fail(err, MR_INVALID, "marker",
                               "this is no path beneath a claim; use names without '.' and '..'");
        if (step->name && !host_file_name_is_valid(step->name))
                return mr_fail(err, MR_INVALID, "name",
                               "this is no name of a file of a node; use letters, digits, '.', '_' "
                               "and '-'");
        if (step->content && strlen(step->content) > HOST_FILE_MAX)
                return mr_fail(err, MR_INVALID, "content",
                               "the file is larger than 1 MiB; shorten it");
        return 0;
}

static int step_resolve(HostStep *step, const HostConfig *config, MrError *err) {
        if (step->class_name) {
                step->class = host_config_class(config, step->class_name);
                if (!step->class)
                        return mr_fail(err, MR_INVALID, "class",
                                       "this host has no such class; add it to " HOST_CONFIG_PATH);
        }
        if (step->storage_class) {
                const HostStorageClass *storage =
                        host_config_storage_class(config, step->storage_class);

                if (!storage)
                        return mr_fail(
                                err, MR_INVALID, "storage_class",
                                "this host has no such storage class; add it to " HOST_CONFIG_PATH);
                step->base = storage->path;
                step->storage = storage;
        }
        if (step->software) {
                step->distribution =
                        host_config_distribution(config, step->software, step->version);
                if (!step->distribution)
                        return mr_fail(err, MR_INVALID, "version",
                                       "this host has no such distribution; add it to "
                                       "distributions in " HOST_CONFIG_PATH);
        }
        return 0;
}

static int unit_write_decode(const MrTree *members, const HostConfig *config, MrArena *arena,
                             HostStep *step, MrError *err) {
        UnitWrite write = {};

        int r = host_table_decode(unit_write_fields, members, arena, &write, err);
        if (r < 0)
                return r;
        step->instance = write.instance;
        step->class_name = write.class_name;
        r = host_properties_decode(mr_tree_get(members, "properties"), config, arena,
                                   &step->properties, err);
        return r < 0 ? mr_error_within(err, r, "properties") : 0;
}

/* `step_tree` loses its "op" here, so that the table of the operation sees only its own members. */
static int step_decode(MrTree *step_tree, const HostConfig *config, MrArena *arena, HostStep *step,
                       MrError *err) {
        int r = op_find(mr_tree_get_string(step_tree, "op"), &step->op, err);
        if (r < 0)
                return r;
        HostOp op = step->op;

        mr_tree_remove(step_tree, "op");
        if (op == HOST_UNIT_WRITE)
                r = unit_write_decode(step_tree, config, arena, step, err);
        else
                r = host_table_decode(ops[op].fields, step_tree, arena, step, err);
        if (r < 0)
                return r;
        step->op = op;
        r = names_check(step, err);
        return r < 0 ? r : step_resolve(step, config, err);
}

static int protocol_check(int64_t version, MrError *err) {
        if (version >= HOST_PROTOCOL_OLDEST && version <= HOST_PROTOCOL)
                return 0;
        return mr_fail(err, MR_INVALID, "version",
                       "this millrace-hostd speaks versions %d to %d of its protocol, and not "
                       "%" PRId64 "; install one version of millrace, and stop millrace-hostd if "
                       "it is an old one that still runs",
                       HOST_PROTOCOL_OLDEST, HOST_PROTOCOL, version);
}

static int document_decode(HostBatch *batch, const HostConfig *config, MrError *err) {
        Document document = {};
        int64_t version = mr_tree_get_int(batch->document, "version", HOST_PROTOCOL);

        /* First: a newer millraced may send what no table here knows. */
        int r = protocol_check(version, err);
        if (r >= 0)
                r = host_table_decode(document_fields, batch->document, batch->arena, &document,
                                      err);
        if (r < 0)
                return r;
        if (mr_tree_type(document.steps) != MR_TREE_LIST)
                return mr_fail(err, MR_INVALID, "steps", "this must be a list");
        if (mr_tree_size(document.steps) > HOST_STEPS_MAX)
                return mr_fail(err, MR_INVALID, "steps",
                               "there are more than %d; send several batches", HOST_STEPS_MAX);

        batch->n_steps = mr_tree_size(document.steps);
        batch->steps = mr_arena_new_array(batch->arena, HostStep, batch->n_steps + 1);
        for (size_t i = 0; i < batch->n_steps; i++) {
                r = step_decode(mr_tree_at(document.steps, i), config, batch->arena,
                                &batch->steps[i], err);
                if (r < 0)
                        return mr_error_within(err, r, "steps[%zu]", i);
        }
        return 0;
}

int host_batch_parse(const char *text, size_t size, const HostConfig *config, HostBatch **ret,
                     MrError *err) {
        if (size > HOST_BATCH_MAX)
                return mr_fail(err, MR_INVALID, NULL,
                               "the batch is larger than 4 MiB; send several batches");

        _cleanup_(host_batch_freep) HostBatch *batch = mr_new(HostBatch, 1);
        batch->arena = mr_arena_new();
        int r = mr_json_read(text, size, NULL, &batch->document, err);
        if (r >= 0)
                r = document_decode(batch, config, err);
        if (r < 0)
                return r;
        *ret = TAKE(batch);
        return 0;
}

HostBatch *host_batch_free(HostBatch *batch) {
        if (!batch)
                return NULL;
        mr_arena_free(batch->arena);
        mr_tree_free(batch->document);
        free(batch);
        return NULL;
}

int host_identity_decode(const MrTree *tree, MrArena *arena, HostIdentity **ret, MrError *err) {
        HostIdentity *identity = mr_arena_alloc(arena, sizeof(*identity));

        int r = host_table_decode(identity_fields, tree, arena, identity, err);
        if (r < 0)
                return r;
        *ret = identity;
        return 0;
}

MrTree *host_identity_tree(const HostIdentity *identity) {
        MrTree *tree = mr_tree_new_map();

        mr_tree_set_string(tree, "cluster", identity->cluster);
        mr_tree_set_string(tree, "cluster_id", identity->cluster_id);
        mr_tree_set_string(tree, "role", identity->role);
        mr_tree_set_int(tree, "node_id", identity->node_id);
        mr_tree_set_string(tree, "quorum", identity->quorum);
        mr_tree_set_string(tree, "directory_id", identity->directory_id);
        return tree;
}

/* The directory id and the kind of quorum belong to the data as much as the cluster does. */
bool host_identity_equal(const HostIdentity *a, const HostIdentity *b) {
        return mr_streq(a->cluster, b->cluster) && mr_streq(a->cluster_id, b->cluster_id) &&
               mr_streq(a->role, b->role) && mr_streq(a->quorum, b->quorum) &&
               mr_streq(a->directory_id, b->directory_id) && a->node_id == b->node_id;
}
