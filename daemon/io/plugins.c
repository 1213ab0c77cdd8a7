/* dlopen, behind checks. The header of the plugin is read from its file before the loader maps any
 * of its code to run: dlopen itself runs constructors, so the symbol is first found in the ELF
 * image as bytes. */

#include "plugins.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf-symbol.h"
#include "str.h"

#ifndef MILLRACE_PLUGIN_DIR
#define MILLRACE_PLUGIN_DIR "/usr/lib/millrace/plugins"
#endif

static int check_file(const char *path, unsigned owner, MrError *err) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot read %s", path);
        if (!S_ISREG(st.st_mode))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is no regular file; install the plugin again", path);
        if (st.st_uid != 0 && st.st_uid != owner)
                return mr_fail(err, MR_DENIED, NULL,
                               "%s belongs to user %u; it must belong to root", path,
                               (unsigned) st.st_uid);
        if (st.st_mode & (S_IWGRP | S_IWOTH))
                return mr_fail(err, MR_DENIED, NULL,
                               "others than its owner can write %s; run 'chmod go-w %s'", path,
                               path);
        return 0;
}

static int check_header(const char *path, const MrPlugin *plugin, MrError *err) {
        if (plugin->magic != MR_PLUGIN_MAGIC)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is no millrace plugin (wrong magic); remove it", path);
        if (plugin->abi_major != MR_PLUGIN_ABI_MAJOR || plugin->abi_minor > MR_PLUGIN_ABI_MINOR)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s was built for plugin ABI %u.%u, this program has %u.%u; install "
                               "matching versions",
                               path, plugin->abi_major, plugin->abi_minor, MR_PLUGIN_ABI_MAJOR,
                               MR_PLUGIN_ABI_MINOR);
        if (plugin->struct_size < sizeof(MrPlugin))
                return mr_fail(err, MR_INVALID, NULL,
                               "the header of %s is too small; install it again", path);
        return 0;
}

/* After loading, what the pointers lead to. */
static int check_content(const char *path, const MrPlugin *plugin, MrError *err) {
        const char *base = strrchr(path, '/');
        _cleanup_free_ char *expected = mr_strf("%s.so", plugin->name ? plugin->name : "");

        if (!mr_streq(base ? base + 1 : path, expected))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s calls itself \"%s\"; a plugin is named like its file", path,
                               plugin->name ? plugin->name : "");
        if (!plugin->operand == !plugin->platform)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is neither an operand nor a platform; install it again", path);
        if ((plugin->operand && plugin->operand->struct_size < sizeof(MrOperandOps)) ||
            (plugin->platform && plugin->platform->struct_size < sizeof(MrPlatformOps)))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s was built for an older program; install matching versions",
                               path);
        return 0;
}

static int load_one(const char *path, unsigned owner, const MrPlugin **ret, MrError *err) {
        MrPlugin header = {};

        int r = check_file(path, owner, err);
        if (r >= 0)
                r = elf_read_symbol(path, "mr_plugin", &header, sizeof(header), err);
        if (r >= 0)
                r = check_header(path, &header, err);
        if (r < 0)
                return r;
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!handle)
                return mr_fail(err, MR_INVALID, NULL, "cannot load %s: %s", path, dlerror());
        const MrPlugin *plugin = dlsym(handle, "mr_plugin");
        if (!plugin)
                return mr_fail(err, MR_INVALID, NULL, "%s exports no mr_plugin; remove it", path);
        r = check_header(path, plugin, err);
        if (r >= 0)
                r = check_content(path, plugin, err);
        if (r < 0)
                return r;
        *ret = plugin;
        return 0;
}

static int is_plugin(const struct dirent *entry) {
        return entry->d_name[0] != '.' && mr_ends_with(entry->d_name, ".so") &&
               !mr_starts_with(entry->d_name, "lib");
}

int plugins_load(const char *directory, unsigned owner, PluginRefused refused, void *userdata,
                 Plugins *ret, MrError *err) {
        struct dirent **entries;
        int n = scandir(directory, &entries, is_plugin, alphasort);

        if (n < 0)
                return mr_fail_errno(err, errno, NULL, "cannot list the plugins in %s", directory);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = mr_strf("%s/%s", directory, entries[i]->d_name);
                _cleanup_error_ MrError why = {};
                const MrPlugin *plugin = NULL;
                if (load_one(path, owner, &plugin, &why) >= 0) {
                        MR_GROW(ret->items, ret->n, ret->allocated);
                        ret->items[ret->n++] = plugin;
                } else if (refused)
                        refused(userdata, path, &why);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

char *plugins_directory(unsigned *ret_owner) {
        const char *chosen = secure_getenv("MILLRACE_PLUGINS");
        char self[4096];

        *ret_owner = getuid();
        if (chosen)
                return mr_strdup(chosen);
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        if (n > 0) {
                self[n] = '\0';
                char *slash = strrchr(self, '/');
                *slash = '\0';
                _cleanup_free_ char *marker = mr_strf("%s/build.ninja", self);
                if (access(marker, F_OK) == 0)
                        return mr_strdup(self);
        }
        *ret_owner = 0;
        return mr_strdup(MILLRACE_PLUGIN_DIR);
}

void plugins_done(Plugins *plugins) {
        free(plugins->items);
        *plugins = (Plugins){};
}

int plugins_register(const Plugins *plugins, Registry *registry, MrError *err) {
        for (size_t i = 0; i < plugins->n; i++) {
                int r = plugins->items[i]->operand ? registry_add(registry, plugins->items[i], err)
                                                   : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

const MrPlugin *plugins_find_platform(const Plugins *plugins, const char *name) {
        for (size_t i = 0; i < plugins->n; i++)
                if (plugins->items[i]->platform && mr_streq(plugins->items[i]->name, name))
                        return plugins->items[i];
        return NULL;
}
