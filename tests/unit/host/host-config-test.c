/* hostd.yaml: defaults, what is understood, what is refused and where. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/host-config.h"
#include "sdk/str.h"

#define SUM                                                                                        \
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                         \
        "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"

static HostConfig *accepted(const char *text) {
        _cleanup_error_ MrError err = {};
        HostConfig *config = NULL;

        if (host_config_parse(text, strlen(text), "hostd.yaml", &config, &err) < 0) {
                _cleanup_free_ char *message = mr_error_text(&err);
                fail_msg("%s", message);
        }
        return config;
}

static void refused(const char *text, const char *expected) {
        _cleanup_error_ MrError err = {};
        _cleanup_(host_config_freep) HostConfig *config = NULL;

        if (host_config_parse(text, strlen(text), "hostd.yaml", &config, &err) >= 0)
                fail_msg("accepted: %s", text);
        assert_null(config);
        _cleanup_free_ char *message = mr_error_text(&err);
        if (!strstr(message, expected))
                fail_msg("'%s' is not in '%s'", expected, message);
}

static void an_empty_file_gives_the_defaults(void **state _unused_) {
        const char *texts[] = {"", "# only a comment\n", "{}\n", "java: /usr/bin/java\n"};

        for (size_t i = 0; i < MR_ELEMENTS(texts); i++) {
                _cleanup_(host_config_freep) HostConfig *config = accepted(texts[i]);

                assert_string_equal(config->java, "/usr/bin/java");
                assert_null(config->address);
                assert_int_equal(config->classes.n, 2);
                assert_string_equal(host_config_class(config, "zookeeper")->user, "zookeeper");
                assert_null(host_config_class(config, "other"));
                assert_string_equal(host_config_storage_class(config, "directory")->path,
                                    "/var/lib/millrace-data");
                assert_null(host_config_storage_class(config, "fast"));
                assert_int_equal(config->distributions.n, 0);
        }
}

static void distributions_are_found_and_placed(void **state _unused_) {
        _cleanup_(host_config_freep) HostConfig *config =
                accepted("distributions:\n"
                         "- {software: kafka, version: 3.9.1, archive: "
                         "'https://example.com/k.tgz', sha512: " SUM "}\n"
                         "- {software: kafka, version: 4.3.1, directory: /opt/kafka}\n"
                         "- {software: kafka, version: 4.2.0, archive: /srv/k.tgz}\n");
        const HostDistribution *fetched = host_config_distribution(config, "kafka", "3.9.1");
        const HostDistribution *placed = host_config_distribution_by_id(config, "kafka-4.3.1");

        assert_non_null(fetched);
        assert_non_null(placed);
        assert_null(host_config_distribution(config, "kafka", "3.9.2"));
        assert_null(host_config_distribution_by_id(config, "kafka-3.9"));

        _cleanup_free_ char *a = host_distribution_directory(fetched);
        _cleanup_free_ char *b = host_distribution_directory(placed);
        _cleanup_free_ char *c = host_distribution_classes(placed);
        _cleanup_free_ char *d = host_distribution_state(placed);
        assert_string_equal(a, "/var/lib/millrace-dist/kafka-3.9.1");
        assert_string_equal(b, "/opt/kafka");
        assert_string_equal(c, "/var/lib/millrace-dist/archives/kafka-4.3.1.jsa");
        assert_string_equal(d, "/var/lib/millrace-dist/kafka-4.3.1.state.json");
}

static void labels_and_extras(void **state _unused_) {
        _cleanup_(host_config_freep) HostConfig *config =
                accepted("labels: {topology.kubernetes.io/zone: a, disks: 4}\n"
                         "distributions: [{software: s, version: \"1\", directory: /opt/s, extras: "
                         "/opt/x}]\n");

        assert_string_equal(mr_pairs_get(&config->labels, "topology.kubernetes.io/zone"), "a");
        assert_string_equal(mr_pairs_get(&config->labels, "disks"), "4");
        assert_string_equal(host_config_distribution(config, "s", "1")->extras, "/opt/x");
}

static void wrong_settings_are_named(void **state _unused_) {
        refused("java: bin/java\n", "hostd.yaml:1:7: java:");
        refused("colour: blue\n", "colour: there is no such setting");
        refused("classes:\n- {name: kafka, user: root, group: kafka}\n",
                "classes[0].user: nodes never run as root");
        refused("classes:\n- {name: ../x, user: k, group: k}\n", "classes[0].name");
        refused("storage_classes:\n- {name: a, path: /}\n",
                "storage_classes[0].path: '/' cannot hold claims");
        refused("storage_classes:\n- {name: a, path: /srv/../etc}\n", "storage_classes[0].path");
        refused("storage_classes:\n- {name: a, path: '/srv/a:b'}\n",
                "storage_classes[0].path: '/srv/a:b' holds a ':'");
        refused("storage_classes:\n- {name: a, path: '/srv/a,b'}\n",
                "storage_classes[0].path: '/srv/a,b' holds a ','");
        refused("storage_classes:\n- {name: a, path: /srv/a, devices: [/srv/b]}\n",
                "storage_classes[0].devices[0]");
        refused("storage_classes:\n- {name: a, path: /srv/a, devices: [/dev/../etc/b]}\n",
                "storage_classes[0].devices: '/dev/../etc/b' contains '..'");
        refused("distributions:\n- {software: k, version: '1', directory: '/opt/a:b'}\n",
                "distributions[0].directory: '/opt/a:b' holds a ':'");
        refused("distributions:\n- {software: k, version: '1', directory: /opt, extras: '/a:b'}\n",
                "distributions[0].extras: '/a:b' holds a ':'");
        refused("distributions:\n- {software: kafka, version: 3.9.1}\n",
                "either a directory or an archive");
        refused("distributions:\n- {software: kafka, version: 3.9.1, directory: /a, archive: /b}\n",
                "either a directory or an archive");
        refused("distributions:\n- {software: kafka, version: 3.9.1, archive: 'https://e.com/k'}\n",
                "distributions[0].sha512: an archive from a URL needs its SHA-512");
        refused("distributions:\n- {software: kafka, version: 3.9.1, archive: 'ftp://e.com/k'}\n",
                "distributions[0].archive");
        refused("distributions:\n- {software: kafka, version: 3.9.1, archive: /k, sha512: abc}\n",
                "distributions[0].sha512");
        refused("distributions:\n- {software: kafka, version: a/b, directory: /a}\n",
                "distributions[0].version");
        refused("distributions:\n- {software: k, version: v1, directory: /a}\n"
                "- {software: k, version: v1, directory: /b}\n",
                "distributions[1]: k v1 is listed twice");
        refused("a: 1\n---\nb: 2\n", "several documents");
        refused("- a\n", "hostd.yaml");
        refused("java: [\n", "hostd.yaml");
}

static void the_file_must_be_safe(void **state _unused_) {
        char path[] = "/tmp/host-config-XXXXXX";
        _cleanup_error_ MrError err = {};
        HostConfig *config = NULL;
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, "java: /j\n", 9), 9);
        assert_int_equal(host_config_read(path, &config, &err), 0);
        assert_string_equal(config->java, "/j");
        config = host_config_free(config);

        assert_int_equal(fchmod(fd, 0664), 0);
        assert_true(host_config_read(path, &config, &err) < 0);
        assert_int_equal(err.kind, MR_DENIED);
        assert_non_null(strstr(err.message, "can be written by others; run: chmod 0644"));
        mr_error_done(&err);

        assert_int_equal(fchmod(fd, 0644), 0);
        if (geteuid() == 0) {
                assert_int_equal(fchown(fd, 12345, (gid_t) -1), 0);
                assert_true(host_config_read(path, &config, &err) < 0);
                assert_int_equal(err.kind, MR_DENIED);
                mr_error_done(&err);
        }
        close(fd);
        unlink(path);

        assert_true(host_config_read("/tmp", &config, &err) < 0);
        mr_error_done(&err);
        assert_int_equal(host_config_read(path, &config, &err), 0);
        assert_string_equal(config->java, "/usr/bin/java");
        host_config_free(config);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_file_gives_the_defaults),
                cmocka_unit_test(distributions_are_found_and_placed),
                cmocka_unit_test(labels_and_extras),
                cmocka_unit_test(wrong_settings_are_named),
                cmocka_unit_test(the_file_must_be_safe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
