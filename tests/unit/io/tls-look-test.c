/* What endpoints show to somebody who proves nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "crypto/certificate.h"
#include "io/tls-look.h"
#include "sdk/str.h"
#include "tls-peer.h"

typedef struct Seen {
        sd_event *event;
        MrTree *view;
} Seen;

static void on_seen(void *userdata, MrTree *take_view) {
        Seen *seen = userdata;

        seen->view = take_view;
        sd_event_exit(seen->event, 0);
}

static const MrTree *shown(const Seen *seen, const char *endpoint) {
        return mr_tree_get(mr_tree_get(seen->view, "node-0"), endpoint);
}

static void expect_certificate(const Seen *seen, const char *endpoint, const char *pem) {
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        assert_int_equal(certificate_facts_read(pem, &facts, NULL), 0);
        assert_string_equal(mr_tree_get_string(shown(seen, endpoint), "certificate"), facts.digest);
        assert_int_equal(mr_tree_get_int(shown(seen, endpoint), "not_after", 0), facts.not_after);
}

static void expect_authority(const Seen *seen, const char *endpoint, size_t i, const char *pem) {
        _cleanup_certificate_facts_ CertificateFacts facts = {};
        const MrTree *list = mr_tree_get(shown(seen, endpoint), "authorities");

        assert_int_equal(certificate_facts_read(pem, &facts, NULL), 0);
        assert_string_equal(mr_tree_string(mr_tree_at(list, i)), facts.name_digest);
}

static void each_endpoint_is_looked_at(void **state) {
        TestIdentity authority = test_identity_new("authority", NULL, NULL);
        TestIdentity node = test_identity_new("node", "DNS:elsewhere", &authority);
        TestPeer *with_clients = test_peer_new(
                &(TestPeerArgs){.identity = &node, .client_trust = authority.certificate});
        TestPeer *without = test_peer_new(&(TestPeerArgs){.identity = &authority});
        TestPeer *silent = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_SILENT});
        TestPeer *dead = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_ECHO});
        TlsEndpoint endpoints[] = {
                {"node-0", "clients", "127.0.0.1", test_peer_port(with_clients)},
                {"node-0", "open", "127.0.0.1", test_peer_port(without)},
                {"node-0", "silent", "127.0.0.1", test_peer_port(silent)},
                {"node-0", "dead", "127.0.0.1", test_peer_port(dead)},
        };
        TlsLook *look = NULL;
        Seen seen = {};

        (void) state;
        test_peer_free(dead);
        assert_true(sd_event_new(&seen.event) >= 0);
        assert_int_equal(
                tls_look_new(seen.event, endpoints, 4, 300000, on_seen, &seen, &look, NULL), 0);
        assert_int_equal(sd_event_loop(seen.event), 0);

        expect_certificate(&seen, "clients", node.certificate);
        assert_int_equal(mr_tree_size(mr_tree_get(shown(&seen, "clients"), "authorities")), 1);
        expect_authority(&seen, "clients", 0, authority.certificate);
        expect_certificate(&seen, "open", authority.certificate);
        assert_null(mr_tree_get(shown(&seen, "open"), "authorities"));
        assert_non_null(strstr(mr_tree_get_string(shown(&seen, "silent"), "error"), "in time"));
        assert_non_null(strstr(mr_tree_get_string(shown(&seen, "dead"), "error"), "refused"));

        tls_look_free(look);
        mr_tree_free(seen.view);
        sd_event_unref(seen.event);
        test_peer_free(with_clients);
        test_peer_free(without);
        test_peer_free(silent);
        test_identity_done(&node);
        test_identity_done(&authority);
}

static void a_look_that_is_given_up_says_nothing(void **state) {
        TestPeer *silent = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_SILENT});
        TlsEndpoint endpoint = {"node-0", "silent", "127.0.0.1", test_peer_port(silent)};
        TlsLook *look = NULL;
        Seen seen = {};

        (void) state;
        assert_true(sd_event_new(&seen.event) >= 0);
        assert_int_equal(
                tls_look_new(seen.event, &endpoint, 1, 300000, on_seen, &seen, &look, NULL), 0);
        assert_true(sd_event_run(seen.event, 10000) >= 0);
        assert_null(tls_look_free(look));
        assert_true(sd_event_run(seen.event, 10000) >= 0);
        assert_null(seen.view);
        assert_true(tls_look_new(seen.event, NULL, 0, 300000, on_seen, &seen, &look, NULL) < 0);
        sd_event_unref(seen.event);
        test_peer_free(silent);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_endpoint_is_looked_at),
                cmocka_unit_test(a_look_that_is_given_up_says_nothing),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
