#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "host-batch.h"
#include "sdk/str.h"

/* The properties of a unit: field table, and the checks that keep them inside their unit and launch
 * file. */

#define COUNT_MAX 1000
#define VALUE_MAX 65536U /* bytes of one argument; the kernel takes 128 KiB */
#define NAME_PATTERN "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
#define CLASS_PATTERN "^[A-Za-z_$][A-Za-z0-9_.$]*$"

#define LOWER_DIGIT "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* How long the name is that `s` begins with: lower-case letters, digits, '-' and '.', with a letter
 * or digit at both ends; 0 when there is none. Names are looked at so often that a regular
 * expression for each would be most of what a look at the host costs. */
static size_t name_span(const char *s) {
        size_t n = strspn(s, LOWER_DIGIT "-.");

        return n > 0 && strchr("-.", s[0]) == NULL && strchr("-.", s[n - 1]) == NULL ? n : 0;
}

bool host_name_is_valid(const char *name) {
        size_t n = name && strlen(name) <= HOST_OBJECT_NAME_MAX ? name_span(name) : 0;

        if (n == 0 || name[n] != '_')
                return n > 0 && name[n] == '\0';
        size_t second = name_span(name + n + 1);
        return second > 0 && name[n + 1 + second] == '\0';
}

bool host_file_name_is_valid(const char *name) {
        if (mr_is_empty(name) || strlen(name) > HOST_OBJECT_NAME_MAX || name[0] == '.' ||
            name[strspn(name, LOWER_DIGIT UPPER "._-")] != '\0')
                return false;
        return !mr_streq(name, "launch") && !mr_streq(name, "manifest.json");
}

bool host_text_is_line(const char *text) {
        for (const unsigned char *p = (const unsigned char *) text; *p; p++)
                if (*p < 0x20 || *p == 0x7f)
                        return false;
        return true;
}

static const MrField volume_fields[] = {
        MR_STRING("name", HostVolume, name, .pattern = NAME_PATTERN, .flags = MR_REQUIRED,
                  .doc = "Name of the volume, unique in its node."),
        MR_STRING("claim", HostVolume, claim, .flags = MR_REQUIRED,
                  .doc = "Claim that holds the volume."),
        MR_STRING("storage_class", HostVolume, storage_class, .flags = MR_REQUIRED,
                  .doc = "Storage class of the claim, from hostd.yaml."),
        {},
};

static const MrField marker_fields[] = {
        MR_STRING("volume", HostMarker, volume, .flags = MR_REQUIRED, .doc = "Name of the volume."),
        MR_STRING("path", HostMarker, path, .flags = MR_REQUIRED,
                  .doc = "File beneath the volume that exists once it holds data."),
        MR_STRINGS("lines", HostMarker, lines, .doc = "Lines the file then has to hold."),
        {},
};

static const MrField properties_fields[] = {
        MR_STRING("software", HostProperties, software, .flags = MR_REQUIRED,
                  .doc = "Software of the distribution."),
        MR_STRING("version", HostProperties, version, .flags = MR_REQUIRED,
                  .doc = "Version of the distribution."),
        MR_STRING("main_class", HostProperties, main_class, .pattern = CLASS_PATTERN,
                  .flags = MR_REQUIRED, .doc = "Class java runs."),
        MR_STRINGS("arguments", HostProperties, arguments, .doc = "Arguments of the main class."),
        MR_STRINGS("jvm_options", HostProperties, jvm_options,
                   .doc = "Options of the java virtual machine."),
        MR_STRING("prepare_class", HostProperties, prepare_class, .pattern = CLASS_PATTERN,
                  .doc = "Class that prepares storage when prepared_path is missing."),
        MR_STRINGS("prepare_arguments", HostProperties, prepare_arguments,
                   .doc = "Arguments of prepare_class."),
        MR_STRING("prepared_path", HostProperties, prepared_path,
                  .doc = "File that exists once storage is prepared."),
        MR_BOOL("expect_prepared", HostProperties, expect_prepared, .fallback = "false",
                .doc = "The claim is known to hold data, so missing data stops the node."),
        MR_STRINGS("directories", HostProperties, directories,
                   .doc = "Directories made before the first start."),
        MR_MAP("contents", HostProperties, contents,
               .doc = "Small files made in volumes before the first start."),
        MR_LIST("volumes", HostProperties, volumes, HostVolume, volume_fields,
                .doc = "Claims the node may write."),
        MR_LIST("markers", HostProperties, markers, HostMarker, marker_fields,
                .doc = "What volumes that hold data must show."),
        MR_INTS("ready_ports", HostProperties, ready_ports,
                .doc = "The node is started when these ports are bound."),
        MR_INT("memory_limit", HostProperties, memory_limit, .fallback = "0",
               .max = INT64_C(1) << 50, .unit = "bytes",
               .doc = "The most memory the node gets; 0 for no limit."),
        MR_INT("memory_request", HostProperties, memory_request, .fallback = "0",
               .max = INT64_C(1) << 50, .unit = "bytes",
               .doc = "Memory that is kept for the node; 0 for none."),
        MR_INT("cpu_limit", HostProperties, cpu_limit, .fallback = "0", .max = 10000000,
               .unit = "thousandths of a core",
               .doc = "The most CPU time the node gets; 0 for no limit."),
        MR_INT("cpu_request", HostProperties, cpu_request, .fallback = "0", .max = 10000000,
               .unit = "thousandths of a core",
               .doc = "The node's share when CPU time is short; 0 for the usual one."),
        MR_INT("stop_timeout_sec", HostProperties, stop_timeout_sec, .fallback = "0", .max = 86400,
               .unit = "s", .doc = "Time for a polite stop; 0 for the one of the template unit."),
        MR_INT("order", HostProperties, order, .fallback = "0", .max = 1000,
               .doc = "Place of the node in a cold start, kept to tell who ends first."),
        MR_STRINGS("networks", HostProperties, networks,
                   .doc = "Networks the node may exchange packets with, beside the host itself; "
                          "none for all."),
        MR_STRING("fingerprint", HostProperties, fingerprint,
                  .pattern = "^[A-Za-z0-9._:+/=-]{1,200}$", .flags = MR_REQUIRED,
                  .doc = "Digest of everything that needs a restart."),
        MR_TREE("settings", HostProperties, settings,
                .doc = "Static settings, kept to tell why a node restarts."),
        {},
};

static int strings_check(const MrStrings *strings, const char *what, MrError *err) {
        if (strings->n > COUNT_MAX)
                return mr_fail(err, MR_INVALID, what, "there are more than %d; shorten the list",
                               COUNT_MAX);
        for (size_t i = 0; i < strings->n; i++) {
                int r = 0;

                if (!strings->items[i])
                        r = mr_fail(err, MR_INVALID, NULL,
                                    "there is no text here; remove the element");
                else if (strlen(strings->items[i]) > VALUE_MAX)
                        r = mr_fail(err, MR_INVALID, NULL,
                                    "the text is longer than 64 KiB; shorten it");
                else if (!host_text_is_line(strings->items[i]))
                        r = mr_fail(err, MR_INVALID, NULL,
                                    "the text holds a line break or another control character; "
                                    "remove it");
                if (r < 0)
                        return mr_error_within(err, r, "%s[%zu]", what, i);
        }
        return 0;
}

/* Whether `rest` is one or more plain path components. */
static bool components_are_plain(const char *rest) {
        for (const char *p = rest;; p++) {
                size_t n = strcspn(p, "/");

                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                if (strspn(p, UPPER LOWER_DIGIT "._@+-") < n)
                        return false;
                p += n;
                if (!*p)
                        return true;
        }
}

bool host_path_is_plain(const char *path) {
        return strlen(path) < 1000 && components_are_plain(path);
}

static bool is_beneath(const char *path, const char *directory, bool or_equal) {
        if (!mr_starts_with(path, directory))
                return false;
        path += strlen(directory);
        if (!*path)
                return or_equal;
        return path[0] == '/' && components_are_plain(path + 1);
}

static int path_check(const HostProperties *p, const char *path, bool or_equal, MrError *err) {
        const HostVolume *volumes = p->volumes.items;

        if (path && strlen(path) < 4000)
                for (size_t i = 0; i < p->volumes.n; i++)
                        if (is_beneath(path, volumes[i].data, or_equal))
                                return 0;
        return mr_fail(err, MR_INVALID, NULL,
                       "the path is not beneath a volume of the node; use BASE/CLAIM/data/…");
}

static int paths_check(const HostProperties *p, MrError *err) {
        int r;

        for (size_t i = 0; i < p->directories.n; i++) {
                r = path_check(p, p->directories.items[i], true, err);
                if (r < 0)
                        return mr_error_within(err, r, "directories[%zu]", i);
        }
        for (size_t i = 0; i < p->contents.n; i++) {
                r = path_check(p, p->contents.items[i].key, false, err);
                if (r >= 0 &&
                    (!p->contents.items[i].value || !host_text_is_line(p->contents.items[i].value)))
                        r = mr_fail(
                                err, MR_INVALID, NULL,
                                "the content is not one line of text; remove control characters");
                if (r < 0)
                        return mr_error_within(err, r, "contents[%zu]", i);
        }
        r = p->prepared_path ? path_check(p, p->prepared_path, false, err) : 0;
        return r < 0 ? mr_error_within(err, r, "prepared_path") : 0;
}

/* An agent is code of the distribution, and its options may not smuggle in another path. */
static bool agent_is_allowed(const char *option, const char *directory, const char *extras) {
        _cleanup_free_ char *path = mr_strndup(option, strcspn(option, "="));

        return is_beneath(path, directory, false) || (extras && is_beneath(path, extras, false));
}

/* Options that make java run a command, load native code or read more options from a file. */
static const char *const options_denied[] = {
        "-XX:OnError", "-XX:OnOutOfMemoryError",
        "-XX:Flags",   "-XX:VMOptionsFile",
        "-agentpath",  "-agentlib",
        "-Xrun",       "-Xbootclasspath",
};

static int option_check(const char *option, const HostDistribution *distribution, MrError *err) {
        _cleanup_free_ char *directory = host_distribution_directory(distribution);

        for (size_t i = 0; i < MR_ELEMENTS(options_denied); i++)
                if (mr_starts_with(option, options_denied[i]))
                        return mr_fail(err, MR_INVALID, NULL,
                                       "%s is not allowed on a host; remove the option",
                                       options_denied[i]);
        if (mr_starts_with(option, "-javaagent:")) {
                if (!agent_is_allowed(option + strlen("-javaagent:"), directory,
                                      distribution->extras))
                        return mr_fail(err, MR_INVALID, NULL,
                                       "a java agent must lie beneath %s or the extras of the "
                                       "distribution; place it there",
                                       directory);
                return 0;
        }
        if (mr_starts_with(option, "-X") || mr_starts_with(option, "-D") ||
            mr_starts_with(option, "-ea"))
                return 0;
        return mr_fail(
                err, MR_INVALID, NULL,
                "an option of java starts with -X, -D, -ea or -javaagent: here; remove this one");
}

static int options_check(const HostProperties *p, MrError *err) {
        for (size_t i = 0; i < p->jvm_options.n; i++) {
                int r = option_check(p->jvm_options.items[i], p->distribution, err);
                if (r < 0)
                        return mr_error_within(err, r, "jvm_options[%zu]", i);
        }
        return 0;
}

static int volume_resolve(HostVolume *volume, const HostConfig *config, MrArena *arena,
                          MrError *err) {
        const HostStorageClass *class = host_config_storage_class(config, volume->storage_class);

        if (!host_name_is_valid(volume->claim))
                return mr_fail(err, MR_INVALID, "claim",
                               "this is no name of a claim; use CLAIM or NAMESPACE_CLAIM");
        if (!class)
                return mr_fail(err, MR_INVALID, "storage_class",
                               "this host has no such storage class; add it to " HOST_CONFIG_PATH);
        volume->base = class->path;
        volume->data = mr_arena_strf(arena, "%s/%s/data", class->path, volume->claim);
        volume->is_mounted = class->devices.n > 0;
        return 0;
}

static int volumes_resolve(HostProperties *p, const HostConfig *config, MrArena *arena,
                           MrError *err) {
        HostVolume *volumes = p->volumes.items;

        if (p->volumes.n > 100)
                return mr_fail(err, MR_INVALID, "volumes",
                               "there are more than 100; shorten the list");
        for (size_t i = 0; i < p->volumes.n; i++) {
                int r = volume_resolve(&volumes[i], config, arena, err);
                if (r < 0)
                        return mr_error_within(err, r, "volumes[%zu]", i);
        }
        return 0;
}

static int marker_resolve(const HostProperties *p, HostMarker *marker, MrArena *arena,
                          MrError *err) {
        const HostVolume *volumes = p->volumes.items;

        for (size_t i = 0; i < p->volumes.n && !marker->claim; i++)
                if (mr_streq(volumes[i].name, marker->volume)) {
                        marker->claim = volumes[i].claim;
                        marker->full = mr_arena_strf(arena, "%s/%s", volumes[i].data, marker->path);
                }
        if (!marker->claim)
                return mr_fail(err, MR_INVALID, "volume", "the node has no such volume");
        if (!host_path_is_plain(marker->path))
                return mr_fail(err, MR_INVALID, "path",
                               "this is no path beneath a volume; use names without '.' and '..'");
        for (size_t i = 0; i < marker->lines.n; i++)
                if (!marker->lines.items[i] || !*marker->lines.items[i] ||
                    !host_text_is_line(marker->lines.items[i]) ||
                    strlen(marker->lines.items[i]) > 1000)
                        return mr_fail(err, MR_INVALID, "lines", "this is no line of text");
        return 0;
}

static int markers_resolve(HostProperties *p, MrArena *arena, MrError *err) {
        HostMarker *markers = p->markers.items;

        if (p->markers.n > 100)
                return mr_fail(err, MR_INVALID, "markers",
                               "there are more than 100; shorten the list");
        for (size_t i = 0; i < p->markers.n; i++) {
                int r = marker_resolve(p, &markers[i], arena, err);
                if (r < 0)
                        return mr_error_within(err, r, "markers[%zu]", i);
        }
        return 0;
}

static int distribution_resolve(HostProperties *p, const HostConfig *config, MrError *err) {
        p->distribution = host_config_distribution(config, p->software, p->version);
        if (!p->distribution)
                return mr_fail(err, MR_INVALID, "version",
                               "this host has no such distribution; add it to distributions "
                               "in " HOST_CONFIG_PATH);
        return 0;
}

static int ports_check(const MrInts *ports, MrError *err) {
        if (ports->n > 100)
                return mr_fail(err, MR_INVALID, "ready_ports",
                               "there are more than 100; shorten the list");
        for (size_t i = 0; i < ports->n; i++)
                if (ports->items[i] < 1 || ports->items[i] > 65535) {
                        int r = mr_fail(err, MR_INVALID, NULL, "a port lies between 1 and 65535");
                        return mr_error_within(err, r, "ready_ports[%zu]", i);
                }
        return 0;
}

static bool is_network(const char *text) {
        unsigned char bytes[sizeof(struct in6_addr)];
        const char *slash = text ? strchr(text, '/') : NULL;
        int64_t bits = 0;

        if (!text || (slash && (mr_parse_int(slash + 1, &bits) < 0 || bits < 0)))
                return false;
        _cleanup_free_ char *address = mr_strndup(text, strcspn(text, "/"));
        return (inet_pton(AF_INET, address, bytes) == 1 && bits <= 32) ||
               (inet_pton(AF_INET6, address, bytes) == 1 && bits <= 128);
}

static int networks_check(const MrStrings *networks, MrError *err) {
        if (networks->n > COUNT_MAX)
                return mr_fail(err, MR_INVALID, "networks",
                               "there are more than %d; shorten the list", COUNT_MAX);
        for (size_t i = 0; i < networks->n; i++)
                if (!is_network(networks->items[i])) {
                        int r = mr_fail(err, MR_INVALID, NULL,
                                        "this is no network; use ADDRESS or ADDRESS/BITS");
                        return mr_error_within(err, r, "networks[%zu]", i);
                }
        return 0;
}

static int properties_check(HostProperties *p, const HostConfig *config, MrArena *arena,
                            MrError *err) {
        int r;

        if ((r = volumes_resolve(p, config, arena, err)) < 0 ||
            (r = markers_resolve(p, arena, err)) < 0 ||
            (r = distribution_resolve(p, config, err)) < 0)
                return r;
        if ((r = strings_check(&p->arguments, "arguments", err)) < 0 ||
            (r = strings_check(&p->prepare_arguments, "prepare_arguments", err)) < 0 ||
            (r = strings_check(&p->jvm_options, "jvm_options", err)) < 0 ||
            (r = strings_check(&p->directories, "directories", err)) < 0)
                return r;
        if (p->contents.n > COUNT_MAX)
                return mr_fail(err, MR_INVALID, "contents",
                               "there are more than %d; shorten the list", COUNT_MAX);
        if ((r = options_check(p, err)) < 0 || (r = paths_check(p, err)) < 0)
                return r;
        if (p->settings && mr_tree_type(p->settings) != MR_TREE_MAP &&
            mr_tree_type(p->settings) != MR_TREE_NULL)
                return mr_fail(err, MR_INVALID, "settings", "this must be a map");
        if ((r = networks_check(&p->networks, err)) < 0)
                return r;
        return ports_check(&p->ready_ports, err);
}

int host_properties_decode(const MrTree *tree, const HostConfig *config, MrArena *arena,
                           HostProperties **ret, MrError *err) {
        HostProperties *p = mr_arena_alloc(arena, sizeof(*p));

        int r = host_table_decode(properties_fields, tree, arena, p, err);
        if (r < 0)
                return r;
        r = properties_check(p, config, arena, err);
        if (r < 0)
                return r;
        p->tree = tree;
        *ret = p;
        return 0;
}
