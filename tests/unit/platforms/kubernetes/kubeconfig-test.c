/* What a kubeconfig says, and what is refused because it would make us somebody else. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kubernetes/kubeconfig.c"

#define CLUSTER                                                                                    \
        "clusters: [{name: c, cluster: {server: \"https://k:6443/\", certificate-authority: "      \
        "ca.crt}}]\n"
#define CONTEXTS                                                                                   \
        "contexts: [{name: one, context: {cluster: c, user: u, namespace: team}}, "                \
        "{name: two, context: {cluster: c, user: v}}]\ncurrent-context: one\n"
#define USERS                                                                                      \
        "users: [{name: u, user: {client-certificate-data: Q0VSVA==, client-key: /k/u.key}}, "     \
        "{name: v, user: {token: secret}}]\n"

static int read_text(const char *text, const char *context, KubeConfig *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        assert_int_equal(mr_yaml_read(text, strlen(text), "test", &list, NULL, NULL), 0);
        return kubeconfig_decode(mr_tree_at(list, 0), "/dir", context, ret, err);
}

static void the_current_context_counts(void **state _unused_) {
        _cleanup_(kubeconfig_done) KubeConfig config = {};

        assert_int_equal(read_text(CLUSTER CONTEXTS USERS, NULL, &config, NULL), 0);
        assert_string_equal(config.server, "https://k:6443");
        assert_string_equal(config.authority, "/dir/ca.crt");
        assert_string_equal(config.certificate_data, "CERT");
        assert_string_equal(config.key, "/k/u.key");
        assert_string_equal(config.ns, "team");
        assert_null(config.token);
        assert_null(config.certificate);
}

static void another_context_can_be_named(void **state _unused_) {
        _cleanup_(kubeconfig_done) KubeConfig config = {};

        assert_int_equal(read_text(CLUSTER CONTEXTS USERS, "two", &config, NULL), 0);
        assert_string_equal(config.token, "secret");
        assert_null(config.key);
}

static void assert_refused(const char *text, const char *context, const char *path) {
        _cleanup_(kubeconfig_done) KubeConfig config = {};
        _cleanup_error_ MrError err = {};

        if (read_text(text, context, &config, &err) >= 0)
                fail_msg("it is taken: %s", text);
        assert_int_equal(err.kind, MR_INVALID);
        assert_string_equal(err.path, path);
        assert_null(config.server);
}

#define USER(text) CLUSTER CONTEXTS "users: [{name: u, user: {" text "}}]\n"
#define SERVER(text) "clusters: [{name: c, cluster: {" text "}}]\n" CONTEXTS USERS

static void what_cannot_be_done_is_refused(void **state _unused_) {
        assert_refused(CLUSTER CONTEXTS USERS, "three", "contexts");
        assert_refused("{}", NULL, "contexts");
        assert_refused(CONTEXTS USERS, NULL, "clusters");
        assert_refused(CLUSTER CONTEXTS, NULL, "users");
        assert_refused(USER("exec: {command: x}"), NULL, "users[u].user.exec");
        assert_refused(USER("username: x"), NULL, "users[u].user.username");
        assert_refused(USER("as: x"), NULL, "users[u].user.as");
        assert_refused(USER("client-certificate: x"), NULL, "users[u].user.client-certificate");
        assert_refused(USER("client-key-data: \"*\""), NULL, "users[u].user.client-key-data");
        assert_refused(SERVER("server: \"http://k\""), NULL, "clusters[c].cluster.server");
        assert_refused(SERVER("server: 7"), NULL, "clusters[c].cluster.server");
        assert_refused(SERVER("server: \"https://k\", insecure-skip-tls-verify: true"), NULL,
                       "clusters[c].cluster.insecure-skip-tls-verify");
        assert_refused(SERVER("server: \"https://k\", proxy-url: \"http://p\""), NULL,
                       "clusters[c].cluster.proxy-url");
}

static void what_says_nothing_is_not_refused(void **state _unused_) {
        _cleanup_(kubeconfig_done) KubeConfig config = {};

        assert_int_equal(read_text(SERVER("server: \"https://k\", insecure-skip-tls-verify: false"),
                                   NULL, &config, NULL),
                         0);
        assert_null(config.authority);
}

static void a_pod_is_told_by_its_environment(void **state _unused_) {
        _cleanup_(kubeconfig_done) KubeConfig config = {}, other = {};
        _cleanup_error_ MrError err = {};

        assert_int_equal(kubeconfig_of_pod("10.0.0.1", "443", "/s", &config, NULL), 0);
        assert_string_equal(config.server, "https://10.0.0.1:443");
        assert_string_equal(config.authority, "/s/ca.crt");
        assert_string_equal(config.token_file, "/s/token");
        assert_int_equal(kubeconfig_of_pod("fd00::1", NULL, "/s", &other, NULL), 0);
        assert_string_equal(other.server, "https://[fd00::1]:443");
        assert_null(other.ns);
        assert_int_equal(kubeconfig_of_pod(NULL, NULL, "/s", &other, &err), -EINVAL);
        assert_string_equal(err.path, "platform_config.kubeconfig");
}

static void a_pod_is_where_its_account_is(void **state _unused_) {
        char directory[] = "/tmp/millrace-account-XXXXXX";
        _cleanup_(kubeconfig_done) KubeConfig config = {};

        assert_non_null(mkdtemp(directory));
        _cleanup_free_ char *path = mr_strf("%s/namespace", directory);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        (void) fputs("red\n", file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(kubeconfig_of_pod("10.0.0.1", "443", directory, &config, NULL), 0);
        assert_string_equal(config.ns, "red");
        (void) unlink(path);
        (void) rmdir(directory);
}

static void a_file_says_where_it_is_wrong(void **state _unused_) {
        char path[] = "/tmp/millrace-kubeconfig-XXXXXX";
        _cleanup_(kubeconfig_done) KubeConfig config = {};
        _cleanup_error_ MrError err = {};
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, "{}\n", 3), 3);
        assert_int_equal(close(fd), 0);
        assert_int_equal(kubeconfig_read(path, NULL, &config, &err), -EINVAL);
        assert_string_equal(err.source, path);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(kubeconfig_read(path, NULL, &config, NULL), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_current_context_counts),
                cmocka_unit_test(another_context_can_be_named),
                cmocka_unit_test(what_cannot_be_done_is_refused),
                cmocka_unit_test(what_says_nothing_is_not_refused),
                cmocka_unit_test(a_pod_is_told_by_its_environment),
                cmocka_unit_test(a_pod_is_where_its_account_is),
                cmocka_unit_test(a_file_says_where_it_is_wrong),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
