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

#include "base/clock.h"
#include "base/file.h"
#include "io/directory-watch.h"
#include "sdk/alloc.h"

typedef struct Fixture {
        char root[32];
        char *directory; /* ROOT/etc/resources.d */
        sd_event *event;
        DirectoryWatch *watch;
        MrBuf seen; /* "+name=content;" for a change, "-name;" for a removal */
} Fixture;

static void on_changed(void *userdata, const char *path, bool is_removed) {
        Fixture *f = userdata;
        _cleanup_buf_ MrBuf text = {};
        const char *name = strrchr(path, '/') + 1;

        assert_memory_equal(path, f->directory, strlen(f->directory));
        if (is_removed) {
                mr_buf_printf(&f->seen, "-%s;", name);
                return;
        }
        assert_int_equal(read_file_capped(path, 1000, &text, NULL), 0);
        mr_buf_printf(&f->seen, "+%s=%s;", name, mr_buf_text(&text));
}

static void shell(Fixture *f, const char *command) {
        _cleanup_free_ char *line = mr_strf("cd %s && { %s; }", f->root, command);

        assert_int_equal(system(line), 0);
}

static int make_fixture(void **state) {
        Fixture *f = mr_new(Fixture, 1);

        *f = (Fixture){.root = "/tmp/watch-test-XXXXXX"};
        assert_non_null(mkdtemp(f->root));
        f->directory = mr_strf("%s/etc/resources.d", f->root);
        shell(f, "mkdir -p etc/resources.d");
        assert_true(sd_event_new(&f->event) >= 0);
        assert_int_equal(
                directory_watch_new(f->event, f->directory, on_changed, f, &f->watch, NULL), 0);
        *state = f;
        return 0;
}

static int free_fixture(void **state) {
        Fixture *f = *state;

        directory_watch_free(f->watch);
        sd_event_unref(f->event);
        shell(f, "cd / && rm -rf \"$OLDPWD\"");
        mr_buf_done(&f->seen);
        free(f->directory);
        free(f);
        return 0;
}

static void run_for(Fixture *f, uint64_t msec) {
        uint64_t end = now_usec() + msec * 1000;

        for (uint64_t now; (now = now_usec()) < end;)
                assert_true(sd_event_run(f->event, end - now) >= 0);
}

static void expect(Fixture *f, const char *seen) {
        for (int i = 0; i < 40 && f->seen.size < strlen(seen); i++)
                run_for(f, 25);
        run_for(f, 25);
        assert_string_equal(mr_buf_text(&f->seen), seen);
        mr_buf_clear(&f->seen);
}

static void start(Fixture *f, const char *seen) {
        assert_int_equal(directory_watch_scan(f->watch, false, NULL), 1);
        assert_string_equal(mr_buf_text(&f->seen), seen);
        mr_buf_clear(&f->seen);
}

static void the_first_scan_reports_documents_in_order(void **state) {
        Fixture *f = *state;

        shell(f, "cd etc/resources.d; for n in b.yml a.yaml c.json d.txt .e.yaml f.yaml~ '#g.yaml' "
                 "'#h.yaml#'; do printf 1 >\"$n\"; done;"
                 " mkdir i.yaml");
        start(f, "+a.yaml=1;+b.yml=1;+c.json=1;");
        start(f, "");
        assert_int_equal(directory_watch_scan(f->watch, true, NULL), 1);
        expect(f, "+a.yaml=1;+b.yml=1;+c.json=1;");
}

static void writing_moving_and_removing_are_noticed(void **state) {
        Fixture *f = *state;

        start(f, "");
        shell(f, "printf 1 >etc/resources.d/a.yaml");
        expect(f, "+a.yaml=1;");
        shell(f, "printf 2 >etc/.new && mv etc/.new etc/resources.d/a.yaml");
        expect(f, "+a.yaml=2;");
        shell(f, "mv etc/resources.d/a.yaml etc/resources.d/b.yaml");
        expect(f, "-a.yaml;+b.yaml=2;");
        shell(f, "rm etc/resources.d/b.yaml");
        expect(f, "-b.yaml;");
        shell(f, "printf 3 >etc/x && ln etc/x etc/resources.d/l.yaml && ln -s ../x "
                 "etc/resources.d/s.yaml");
        expect(f, "+l.yaml=3;+s.yaml=3;");
        shell(f, "printf 4 >etc/resources.d/ignored.swp");
        expect(f, "");
}

static void a_half_written_file_is_left_alone_until_it_is_closed(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *path = mr_strf("%s/a.yaml", f->directory);

        start(f, "");
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        run_for(f, 50);
        assert_int_equal(write(fd, "hal", 3), 3);
        run_for(f, 50);
        expect(f, "");
        assert_int_equal(write(fd, "f", 1), 1);
        close(fd);
        expect(f, "+a.yaml=half;");

        fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_int_equal(write(fd, "+", 1), 1);
        run_for(f, 50);
        expect(f, "");
        close(fd);
        expect(f, "+a.yaml=half+;");
}

static void a_burst_is_one_event_with_the_final_content(void **state) {
        Fixture *f = *state;

        start(f, "");
        shell(f, "for i in 1 2 3 4 5; do printf $i >etc/resources.d/a.yaml; rm "
                 "etc/resources.d/a.yaml; done; printf 6 >etc/resources.d/a.yaml");
        expect(f, "+a.yaml=6;");
}

static void a_change_is_told_within_the_time_a_person_does_not_feel(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *path = mr_strf("%s/a.yaml", f->directory);
        uint64_t slowest = 0;

        start(f, "");
        for (int i = 0; i < 10; i++) {
                uint64_t before = now_usec();

                assert_int_equal(write_file_atomic(path, "x", 1, 0600, NULL), 0);
                while (f->seen.size == 0)
                        assert_true(sd_event_run(f->event, 1000 * 1000) > 0);
                if (now_usec() - before > slowest)
                        slowest = now_usec() - before;
                mr_buf_clear(&f->seen);
        }
        assert_in_range(slowest, 1, 500 * 1000);
}

/* Nothing is waited for: all there is to be done about it is due already. */
static void what_is_renamed_into_place_is_told_at_once(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *path = mr_strf("%s/a.yaml", f->directory);

        start(f, "");
        for (int i = 0; i < 10; i++) {
                shell(f, "printf 1 >etc/resources.d/.other; chmod 0600 etc/resources.d/.other");
                assert_int_equal(write_file_atomic(path, "x", 1, 0600, NULL), 0);
                while (sd_event_run(f->event, 0) > 0)
                        ;
                assert_string_equal(mr_buf_text(&f->seen), "+a.yaml=x;");
                mr_buf_clear(&f->seen);
        }
}

static void a_directory_that_appears_later_is_noticed(void **state) {
        Fixture *f = *state;

        shell(f, "rm -r etc");
        assert_int_equal(directory_watch_scan(f->watch, false, NULL), 0);
        shell(f, "mkdir etc");
        run_for(f, 30);
        shell(f, "mkdir etc/resources.d; printf 1 >etc/resources.d/a.yaml");
        expect(f, "+a.yaml=1;");
        shell(f, "printf 2 >etc/resources.d/b.yaml");
        expect(f, "+b.yaml=2;");
}

static void a_directory_that_vanishes_removes_nothing(void **state) {
        Fixture *f = *state;

        shell(f, "printf 1 >etc/resources.d/a.yaml; printf 1 >etc/resources.d/b.yaml");
        start(f, "+a.yaml=1;+b.yaml=1;");
        shell(f, "mv etc/resources.d etc/away");
        run_for(f, 60);
        expect(f, "");
        shell(f, "rm etc/away/a.yaml; mv etc/away etc/resources.d");
        expect(f, "-a.yaml;");
        shell(f, "mv etc away");
        run_for(f, 60);
        expect(f, "");
        shell(f, "printf 2 >away/resources.d/c.yaml; mv away etc");
        expect(f, "+c.yaml=2;");
        shell(f, "printf 3 >etc/resources.d/c.yaml");
        expect(f, "+c.yaml=3;");
        shell(f, "mv etc away; mkdir -p etc/resources.d; printf 4 >etc/resources.d/d.yaml");
        run_for(f, 30);
        assert_int_equal(directory_watch_scan(f->watch, false, NULL), 1);
        expect(f, "-b.yaml;-c.yaml;+d.yaml=4;");
        shell(f, "printf 5 >etc/resources.d/d.yaml");
        expect(f, "+d.yaml=5;");
}

static void symbolic_links_that_flip_are_followed(void **state) {
        Fixture *f = *state;

        shell(f, "cd etc/resources.d; mkdir ..1 ..2; printf 1 >..1/a.yaml; printf 2 >..2/a.yaml; "
                 "ln -s ..1 ..data; ln -s ..data/a.yaml a.yaml");
        start(f, "+a.yaml=1;");
        shell(f, "cd etc/resources.d; ln -s ..2 ..tmp; mv -T ..tmp ..data");
        expect(f, "+a.yaml=2;");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_first_scan_reports_documents_in_order,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(writing_moving_and_removing_are_noticed,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(
                        a_half_written_file_is_left_alone_until_it_is_closed, make_fixture,
                        free_fixture),
                cmocka_unit_test_setup_teardown(a_burst_is_one_event_with_the_final_content,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(
                        a_change_is_told_within_the_time_a_person_does_not_feel, make_fixture,
                        free_fixture),
                cmocka_unit_test_setup_teardown(what_is_renamed_into_place_is_told_at_once,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(a_directory_that_appears_later_is_noticed,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(a_directory_that_vanishes_removes_nothing,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(symbolic_links_that_flip_are_followed, make_fixture,
                                                free_fixture),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
