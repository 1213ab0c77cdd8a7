#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/worker.h"
#include "sdk/alloc.h"

typedef struct Fixture {
        sd_event *event;
        Worker *worker;
        int n_done, n_dropped;
        char order[32];
} Fixture;

typedef struct Task {
        Fixture *fixture;
        char name;
        int sleep_msec;
        pid_t thread;
        bool was_worked;
} Task;

static int make_fixture(void **state) {
        Fixture *f = mr_new(Fixture, 1);

        assert_true(sd_event_new(&f->event) >= 0);
        assert_int_equal(worker_new(f->event, &f->worker, NULL), 0);
        *state = f;
        return 0;
}

static int free_fixture(void **state) {
        Fixture *f = *state;

        worker_free(f->worker);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

static void task_work(void *data) {
        Task *task = data;

        usleep((useconds_t) task->sleep_msec * 1000);
        task->thread = gettid();
        task->was_worked = true;
}

static void task_done(void *data, void *userdata) {
        Task *task = data;
        Fixture *f = task->fixture;

        (void) userdata;
        assert_true(task->was_worked);
        assert_int_not_equal(task->thread, gettid());
        f->order[f->n_done++] = task->name;
}

static void task_drop(void *data) {
        Task *task = data;

        task->fixture->n_dropped++;
        free(task);
}

static void run(Fixture *f, char name, int sleep_msec, void *owner) {
        Task *task = mr_new(Task, 1);

        *task = (Task){.fixture = f, .name = name, .sleep_msec = sleep_msec};
        assert_int_equal(worker_run(f->worker,
                                    (WorkerTask){
                                            .work = task_work,
                                            .done = task_done,
                                            .drop = task_drop,
                                            .data = task,
                                            .userdata = owner,
                                    },
                                    NULL),
                         0);
}

static void settle(Fixture *f, int n_dropped) {
        for (int i = 0; f->n_dropped < n_dropped; i++) {
                assert_true(i < 100);
                assert_true(sd_event_run(f->event, 2 * 1000 * 1000) >= 0);
        }
}

static void tasks_run_in_a_thread_and_end_on_the_loop_in_order(void **state) {
        Fixture *f = *state;

        assert_false(worker_is_busy(f->worker));
        for (char name = 'a'; name < 'k'; name++)
                run(f, name, name == 'a' ? 20 : 0, f);
        assert_true(worker_is_busy(f->worker));
        assert_int_equal(f->n_done, 0);
        settle(f, 10);
        assert_string_equal(f->order, "abcdefghij");
}

static void the_thread_starts_again_after_it_ended(void **state) {
        Fixture *f = *state;

        for (int i = 1; i <= 20; i++) {
                run(f, 'x', i % 3, f);
                settle(f, i);
        }
        assert_int_equal(f->n_done, 20);
}

static void an_idle_worker_has_no_thread(void **state) {
        Fixture *f = *state;

        run(f, 'x', 1, f);
        settle(f, 1);
        for (int i = 0; i < 100 && worker_is_busy(f->worker); i++) {
                run(f, 'y', 1, f);
                settle(f, i + 2);
        }
        assert_false(worker_is_busy(f->worker));
}

static void a_cancelled_owner_hears_nothing(void **state) {
        Fixture *f = *state;
        int owner, other;

        run(f, 'a', 30, &owner);
        run(f, 'b', 0, &other);
        run(f, 'c', 0, &owner);
        usleep(10 * 1000);
        worker_cancel(f->worker, &owner);
        assert_int_equal(f->n_dropped, 1);
        settle(f, 3);
        assert_string_equal(f->order, "b");
}

static void a_finished_task_can_still_be_cancelled(void **state) {
        Fixture *f = *state;
        int owner;

        run(f, 'a', 0, &owner);
        usleep(30 * 1000);
        worker_cancel(f->worker, &owner);
        settle(f, 1);
        assert_int_equal(f->n_done, 0);
}

static void freeing_waits_and_drops_everything(void **state) {
        Fixture *f = *state;

        run(f, 'a', 30, f);
        run(f, 'b', 30, f);
        usleep(10 * 1000);
        f->worker = worker_free(f->worker);
        assert_int_equal(f->n_dropped, 2);
        assert_int_equal(f->n_done, 0);
}

static void chain_done(void *data, void *userdata) {
        Fixture *f = userdata;

        (void) data;
        if (++f->n_done < 5)
                assert_int_equal(worker_run(f->worker,
                                            (WorkerTask){.work = task_work,
                                                         .done = chain_done,
                                                         .data = data,
                                                         .userdata = f},
                                            NULL),
                                 0);
}

static void a_task_can_queue_another_when_done(void **state) {
        Fixture *f = *state;
        Task task = {.fixture = f};

        assert_int_equal(worker_run(f->worker,
                                    (WorkerTask){.work = task_work,
                                                 .done = chain_done,
                                                 .data = &task,
                                                 .userdata = f},
                                    NULL),
                         0);
        while (f->n_done < 5)
                assert_true(sd_event_run(f->event, 2 * 1000 * 1000) > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(tasks_run_in_a_thread_and_end_on_the_loop_in_order,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(the_thread_starts_again_after_it_ended,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(an_idle_worker_has_no_thread, make_fixture,
                                                free_fixture),
                cmocka_unit_test_setup_teardown(a_cancelled_owner_hears_nothing, make_fixture,
                                                free_fixture),
                cmocka_unit_test_setup_teardown(a_finished_task_can_still_be_cancelled,
                                                make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(freeing_waits_and_drops_everything, make_fixture,
                                                free_fixture),
                cmocka_unit_test_setup_teardown(a_task_can_queue_another_when_done, make_fixture,
                                                free_fixture),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
