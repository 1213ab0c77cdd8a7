/* The order of things: source, unpack, rename, classes; and the state that is told meanwhile. */

#include "fetch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sdk/str.h"
#include "sdk/tree.h"

void fetch_init(Fetch *fetch, const HostConfig *config, const HostDistribution *distribution,
                const char *base) {
        char *id = host_distribution_id(distribution);

        *fetch = (Fetch){
                .distribution = distribution,
                .java = config->java,
                .base = base,
                .id = id,
                .directory = distribution->directory ? mr_strdup(distribution->directory)
                                                     : mr_strf("%s/%s", base, id),
                .classes = mr_strf("%s/archives/%s.jsa", base, id),
                .state = mr_strf("%s/%s.state.json", base, id),
        };
}

void fetch_done(Fetch *fetch) {
        free(fetch->id);
        free(fetch->directory);
        free(fetch->classes);
        free(fetch->state);
        *fetch = (Fetch){};
}

void fetch_tell(const Fetch *fetch, const char *state, const char *format, ...) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();
        _cleanup_free_ char *java = fetch_java_identity(fetch->java);
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf text = {};
        va_list args;

        va_start(args, format);
        _cleanup_free_ char *message = mr_vstrf(format, args);
        va_end(args);

        mr_tree_set_string(tree, "state", state);
        mr_tree_set_string(tree, "message", message);
        mr_tree_set_string(tree, "java", java);
        mr_json_write(tree, MR_JSON_PRETTY, &text);
        printf("%s: %s%s%s\n", fetch->id, state, message[0] ? ", " : "", message);

        /* Without its state file the distribution is what its directory says. */
        if (write_file_atomic(fetch->state, text.data, text.size, 0644, &err) < 0)
                fprintf(stderr, "%s\n", err.message);
}

static int entry_remove(const char *path, const struct stat *st _unused_, int type _unused_,
                        struct FTW *ftw _unused_) {
        return remove(path);
}

void fetch_remove(const char *path) {
        (void) nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static bool is_directory(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int libs_check(const Fetch *fetch, MrError *err) {
        _cleanup_free_ char *libs = mr_strf("%s/libs", fetch->directory);

        if (is_directory(libs))
                return 0;
        return mr_fail(err, MR_INVALID, NULL,
                       "%s holds no libs/; unpack the software there, or correct 'directory' of %s "
                       "in " HOST_CONFIG_PATH,
                       fetch->directory, fetch->id);
}

static int unpacked_place(const Fetch *fetch, const char *unpacked, MrError *err) {
        _cleanup_free_ char *libs = mr_strf("%s/libs", unpacked);

        if (!is_directory(libs))
                return mr_fail(
                        err, MR_INVALID, NULL,
                        "%s holds no libs/; it is no binary release, so name another archive",
                        fetch->distribution->archive);
        if (rename(unpacked, fetch->directory) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot place %s", fetch->directory);
        return 0;
}

static int archive_bring(const Fetch *fetch, const char *archive, const char *unpacked,
                         MrError *err) {
        int r = fetch_source(fetch, archive, err);

        if (r < 0)
                return r;
        fetch_tell(fetch, "fetching", "unpacking");
        r = fetch_unpack(archive, unpacked, err);
        if (r < 0)
                return r;
        return unpacked_place(fetch, unpacked, err);
}

/* What is there already is left alone: nodes may be running from it. */
static int distribution_bring(const Fetch *fetch, MrError *err) {
        _cleanup_free_ char *archive = mr_strf("%s/.%s.download", fetch->base, fetch->id);
        _cleanup_free_ char *unpacked = mr_strf("%s/.%s.unpacking", fetch->base, fetch->id);

        if (fetch->distribution->directory || is_directory(fetch->directory))
                return libs_check(fetch, err);

        fetch_remove(archive);
        fetch_remove(unpacked);
        fetch_tell(fetch, "fetching", "fetching the archive");
        int r = archive_bring(fetch, archive, unpacked, err);
        fetch_remove(archive);
        fetch_remove(unpacked);
        return r;
}

/* A distribution without a class-data archive works: nodes only start slower. */
static void classes_bring(const Fetch *fetch, bool is_new) {
        _cleanup_error_ MrError err = {};

        fetch_tell(fetch, is_new ? "fetching" : "ready", "making the class-data archive");
        if (fetch_classes(fetch, &err) < 0)
                fetch_tell(fetch, "ready", "no class-data archive, nodes start slower: %s",
                           err.message);
        else
                fetch_tell(fetch, "ready", "%s", "");
}

int fetch_run(const Fetch *fetch, MrError *err) {
        bool is_new = !is_directory(fetch->directory);
        int r = distribution_bring(fetch, err);

        if (r < 0) {
                fetch_tell(fetch, "failed", "%s",
                           err && err->message ? err->message : strerror(-r));
                return r;
        }
        classes_bring(fetch, is_new);
        return 0;
}
