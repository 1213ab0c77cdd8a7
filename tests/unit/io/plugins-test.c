/* Plugins that are not what they should be are refused, each with its reason, and the rest load.
 * Damaged ones are made of a built one by changing its bytes. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "io/elf-symbol.h"
#include "io/plugins.h"
#include "str.h"

typedef struct World {
        char folder[64];
        MrBuf good; /* zookeeper.so as it was built */
        char *path; /* of the last refused plugin */
        char *message;
        size_t n_refused;
        Plugins plugins;
} World;

static const char *built(void) {
        const char *directory = getenv("MILLRACE_BUILD");
        return directory ? directory : "build";
}

static int set_up(void **state) {
        World *w = mr_new(World, 1);
        _cleanup_free_ char *path = mr_strf("%s/zookeeper.so", built());

        (void) snprintf(w->folder, sizeof(w->folder), "/tmp/millrace-plugins-XXXXXX");
        *state = w;
        return mkdtemp(w->folder) && read_file_capped(path, 64U << 20, &w->good, NULL) >= 0 ? 0
                                                                                            : -1;
}

static int tear_down(void **state) {
        World *w = *state;
        _cleanup_free_ char *command = mr_strf("rm -rf '%s'", w->folder);

        plugins_done(&w->plugins);
        mr_buf_done(&w->good);
        free(w->path);
        free(w->message);
        int r = system(command);
        free(w);
        return r;
}

static char *put(const World *w, const char *name, const void *data, size_t size, mode_t mode) {
        char *path = mr_strf("%s/%s", w->folder, name);
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_int_equal(fwrite(data, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(path, mode), 0);
        return path;
}

static void refused(void *userdata, const char *path, const MrError *err) {
        World *w = userdata;

        free(w->path);
        free(w->message);
        w->path = mr_strdup(path);
        w->message = mr_error_text(err);
        w->n_refused++;
}

static void load(World *w, unsigned owner) {
        assert_int_equal(plugins_load(w->folder, owner, refused, w, &w->plugins, NULL), 0);
}

/* One plugin of these bytes is refused with these words, and a good one beside it loads. */
static void assert_refused(World *w, const void *data, size_t size, mode_t mode,
                           const char *words) {
        _cleanup_free_ _unused_ char *bad = put(w, "bad.so", data, size, mode),
                                     *good = put(w, "zookeeper.so", w->good.data, w->good.size,
                                                 0644);

        load(w, getuid());
        assert_int_equal(w->n_refused, 1);
        assert_string_equal(w->path, bad);
        if (!strstr(w->message, words) || !strstr(w->message, bad))
                fail_msg("\"%s\" does not say \"%s\" of %s", w->message, words, bad);
        assert_int_equal(w->plugins.n, 1);
        assert_string_equal(w->plugins.items[0]->name, "zookeeper");
}

/* The header inside of the file. */
static MrPlugin *header_in(MrBuf *file) {
        static const uint32_t magic = MR_PLUGIN_MAGIC;
        static const uint16_t abi[] = {MR_PLUGIN_ABI_MAJOR, MR_PLUGIN_ABI_MINOR};

        for (size_t i = 0; i + sizeof(MrPlugin) <= file->size; i += 4)
                if (memcmp(file->data + i, &magic, 4) == 0 &&
                    memcmp(file->data + i + 4, abi, sizeof(abi)) == 0)
                        return (MrPlugin *) (void *) (file->data + i);
        fail_msg("the built plugin has no header");
        return NULL;
}

static MrBuf copy_of(const World *w) {
        MrBuf copy = {};

        mr_buf_append(&copy, w->good.data, w->good.size);
        return copy;
}

static void good_ones_load(void **state) {
        World *w = *state;
        _cleanup_free_ _unused_ char *good = put(w, "zookeeper.so", w->good.data, w->good.size,
                                                 0644),
                                     *library = put(w, "libother.so", "x", 1, 0644),
                                     *hidden = put(w, ".x.so", "x", 1, 0644),
                                     *text = put(w, "README", "x", 1, 0644);

        load(w, getuid());
        assert_int_equal(w->n_refused, 0);
        assert_int_equal(w->plugins.n, 1);
        assert_null(plugins_find_platform(&w->plugins, "zookeeper"));
}

static void wrong_magic(void **state) {
        _cleanup_buf_ MrBuf copy = copy_of(*state);

        header_in(&copy)->magic ^= 1;
        assert_refused(*state, copy.data, copy.size, 0644, "wrong magic");
}

static void another_major_version(void **state) {
        _cleanup_buf_ MrBuf copy = copy_of(*state);

        header_in(&copy)->abi_major++;
        assert_refused(*state, copy.data, copy.size, 0644,
                       "was built for plugin ABI 5.0, this program has 4.0");
}

static void a_newer_minor_version(void **state) {
        _cleanup_buf_ MrBuf copy = copy_of(*state);

        header_in(&copy)->abi_minor++;
        assert_refused(*state, copy.data, copy.size, 0644, "was built for plugin ABI 4.1");
}

static void a_header_that_is_too_small(void **state) {
        _cleanup_buf_ MrBuf copy = copy_of(*state);

        header_in(&copy)->struct_size = 8;
        assert_refused(*state, copy.data, copy.size, 0644, "too small");
}

static void a_name_that_is_not_the_files(void **state) {
        World *w = *state;

        assert_refused(w, w->good.data, w->good.size, 0644, "calls itself \"zookeeper\"");
}

static void writable_for_others(void **state) {
        World *w = *state;

        assert_refused(w, w->good.data, w->good.size, 0666, "others than its owner can write");
}

static void writable_for_the_group(void **state) {
        World *w = *state;

        assert_refused(w, w->good.data, w->good.size, 0664, "chmod go-w");
}

static void of_another_owner(void **state) {
        World *w = *state;
        _cleanup_free_ char *path = put(w, "zookeeper.so", w->good.data, w->good.size, 0644);

        if (getuid() == 0)
                assert_int_equal(chown(path, 65534, 65534), 0);
        load(w, 0);
        assert_int_equal(w->plugins.n, 0);
        assert_int_equal(w->n_refused, 1);
        assert_non_null(strstr(w->message, "must belong to root"));
}

static void no_regular_file(void **state) {
        World *w = *state;
        _cleanup_free_ char *target = put(w, "target", w->good.data, w->good.size, 0644),
                            *link = mr_strf("%s/zookeeper.so", w->folder);

        assert_int_equal(symlink(target, link), 0);
        load(w, getuid());
        assert_int_equal(w->plugins.n, 0);
        assert_non_null(strstr(w->message, "is no regular file"));
}

static void no_shared_object(void **state) {
        assert_refused(*state, "#!/bin/sh\nexit 0\n", 17, 0755, "no shared object of this machine");
}

static void an_empty_file(void **state) {
        assert_refused(*state, "", 0, 0644, "no shared object of this machine");
}

static void of_another_machine(void **state) {
        _cleanup_buf_ MrBuf copy = copy_of(*state);

        copy.data[EI_CLASS] = ELFCLASS32;
        assert_refused(*state, copy.data, copy.size, 0644, "no shared object of this machine");
}

/* Cut anywhere, a plugin is refused, and reading it stays within its bytes. */
static void cut_off(void **state) {
        World *w = *state;
        MrPlugin header;

        for (size_t size = 0; size < w->good.size; size += w->good.size / 97 + 1) {
                _cleanup_free_ char *path = put(w, "cut", w->good.data, size, 0644);
                _cleanup_error_ MrError err = {};
                assert_true(elf_read_symbol(path, "mr_plugin", &header, sizeof(header), &err) < 0);
                assert_int_equal(err.kind, MR_INVALID);
        }
        assert_refused(w, w->good.data, w->good.size / 2, 0644, "remove it");
}

/* Whatever stands in its headers, reading stays within the bytes. */
static void damaged(void **state) {
        World *w = *state;
        MrPlugin header;

        for (size_t i = 0; i < 600; i++) {
                _cleanup_buf_ MrBuf copy = copy_of(w);
                size_t at = i < sizeof(Elf64_Ehdr) ? i : (i * 7919) % copy.size;
                copy.data[at] = (char) 0xff;
                copy.data[(at + 4) % copy.size] = (char) 0x7f;
                _cleanup_free_ char *path = put(w, "damaged", copy.data, copy.size, 0644);
                assert_true(elf_read_symbol(path, "mr_plugin", &header, sizeof(header), NULL) <= 0);
        }
}

static void without_the_symbol(void **state) {
        World *w = *state;
        _cleanup_free_ char *path = put(w, "plugin", w->good.data, w->good.size, 0644);
        _cleanup_error_ MrError err = {};
        MrPlugin header;
        char large[65536];

        assert_int_equal(elf_read_symbol(path, "mr_plugin", &header, sizeof(header), NULL), 0);
        assert_int_equal(header.magic, MR_PLUGIN_MAGIC);
        assert_true(elf_read_symbol(path, "mr_plugi", &header, sizeof(header), &err) < 0);
        assert_non_null(strstr(err.message, "exports no data symbol mr_plugi"));
        assert_true(elf_read_symbol(path, "mr_plugin", large, sizeof(large), NULL) < 0);
        assert_true(elf_read_symbol("/nowhere", "mr_plugin", &header, sizeof(header), NULL) ==
                    -ENOENT);
}

static void no_folder(void **state) {
        World *w = *state;
        _cleanup_error_ MrError err = {};

        assert_true(plugins_load("/nowhere", 0, refused, w, &w->plugins, &err) < 0);
        assert_non_null(strstr(err.message, "cannot list the plugins in /nowhere"));
}

static void all_that_were_built(void **state) {
        World *w = *state;
        _cleanup_(registry_freep) Registry *registry = registry_new();
        _cleanup_error_ MrError err = {};

        assert_int_equal(plugins_load(built(), getuid(), refused, w, &w->plugins, NULL), 0);
        assert_int_equal(w->n_refused, 0);
        assert_int_equal(plugins_register(&w->plugins, registry, &err), 0);
        assert_non_null(registry_find(registry, "Kafka"));
        assert_non_null(plugins_find_platform(&w->plugins, "rhel-baremetal"));
        assert_true(plugins_register(&w->plugins, registry, &err) < 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(good_ones_load),
                TEST(wrong_magic),
                TEST(another_major_version),
                TEST(a_newer_minor_version),
                TEST(a_header_that_is_too_small),
                TEST(a_name_that_is_not_the_files),
                TEST(writable_for_others),
                TEST(writable_for_the_group),
                TEST(of_another_owner),
                TEST(no_regular_file),
                TEST(no_shared_object),
                TEST(an_empty_file),
                TEST(of_another_machine),
                TEST(cut_off),
                TEST(damaged),
                TEST(without_the_symbol),
                TEST(no_folder),
                TEST(all_that_were_built),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
