#include "template-spec.h"

/* Every row below fills an MrUnread. */
#define TEXT(n, d) MR_STRING(n, MrUnread, text, .doc = (d))
#define FLAG(n, d) MR_BOOL(n, MrUnread, word, .doc = (d))
#define TEXTS(n, d) MR_STRINGS(n, MrUnread, texts, .doc = (d))
#define LABELS(n, d) MR_MAP(n, MrUnread, pairs, .flags = MR_STRICT, .doc = (d))
#define FREE(n, d) MR_TREE(n, MrUnread, tree, .flags = MR_ONLY_MAP, .doc = (d))
#define FREE_LIST(n, d) MR_TREE(n, MrUnread, tree, .flags = MR_ONLY_LIST, .doc = (d))
#define OBJECT(n, f, d) MR_OBJECT(n, MrUnread, object, MrUnread, f, .doc = (d))
#define LIST(n, f, d) MR_LIST(n, MrUnread, list, MrUnread, f, .doc = (d))
#define MODE(n, d) MR_INT(n, MrUnread, integer, .min = 0, .max = 0777, .doc = (d))

static const MrField label_fields[] = {
        LABELS("labels", "Labels, beside those that millrace sets."),
        LABELS("annotations", "Annotations, beside those that millrace sets."),
        {},
};

#define METADATA OBJECT("metadata", label_fields, "Labels and annotations of the object.")

const MrField metadata_template[] = {
        METADATA,
        {},
};

const MrField key_reference_fields[] = {
        TEXT("name", "Name of the object in the same namespace."),
        TEXT("key", "Key in that object."),
        FLAG("optional", "Whether it may be missing."),
        {},
};

static const MrField item_fields[] = {
        TEXT("key", "Key whose value becomes a file."),
        TEXT("path", "Path of the file within the volume."),
        MODE("mode", "Permissions of the file."),
        {},
};

static const MrField secret_volume_fields[] = {
        TEXT("secretName", "Name of the Secret."),
        LIST("items", item_fields, "Keys that become files; all of them when absent."),
        MODE("defaultMode", "Permissions of files that name none."),
        FLAG("optional", "Whether the Secret may be missing."),
        {},
};

static const MrField config_volume_fields[] = {
        TEXT("name", "Name of the ConfigMap."),
        LIST("items", item_fields, "Keys that become files; all of them when absent."),
        MODE("defaultMode", "Permissions of files that name none."),
        FLAG("optional", "Whether the ConfigMap may be missing."),
        {},
};

static const MrField claim_volume_fields[] = {
        TEXT("claimName", "Name of the claim."),
        FLAG("readOnly", "Whether it is mounted for reading only."),
        {},
};

static const MrEnum media[] = {
        {"Memory", 0, "In memory."},
        {"", 1, "On the disk of the machine."},
        {},
};

/* A size; where it was once written with an amount and a format, both are kept. */
static const MrField size_limit_fields[] = {
        TEXT("amount", "Amount of the size, as it was written once."),
        TEXT("format", "Unit of the size, as it was written once."),
        {},
};

static const MrField empty_volume_fields[] = {
        MR_ENUM("medium", MrUnread, word, media, .doc = "Where the content is kept."),
        MR_TREE("sizeLimit", MrUnread, tree, .fields = size_limit_fields,
                .doc = "Most it may hold, such as 1Gi."),
        {},
};

static const MrField local_reference_fields[] = {
        TEXT("name", "Name of the object in the same namespace."),
        {},
};

static const MrField driver_volume_fields[] = {
        TEXT("driver", "Name of the storage driver."),
        TEXT("fsType", "File system to mount."),
        OBJECT("nodePublishSecretRef", local_reference_fields, "Secret the driver is given."),
        FLAG("readOnly", "Whether it is mounted for reading only."),
        LABELS("volumeAttributes", "What the driver is told, by name."),
        {},
};

static const MrEnum pull_policies[] = {
        {"Always", 0, "With each start."},
        {"IfNotPresent", 1, "When it is not there yet."},
        {"Never", 2, "Never: it must be there."},
        {},
};

static const MrField image_volume_fields[] = {
        TEXT("reference", "Name of the image."),
        MR_ENUM("pullPolicy", MrUnread, word, pull_policies, .doc = "When the image is fetched."),
        {},
};

#define VOLUME_SOURCES                                                                             \
        TEXT("name", "Name of the volume, to which mounts refer."),                                \
                OBJECT("secret", secret_volume_fields, "Keys of a Secret as files."),              \
                OBJECT("configMap", config_volume_fields, "Keys of a ConfigMap as files."),        \
                OBJECT("persistentVolumeClaim", claim_volume_fields, "A claim that exists.")

static const MrField volume_fields[] = {
        VOLUME_SOURCES,
        OBJECT("emptyDir", empty_volume_fields, "Space that goes away with the pod."),
        OBJECT("csi", driver_volume_fields, "What a storage driver gives to each pod."),
        OBJECT("image", image_volume_fields, "Content of an image."),
        {},
};

static const MrField templated_volume_fields[] = {
        VOLUME_SOURCES,
        {},
};

static const MrEnum dns_policies[] = {
        {"ClusterFirst", 0, "The cluster's names first."},
        {"ClusterFirstWithHostNet", 1, "The same for pods in the network of their machine."},
        {"Default", 2, "As the machine resolves names."},
        {"None", 3, "Only as dnsConfig says."},
        {},
};

#define POD_ROWS                                                                                   \
        METADATA,                                                                                  \
                LIST("imagePullSecrets", local_reference_fields,                                   \
                     "Secrets with credentials for fetching images."),                             \
                FREE("securityContext", "Users, groups and privileges of the pod."),               \
                MR_INT("terminationGracePeriodSeconds", MrUnread, integer, .min = 0,               \
                       .max = INT32_MAX, .unit = "seconds",                                        \
                       .doc = "How long an orderly end may take."),                                \
                FREE("affinity", "Near what, and far from what, the pod should run."),             \
                FREE_LIST("tolerations", "Taints of machines that the pod puts up with."),         \
                FREE_LIST("topologySpreadConstraints", "How evenly pods spread over zones."),      \
                TEXT("priorityClassName", "Which pods may make room for this one."),               \
                TEXT("schedulerName", "Who places the pod."),                                      \
                FREE_LIST("hostAliases", "Further lines of the pod's /etc/hosts."),                \
                FLAG("enableServiceLinks", "Whether services become environment variables."),      \
                FLAG("hostUsers", "Whether the pod shares the user ids of its machine."),          \
                MR_ENUM("dnsPolicy", MrUnread, word, dns_policies,                                 \
                        .doc = "How the pod resolves names."),                                     \
                FREE("dnsConfig", "Name servers and search domains of the pod."),                  \
                MR_BYTES("tmpDirSizeLimit", MrUnread, quantity, .unit = "bytes",                   \
                         .doc = "Most the directory for temporary files may hold."),               \
                LIST("volumes", volume_fields, "Further volumes, for mounting in containers.")

const MrField pod_template[] = {
        POD_ROWS,
        {},
};

const MrField node_pod_template[] = {
        POD_ROWS,
        LIST("templatedVolumes", templated_volume_fields,
             "Further volumes whose names differ from node to node: {nodeId}, {podName} and their "
             "like are replaced."),
        {},
};

static const MrField value_source_fields[] = {
        OBJECT("secretKeyRef", key_reference_fields, "A key of a Secret."),
        OBJECT("configMapKeyRef", key_reference_fields, "A key of a ConfigMap."),
        {},
};

static const MrField variable_fields[] = {
        TEXT("name", "Name of the environment variable."),
        TEXT("value", "Its value."),
        OBJECT("valueFrom", value_source_fields, "Where its value comes from instead."),
        {},
};

static const MrField mount_fields[] = {
        TEXT("name", "Name of the volume."),
        TEXT("mountPath", "Where in the container it appears."),
        TEXT("subPath", "Directory within the volume to mount instead of all of it."),
        TEXT("subPathExpr", "The same, where environment variables are replaced."),
        FLAG("readOnly", "Whether it is mounted for reading only."),
        TEXT("recursiveReadOnly", "Whether mounts below it are for reading only as well."),
        TEXT("mountPropagation", "Whether later mounts are seen on both sides."),
        {},
};

const MrField container_template[] = {
        LIST("env", variable_fields, "Environment variables of the container."),
        FREE("securityContext", "User and privileges of the container."),
        LIST("volumeMounts", mount_fields, "Where further volumes appear."),
        {},
};

static const MrEnum family_policies[] = {
        {"SingleStack", 0, "One family of addresses."},
        {"PreferDualStack", 1, "Both where the network has both."},
        {"RequireDualStack", 2, "Both, or none at all."},
        {},
};

const MrField service_template[] = {
        METADATA,
        MR_ENUM("ipFamilyPolicy", MrUnread, word, family_policies,
                .doc = "One or two families of addresses."),
        MR_STRINGS("ipFamilies", MrUnread, texts, .pattern = "^(IPv4|IPv6)$",
                   .form = "IPv4 or IPv6",
                   .doc = "Families of addresses, the preferred one first."),
        {},
};

const MrField budget_template[] = {
        METADATA,
        MR_INT("maxUnavailable", MrUnread, integer, .min = 0, .max = INT32_MAX, .fallback = "1",
               .doc = "How many pods may be evicted at once."),
        {},
};

static const MrEnum pod_policies[] = {
        {"OrderedReady", 0, "One after the other."},
        {"Parallel", 1, "All at once."},
        {},
};

const MrField set_template[] = {
        METADATA,
        MR_ENUM("podManagementPolicy", MrUnread, word, pod_policies,
                .doc = "In which order pods were started, when nodes were in stateful sets."),
        {},
};

static const MrEnum strategies[] = {
        {"RollingUpdate", 0, "The new pod first."},
        {"Recreate", 1, "The old pod goes first."},
        {},
};

const MrField deployment_template[] = {
        METADATA,
        MR_ENUM("deploymentStrategy", MrUnread, word, strategies,
                .doc = "How a new version takes the place of the old one."),
        {},
};
