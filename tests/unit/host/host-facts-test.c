/* What a host says of itself, and of the state of its units. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/host-distribution.h"
#include "host/host-facts.h"
#include "host/host-observe.h"
#include "host/host-unit-state.h"
#include "sdk/str.h"

static int setup(void **state) {
        char template[] = "/tmp/millrace-facts-XXXXXX";

        if (!mkdtemp(template))
                return -1;
        *state = mr_strdup(template);
        return 0;
}

static int teardown(void **state) {
        _cleanup_free_ char *command = mr_strf("rm -rf '%s'", (char *) *state);

        free(*state);
        return system(command);
}

static void shell(const char *root, const char *script) {
        _cleanup_free_ char *command = mr_strf("cd '%s' && { %s; }", root, script);

        assert_int_equal(system(command), 0);
}

static void the_full_name_is_found_among_hosts(void **state) {
        static const struct {
                const char *hosts, *name;
        } cases[] = {
                {"", NULL},
                {"127.0.0.1 localhost\n", NULL},
                {"10.0.0.1 h1.example.com h1\n", "h1.example.com"},
                {"10.0.0.1\th1\th1.example.com\n", "h1.example.com"},
                {"10.0.0.1 h10.example.com\n10.0.0.2 H1.Example.com # mine", "H1.Example.com"},
                {"# h1.example.com\n10.0.0.1 h1", NULL},
                {"10.0.0.1 h1.\n", NULL},
                {"\n\n\n", NULL},
        };

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_free_ char *name = host_fqdn_find(cases[i].hosts, "h1");

                if (!mr_streq(name, cases[i].name))
                        fail_msg("case %zu: %s", i, name);
        }
}

static void name_servers_are_addresses(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_list();

        host_nameservers_find("# nameserver 10.0.0.9\nsearch example.com\n\nnameserver 10.0.0.1\n"
                              " nameserver\t2001:db8::1 \r\nnameserver\nnameserver fe80::1%eth0\n"
                              "nameservers 10.0.0.8\nnameserver 10.0.0.2",
                              list);
        assert_int_equal(mr_tree_size(list), 3);
        assert_string_equal(mr_tree_string(mr_tree_at(list, 0)), "10.0.0.1");
        assert_string_equal(mr_tree_string(mr_tree_at(list, 1)), "2001:db8::1");
        assert_string_equal(mr_tree_string(mr_tree_at(list, 2)), "10.0.0.2");
}

static void the_version_of_java_is_read_not_run(void **state) {
        const char *root = *state;
        _cleanup_free_ char *java = mr_strf("%s/jdk/bin/java", root);
        _cleanup_free_ char *link = mr_strf("%s/java", root);
        _cleanup_free_ char *message = NULL, *other = NULL;

        shell(root, "mkdir -p jdk/bin && touch jdk/bin/java && ln -s jdk/bin/java java");
        assert_null(host_java_version(java, &message));
        assert_non_null(strstr(message, "jdk/release does not tell"));
        shell(root,
              "printf 'IMPLEMENTOR=\"x\"\\nJAVA_VERSION=\"17.0.15\"\\nJAVA_VERSION_DATE=\"y\"\\n' "
              "> jdk/release");
        _cleanup_free_ char *version = host_java_version(link, &other);
        assert_string_equal(version, "17.0.15");
        assert_null(other);
        shell(root, "rm jdk/bin/java");
        assert_null(host_java_version(link, &other));
        assert_non_null(strstr(other, "install a java runtime"));
}

static const char *state_of(const char *root, const HostDistribution *d, bool is_fetching,
                            bool *ret_complete) {
        MrTree *seen = host_distribution_observe(root, d, is_fetching);
        const char *state = NULL;
        static const char *const names[] = {"ready", "absent", "fetching", "failed"};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++)
                if (mr_streq(mr_tree_get_string(seen, "state"), names[i]))
                        state = names[i];
        *ret_complete = host_distribution_is_complete(root, d);
        mr_tree_free(seen);
        return state;
}

static void a_distribution_in_place_is_ready_with_its_jars(void **state) {
        HostDistribution d = {.software = "kafka", .version = "1", .directory = "/opt/k"};
        bool complete;

        assert_string_equal(state_of(*state, &d, false, &complete), "absent");
        shell(*state, "mkdir -p opt/k/libs");
        assert_string_equal(state_of(*state, &d, false, &complete), "absent");
        shell(*state, "touch opt/k/libs/a.jar");
        assert_string_equal(state_of(*state, &d, true, &complete), "ready");
        assert_false(complete);
        shell(*state, "mkdir -p var/lib/millrace-dist/archives && touch "
                      "var/lib/millrace-dist/archives/kafka-1.jsa");
        assert_string_equal(state_of(*state, &d, false, &complete), "ready");
        assert_true(complete);
}

static void a_fetched_distribution_follows_its_fetcher(void **state) {
        HostDistribution d = {.software = "kafka", .version = "1", .archive = "/srv/k.tgz"};
        bool complete;

        assert_string_equal(state_of(*state, &d, false, &complete), "absent");
        assert_string_equal(state_of(*state, &d, true, &complete), "fetching");
        shell(*state, "mkdir -p var/lib/millrace-dist && cd var/lib/millrace-dist && echo "
                      "'{\"state\":\"fetching\"}' > kafka-1.state.json");
        assert_string_equal(state_of(*state, &d, true, &complete), "fetching");
        assert_string_equal(state_of(*state, &d, false, &complete), "absent");
        shell(*state, "cd var/lib/millrace-dist && echo '{\"state\":\"failed\",\"message\":\"x\"}' "
                      "> kafka-1.state.json");
        assert_string_equal(state_of(*state, &d, false, &complete), "failed");
        shell(*state,
              "cd var/lib/millrace-dist && echo '{\"state\":\"ready\"}' > kafka-1.state.json");
        assert_string_equal(state_of(*state, &d, false, &complete), "absent");
        shell(*state,
              "cd var/lib/millrace-dist && mkdir -p kafka-1/libs && touch kafka-1/libs/a.jar");
        assert_string_equal(state_of(*state, &d, false, &complete), "ready");
        assert_false(complete);
        shell(*state, "cd var/lib/millrace-dist && rm kafka-1.state.json && ln -s /etc/passwd "
                      "kafka-1.state.json");
        assert_string_equal(state_of(*state, &d, false, &complete), "ready");
}

static void the_host_is_described(void **state) {
        static const char text[] = "address: h1.example.com\ndistributions:\n- {software: kafka, "
                                   "version: '1', directory: /opt/k}\n";
        _cleanup_(host_config_freep) HostConfig *config = NULL;

        assert_int_equal(host_config_parse(text, strlen(text), NULL, &config, NULL), 0);
        shell(*state, "mkdir -p var/lib/millrace-data");
        _cleanup_(mr_tree_freep) MrTree *facts = host_facts(*state, config, NULL, NULL);
        assert_string_equal(mr_tree_get_string(facts, "address"), "h1.example.com");
        assert_non_null(mr_tree_get_string(facts, "hostname"));
        assert_non_null(mr_tree_get_string(facts, "fqdn"));
        assert_true(mr_tree_get_int(facts, "memory", 0) > 1000000);
        assert_true(mr_tree_get_int(facts, "cpus", 0) > 0);
        assert_int_equal(mr_tree_size(mr_tree_get(facts, "distributions")), 1);
        assert_string_equal(mr_tree_get_string(mr_tree_get(facts, "storage_classes"), "directory"),
                            "/var/lib/millrace-data");
        assert_true(mr_tree_get_int(mr_tree_find(facts, "storage.directory", false), "size", 0) >
                    0);
}

static void words_of_systemd_become_states(void **state) {
        static const struct {
                const char *load, *active;
                bool masked, manifest;
                const char *name;
        } cases[] = {
                {NULL, NULL, false, false, "absent"},
                {NULL, NULL, false, true, "stopped"},
                {NULL, NULL, true, true, "held"},
                {"loaded", "active", false, true, "running"},
                {"loaded", "active", true, true, "running"},
                {"loaded", "reloading", false, true, "running"},
                {"loaded", "activating", false, true, "starting"},
                {"loaded", "deactivating", false, true, "stopping"},
                {"loaded", "failed", false, true, "failed"},
                {"masked", "failed", false, true, "held"},
                {"loaded", "failed", true, true, "held"},
                {"loaded", "inactive", false, true, "stopped"},
                {"masked", "inactive", false, true, "held"},
        };

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                HostUnitState unit = {.load = mr_strdup(cases[i].load),
                                      .active = mr_strdup(cases[i].active)};

                if (!mr_streq(host_unit_state_name(&unit, cases[i].masked, cases[i].manifest),
                              cases[i].name))
                        fail_msg("case %zu is not %s", i, cases[i].name);
                host_unit_state_done(&unit);
        }
}

static void a_failure_says_where_to_look(void **state) {
        static const struct {
                const char *active, *sub, *result, *status;
                int32_t code, exit;
                const char *message;
        } cases[] = {
                {"active", "running", "success", "all ports are bound", 0, 0,
                 "all ports are bound"},
                {"active", "running", "success", NULL, 0, 0, ""},
                {"failed", "failed", "exit-code", NULL, CLD_EXITED, 6,
                 "it failed (exit-code, status 6); see: journalctl -u u"},
                {"activating", "auto-restart", "signal", "waits", CLD_KILLED, 9,
                 "it starts again (signal, signal 9), last words: waits; see: journalctl -u u"},
                {"failed", "failed", "timeout", NULL, 0, 0,
                 "it failed (timeout); see: journalctl -u u"},
                {"activating", "start", "exit-code", "waits", CLD_EXITED, 1, "waits"},
        };

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                HostUnitState unit = {.active = mr_strdup(cases[i].active),
                                      .sub = mr_strdup(cases[i].sub),
                                      .result = mr_strdup(cases[i].result),
                                      .status = mr_strdup(cases[i].status),
                                      .exit_code = cases[i].code,
                                      .exit_status = cases[i].exit};
                _cleanup_free_ char *message = host_unit_state_message(&unit, "u");

                assert_string_equal(message, cases[i].message);
                host_unit_state_done(&unit);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_full_name_is_found_among_hosts),
                cmocka_unit_test(name_servers_are_addresses),
                cmocka_unit_test_setup_teardown(the_version_of_java_is_read_not_run, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_distribution_in_place_is_ready_with_its_jars,
                                                setup, teardown),
                cmocka_unit_test_setup_teardown(a_fetched_distribution_follows_its_fetcher, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(the_host_is_described, setup, teardown),
                cmocka_unit_test(words_of_systemd_become_states),
                cmocka_unit_test(a_failure_says_where_to_look),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
