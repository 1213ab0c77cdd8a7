#include "host-config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/str.h"

#define CONFIG_MAX (1024U * 1024)
#define PATH_PATTERN "^/[A-Za-z0-9._/+@%:=,-]*$"
#define PATH_FORM "an absolute path of letters, digits and ._/+@%:=,-"
#define NAME_PATTERN "^[a-z][a-z0-9-]{0,30}$"
#define NAME_FORM "up to 31 lower-case letters, digits and '-', a letter first"
#define ACCOUNT_FORM "the name of an account of this host"

static bool path_climbs(const char *path) {
        return strstr(path, "/../") || mr_ends_with(path, "/..");
}

static int class_rule(const void *object, MrError *err) {
        const HostClass *class = object;

        if (mr_streq(class->user, "root"))
                return mr_fail(err, MR_INVALID, "user",
                               "nodes never run as root; name a system user of their own");
        return 0;
}

static int storage_class_rule(const void *object, MrError *err) {
        const HostStorageClass *class = object;

        if (mr_streq(class->path, "/") || path_climbs(class->path))
                return mr_fail(err, MR_INVALID, "path",
                               "'%s' cannot hold claims; name a directory of its own", class->path);
        /* systemd splits what it binds at a colon, and nodes split their lists of disks at a comma.
         */
        if (strpbrk(class->path, ":,"))
                return mr_fail(err, MR_INVALID, "path",
                               "'%s' holds a '%c', which separates paths in units and in the "
                               "configuration of nodes; name a directory without it",
                               class->path, *strpbrk(class->path, ":,"));
        for (size_t i = 0; i < class->devices.n; i++)
                if (path_climbs(class->devices.items[i]))
                        return mr_fail(err, MR_INVALID, "devices",
                                       "'%s' contains '..'; write the direct path",
                                       class->devices.items[i]);
        return 0;
}

static bool is_url(const char *archive) {
        return mr_starts_with(archive, "https://") || mr_starts_with(archive, "http://") ||
               mr_starts_with(archive, "file:///");
}

static bool holds_colon(const char *path) {
        return path && strchr(path, ':');
}

static int distribution_rule(const void *object, MrError *err) {
        const HostDistribution *d = object;

        if (!d->directory == !d->archive)
                return mr_fail(
                        err, MR_INVALID, NULL,
                        "a distribution has either a directory or an archive; keep one of them");
        if (d->directory && path_climbs(d->directory))
                return mr_fail(err, MR_INVALID, "directory",
                               "'%s' contains '..'; write the direct path", d->directory);
        if (d->extras && path_climbs(d->extras))
                return mr_fail(err, MR_INVALID, "extras",
                               "'%s' contains '..'; write the direct path", d->extras);
        if (holds_colon(d->directory) || holds_colon(d->extras))
                return mr_fail(err, MR_INVALID, holds_colon(d->directory) ? "directory" : "extras",
                               "'%s' holds a ':', which separates directories of jars; name one "
                               "without it",
                               holds_colon(d->directory) ? d->directory : d->extras);
        if (d->archive && !is_url(d->archive) && d->archive[0] != '/')
                return mr_fail(err, MR_INVALID, "archive",
                               "'%s' is neither an absolute path nor a https, http or file URL",
                               d->archive);
        if (d->archive && is_url(d->archive) && !d->sha512)
                return mr_fail(
                        err, MR_INVALID, "sha512",
                        "an archive from a URL needs its SHA-512; add the sum its publisher gives");
        return 0;
}

static const MrField class_fields[] = {
        MR_STRING("name", HostClass, name, .pattern = NAME_PATTERN, .form = NAME_FORM,
                  .flags = MR_REQUIRED, .doc = "Name of the template unit, without '@.service'."),
        MR_STRING("user", HostClass, user, .pattern = "^[a-z_][a-z0-9_-]{0,30}$",
                  .form = ACCOUNT_FORM, .flags = MR_REQUIRED,
                  .doc = "System user that owns the data; the same as in the template unit."),
        MR_STRING("group", HostClass, group, .pattern = "^[a-z_][a-z0-9_-]{0,30}$",
                  .form = ACCOUNT_FORM, .flags = MR_REQUIRED,
                  .doc = "Group that may read the files of a node."),
        {},
};

static const MrField storage_class_fields[] = {
        MR_STRING("name", HostStorageClass, name, .pattern = NAME_PATTERN, .form = NAME_FORM,
                  .flags = MR_REQUIRED, .doc = "Name a resource uses for this kind of storage."),
        MR_STRING("path", HostStorageClass, path, .pattern = PATH_PATTERN, .form = PATH_FORM,
                  .flags = MR_REQUIRED,
                  .doc = "Directory beneath which each claim gets a directory of its own."),
        MR_STRINGS(
                "devices", HostStorageClass, devices,
                .pattern = "^/dev/[A-Za-z0-9._/+@:=-]{1,250}$",
                .doc = "Blank disks. Each claim takes one whole: it gets a file system (XFS) and "
                       "is mounted at the claim's directory. List names that stay, such as "
                       "those of /dev/disk/by-id."),
        {},
};

static const MrField distribution_fields[] = {
        MR_STRING("software", HostDistribution, software, .pattern = NAME_PATTERN,
                  .form = NAME_FORM, .flags = MR_REQUIRED, .doc = "What it is, for example kafka."),
        MR_STRING("version", HostDistribution, version,
                  .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$", .form = "a version such as 4.3.1",
                  .flags = MR_REQUIRED, .doc = "Its version, as resources name it."),
        MR_STRING("directory", HostDistribution, directory, .pattern = PATH_PATTERN,
                  .form = PATH_FORM,
                  .doc = "An unpacked distribution on this host, used in place; it holds libs/."),
        MR_STRING("archive", HostDistribution, archive, .pattern = "^[!-~]{1,2000}$",
                  .form = "a path or URL without spaces",
                  .doc = "A tarball: an absolute path, or a https, http or file URL."),
        MR_STRING("sha512", HostDistribution, sha512, .pattern = "^[0-9A-Fa-f]{128}$",
                  .form = "128 hexadecimal digits",
                  .doc = "SHA-512 of the tarball, 128 hexadecimal digits. A URL needs one."),
        MR_STRING("extras", HostDistribution, extras, .pattern = PATH_PATTERN, .form = PATH_FORM,
                  .doc = "A directory with further jars for the class path: plugins, agents."),
        {},
};

const MrField host_config_fields[] = {
        MR_STRING("java", HostConfig, java, .fallback = "/usr/bin/java", .pattern = PATH_PATTERN,
                  .form = PATH_FORM,
                  .doc = "The java program of a runtime of version 17 or newer."),
        MR_STRING("address", HostConfig, address, .pattern = "^[A-Za-z0-9.:_-]{1,255}$",
                  .form = "a host name or an address",
                  .doc = "Host name or address that nodes advertise. Without it, the full name of "
                         "the host."),
        MR_LIST("classes", HostConfig, classes, HostClass, class_fields, .rule = class_rule,
                .doc = "Classes of units. Without them, kafka and zookeeper with users of these "
                       "names."),
        MR_LIST("storage_classes", HostConfig, storage_classes, HostStorageClass,
                storage_class_fields, .rule = storage_class_rule,
                .doc = "Base directories for claims. Without them, 'directory' at "
                       "/var/lib/millrace-data."),
        MR_LIST("distributions", HostConfig, distributions, HostDistribution, distribution_fields,
                .rule = distribution_rule, .doc = "The software nodes may run on this host."),
        MR_MAP("labels", HostConfig, labels,
               .doc = "What is known of this host, as labels of a Kubernetes node say it: "
                      "topology.kubernetes.io/zone: a."),
        {},
};

static const HostClass default_classes[] = {
        {.name = "kafka", .user = "kafka", .group = "kafka"},
        {.name = "zookeeper", .user = "zookeeper", .group = "zookeeper"},
};

static const HostStorageClass default_storage_classes[] = {
        {.name = "directory", .path = HOST_DATA_DIRECTORY},
};

/* A list that is not written has its elements from here. */
static void list_default(MrArena *arena, MrList *list, const void *items, size_t n, size_t size) {
        if (list->n > 0)
                return;
        list->items = mr_arena_alloc(arena, n * size);
        memcpy(list->items, items, n * size);
        list->n = n;
}

static int distributions_check_unique(const HostConfig *config, MrError *err) {
        const HostDistribution *items = config->distributions.items;

        for (size_t i = 0; i < config->distributions.n; i++)
                for (size_t k = 0; k < i; k++)
                        if (mr_streq(items[i].software, items[k].software) &&
                            mr_streq(items[i].version, items[k].version)) {
                                int r = mr_fail(err, MR_INVALID, NULL,
                                                "%s %s is listed twice; keep one of them",
                                                items[i].software, items[i].version);
                                return mr_error_within(err, r, "distributions[%zu]", i);
                        }
        return 0;
}

HostConfig *host_config_free(HostConfig *config) {
        if (!config)
                return NULL;
        mr_arena_free(config->arena);
        free(config);
        return NULL;
}

/* The document's only map; NULL when it is empty, which is no error. */
static int document_pick(const MrTree *documents, const MrTree **ret, MrError *err) {
        if (mr_tree_size(documents) > 1)
                return mr_fail(err, MR_INVALID, NULL, "the file holds several documents; keep one");
        *ret = mr_tree_at(documents, 0);
        return 0;
}

static int unknown_refuse(const MrTree *warnings, MrError *err) {
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *w = mr_tree_at(warnings, i);

                if (!mr_streq(mr_tree_get_string(w, "reason"), "UnknownField"))
                        continue;
                int r = mr_fail(err, MR_INVALID, mr_tree_get_string(w, "path"),
                                "there is no such setting; remove it");
                return mr_error_at(err, r, NULL, (unsigned) mr_tree_get_int(w, "line", 0),
                                   (unsigned) mr_tree_get_int(w, "column", 0));
        }
        return 0;
}

static int config_decode(const MrTree *document, HostConfig *config, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list();
        int r;

        if (!document)
                mr_defaults(host_config_fields, config->arena, config);
        else {
                r = mr_decode(host_config_fields, document, config->arena, config, warnings, err);
                if (r < 0)
                        return r;
        }

        r = unknown_refuse(warnings, err);
        if (r < 0)
                return r;

        list_default(config->arena, &config->classes, default_classes, MR_ELEMENTS(default_classes),
                     sizeof(HostClass));
        list_default(config->arena, &config->storage_classes, default_storage_classes,
                     MR_ELEMENTS(default_storage_classes), sizeof(HostStorageClass));
        return distributions_check_unique(config, err);
}

int host_config_parse(const char *text, size_t size, const char *source, HostConfig **ret,
                      MrError *err) {
        _cleanup_(host_config_freep) HostConfig *config = mr_new(HostConfig, 1);
        _cleanup_(mr_tree_freep) MrTree *documents = NULL;
        const MrTree *document = NULL;

        config->arena = mr_arena_new();
        int r = mr_yaml_read(text, size, source, &documents, NULL, err);
        if (r < 0)
                return r;
        r = document_pick(documents, &document, err);
        if (r < 0)
                return mr_error_at(err, r, source, 0, 0);
        r = config_decode(document, config, err);
        if (r < 0)
                return mr_error_at(err, r, source, 0, 0);

        *ret = TAKE(config);
        return 0;
}

static void fd_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

/* Whoever can write the file decides what root starts. */
static int owner_check(int fd, const char *path, MrError *err) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot look at %s", path);
        if (!S_ISREG(st.st_mode))
                return mr_fail(err, MR_INVALID, NULL, "%s is no regular file", path);
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return mr_fail(err, MR_DENIED, NULL, "%s is not owned by root; run: chown root %s",
                               path, path);
        if (st.st_mode & (S_IWGRP | S_IWOTH))
                return mr_fail(err, MR_DENIED, NULL,
                               "%s can be written by others; run: chmod 0644 %s", path, path);
        return 0;
}

static int fd_read_all(int fd, const char *path, MrBuf *out, MrError *err) {
        char block[4096];

        for (;;) {
                ssize_t n = read(fd, block, sizeof(block));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return mr_fail_errno(err, errno, NULL, "cannot read %s", path);
                if (n == 0)
                        return 0;
                mr_buf_append(out, block, (size_t) n);
                if (out->size > CONFIG_MAX)
                        return mr_fail(err, MR_INVALID, NULL, "%s is larger than 1 MiB", path);
        }
}

int host_config_read(const char *path, HostConfig **ret, MrError *err) {
        _cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_buf_ MrBuf text = {};

        if (fd < 0 && errno == ENOENT)
                return host_config_parse("", 0, path, ret, err);
        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot open %s", path);

        int r = owner_check(fd, path, err);
        if (r < 0)
                return r;
        r = fd_read_all(fd, path, &text, err);
        if (r < 0)
                return r;
        return host_config_parse(mr_buf_text(&text), text.size, path, ret, err);
}

const HostClass *host_config_class(const HostConfig *config, const char *name) {
        const HostClass *items = config->classes.items;

        for (size_t i = 0; i < config->classes.n; i++)
                if (mr_streq(items[i].name, name))
                        return &items[i];
        return NULL;
}

const HostStorageClass *host_config_storage_class(const HostConfig *config, const char *name) {
        const HostStorageClass *items = config->storage_classes.items;

        for (size_t i = 0; i < config->storage_classes.n; i++)
                if (mr_streq(items[i].name, name))
                        return &items[i];
        return NULL;
}

const HostDistribution *host_config_distribution(const HostConfig *config, const char *software,
                                                 const char *version) {
        const HostDistribution *items = config->distributions.items;

        for (size_t i = 0; i < config->distributions.n; i++)
                if (mr_streq(items[i].software, software) && mr_streq(items[i].version, version))
                        return &items[i];
        return NULL;
}

const HostDistribution *host_config_distribution_by_id(const HostConfig *config, const char *id) {
        const HostDistribution *items = config->distributions.items;

        for (size_t i = 0; i < config->distributions.n; i++) {
                _cleanup_free_ char *own = host_distribution_id(&items[i]);

                if (mr_streq(own, id))
                        return &items[i];
        }
        return NULL;
}

char *host_distribution_id(const HostDistribution *d) {
        return mr_strf("%s-%s", d->software, d->version);
}

char *host_distribution_directory(const HostDistribution *d) {
        if (d->directory)
                return mr_strdup(d->directory);
        return mr_strf(HOST_DIST_DIRECTORY "/%s-%s", d->software, d->version);
}

char *host_distribution_classes(const HostDistribution *d) {
        return mr_strf(HOST_DIST_DIRECTORY "/archives/%s-%s.jsa", d->software, d->version);
}

char *host_distribution_state(const HostDistribution *d) {
        return mr_strf(HOST_DIST_DIRECTORY "/%s-%s.state.json", d->software, d->version);
}
