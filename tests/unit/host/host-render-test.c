/* The texts hostd writes, byte by byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/host-render.h"
#include "sdk/str.h"

static const char config_text[] =
        "storage_classes:\n"
        "  - {name: directory, path: /var/lib/millrace-data}\n"
        "  - {name: odd, path: '/srv/100%+x', devices: [/dev/sdb]}\n"
        "distributions:\n"
        "  - {software: kafka, version: 3.9.1, directory: /opt/kafka-3.9.1}\n"
        "  - {software: kafka, version: 4.3.1, archive: /srv/kafka.tgz}\n";

#define DATA "/var/lib/millrace-data/data-a-0/data"

static const char full[] =
        "{\"software\":\"kafka\",\"version\":\"3.9.1\",\"main_class\":\"kafka.Kafka\","
        "\"fingerprint\":\"3f2a\","
        "\"arguments\":[\"/etc/millrace/nodes/a-0/server.properties\",\"100%i $x\"],"
        "\"jvm_options\":[\"-Xmx512m\",\"-Da=b c\"],\"prepare_class\":\"kafka.tools.StorageTool\","
        "\"prepare_arguments\":[\"format\",\"-t\"],\"prepared_path\":\"" DATA
        "/kafka-log0/meta.properties\","
        "\"expect_prepared\":true,\"directories\":[\"" DATA "/kafka-log0\"],\"contents\":{\"" DATA
        "/myid\":\"1\"},"
        "\"volumes\":[{\"name\":\"data\",\"claim\":\"data-a-0\",\"storage_class\":\"directory\"},"
        "{\"name\":\"more\",\"claim\":\"ns_more-a-0\",\"storage_class\":\"odd\"}],"
        "\"ready_ports\":[9091,9092],\"memory_limit\":1073741824,\"memory_request\":536870912,"
        "\"cpu_limit\":1505,"
        "\"cpu_request\":500,\"stop_timeout_sec\":600,\"order\":1,\"networks\":[\"10.0.0.0/"
        "8\",\"::1\"],\"settings\":{\"log.dirs\":\"x\"}}";

static const char least[] = "{\"software\":\"kafka\",\"version\":\"4.3.1\",\"main_class\":\"kafka."
                            "Kafka\",\"fingerprint\":\"f\"}";

typedef struct Fixture {
        HostConfig *config;
        MrArena *arena;
        MrTree *trees[2];
        HostProperties *properties[2];
} Fixture;

static int setup(void **state) {
        static const char *const texts[] = {full, least};
        Fixture *f = mr_new(Fixture, 1);

        *state = f;
        f->arena = mr_arena_new();
        int r = host_config_parse(config_text, strlen(config_text), "hostd.yaml", &f->config, NULL);
        for (size_t i = 0; r >= 0 && i < 2; i++) {
                r = mr_json_read(texts[i], strlen(texts[i]), NULL, &f->trees[i], NULL);
                if (r >= 0)
                        r = host_properties_decode(f->trees[i], f->config, f->arena,
                                                   &f->properties[i], NULL);
        }
        return r;
}

static int teardown(void **state) {
        Fixture *f = *state;

        mr_tree_free(f->trees[0]);
        mr_tree_free(f->trees[1]);
        mr_arena_free(f->arena);
        host_config_free(f->config);
        free(f);
        return 0;
}

static void drop_in_of_a_full_node(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf out = {};

        host_render_dropin("kafka", "a-0", f->properties[0], f->config, &out);
        assert_string_equal(mr_buf_text(&out),
                            "# Written by millrace-hostd, and written again when it is edited. "
                            "Change the cluster's resource, or\n"
                            "# add a drop-in of your own with 'systemctl edit kafka@a-0.service'.\n"
                            "\n"
                            "[Unit]\n"
                            "RequiresMountsFor=\"/var/lib/millrace-data/data-a-0/data\"\n"
                            "RequiresMountsFor=\"/srv/100%%+x/ns_more-a-0/data\"\n"
                            "AssertPathIsMountPoint=/srv/100%%+x/ns_more-a-0\n"
                            "After=millrace-first.target\n"
                            "\n"
                            "[Service]\n"
                            "TemporaryFileSystem=\"/var/lib/millrace-data\":ro\n"
                            "TemporaryFileSystem=\"/srv/100%%+x\":ro\n"
                            "BindPaths=\"/var/lib/millrace-data/data-a-0/data\"\n"
                            "BindPaths=\"/srv/100%%+x/ns_more-a-0/data\"\n"
                            "MemoryMax=1073741824\n"
                            "MemoryHigh=1006632960\n"
                            "MemoryMin=536870912\n"
                            "CPUQuota=150.5%\n"
                            "CPUWeight=50\n"
                            "TimeoutStopSec=600\n"
                            "IPAddressDeny=any\n"
                            "IPAddressAllow=localhost\n"
                            "IPAddressAllow=10.0.0.0/8\n"
                            "IPAddressAllow=::1\n");
}

static void drop_in_without_limits_resets_them(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf out = {};

        host_render_dropin("zookeeper", "ns_z-1", f->properties[1], f->config, &out);
        assert_non_null(strstr(mr_buf_text(&out), "systemctl edit zookeeper@ns_z-1.service"));
        assert_non_null(strstr(
                mr_buf_text(&out),
                "MemoryMax=infinity\nMemoryHigh=infinity\nMemoryMin=0\nCPUQuota=\nCPUWeight=\n"));
        assert_null(strstr(mr_buf_text(&out), "TimeoutStopSec"));
        assert_null(strstr(mr_buf_text(&out), "BindPaths"));
        assert_non_null(strstr(mr_buf_text(&out),
                               "Before=millrace-first.target\nUpholds=millrace-first.target\n"));
        assert_null(strstr(mr_buf_text(&out), "After=millrace-first.target"));
}

static void launch_of_a_full_node(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf out = {};

        host_render_launch(f->properties[0], f->config, &out);
        assert_string_equal(mr_buf_text(&out),
                            "fingerprint 3f2a\n"
                            "java /usr/bin/java\n"
                            "libs /opt/kafka-3.9.1/libs\n"
                            "archive /var/lib/millrace-dist/archives/kafka-3.9.1.jsa\n"
                            "directory " DATA "/kafka-log0\n"
                            "content " DATA "/myid 1\n"
                            "prepared " DATA "/kafka-log0/meta.properties\n"
                            "expect-prepared yes\n"
                            "prepare-class kafka.tools.StorageTool\n"
                            "prepare-argument format\n"
                            "prepare-argument -t\n"
                            "option -Xmx512m\n"
                            "option -Da=b c\n"
                            "class kafka.Kafka\n"
                            "argument /etc/millrace/nodes/a-0/server.properties\n"
                            "argument 100%i $x\n"
                            "ready 9091\n"
                            "ready 9092\n");
}

static void launch_of_the_least_node(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf out = {};

        host_render_launch(f->properties[1], f->config, &out);
        assert_string_equal(mr_buf_text(&out),
                            "fingerprint f\n"
                            "java /usr/bin/java\n"
                            "libs /var/lib/millrace-dist/kafka-4.3.1/libs\n"
                            "archive /var/lib/millrace-dist/archives/kafka-4.3.1.jsa\n"
                            "class kafka.Kafka\n");
}

static void manifest_gives_the_properties_back(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf out = {}, again = {}, first = {}, second = {};
        _cleanup_(mr_tree_freep) MrTree *manifest = NULL;
        HostProperties *properties = NULL;

        host_render_manifest("kafka", "a-0", f->trees[0], &out);
        assert_int_equal(mr_json_read(mr_buf_text(&out), out.size, NULL, &manifest, NULL), 0);
        assert_string_equal(mr_tree_get_string(manifest, "class"), "kafka");
        assert_string_equal(mr_tree_get_string(manifest, "instance"), "a-0");
        assert_true(mr_tree_equal(mr_tree_get(manifest, "properties"), f->trees[0]));
        assert_int_equal(host_properties_decode(mr_tree_get(manifest, "properties"), f->config,
                                                f->arena, &properties, NULL),
                         0);
        host_render_dropin("kafka", "a-0", properties, f->config, &first);
        host_render_dropin("kafka", "a-0", f->properties[0], f->config, &second);
        assert_string_equal(mr_buf_text(&first), mr_buf_text(&second));
        host_render_manifest("kafka", "a-0", mr_tree_get(manifest, "properties"), &again);
        assert_string_equal(mr_buf_text(&again), mr_buf_text(&out));
}

static void unit_words_are_quoted(void **state) {
        static const struct {
                const char *text, *quoted;
        } cases[] = {
                {"/a", "\"/a\""},
                {"/a b", "\"/a b\""},
                {"/%i", "\"/%%i\""},
                {"/a\"b", "\"/a\\\"b\""},
                {"/a\\b", "\"/a\\\\b\""},
                {"/a\nUser=root", "\"/a\\x0aUser=root\""},
                {"", "\"\""},
                {"\x7f", "\"\\x7f\""},
                {"/\xc3\xa9", "\"/\xc3\xa9\""},
        };

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_buf_ MrBuf out = {};

                host_unit_quote(cases[i].text, &out);
                assert_string_equal(mr_buf_text(&out), cases[i].quoted);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(drop_in_of_a_full_node),
                cmocka_unit_test(drop_in_without_limits_resets_them),
                cmocka_unit_test(launch_of_a_full_node),
                cmocka_unit_test(launch_of_the_least_node),
                cmocka_unit_test(manifest_gives_the_properties_back),
                cmocka_unit_test(unit_words_are_quoted),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
