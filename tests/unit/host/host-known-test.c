/* What systemd said of a unit holds until it says that the unit changed. systemd is the other end
 * of a socket pair. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/socket.h>

#include "host/host-known.h"
#include "host/host-units.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define UNIT "kafka@a-0.service"

typedef struct Fixture {
        sd_bus *ours, *systemd;
        HostKnown *known;
} Fixture;

static sd_bus *end_new(int fd, bool is_server) {
        sd_bus *bus = NULL;
        sd_id128_t id =
                SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);

        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, fd, fd) >= 0);
        if (is_server) {
                assert_true(sd_bus_set_server(bus, true, id) >= 0);
                assert_true(sd_bus_set_anonymous(bus, true) >= 0);
                assert_true(sd_bus_set_sender(bus, SYSTEMD_NAME) >= 0);
        }
        assert_true(sd_bus_start(bus) >= 0);
        return bus;
}

static void settle(Fixture *f) {
        for (size_t quiet = 0; quiet < 8;) {
                int r = sd_bus_process(f->systemd, NULL), q = sd_bus_process(f->ours, NULL);
                assert_true(r >= 0 && q >= 0);
                quiet = r == 0 && q == 0 ? quiet + 1 : 0;
        }
}

static int setup(void **state) {
        Fixture *f = mr_new(Fixture, 1);
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
                         0);
        f->systemd = end_new(fds[0], true);
        f->ours = end_new(fds[1], false);
        f->known = host_known_new(f->ours);
        settle(f);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        host_known_free(f->known);
        sd_bus_close_unref(f->ours);
        sd_bus_close_unref(f->systemd);
        free(f);
        return 0;
}

static void say_changed(Fixture *f, const char *unit) {
        _cleanup_free_ char *path = NULL;

        assert_true(sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path) >= 0);
        assert_true(sd_bus_emit_signal(f->systemd, path, "org.freedesktop.DBus.Properties",
                                       "PropertiesChanged", "sa{sv}as", SYSTEMD_UNIT, 0, 0) >= 0);
        settle(f);
}

/* A unit as systemd's list has it. */
static HostUnitState listed(const char *active, const char *sub) {
        return (HostUnitState){.is_loaded = true,
                               .load = mr_strdup("loaded"),
                               .active = mr_strdup(active),
                               .sub = mr_strdup(sub)};
}

static void learn(Fixture *f, uint32_t pid) {
        _cleanup_(host_unit_state_done) HostUnitState state = listed("active", "running");

        (void) host_known_recall(f->known, UNIT, &state);
        state.pid = pid;
        state.status = mr_strdup("serving");
        host_known_learn(f->known, UNIT, &state);
}

static bool recalls(Fixture *f, const char *active, const char *sub, uint32_t *ret_pid) {
        _cleanup_(host_unit_state_done) HostUnitState state = listed(active, sub);
        bool is_known = host_known_recall(f->known, UNIT, &state);

        *ret_pid = state.pid;
        assert_true(!is_known || mr_streq(state.status, "serving"));
        return is_known;
}

static void an_answer_holds_until_systemd_tells_of_a_change(void **state) {
        Fixture *f = *state;
        uint32_t pid = 0;

        assert_false(recalls(f, "active", "running", &pid));
        learn(f, 7);
        settle(f);
        assert_true(recalls(f, "active", "running", &pid));
        assert_int_equal(pid, 7);
        say_changed(f, "kafka@another-0.service");
        assert_true(recalls(f, "active", "running", &pid));
        say_changed(f, UNIT);
        assert_false(recalls(f, "active", "running", &pid));
        learn(f, 8);
        assert_true(recalls(f, "active", "running", &pid));
        assert_int_equal(pid, 8);
}

static void another_state_in_the_list_is_another_unit(void **state) {
        Fixture *f = *state;
        uint32_t pid;

        learn(f, 7);
        assert_false(recalls(f, "activating", "auto-restart", &pid));
        assert_false(recalls(f, "active", "exited", &pid));
        assert_int_equal(pid, 0);
}

static void answers_from_before_a_change_are_not_learnt(void **state) {
        _cleanup_(host_unit_state_done) HostUnitState late = listed("active", "running");
        Fixture *f = *state;
        uint32_t pid;

        (void) host_known_recall(f->known, UNIT, &late);
        say_changed(f, UNIT);
        host_known_learn(f->known, UNIT, &late);
        assert_false(recalls(f, "active", "running", &pid));
        (void) host_known_recall(f->known, UNIT, &late);
        late.as_of = HOST_KNOWN_NEVER;
        host_known_learn(f->known, UNIT, &late);
        assert_false(recalls(f, "active", "running", &pid));
}

static bool is_wanted(const char *unit, void *userdata) {
        return mr_streq(unit, userdata);
}

static void what_is_gone_is_forgotten(void **state) {
        Fixture *f = *state;
        char other[] = "kafka@another-0.service", unit[] = UNIT;
        uint32_t pid;

        learn(f, 7);
        host_known_keep(f->known, is_wanted, unit);
        assert_true(recalls(f, "active", "running", &pid));
        host_known_keep(f->known, is_wanted, other);
        assert_false(recalls(f, "active", "running", &pid));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(an_answer_holds_until_systemd_tells_of_a_change),
                TEST(another_state_in_the_list_is_another_unit),
                TEST(answers_from_before_a_change_are_not_learnt),
                TEST(what_is_gone_is_forgotten),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
