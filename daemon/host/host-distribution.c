#include "host-distribution.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "host-files.h"
#include "sdk/str.h"

#define STATE_MAX 65536U
/* What failed is not fetched again at once; servers and disks would not thank for it. */
#define AGAIN_SEC 30

char *host_distribution_unit(const HostDistribution *distribution) {
        _cleanup_free_ char *id = host_distribution_id(distribution);

        return mr_strf("millrace-fetch@%s.service", id);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool has_libs(const char *root, const HostDistribution *distribution) {
        _cleanup_free_ char *directory = host_distribution_directory(distribution);
        _cleanup_free_ char *libs = mr_strf("%s%s/libs", root, directory);
        HostDir dir = {.fd = host_open_directory(libs), .path = libs};
        _cleanup_fd_ int fd = dir.fd;
        _cleanup_names_ HostNames names = {};

        if (fd < 0 || host_dir_list(&dir, false, &names, NULL) < 0)
                return false;
        for (size_t i = 0; i < names.n; i++)
                if (mr_ends_with(names.items[i], ".jar"))
                        return true;
        return false;
}

/* Names of the jars of a directory, sorted. */
static void jars_add(const char *root, const char *directory, MrTree *list) {
        _cleanup_free_ char *path = mr_strf("%s%s", root, directory);
        HostDir dir = {.fd = host_open_directory(path), .path = path};
        _cleanup_fd_ int fd = dir.fd;
        _cleanup_names_ HostNames names = {};

        if (fd < 0 || host_dir_list(&dir, false, &names, NULL) < 0)
                return;
        if (names.n > 1)
                qsort(names.items, names.n, sizeof(*names.items), compare_names);
        for (size_t i = 0; i < names.n; i++)
                if (mr_ends_with(names.items[i], ".jar"))
                        mr_tree_append(list, mr_tree_new_string(names.items[i]));
}

static bool has_classes(const char *root, const HostDistribution *distribution) {
        _cleanup_free_ char *classes = host_distribution_classes(distribution);
        _cleanup_free_ char *path = mr_strf("%s%s", root, classes);

        return access(path, F_OK) == 0;
}

/* NULL when the fetcher never ran, or left something that cannot be read. */
static MrTree *state_read(const char *root, const HostDistribution *distribution) {
        _cleanup_free_ char *id = host_distribution_id(distribution);
        _cleanup_free_ char *name = mr_strf("%s.state.json", id);
        _cleanup_free_ char *path = mr_strf("%s" HOST_DIST_DIRECTORY, root);
        _cleanup_buf_ MrBuf text = {};
        HostDir dir = {.fd = host_open_directory(path), .path = path};
        _cleanup_fd_ int fd = dir.fd;
        MrTree *tree = NULL;

        if (fd < 0 || host_file_read(&dir, name, STATE_MAX, &text, NULL) <= 0 ||
            mr_json_read(mr_buf_text(&text), text.size, NULL, &tree, NULL) < 0)
                return NULL;
        return tree;
}

typedef struct State {
        const char *name;
        const char *message;
} State;

static State state_of_archive(const MrTree *state, bool has, bool is_fetching) {
        const char *name = mr_tree_get_string(state, "state");
        const char *message = mr_tree_get_string(state, "message");

        if (has && (!name || mr_streq(name, "ready")))
                return (State){"ready", message};
        if (is_fetching)
                return (State){"fetching", message};
        if (mr_streq(name, "failed"))
                return (State){"failed", message};
        if (mr_streq(name, "fetching"))
                return (State){"absent", "fetching was interrupted; it starts over"};
        return (State){"absent", "it was not fetched yet"};
}

static State state_of(const char *root, const HostDistribution *distribution, const MrTree *state,
                      bool is_fetching) {
        bool has = has_libs(root, distribution);

        if (distribution->archive)
                return state_of_archive(state, has, is_fetching);
        if (has)
                return (State){"ready", mr_tree_get_string(state, "message")};
        return (State){"absent", "its libs/ holds no jars; unpack the software there"};
}

bool host_distribution_is_complete(const char *root, const HostDistribution *distribution) {
        _cleanup_(mr_tree_freep) MrTree *state = state_read(root, distribution);

        return mr_streq(state_of(root, distribution, state, false).name, "ready") &&
               has_classes(root, distribution);
}

/* Whether another try is due: after a while, or because the configuration was changed meanwhile. */
static bool is_due_again(const char *root, const HostDistribution *distribution) {
        _cleanup_free_ char *id = host_distribution_id(distribution);
        _cleanup_free_ char *state = mr_strf("%s" HOST_DIST_DIRECTORY "/%s.state.json", root, id);
        _cleanup_free_ char *config = mr_strf("%s" HOST_CONFIG_PATH, root);
        struct stat tried, changed;

        if (stat(state, &tried) < 0)
                return true;
        if (stat(config, &changed) < 0)
                changed = (struct stat){};
        if (changed.st_ctim.tv_sec > tried.st_mtim.tv_sec ||
            (changed.st_ctim.tv_sec == tried.st_mtim.tv_sec &&
             changed.st_ctim.tv_nsec > tried.st_mtim.tv_nsec))
                return true;
        return now_realtime_sec() - tried.st_mtim.tv_sec >= AGAIN_SEC;
}

MrTree *host_distribution_observe(const char *root, const HostDistribution *distribution,
                                  bool is_fetching) {
        _cleanup_(mr_tree_freep) MrTree *state = state_read(root, distribution);
        _cleanup_free_ char *directory = host_distribution_directory(distribution);
        _cleanup_free_ char *classes = host_distribution_classes(distribution);
        _cleanup_free_ char *libs = mr_strf("%s/libs", directory);
        State found = state_of(root, distribution, state, is_fetching);
        MrTree *tree = mr_tree_new_map();

        mr_tree_set_string(tree, "software", distribution->software);
        mr_tree_set_string(tree, "version", distribution->version);
        mr_tree_set_string(tree, "state", found.name);
        mr_tree_set_string(tree, "directory", directory);
        mr_tree_set(tree, "archive",
                    has_classes(root, distribution) ? mr_tree_new_string(classes) : NULL);
        mr_tree_set_string(tree, "message", found.message ? found.message : "");
        if (mr_streq(found.name, "failed"))
                mr_tree_set_bool(tree, "again", is_due_again(root, distribution));
        jars_add(root, libs, mr_tree_need_list(tree, "libs"));
        if (distribution->extras) {
                mr_tree_set_string(tree, "extras", distribution->extras);
                jars_add(root, distribution->extras, mr_tree_need_list(tree, "extra_jars"));
        }
        return tree;
}
