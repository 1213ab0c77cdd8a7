/* What ZooKeeper's members say of themselves, over TLS, and what becomes of those who do not
 * answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "io/four-letter.h"
#include "sdk/str.h"
#include "tls-peer.h"

/* As ZooKeeper 3.8.4 says it. */
#define FOLLOWER                                                                                   \
        "Zookeeper version: 3.8.4-9316c2a7, built on 2024-02-12 22:16 UTC\nLatency min/avg/max: "  \
        "0/0.6195/31\n"                                                                            \
        "Received: 114\nSent: 113\nConnections: 2\nOutstanding: 3\nZxid: 0x100000058\nMode: "      \
        "follower\nNode count: 29\n"
#define LOOKING "This ZooKeeper instance is not currently serving requests\n"

static void expect_parsed(const char *text, const char *wanted) {
        _cleanup_(mr_tree_freep) MrTree *member = four_letter_parse(text);
        _cleanup_buf_ MrBuf found = {};

        mr_json_write(member, 0, &found);
        assert_string_equal(mr_buf_text(&found), wanted);
}

static void answers_are_understood(void **state) {
        (void) state;
        expect_parsed(
                FOLLOWER,
                "{\"outstanding\":3,\"state\":\"follower\",\"version\":\"3.8.4-9316c2a7, built on "
                "2024-02-12 22:16 UTC\",\"zxid\":\"0x100000058\"}");
        expect_parsed("Mode: leader", "{\"state\":\"leader\"}");
        expect_parsed(LOOKING, "{\"state\":\"looking\"}");
        expect_parsed("srvr is not executed because it is not in the whitelist.\n",
                      "{\"error\":\"the word srvr is not in 4lw.commands.whitelist; add it\"}");
        expect_parsed("", "{\"error\":\"the answer makes no sense\"}");
        expect_parsed("HTTP/1.1 400\r\n", "{\"error\":\"the answer makes no sense\"}");
        expect_parsed("Mode:\nZxid:", "{\"state\":\"\",\"zxid\":\"\"}");
}

typedef struct Seen {
        sd_event *event;
        MrTree *view;
} Seen;

static void on_seen(void *userdata, MrTree *take_view) {
        Seen *seen = userdata;

        seen->view = take_view;
        sd_event_exit(seen->event, 0);
}

static const char *text_of(const Seen *seen, const char *node, const char *key) {
        return mr_tree_get_string(mr_tree_get(mr_tree_get(seen->view, "members"), node), key);
}

static void each_member_is_asked(void **state) {
        TestIdentity authority = test_identity_new("authority", NULL, NULL);
        TestIdentity member = test_identity_new("zookeeper", "IP:127.0.0.1", &authority);
        TestIdentity client = test_identity_new("operator", NULL, &authority);
        TestPeerArgs args = {.mode = TEST_PEER_ANSWER,
                             .identity = &member,
                             .client_trust = authority.certificate,
                             .answer = FOLLOWER};
        TestPeer *follower = test_peer_new(&args);
        TestPeer *looking = test_peer_new(
                &(TestPeerArgs){.mode = TEST_PEER_ANSWER, .identity = &member, .answer = LOOKING});
        TestPeer *silent = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_SILENT});
        TestPeer *dead = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_ECHO});
        uint16_t dead_port = test_peer_port(dead);
        TlsClientArgs tls_args = {.certificate = client.certificate,
                                  .key = client.key,
                                  .trust = authority.certificate};
        _cleanup_(tls_client_unrefp) TlsClient *tls = NULL;
        FourLetterView *view = NULL;
        Seen seen = {};

        (void) state;
        test_peer_free(dead);
        assert_int_equal(tls_client_new(&tls_args, &tls, NULL), 0);
        assert_true(sd_event_new(&seen.event) >= 0);
        FourLetterMember members[] = {{"zk-0", "127.0.0.1", test_peer_port(follower)},
                                      {"zk-1", "127.0.0.1", test_peer_port(looking)},
                                      {"zk-2", "127.0.0.1", test_peer_port(silent)},
                                      {"zk-3", "127.0.0.1", dead_port}};
        assert_int_equal(four_letter_view_new(seen.event, members, 4, tls, 300000, on_seen, &seen,
                                              &view, NULL),
                         0);
        assert_int_equal(sd_event_loop(seen.event), 0);
        assert_string_equal(text_of(&seen, "zk-0", "state"), "follower");
        assert_string_equal(text_of(&seen, "zk-1", "state"), "looking");
        assert_non_null(strstr(text_of(&seen, "zk-2", "error"), "no answer in time"));
        assert_non_null(strstr(text_of(&seen, "zk-3", "error"), "refused"));
        assert_null(text_of(&seen, "zk-3", "state"));

        four_letter_view_free(view);
        mr_tree_free(seen.view);
        sd_event_unref(seen.event);
        test_peer_free(follower);
        test_peer_free(looking);
        test_peer_free(silent);
        test_identity_done(&authority);
        test_identity_done(&member);
        test_identity_done(&client);
}

static void freed_at_once_nothing_is_said(void **state) {
        FourLetterMember members[] = {{"zk-0", "127.0.0.1", 1}, {"zk-1", "localhost", 1}};
        FourLetterView *view = NULL;
        Seen seen = {};

        (void) state;
        assert_true(sd_event_new(&seen.event) >= 0);
        assert_int_equal(four_letter_view_new(seen.event, members, 2, NULL, 100000, on_seen, &seen,
                                              &view, NULL),
                         0);
        four_letter_view_free(view);
        assert_int_equal(four_letter_view_new(seen.event, members, 0, NULL, 100000, on_seen, &seen,
                                              &view, NULL),
                         -EINVAL);
        (void) sd_event_run(seen.event, 50000);
        assert_null(seen.view);
        sd_event_unref(seen.event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(answers_are_understood),
                cmocka_unit_test(each_member_is_asked),
                cmocka_unit_test(freed_at_once_nothing_is_said),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
