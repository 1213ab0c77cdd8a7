/* What a hostile client may try with a batch, and that each try ends before anything was done. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/host-batch.h"
#include "sdk/str.h"

static const char config_text[] =
        "storage_classes:\n"
        "  - {name: directory, path: /var/lib/millrace-data}\n"
        "  - {name: fast, path: /srv/fast}\n"
        "distributions:\n"
        "  - {software: kafka, version: 3.9.1, directory: /opt/kafka-3.9.1, extras: /opt/more}\n";

static int setup(void **state) {
        HostConfig *config = NULL;

        int r = host_config_parse(config_text, strlen(config_text), "hostd.yaml", &config, NULL);
        *state = config;
        return r;
}

static int teardown(void **state) {
        host_config_free(*state);
        return 0;
}

static int parse(void *config, const char *json, HostBatch **ret, MrError *err) {
        return host_batch_parse(json, strlen(json), config, ret, err);
}

/* The one step is refused, with a message that speaks of `path` and contains `words`. */
static void refused(void *config, const char *step, const char *path, const char *words) {
        _cleanup_free_ char *json = mr_strf("{\"version\":1,\"steps\":[%s]}", step);
        _cleanup_(host_batch_freep) HostBatch *batch = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_free_ char *where = mr_strf("steps[0]%s%s", path[0] ? "." : "", path);

        assert_true(parse(config, json, &batch, &err) < 0);
        assert_null(batch);
        if (!mr_streq(err.path, where) || !strstr(err.message, words))
                fail_msg("%s: %s, expected %s: …%s…", err.path, err.message, where, words);
        assert_int_equal(err.kind, MR_INVALID);
}

static void accepted(void *config, const char *step) {
        _cleanup_free_ char *json = mr_strf("{\"version\":1,\"steps\":[%s]}", step);
        _cleanup_(host_batch_freep) HostBatch *batch = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (parse(config, json, &batch, &err) < 0)
                fail_msg("%s: %s", err.path, err.message);
        assert_int_equal(batch->n_steps, 1);
}

#define UNIT(more)                                                                                 \
        "{\"op\":\"unit.write\",\"instance\":\"a-0\",\"class\":\"kafka\",\"properties\":{"         \
        "\"software\":\"kafka\",\"version\":\"3.9.1\",\"main_class\":\"kafka.Kafka\","             \
        "\"fingerprint\":\"f0\","                                                                  \
        "\"volumes\":[{\"name\":\"data\",\"claim\":\"data-a-0\",\"storage_class\":\"directory\"}"  \
        "]" more "}}"
#define DATA "/var/lib/millrace-data/data-a-0/data"

static void every_operation_is_understood(void **state) {
        static const char json[] =
                "{\"version\":1,\"steps\":["
                "{\"op\":\"claim.create\",\"claim\":\"data-a-0\",\"class\":\"kafka\",\"storage_"
                "class\":\"fast\",\"ephemeral\":true,"
                " \"size\":1073741824,\"identity\":{\"cluster\":\"default/"
                "a\",\"cluster_id\":\"abc-DEF_123\",\"role\":\"kafka\","
                " \"node_id\":0,\"quorum\":\"zookeeper\"}},"
                "{\"op\":\"claim.remove\",\"claim\":\"ns_data-a-0\",\"cluster_id\":\"abc\"},"
                "{\"op\":\"file.write\",\"instance\":\"ns_a-0\",\"class\":\"kafka\",\"name\":"
                "\"server.properties\",\"content\":\"a=b\\n\"},"
                "{\"op\":\"file.remove\",\"instance\":\"a-0\",\"name\":\"server.properties\"}"
                "," UNIT(",\"arguments\":[\"/etc/x\"]") ",{\"op\":\"unit.remove\",\"instance\":\"a-"
                                                        "0\",\"class\":\"zookeeper\"},"
                                                        "{\"op\":\"start\",\"instance\":\"a-0\","
                                                        "\"class\":\"kafka\"},"
                                                        "{\"op\":\"stop\",\"instance\":\"a-0\","
                                                        "\"class\":\"kafka\"},"
                                                        "{\"op\":\"restart\",\"instance\":\"a-0\","
                                                        "\"class\":\"kafka\"},"
                                                        "{\"op\":\"distribution.ensure\","
                                                        "\"software\":\"kafka\",\"version\":\"3.9."
                                                        "1\"}]}";
        _cleanup_(host_batch_freep) HostBatch *batch = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (parse(*state, json, &batch, &err) < 0)
                fail_msg("%s: %s", err.path, err.message);
        assert_int_equal(batch->n_steps, _HOST_OP_MAX);
        for (int i = 0; i < _HOST_OP_MAX; i++)
                assert_int_equal(batch->steps[i].op, i);
        const HostStep *claim = &batch->steps[HOST_CLAIM_CREATE];
        assert_string_equal(claim->base, "/srv/fast");
        assert_string_equal(claim->class->user, "kafka");
        assert_int_equal(claim->is_ephemeral, 1);
        assert_int_equal(claim->size, 1073741824);
        assert_string_equal(claim->identity->quorum, "zookeeper");
        const HostProperties *p = batch->steps[HOST_UNIT_WRITE].properties;
        assert_string_equal(((const HostVolume *) p->volumes.items)[0].data, DATA);
        assert_string_equal(p->distribution->directory, "/opt/kafka-3.9.1");
        assert_string_equal(mr_tree_get_string(p->tree, "fingerprint"), "f0");
        assert_string_equal(batch->steps[HOST_DISTRIBUTION_ENSURE].distribution->version, "3.9.1");
}

static void the_protocol_of_a_millraced_one_version_older_is_taken(void **state) {
        static const char newer[] = "{\"version\":3,\"steps\":[],\"what\":\"is this\"}";
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        for (int version = HOST_PROTOCOL_OLDEST; version <= HOST_PROTOCOL; version++) {
                _cleanup_free_ char *json = mr_strf("{\"version\":%d,\"steps\":[]}", version);
                HostBatch *batch = NULL;
                assert_int_equal(host_batch_parse(json, strlen(json), *state, &batch, NULL), 0);
                host_batch_free(batch);
        }
        HostBatch *batch = NULL;
        assert_true(host_batch_parse(newer, strlen(newer), *state, &batch, &err) < 0);
        assert_string_equal(err.path, "version");
        assert_non_null(strstr(err.message, "speaks versions 1 to 2 of its protocol, and not 3"));
}

static void documents_that_are_no_batch_are_refused(void **state) {
        static const char *const documents[] = {
                "",
                "null",
                "[]",
                "{}",
                "{\"version\":1}",
                "{\"version\":1,\"steps\":{}}",
                "{\"version\":3,\"steps\":[]}",
                "{\"version\":0,\"steps\":[]}",
                "{\"version\":1,\"steps\":[],\"more\":1}",
                "{\"version\":1,\"steps\":[3]}",
                "{\"version\":1,\"steps\":[null]}",
                "{\"version\":1,\"steps\":[{}]}",
                "{\"version\":1,\"steps\":[{\"op\":\"exec\"}]}",
                "{\"version\":1,\"steps\":[{\"op\":7}]}",
                "{\"version\":1,\"version\":1,\"steps\":[]}",
                "{\"version\":1,\"steps\":[]}x",
                "{\"version\":1,\"steps\":[\"\\u0000\"]}",
                "\xff\xfe",
        };

        for (size_t i = 0; i < MR_ELEMENTS(documents); i++) {
                _cleanup_(host_batch_freep) HostBatch *batch = NULL;
                _cleanup_error_ MrError err = MR_ERROR_INIT;

                if (parse(*state, documents[i], &batch, &err) >= 0)
                        fail_msg("accepted: %s", documents[i]);
                assert_non_null(err.message);
        }
}

static void names_do_not_escape(void **state) {
        static const char *const names[] = {
                "",    "..",         ".",       "../a",  "a/b",        "/etc", "a\\\\b",
                "a b", "a%i",        "a@b",     "A",     "-a",         "a-",   "a_",
                "_a",  "a_b_c",      "a\\nb",   "a\\tb", "a\\u0007",   "a;b",  "a$b",
                "*",   "caf\\u00e9", ".hidden", "a..",   "lost+found",
        };

        for (size_t i = 0; i < MR_ELEMENTS(names); i++) {
                _cleanup_free_ char *start = mr_strf(
                        "{\"op\":\"start\",\"class\":\"kafka\",\"instance\":\"%s\"}", names[i]);
                _cleanup_free_ char *claim =
                        mr_strf("{\"op\":\"claim.remove\",\"cluster_id\":\"x\",\"claim\":\"%s\"}",
                                names[i]);

                refused(*state, start, "instance", "no name");
                refused(*state, claim, "claim", "no name");
        }
        accepted(*state,
                 "{\"op\":\"start\",\"class\":\"kafka\",\"instance\":\"ns-1_my.cluster-kafka-0\"}");
}

static void file_names_do_not_escape(void **state) {
        static const char *const names[] = {
                "",      "..",  "a/b", "/etc/passwd", ".bashrc",   "launch", "manifest.json",
                "a\\nb", "a b", "a%n", "caf\\u00e9",  "../launch", "a\\\\x"};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++) {
                _cleanup_free_ char *step =
                        mr_strf("{\"op\":\"file.write\",\"class\":\"kafka\",\"instance\":\"a-0\","
                                "\"content\":\"\",\"name\":\"%s\"}",
                                names[i]);

                refused(*state, step, "name", "no name of a file");
        }
        accepted(*state, "{\"op\":\"file.write\",\"class\":\"kafka\",\"instance\":\"a-0\","
                         "\"content\":\"\",\"name\":\"A-b_1.PEM\"}");
}

static void long_names_are_refused(void **state) {
        char name[HOST_OBJECT_NAME_MAX + 2];

        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        assert_false(host_name_is_valid(name));
        assert_false(host_file_name_is_valid(name));
        name[HOST_OBJECT_NAME_MAX] = '\0';
        assert_true(host_name_is_valid(name));
        assert_true(host_file_name_is_valid(name));
        assert_false(host_name_is_valid(NULL));
        (void) state;
}

static void only_what_the_host_configures_can_be_named(void **state) {
        refused(*state, "{\"op\":\"start\",\"instance\":\"a-0\",\"class\":\"sshd\"}", "class",
                "no such class");
        refused(*state, "{\"op\":\"start\",\"instance\":\"a-0\",\"class\":\"../kafka\"}", "class",
                "no such class");
        refused(*state, "{\"op\":\"distribution.ensure\",\"software\":\"kafka\",\"version\":\"9\"}",
                "version", "no such distribution");
        refused(*state,
                "{\"op\":\"claim.remove\",\"claim\":\"a\",\"cluster_id\":\"x\",\"storage_class\":"
                "\"/etc\"}",
                "storage_class", "no such storage class");
}

static void foreign_members_are_refused(void **state) {
        refused(*state,
                "{\"op\":\"start\",\"instance\":\"a-0\",\"class\":\"kafka\",\"user\":\"root\"}",
                "user", "no such member");
        refused(*state,
                "{\"op\":\"start\",\"instance\":\"a-0\",\"class\":\"kafka\",\"content\":\"x\"}",
                "content", "no such member");
        refused(*state, UNIT(",\"exec_start\":\"/bin/sh\""), "properties.exec_start",
                "no such member");
        refused(*state, UNIT(",\"environment\":{\"LD_PRELOAD\":\"x\"}"), "properties.environment",
                "no such member");
        refused(*state, UNIT(",\"memory_limit\":\"infinity\\nUser=root\""),
                "properties.memory_limit", "");
        refused(*state, UNIT(",\"memory_limit\":-1"), "properties.memory_limit", "");
        refused(*state, UNIT(",\"stop_timeout_sec\":1e30"), "properties.stop_timeout_sec", "");
}

static void texts_stay_on_their_line(void **state) {
        refused(*state, UNIT(",\"arguments\":[\"x\",\"a\\nclass Evil\"]"),
                "properties.arguments[1]", "line break");
        refused(*state, UNIT(",\"arguments\":[\"a\\rb\"]"), "properties.arguments[0]",
                "line break");
        refused(*state, UNIT(",\"jvm_options\":[\"-Da=b\\njava /bin/sh\"]"),
                "properties.jvm_options[0]", "line break");
        refused(*state, UNIT(",\"prepare_arguments\":[\"\\u001b[2J\"]"),
                "properties.prepare_arguments[0]", "control character");
        refused(*state, UNIT(",\"contents\":{\"" DATA "/myid\":\"1\\njava /bin/sh\"}"),
                "properties.contents[0]", "one line");
        refused(*state, UNIT(",\"contents\":{\"" DATA "/my id\":\"1\"}"), "properties.contents[0]",
                "not beneath");
        refused(*state, UNIT(",\"main_class2\":\"x\""), "properties.main_class2", "no such member");
        refused(*state, UNIT(",\"prepare_class\":\"a b\""), "properties.prepare_class", "");
        refused(*state, UNIT(",\"prepare_class\":\"-jar\""), "properties.prepare_class", "");
        accepted(*state, UNIT(",\"arguments\":[\"100%i $HOME `x` \\\"quoted\\\" \\u00e9\"]"));
}

static void fingerprint_is_plain(void **state) {
        refused(*state,
                "{\"op\":\"unit.write\",\"instance\":\"a-0\",\"class\":\"kafka\",\"properties\":{"
                "\"software\":\"kafka\","
                "\"version\":\"3.9.1\",\"main_class\":\"a\",\"fingerprint\":\"f\\njava /bin/sh\"}}",
                "properties.fingerprint", "");
}

static void java_gets_no_options_that_run_things(void **state) {
        static const char *const options[] = {
                "-XX:OnError=/bin/sh",
                "-XX:OnOutOfMemoryError=x",
                "-XX:Flags=/tmp/x",
                "-XX:VMOptionsFile=/tmp/x",
                "-agentpath:/tmp/x.so",
                "-agentlib:jdwp",
                "-Xrunjdwp",
                "-Xbootclasspath/a:/tmp/x.jar",
                "-cp",
                "-jar",
                "@/tmp/options",
                "/bin/sh",
                "",
                "--module-path=/tmp",
                "-javaagent:/tmp/x.jar",
                "-javaagent:/opt/kafka-3.9.1/../../tmp/x.jar",
                "-javaagent:/opt/more/../tmp/x.jar",
                "-javaagent:/opt/more2/x.jar",
                "-javaagent:/opt/kafka-3.9.10/x.jar",
                "-javaagent:/opt/kafka-3.9.1",
                "-javaagent:",
        };

        for (size_t i = 0; i < MR_ELEMENTS(options); i++) {
                _cleanup_free_ char *more =
                        mr_strf(UNIT(",\"jvm_options\":[\"-Xmx1g\",\"%s\"]"), options[i]);

                refused(*state, more, "properties.jvm_options[1]", "");
        }
        accepted(*state, UNIT(",\"jvm_options\":[\"-Xms1g\",\"-Da=b c\",\"-ea\",\"-XX:+UseG1GC\","
                              "\"-javaagent:/opt/kafka-3.9.1/libs/agent.jar=9404:/etc/x\","
                              "\"-javaagent:/opt/more/agent.jar=9404:/etc/x\"]"));
}

static void paths_stay_beneath_the_volumes_of_the_node(void **state) {
        static const char *const paths[] = {
                "",
                "/",
                "relative",
                "/etc/passwd",
                DATA "/../../x",
                DATA "/a/../../../x",
                DATA "/./a",
                DATA "//a",
                DATA "2/a",
                DATA "/a/",
                "/var/lib/millrace-data/data-a-1/data/a",
                "/var/lib/millrace-data/data-a-0/identity.json",
                "/srv/fast/data-a-0/data/a",
                DATA "/a b",
                DATA "/%h",
        };

        for (size_t i = 0; i < MR_ELEMENTS(paths); i++) {
                _cleanup_free_ char *directory =
                        mr_strf(UNIT(",\"directories\":[\"%s\"]"), paths[i]);
                _cleanup_free_ char *prepared =
                        mr_strf(UNIT(",\"prepared_path\":\"%s\""), paths[i]);
                _cleanup_free_ char *content =
                        mr_strf(UNIT(",\"contents\":{\"%s\":\"1\"}"), paths[i]);

                refused(*state, directory, "properties.directories[0]", "not beneath");
                refused(*state, prepared, "properties.prepared_path", "not beneath");
                refused(*state, content, "properties.contents[0]", "not beneath");
        }
        refused(*state, UNIT(",\"prepared_path\":\"" DATA "\""), "properties.prepared_path",
                "not beneath");
        accepted(*state, UNIT(",\"directories\":[\"" DATA "\",\"" DATA
                              "/kafka-log0\"],\"contents\":{\"" DATA "/myid\":\"1\"},"
                              "\"prepared_path\":\"" DATA
                              "/kafka-log0/meta.properties\",\"expect_prepared\":true"));
}

static void volumes_are_checked(void **state) {
#define WITH_VOLUME(v)                                                                             \
        "{\"op\":\"unit.write\",\"instance\":\"a-0\",\"class\":\"kafka\",\"properties\":{"         \
        "\"software\":\"kafka\","                                                                  \
        "\"version\":\"3.9.1\",\"main_class\":\"a\",\"fingerprint\":\"f\",\"volumes\":[{" v "}]}}"
        refused(*state,
                WITH_VOLUME("\"name\":\"data\",\"claim\":\"../x\",\"storage_class\":\"directory\""),
                "properties.volumes[0].claim", "no name");
        refused(*state, WITH_VOLUME("\"name\":\"data\",\"claim\":\"x\",\"storage_class\":\"etc\""),
                "properties.volumes[0].storage_class", "no such storage class");
        refused(*state, WITH_VOLUME("\"name\":\"..\",\"claim\":\"x\",\"storage_class\":\"fast\""),
                "properties.volumes[0].name", "");
        refused(*state,
                WITH_VOLUME("\"name\":\"a\",\"claim\":\"x\",\"storage_class\":\"fast\",\"path\":\"/"
                            "etc\""),
                "properties.volumes[0].path", "no such member");
}

static void ports_are_ports(void **state) {
        refused(*state, UNIT(",\"ready_ports\":[9092,0]"), "properties.ready_ports[1]", "between");
        refused(*state, UNIT(",\"ready_ports\":[65536]"), "properties.ready_ports[0]", "between");
        accepted(*state, UNIT(",\"ready_ports\":[1,65535]"));
        refused(*state, UNIT(",\"networks\":[\"10.0.0.0/8\",\"any\"]"), "properties.networks[1]",
                "no network");
        refused(*state, UNIT(",\"networks\":[\"10.0.0.0/33\"]"), "properties.networks[0]",
                "ADDRESS");
        refused(*state, UNIT(",\"networks\":[\"10.0.0.1\\nExecStart=/x\"]"),
                "properties.networks[0]", "no network");
        refused(*state, UNIT(",\"networks\":[\"10.0.0.0/8 any\"]"), "properties.networks[0]", "");
        refused(*state, UNIT(",\"networks\":[\"::/-1\"]"), "properties.networks[0]", "");
        accepted(*state, UNIT(",\"networks\":[\"10.0.0.0/8\",\"2001:db8::/128\",\"10.1.2.3\"]"));
}

static void identities_are_plain(void **state) {
#define CREATE(i)                                                                                  \
        "{\"op\":\"claim.create\",\"claim\":\"c\",\"class\":\"kafka\",\"storage_class\":"          \
        "\"directory\",\"identity\":{" i "}}"
        refused(*state,
                CREATE("\"cluster\":\"default/"
                       "a\",\"cluster_id\":\"x\\ny\",\"role\":\"kafka\",\"node_id\":0"),
                "identity.cluster_id", "");
        refused(*state,
                CREATE("\"cluster\":\"default/"
                       "a\",\"cluster_id\":\"x\",\"role\":\"kafka\",\"node_id\":-1"),
                "identity.node_id", "");
        refused(*state, CREATE("\"cluster\":\"default/a\",\"cluster_id\":\"x\",\"role\":\"kafka\""),
                "identity.node_id", "");
        refused(*state,
                "{\"op\":\"claim.create\",\"claim\":\"c\",\"class\":\"kafka\",\"storage_class\":"
                "\"directory\"}",
                "identity", "");
        accepted(*state, CREATE("\"cluster\":\"default/"
                                "a\",\"cluster_id\":\"x\",\"role\":\"kafka\",\"node_id\":0,"
                                "\"directory_id\":\"y\""));
}

static void identities_differ_in_every_member(void **state) {
        HostIdentity a = {.cluster = "d/a",
                          .cluster_id = "x",
                          .role = "kafka",
                          .quorum = NULL,
                          .directory_id = NULL,
                          .node_id = 1};
        HostIdentity b = a;

        (void) state;
        assert_true(host_identity_equal(&a, &b));
        b.node_id = 2;
        assert_false(host_identity_equal(&a, &b));
        b = a, b.quorum = "zookeeper";
        assert_false(host_identity_equal(&a, &b));
        b = a, b.directory_id = "q";
        assert_false(host_identity_equal(&a, &b));
        b = a, b.cluster_id = "y";
        assert_false(host_identity_equal(&a, &b));
        b = a, b.role = "zookeeper";
        assert_false(host_identity_equal(&a, &b));
        b = a, b.cluster = "d/b";
        assert_false(host_identity_equal(&a, &b));
}

static void huge_input_is_refused(void **state) {
        _cleanup_buf_ MrBuf text = {};
        _cleanup_(host_batch_freep) HostBatch *batch = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        mr_buf_puts(&text, "{\"op\":\"file.write\",\"class\":\"kafka\",\"instance\":\"a-0\","
                           "\"name\":\"a\",\"content\":\"");
        for (size_t i = 0; i < HOST_FILE_MAX + 1; i++)
                mr_buf_putc(&text, 'x');
        mr_buf_puts(&text, "\"}");
        refused(*state, mr_buf_text(&text), "content", "larger than 1 MiB");

        mr_buf_clear(&text);
        mr_buf_puts(&text, "{\"version\":1,\"steps\":[");
        for (size_t i = 0; i <= HOST_STEPS_MAX; i++)
                mr_buf_printf(&text, "%s{\"op\":\"start\",\"class\":\"kafka\",\"instance\":\"a\"}",
                              i ? "," : "");
        mr_buf_puts(&text, "]}");
        assert_true(parse(*state, mr_buf_text(&text), &batch, &err) < 0);
        assert_non_null(strstr(err.message, "more than"));

        mr_error_done(&err);
        mr_buf_clear(&text);
        for (size_t i = 0; i <= HOST_BATCH_MAX; i++)
                mr_buf_putc(&text, ' ');
        assert_true(parse(*state, mr_buf_text(&text), &batch, &err) < 0);
        assert_non_null(strstr(err.message, "larger than 4 MiB"));

        mr_buf_clear(&text);
        mr_buf_puts(&text, "\"");
        for (size_t i = 0; i < 70000; i++)
                mr_buf_putc(&text, 'x');
        mr_buf_puts(&text, "\"");
        _cleanup_free_ char *step = mr_strf(UNIT(",\"arguments\":[%s]"), mr_buf_text(&text));
        refused(*state, step, "properties.arguments[0]", "64 KiB");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_operation_is_understood),
                cmocka_unit_test(the_protocol_of_a_millraced_one_version_older_is_taken),
                cmocka_unit_test(documents_that_are_no_batch_are_refused),
                cmocka_unit_test(names_do_not_escape),
                cmocka_unit_test(file_names_do_not_escape),
                cmocka_unit_test(long_names_are_refused),
                cmocka_unit_test(only_what_the_host_configures_can_be_named),
                cmocka_unit_test(foreign_members_are_refused),
                cmocka_unit_test(texts_stay_on_their_line),
                cmocka_unit_test(fingerprint_is_plain),
                cmocka_unit_test(java_gets_no_options_that_run_things),
                cmocka_unit_test(paths_stay_beneath_the_volumes_of_the_node),
                cmocka_unit_test(volumes_are_checked),
                cmocka_unit_test(ports_are_ports),
                cmocka_unit_test(identities_are_plain),
                cmocka_unit_test(identities_differ_in_every_member),
                cmocka_unit_test(huge_input_is_refused),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
