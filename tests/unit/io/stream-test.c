/* A stream against real sockets: plain and TLS, and everything that can go wrong with a peer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>

#include "io/stream.h"
#include "sdk/alloc.h"
#include "sdk/buf.h"
#include "tls-peer.h"

typedef struct Fixture {
        TestIdentity authority, stranger, server, client, foreigner;
} Fixture;

/* What one stream went through. */
typedef struct Trace {
        sd_event *event;
        Stream *stream;
        MrBuf received;
        unsigned n_connected, n_closed;
        size_t wanted; /* leave the loop after so many bytes */
        bool frees_itself;
        MrErrorKind kind;
        char *error;
} Trace;

static void on_connected(Stream *stream, void *userdata) {
        Trace *trace = userdata;

        (void) stream;
        trace->n_connected++;
}

static void on_received(Stream *stream, const void *data, size_t size, void *userdata) {
        Trace *trace = userdata;

        mr_buf_append(&trace->received, data, size);
        if (trace->frees_itself)
                trace->stream = stream_free(stream);
        if (trace->frees_itself || (trace->wanted && trace->received.size >= trace->wanted))
                sd_event_exit(trace->event, 0);
}

static void on_closed(Stream *stream, const MrError *err, void *userdata) {
        Trace *trace = userdata;

        (void) stream;
        trace->n_closed++;
        trace->kind = err ? err->kind : MR_OK;
        trace->error = err ? mr_error_text(err) : NULL;
        if (trace->frees_itself)
                trace->stream = stream_free(stream);
        sd_event_exit(trace->event, 0);
}

static const StreamOps ops = {
        .connected = on_connected, .received = on_received, .closed = on_closed};

static void trace_start(Trace *trace, StreamArgs args) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_true(sd_event_new(&trace->event) >= 0);
        args.ops = &ops;
        args.userdata = trace;
        assert_int_equal(stream_new(trace->event, &args, &trace->stream, &err), 0);
        assert_int_equal(trace->n_connected + trace->n_closed, 0);
}

static void trace_done(Trace *trace) {
        stream_free(trace->stream);
        sd_event_unref(trace->event);
        mr_buf_done(&trace->received);
        free(trace->error);
}

static int setup(void **state) {
        Fixture *fixture = mr_new(Fixture, 1);

        fixture->authority = test_identity_new("authority", NULL, NULL);
        fixture->stranger = test_identity_new("stranger", NULL, NULL);
        fixture->server = test_identity_new("server", "DNS:broker.test,DNS:localhost,IP:127.0.0.1",
                                            &fixture->authority);
        fixture->client = test_identity_new("client", NULL, &fixture->authority);
        fixture->foreigner = test_identity_new("client", NULL, &fixture->stranger);
        *state = fixture;
        return 0;
}

static int teardown(void **state) {
        Fixture *fixture = *state;

        test_identity_done(&fixture->authority);
        test_identity_done(&fixture->stranger);
        test_identity_done(&fixture->server);
        test_identity_done(&fixture->client);
        test_identity_done(&fixture->foreigner);
        free(fixture);
        return 0;
}

static TlsClient *make_tls(const TestIdentity *own, const char *trust) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        TlsClient *tls = NULL;
        TlsClientArgs args = {
                .certificate = own ? own->certificate : NULL,
                .key = own ? own->key : NULL,
                .trust = trust,
        };

        assert_int_equal(tls_client_new(&args, &tls, &err), 0);
        return tls;
}

static void plain_bytes_come_back(void **state) {
        TestPeer *peer = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_ECHO});
        Trace trace = {.wanted = 5};

        (void) state;
        trace_start(&trace, (StreamArgs){.host = "127.0.0.1", .port = test_peer_port(peer)});
        stream_write(trace.stream, "hello", 5);
        assert_int_equal(sd_event_loop(trace.event), 0);
        assert_string_equal(mr_buf_text(&trace.received), "hello");
        assert_int_equal(trace.n_connected, 1);
        assert_int_equal(trace.n_closed, 0);
        trace_done(&trace);
        test_peer_free(peer);
}

static void a_name_is_resolved(void **state) {
        TestPeer *peer = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_ANSWER, .answer = "imok"});
        Trace trace = {};

        (void) state;
        trace_start(&trace, (StreamArgs){.host = "localhost", .port = test_peer_port(peer)});
        stream_write(trace.stream, "ruok", 4);
        assert_int_equal(sd_event_loop(trace.event), 0);
        assert_string_equal(mr_buf_text(&trace.received), "imok");
        assert_int_equal(trace.n_closed, 1);
        assert_null(trace.error);
        trace_done(&trace);
        test_peer_free(peer);
}

static void a_bad_name_is_an_error(void **state) {
        Trace trace = {};

        (void) state;
        trace_start(&trace, (StreamArgs){.host = "no-such-host.invalid", .port = 1});
        assert_int_equal(sd_event_loop(trace.event), 0);
        assert_non_null(strstr(trace.error, "cannot resolve no-such-host.invalid"));
        assert_int_equal(trace.kind, MR_TRANSIENT);
        trace_done(&trace);
}

static void freed_while_it_resolves(void **state) {
        Trace trace = {};

        (void) state;
        trace_start(&trace, (StreamArgs){.host = "another-host.invalid", .port = 1});
        trace.stream = stream_free(trace.stream);
        trace_done(&trace);
        assert_int_equal(trace.n_closed, 0);
}

static void a_closed_port_is_transient(void **state) {
        TestPeer *peer = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_ECHO});
        uint16_t port = test_peer_port(peer);
        Trace trace = {.frees_itself = true};

        (void) state;
        test_peer_free(peer);
        trace_start(&trace, (StreamArgs){.host = "127.0.0.1", .port = port});
        assert_int_equal(sd_event_loop(trace.event), 0);
        assert_non_null(strstr(trace.error, "Connection refused"));
        assert_non_null(strstr(trace.error, "127.0.0.1:"));
        assert_int_equal(trace.kind, MR_TRANSIENT);
        trace_done(&trace);
}

static void large_data_crosses_tls_both_ways(void **state) {
        Fixture *fixture = *state;
        TestPeer *peer =
                test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_ECHO,
                                              .identity = &fixture->server,
                                              .client_trust = fixture->authority.certificate});
        TlsClient *tls = make_tls(&fixture->client, fixture->authority.certificate);
        Trace trace = {.wanted = 700000};
        char *data = mr_malloc(trace.wanted);

        for (size_t i = 0; i < trace.wanted; i++)
                data[i] = (char) (i * 31 % 251);
        trace_start(&trace,
                    (StreamArgs){.host = "127.0.0.1", .port = test_peer_port(peer), .tls = tls});
        for (size_t at = 0; at < trace.wanted; at += 70000)
                stream_write(trace.stream, data + at, 70000);
        assert_int_equal(sd_event_loop(trace.event), 0);
        assert_int_equal(trace.received.size, trace.wanted);
        assert_memory_equal(trace.received.data, data, trace.wanted);
        trace_done(&trace);
        tls_client_unref(tls);
        test_peer_free(peer);
        free(data);
}

static void expect_tls(const TestPeerArgs *peer_args, TlsClient *tls, const char *name,
                       const char *message) {
        TestPeer *peer = test_peer_new(peer_args);
        Trace trace = {.wanted = 3};

        trace_start(&trace, (StreamArgs){.host = "127.0.0.1",
                                         .port = test_peer_port(peer),
                                         .tls = tls,
                                         .server_name = name});
        stream_write(trace.stream, "abc", 3);
        assert_int_equal(sd_event_loop(trace.event), 0);
        if (message) {
                assert_non_null(trace.error);
                if (!strstr(trace.error, message))
                        fail_msg("%s", trace.error);
                assert_int_equal(trace.kind, MR_DENIED);
        } else
                assert_string_equal(mr_buf_text(&trace.received), "abc");
        trace_done(&trace);
        tls_client_unref(tls);
        test_peer_free(peer);
}

static void a_name_in_the_certificate_is_accepted(void **state) {
        Fixture *fixture = *state;
        TestPeerArgs args = {.mode = TEST_PEER_ECHO, .identity = &fixture->server};

        expect_tls(&args, make_tls(NULL, fixture->authority.certificate), "broker.test", NULL);
}

static void another_name_is_refused(void **state) {
        Fixture *fixture = *state;
        TestPeerArgs args = {.mode = TEST_PEER_ECHO, .identity = &fixture->server};

        expect_tls(&args, make_tls(NULL, fixture->authority.certificate), "other.test",
                   "ostname mismatch");
}

static void another_address_is_refused(void **state) {
        Fixture *fixture = *state;
        TestPeerArgs args = {.mode = TEST_PEER_ECHO, .identity = &fixture->server};

        expect_tls(&args, make_tls(NULL, fixture->authority.certificate), "127.0.0.2",
                   "IP address mismatch");
}

static void a_stranger_is_refused(void **state) {
        Fixture *fixture = *state;
        TestPeerArgs args = {.mode = TEST_PEER_ECHO, .identity = &fixture->server};

        expect_tls(&args, make_tls(NULL, fixture->stranger.certificate), NULL,
                   "certificate is refused");
}

static void any_of_several_authorities_will_do(void **state) {
        Fixture *fixture = *state;
        TestPeerArgs args = {.mode = TEST_PEER_ECHO, .identity = &fixture->server};
        _cleanup_free_ char *both =
                mr_strf("%s%s", fixture->stranger.certificate, fixture->authority.certificate);

        expect_tls(&args, make_tls(NULL, both), NULL, NULL);
}

static void a_peer_that_refuses_us_is_denied(void **state) {
        Fixture *fixture = *state;
        TestPeerArgs args = {.mode = TEST_PEER_ECHO,
                             .identity = &fixture->server,
                             .client_trust = fixture->authority.certificate};

        expect_tls(&args, make_tls(&fixture->foreigner, fixture->authority.certificate), NULL,
                   "TLS failed");
        expect_tls(&args, make_tls(NULL, fixture->authority.certificate), NULL, "TLS failed");
}

static void deadlines_end_a_silent_peer(void **state) {
        Fixture *fixture = *state;
        TestPeer *peer = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_SILENT});
        TlsClient *tls = make_tls(NULL, fixture->authority.certificate);

        for (unsigned i = 0; i < 2; i++) {
                Trace trace = {};
                trace_start(&trace, (StreamArgs){.host = "127.0.0.1",
                                                 .port = test_peer_port(peer),
                                                 .tls = i == 0 ? tls : NULL,
                                                 .connect_timeout_usec = 60000,
                                                 .timeout_usec = i == 0 ? 0 : 60000});
                assert_int_equal(sd_event_loop(trace.event), 0);
                assert_non_null(
                        strstr(trace.error, i == 0 ? "cannot connect" : "no answer in time"));
                assert_int_equal(trace.kind, MR_TRANSIENT);
                trace_done(&trace);
        }
        tls_client_unref(tls);
        test_peer_free(peer);
}

static void freed_inside_its_own_callback(void **state) {
        TestPeer *peer = test_peer_new(&(TestPeerArgs){.mode = TEST_PEER_ECHO});
        Trace trace = {.frees_itself = true};

        (void) state;
        trace_start(&trace, (StreamArgs){.host = "127.0.0.1", .port = test_peer_port(peer)});
        stream_write(trace.stream, "x", 1);
        assert_int_equal(sd_event_loop(trace.event), 0);
        assert_null(trace.stream);
        assert_int_equal(trace.n_closed, 0);
        trace_done(&trace);
        test_peer_free(peer);
}

static void expect_bad_pem(const TlsClientArgs *args, const char *path) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        TlsClient *tls = NULL;

        assert_int_equal(tls_client_new(args, &tls, &err), -EINVAL);
        assert_null(tls);
        assert_string_equal(err.path, path);
        assert_int_equal(err.kind, MR_INVALID);
}

static void bad_pem_is_named(void **state) {
        Fixture *fixture = *state;
        const TestIdentity *client = &fixture->client;
        const char *trust = fixture->authority.certificate;
        _cleanup_free_ char *damaged = mr_strdup(trust);

        memcpy(strstr(damaged, "\n") + 5, "!!!!", 4);
        expect_bad_pem(&(TlsClientArgs){}, "trust");
        expect_bad_pem(&(TlsClientArgs){.trust = ""}, "trust");
        expect_bad_pem(&(TlsClientArgs){.trust = damaged}, "trust");
        expect_bad_pem(&(TlsClientArgs){.trust = trust, .certificate = client->certificate}, "key");
        expect_bad_pem(&(TlsClientArgs){.trust = trust, .key = client->key}, "certificate");
        expect_bad_pem(
                &(TlsClientArgs){.trust = trust, .certificate = client->key, .key = client->key},
                "certificate");
        expect_bad_pem(&(TlsClientArgs){.trust = trust,
                                        .certificate = client->certificate,
                                        .key = fixture->foreigner.key},
                       "key");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plain_bytes_come_back),
                cmocka_unit_test(a_name_is_resolved),
                cmocka_unit_test(a_bad_name_is_an_error),
                cmocka_unit_test(freed_while_it_resolves),
                cmocka_unit_test(a_closed_port_is_transient),
                cmocka_unit_test(large_data_crosses_tls_both_ways),
                cmocka_unit_test(a_name_in_the_certificate_is_accepted),
                cmocka_unit_test(another_name_is_refused),
                cmocka_unit_test(another_address_is_refused),
                cmocka_unit_test(a_stranger_is_refused),
                cmocka_unit_test(any_of_several_authorities_will_do),
                cmocka_unit_test(a_peer_that_refuses_us_is_denied),
                cmocka_unit_test(deadlines_end_a_silent_peer),
                cmocka_unit_test(freed_inside_its_own_callback),
                cmocka_unit_test(bad_pem_is_named),
        };

        /* OpenSSL's own socket BIO, which the test server uses, raises it. */
        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, setup, teardown);
}
