/* The store: what is written is there after a restart, and what cannot be written leaves everything
 * as it was. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "base/file.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/store-private.h"
#include "store/store.h"

typedef struct Fixture {
        char *folder;
        char *path;
        char *backup;
        Store *store;
} Fixture;

static int set_up(void **state) {
        Fixture *fixture = mr_new(Fixture, 1);

        fixture->folder = mr_strdup("/tmp/store-test-XXXXXX");
        if (!mkdtemp(fixture->folder))
                return -1;
        fixture->path = mr_strf("%s/state.db", fixture->folder);
        fixture->backup = mr_strf("%s.backup", fixture->path);
        *state = fixture;
        return store_open(fixture->path, &fixture->store, NULL);
}

static int tear_down(void **state) {
        Fixture *fixture = *state;
        static const char *const suffixes[] = {"", "-wal", ".backup", ".backup.new"};

        store_free(fixture->store);
        for (size_t i = 0; i < MR_ELEMENTS(suffixes); i++) {
                _cleanup_free_ char *path = mr_strf("%s%s", fixture->path, suffixes[i]);
                (void) unlink(path);
        }
        int r = rmdir(fixture->folder);
        free(fixture->folder);
        free(fixture->path);
        free(fixture->backup);
        free(fixture);
        return r;
}

static void reopen(Fixture *fixture) {
        fixture->store = store_free(fixture->store);
        assert_int_equal(store_open(fixture->path, &fixture->store, NULL), 0);
}

static MrTree *yaml(const char *text) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        assert_int_equal(mr_yaml_read(text, strlen(text), NULL, &list, NULL, NULL), 0);
        return mr_tree_copy(mr_tree_at(list, 0));
}

static MrTree *kafka(const char *name, int replicas) {
        _cleanup_free_ char *text =
                mr_strf("apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\n"
                        "metadata: {name: %s, labels: {a: b}}\nspec: {kafka: {replicas: %d}}\n",
                        name, replicas);
        return yaml(text);
}

#define _cleanup_tree_ _cleanup_(mr_tree_freep)

static void a_created_resource_has_an_identity_that_outlives_a_restart(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *object = kafka("a", 3);
        _cleanup_resource_ StoreResource made = {}, read = {};

        assert_int_equal(store_create(fixture->store, object, &made, NULL), 0);
        assert_string_equal(made.ns, "default");
        assert_int_equal(made.generation, 1);
        assert_int_equal(made.version, 1);
        assert_int_equal(strlen(made.uid), 36);
        assert_string_equal(made.source, "api");
        reopen(fixture);
        assert_int_equal(store_get(fixture->store, "Kafka", "default", "a", &read, NULL), 0);
        assert_string_equal(read.uid, made.uid);
        assert_true(mr_tree_equal(read.tree, made.tree));
        assert_string_equal(
                mr_tree_get_string(mr_tree_find(read.tree, "metadata", false), "resourceVersion"),
                "1");
        assert_int_equal(store_version(fixture->store), 1);
}

static void creating_twice_is_refused(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *object = kafka("a", 3);
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(store_create(fixture->store, object, NULL, NULL), 0);
        assert_int_equal(store_create(fixture->store, object, NULL, &err), -EEXIST);
        assert_int_equal(err.kind, MR_CONFLICT);
        assert_string_equal(err.message, "Kafka default/a exists already");
}

static void the_generation_counts_changes_of_the_spec_only(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 1), *three = kafka("a", 3),
                              *labelled = kafka("a", 3);
        _cleanup_tree_ MrTree *status = yaml("{observedGeneration: 2}");
        _cleanup_resource_ StoreResource a = {}, b = {}, c = {}, d = {};

        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        assert_int_equal(store_update(fixture->store, three, &a, NULL), 1);
        assert_int_equal(a.generation, 2);
        assert_int_equal(store_update(fixture->store, three, &b, NULL), 0);
        assert_int_equal(b.version, a.version);
        mr_tree_set_string(mr_tree_find(labelled, "metadata.labels", false), "a", "c");
        assert_int_equal(store_update(fixture->store, labelled, &c, NULL), 1);
        assert_int_equal(c.generation, 2);
        assert_true(c.version > a.version);
        assert_int_equal(
                store_update_status(fixture->store, "Kafka", "default", "a", status, 0, NULL), 1);
        assert_int_equal(
                store_update_status(fixture->store, "Kafka", "default", "a", status, 0, NULL), 0);
        assert_int_equal(store_update(fixture->store, three, &d, NULL), 1);
        assert_int_equal(d.generation, 2);
        assert_int_equal(mr_tree_get_int(mr_tree_get(d.tree, "status"), "observedGeneration", 0),
                         2);
}

static void an_update_from_an_old_version_conflicts(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 1), *three = kafka("a", 3);
        _cleanup_tree_ MrTree *status = yaml("{x: 1}");
        _cleanup_resource_ StoreResource old = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(store_create(fixture->store, one, &old, NULL), 0);
        assert_int_equal(store_update(fixture->store, three, NULL, NULL), 1);
        mr_tree_set_string(mr_tree_get(old.tree, "metadata"), "x", "y");
        assert_int_equal(store_update(fixture->store, old.tree, NULL, &err), -ESTALE);
        assert_int_equal(err.kind, MR_CONFLICT);
        assert_int_equal(store_update_status(fixture->store, "Kafka", "default", "a", status,
                                             old.version, NULL),
                         -ESTALE);
        assert_int_equal(
                store_update_status(fixture->store, "Kafka", "default", "b", status, 0, NULL),
                -ENOENT);
}

static void a_wrong_uid_conflicts(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 1);

        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        mr_tree_set_string(mr_tree_get(one, "metadata"), "uid",
                           "00000000-0000-4000-8000-000000000000");
        assert_int_equal(store_update(fixture->store, one, NULL, NULL), -ESTALE);
}

static void bad_names_are_refused_with_their_path(void **state) {
        Fixture *fixture = *state;
        static const char *const objects[][2] = {
                {"{kind: Kafka, metadata: {name: ../x}}", "metadata.name"},
                {"{kind: Kafka, metadata: {name: 12}}", "metadata.name"},
                {"{kind: Kafka}", "metadata.name"},
                {"{kind: Kafka, metadata: {name: a, namespace: a/b}}", "metadata.namespace"},
                {"{kind: Kafka, metadata: {name: a, namespace: 3}}", "metadata.namespace"},
                {"{metadata: {name: a}}", "kind"},
                {"[1]", "kind"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(objects); i++) {
                _cleanup_tree_ MrTree *object = yaml(objects[i][0]);
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                assert_int_equal(store_create(fixture->store, object, NULL, &err), -EINVAL);
                assert_string_equal(err.path, objects[i][1]);
        }
        assert_int_equal(store_version(fixture->store), 0);
}

static void deletion_is_marked_first_and_ended_later(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 1);
        _cleanup_resource_ StoreResource read = {};

        assert_int_equal(store_delete(fixture->store, "Kafka", "default", "a", NULL), -ENOENT);
        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        assert_int_equal(store_delete(fixture->store, "Kafka", "default", "a", NULL), 1);
        assert_int_equal(store_delete(fixture->store, "Kafka", "default", "a", NULL), 0);
        reopen(fixture);
        assert_int_equal(store_get(fixture->store, "Kafka", "default", "a", &read, NULL), 0);
        assert_true(read.is_deleting);
        assert_int_equal(store_create(fixture->store, one, NULL, NULL), -EEXIST);
        assert_int_equal(store_remove(fixture->store, "Kafka", "default", "a", NULL), 0);
        assert_int_equal(store_remove(fixture->store, "Kafka", "default", "a", NULL), -ENOENT);
        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
}

/* How the last commit was made: 'l'azily, or 'w'aiting for the disk. */
typedef struct Commits {
        bool is_lazy;
        char last;
} Commits;

static int on_statement(unsigned type, void *userdata, void *statement, void *text) {
        Commits *commits = userdata;
        const char *sql = sqlite3_sql(statement);

        (void) type;
        (void) text;
        if (strstr(sql, "synchronous"))
                commits->is_lazy = strstr(sql, "NORMAL");
        else if (strstr(sql, "COMMIT") || mr_starts_with(sql, "INSERT"))
                commits->last = commits->is_lazy ? 'l' : 'w';
        return 0;
}

static void only_what_comes_again_is_not_waited_for(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 3), *two = kafka("b", 3),
                              *status = yaml("{observedGeneration: 1}");
        Commits commits = {};

        sqlite3_trace_v2(fixture->store->db, SQLITE_TRACE_STMT, on_statement, &commits);
        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        assert_int_equal(commits.last, 'w');
        assert_int_equal(
                store_update_status(fixture->store, "Kafka", "default", "a", status, 0, NULL), 1);
        assert_int_equal(commits.last, 'l');
        assert_int_equal(store_hold(fixture->store, "default", "a-0", "because", NULL), 1);
        assert_int_equal(commits.last, 'w');
        assert_int_equal(store_put_file_resource(fixture->store, "/etc/x/b.yaml", two, NULL, NULL),
                         1);
        assert_int_equal(commits.last, 'l');
        assert_int_equal(store_delete(fixture->store, "Kafka", "default", "a", NULL), 1);
        assert_int_equal(commits.last, 'w');
}

static void uid_in_new_store(const char *name, char ret[37]) {
        _cleanup_(mr_tree_freep) MrTree *object = kafka(name, 1);
        _cleanup_resource_ StoreResource made = {};
        Store *store = NULL;

        assert_int_equal(store_open(":memory:", &store, NULL), 0);
        assert_int_equal(store_put_file_resource(store, "/etc/x/a.yaml", object, &made, NULL), 1);
        assert_int_equal(strlen(made.uid), 36);
        memcpy(ret, made.uid, 37);
        store_free(store);
}

static void files_have_the_same_uid_in_each_store_in_memory(void **state _unused_) {
        char first[37], again[37], other[37];

        uid_in_new_store("a", first);
        uid_in_new_store("a", again);
        uid_in_new_store("b", other);
        assert_string_equal(first, again);
        assert_string_not_equal(first, other);
        assert_int_equal(first[14], '8');
}

static void a_resource_of_a_file_is_read_only_and_keeps_its_uid(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 1), *three = kafka("a", 3), *other = kafka("b", 1);
        _cleanup_resource_ StoreResource first = {}, second = {}, moved = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(
                store_put_file_resource(fixture->store, "/etc/x/a.yaml", one, &first, NULL), 1);
        assert_string_equal(first.source, "file:/etc/x/a.yaml");
        assert_int_equal(store_update(fixture->store, three, NULL, &err), -EPERM);
        assert_non_null(strstr(err.message, "/etc/x/a.yaml"));
        assert_int_equal(store_delete(fixture->store, "Kafka", "default", "a", NULL), -EPERM);
        reopen(fixture);
        assert_int_equal(store_put_file_resource(fixture->store, "/etc/x/a.yaml", one, NULL, NULL),
                         0);
        assert_int_equal(
                store_put_file_resource(fixture->store, "/etc/x/a.yaml", three, &second, NULL), 1);
        assert_string_equal(second.uid, first.uid);
        assert_int_equal(second.generation, 2);
        assert_int_equal(
                store_put_file_resource(fixture->store, "/etc/x/b.yaml", three, &moved, NULL), 1);
        assert_string_equal(moved.source, "file:/etc/x/b.yaml");
        assert_int_equal(moved.generation, 2);
        assert_int_equal(store_create(fixture->store, other, NULL, NULL), 0);
        assert_int_equal(
                store_put_file_resource(fixture->store, "/etc/x/a.yaml", other, NULL, NULL),
                -EEXIST);
        assert_int_equal(store_delete_file_resource(fixture->store, "Kafka", "default", "a", NULL),
                         1);
        assert_int_equal(
                store_put_file_resource(fixture->store, "/etc/x/b.yaml", three, NULL, NULL),
                -EEXIST);
}

static void what_is_immutable_is_made_anew_or_stays(void **state) {
        Fixture *fixture = *state;
        static const char *const changes[] = {
                "{kind: ConfigMap, metadata: {name: m}, data: {a: y}, immutable: true}",
                "{kind: ConfigMap, metadata: {name: m}, data: {a: x}, immutable: false}",
                "{kind: ConfigMap, metadata: {name: m}, data: {a: x}}",
                "{kind: ConfigMap, metadata: {name: m}, immutable: true}",
        };
        _cleanup_tree_ MrTree *open = yaml("{kind: ConfigMap, metadata: {name: m}, data: {a: x}}"),
                              *closed = yaml("{kind: ConfigMap, metadata: {name: m}, data: {a: x}, "
                                             "immutable: true}"),
                              *labelled = yaml("{kind: ConfigMap, metadata: {name: m, labels: {a: "
                                               "b}}, data: {a: x}, immutable: true}");

        assert_int_equal(store_put_file_resource(fixture->store, "/m", open, NULL, NULL), 1);
        assert_int_equal(store_put_file_resource(fixture->store, "/m", closed, NULL, NULL), 1);
        for (size_t i = 0; i < MR_ELEMENTS(changes); i++) {
                _cleanup_tree_ MrTree *change = yaml(changes[i]);
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                assert_int_equal(store_put_file_resource(fixture->store, "/m", change, NULL, &err),
                                 -EINVAL);
                assert_non_null(strstr(err.message, "ConfigMap m is immutable; delete it"));
        }
        assert_int_equal(store_put_file_resource(fixture->store, "/m", labelled, NULL, NULL), 1);
        assert_int_equal(store_remove(fixture->store, "ConfigMap", "default", "m", NULL), 0);
        assert_int_equal(store_put_file_resource(fixture->store, "/m", open, NULL, NULL), 1);
}

static void a_list_is_sorted_and_filtered(void **state) {
        Fixture *fixture = *state;
        static const char *const names[] = {"c", "a", "b"};
        _cleanup_tree_ MrTree *user =
                yaml("{kind: KafkaUser, metadata: {name: u, namespace: team}}");
        _cleanup_resources_ StoreResources all = {}, kafkas = {}, team = {};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++) {
                _cleanup_tree_ MrTree *object = kafka(names[i], 1);
                assert_int_equal(store_create(fixture->store, object, NULL, NULL), 0);
        }
        assert_int_equal(store_create(fixture->store, user, NULL, NULL), 0);
        assert_int_equal(store_list(fixture->store, NULL, NULL, &all, NULL), 0);
        assert_int_equal(all.n, 4);
        assert_string_equal(all.items[0].name, "a");
        assert_string_equal(all.items[3].name, "u");
        assert_int_equal(store_list(fixture->store, "Kafka", "default", &kafkas, NULL), 0);
        assert_int_equal(kafkas.n, 3);
        assert_int_equal(store_list(fixture->store, NULL, "team", &team, NULL), 0);
        assert_int_equal(team.n, 1);
}

typedef struct Seen {
        Store *store;
        StoreSubscription *subscription;
        MrBuf log;
} Seen;

static void see(void *userdata, const StoreEvent *event) {
        static const char *const changes[] = {"added", "modified", "deleted"};
        Seen *seen = userdata;

        mr_buf_printf(&seen->log, "%lld %s %s/%s%s%s\n", (long long) event->version,
                      changes[event->change], event->kind, event->name,
                      event->is_status_only ? " status" : "", event->json ? "" : " -");
}

static void the_feed_tells_each_change_in_order(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 1), *three = kafka("a", 3),
                              *status = yaml("{x: 1}");
        Seen seen = {}, again = {};
        StoreSubscription *subscription = store_subscribe(fixture->store, see, &seen);
        StoreSecretValue value = {"k", "v", 1};

        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        assert_int_equal(store_update(fixture->store, three, NULL, NULL), 1);
        assert_int_equal(
                store_update_status(fixture->store, "Kafka", "default", "a", status, 0, NULL), 1);
        assert_int_equal(store_secret_put(fixture->store, "default", "s", &value, 1, NULL, NULL),
                         1);
        assert_int_equal(store_hold(fixture->store, "default", "n", "why", NULL), 1);
        assert_int_equal(store_remove(fixture->store, "Kafka", "default", "a", NULL), 0);
        store_unsubscribe(subscription);
        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        assert_string_equal(mr_buf_text(&seen.log),
                            "1 added Kafka/a\n2 modified Kafka/a\n3 modified Kafka/a status\n"
                            "4 added Secret/s -\n4 added Hold/n -\n5 deleted Kafka/a\n");
        assert_int_equal(store_replay(fixture->store, 3, see, &again, NULL), 0);
        assert_string_equal(mr_buf_text(&again.log), "5 deleted Kafka/a\n6 added Kafka/a\n");
        mr_buf_done(&seen.log);
        mr_buf_done(&again.log);
}

static void a_forgotten_version_cannot_be_replayed(void **state) {
        Fixture *fixture = *state;
        Seen seen = {};

        for (int i = 0; i < 1010; i++) {
                _cleanup_tree_ MrTree *object = kafka("a", i);
                assert_true((i == 0 ? store_create : store_update)(fixture->store, object, NULL,
                                                                   NULL) >= 0);
        }
        assert_int_equal(store_replay(fixture->store, 2, see, &seen, NULL), -ESTALE);
        assert_int_equal(store_replay(fixture->store, 5000, see, &seen, NULL), -ESTALE);
        assert_int_equal(seen.log.size, 0);
        assert_int_equal(store_replay(fixture->store, 1008, see, &seen, NULL), 0);
        assert_string_equal(mr_buf_text(&seen.log),
                            "1009 modified Kafka/a\n1010 modified Kafka/a\n");
        mr_buf_done(&seen.log);
        reopen(fixture);
        assert_int_equal(store_replay(fixture->store, 1009, see, &seen, NULL), -ESTALE);
        assert_int_equal(store_replay(fixture->store, 1010, see, &seen, NULL), 0);
}

static void write_from_within(void *userdata, const StoreEvent *event) {
        Seen *seen = userdata;
        _cleanup_tree_ MrTree *status = yaml("{x: 1}");

        if (event->change == STORE_ADDED) {
                assert_int_equal(
                        store_update_status(seen->store, "Kafka", "default", "a", status, 0, NULL),
                        1);
                seen->subscription = store_unsubscribe(seen->subscription);
        }
}

static void a_subscriber_may_write_and_leave_and_order_is_kept(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *one = kafka("a", 1);
        Seen writer = {.store = fixture->store}, reader = {};

        writer.subscription = store_subscribe(fixture->store, write_from_within, &writer);
        StoreSubscription *subscription = store_subscribe(fixture->store, see, &reader);
        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        assert_null(writer.subscription);
        assert_string_equal(mr_buf_text(&reader.log),
                            "1 added Kafka/a\n2 modified Kafka/a status\n");
        store_unsubscribe(subscription);
        mr_buf_done(&reader.log);
}

static void notes_on_secrets_go_with_them(void **state) {
        Fixture *fixture = *state;
        StoreSecretValue value = {.key = "k", .data = "v", .size = 1};
        _cleanup_tree_ MrTree *notes = NULL, *list = NULL, *after = NULL;

        assert_int_equal(store_secret_put(fixture->store, "default", "s", &value, 1, NULL, NULL),
                         1);
        assert_int_equal(store_secret_annotate(fixture->store, "default", "s", "a.io/b", "1", NULL),
                         1);
        assert_int_equal(store_secret_annotate(fixture->store, "default", "s", "a.io/b", "1", NULL),
                         0);
        assert_int_equal(
                store_secret_annotate(fixture->store, "default", "s-cert", "a.io/b", "2", NULL), 1);
        assert_int_equal(store_secret_annotate(fixture->store, "other", "s", "a.io/b", "3", NULL),
                         1);
        assert_int_equal(store_secret_annotations(fixture->store, "default", &notes, NULL), 0);
        assert_int_equal(mr_tree_size(notes), 2);
        assert_string_equal(mr_tree_get_string(mr_tree_get(notes, "s"), "a.io/b"), "1");
        assert_int_equal(store_secret_list(fixture->store, "default", &list, NULL), 0);
        assert_string_equal(
                mr_tree_get_string(mr_tree_get(mr_tree_at(list, 0), "annotations"), "a.io/b"), "1");
        assert_int_equal(store_secret_remove(fixture->store, "default", "s", NULL), 1);
        assert_int_equal(store_secret_annotations(fixture->store, "default", &after, NULL), 0);
        assert_int_equal(mr_tree_size(after), 1);
        assert_string_equal(mr_tree_get_string(mr_tree_get(after, "s-cert"), "a.io/b"), "2");
}

static int collect(void *userdata, const char *ns, const char *name, const char *key,
                   const void *data, size_t size) {
        mr_buf_printf(userdata, "%s/%s/%s=", ns, name, key);
        mr_buf_append(userdata, data, size);
        mr_buf_putc(userdata, '\n');
        return 0;
}

/* The key of an authority and its certificate are of no use without each other. */
static void several_secrets_are_put_together_or_not_at_all(void **state) {
        Fixture *fixture = *state;
        const StoreSecretValue key = {"ca.key", "k", 1}, certificate = {"ca.crt", "c", 1},
                               twice[] = {{"ca.crt", "d", 1}, {"ca.crt", "e", 1}};
        MrPair note = {"a.io/done", "1"};
        StoreSecretPut puts[] = {
                {.name = "ca", .values = &key, .n = 1, .notes = {.items = &note, .n = 1}},
                {.name = "ca-cert", .values = twice, .n = 2},
        };
        _cleanup_(mr_tree_freep) MrTree *notes = NULL, *later = NULL;
        _cleanup_buf_ MrBuf value = {};
        int64_t version = store_version(fixture->store);

        assert_true(store_secrets_put(fixture->store, "default", puts, 2, NULL) < 0);
        assert_int_equal(store_secret_get(fixture->store, "default", "ca", "ca.key", &value, NULL),
                         0);
        assert_int_equal(store_secret_annotations(fixture->store, "default", &notes, NULL), 0);
        assert_int_equal(mr_tree_size(notes), 0);
        assert_int_equal(store_version(fixture->store), version);

        puts[1].values = &certificate;
        puts[1].n = 1;
        assert_int_equal(store_secrets_put(fixture->store, "default", puts, 2, NULL), 2);
        assert_int_equal(store_secret_get(fixture->store, "default", "ca", "ca.key", &value, NULL),
                         1);
        assert_int_equal(store_secret_annotations(fixture->store, "default", &later, NULL), 0);
        assert_string_equal(mr_tree_get_string(mr_tree_get(later, "ca"), "a.io/done"), "1");
        assert_int_equal(store_secrets_put(fixture->store, "default", puts, 2, NULL), 0);
}

static void secrets_are_replaced_as_a_whole_and_backed_up(void **state) {
        Fixture *fixture = *state;
        StoreSecretValue values[] = {{"b", "2\0002", 3}, {"a", "1", 1}}, less[] = {{"a", "1", 1}};
        MrPair label = {"strimzi.io/cluster", "x"};
        MrPairs labels = {&label, 1};
        _cleanup_buf_ MrBuf all = {}, one = {};
        _cleanup_tree_ MrTree *list = NULL;

        assert_int_equal(store_secret_put(fixture->store, "default", "s", values, 2, &labels, NULL),
                         1);
        assert_int_equal(store_secret_put(fixture->store, "default", "s", values, 2, &labels, NULL),
                         0);
        assert_int_equal(access(fixture->backup, F_OK), -1);
        reopen(fixture);
        assert_int_equal(access(fixture->backup, F_OK), 0);
        assert_int_equal(store_secret_get(fixture->store, "default", "s", "b", &one, NULL), 1);
        assert_int_equal(one.size, 3);
        assert_memory_equal(one.data, "2\0002", 3);
        assert_int_equal(store_secret_get(fixture->store, "default", "s", "c", &one, NULL), 0);
        assert_int_equal(store_secret_put(fixture->store, "default", "s", less, 1, &labels, NULL),
                         1);
        assert_int_equal(store_secret_put(fixture->store, "default", "s", less, 1, NULL, NULL), 1);
        assert_int_equal(store_secret_put(fixture->store, "default", "t", less, 1, &labels, NULL),
                         1);
        assert_int_equal(store_secret_each(fixture->store, "default", NULL, collect, &all, NULL),
                         0);
        assert_string_equal(mr_buf_text(&all), "default/s/a=1\ndefault/t/a=1\n");
        assert_int_equal(store_secret_list(fixture->store, NULL, &list, NULL), 0);
        assert_int_equal(mr_tree_size(list), 2);
        assert_string_equal(mr_tree_get_string(mr_tree_get(mr_tree_at(list, 1), "labels"),
                                               "strimzi.io/cluster"),
                            "x");
        assert_int_equal(store_secret_remove(fixture->store, "default", "s", NULL), 1);
        assert_int_equal(store_secret_remove(fixture->store, "default", "s", NULL), 0);
        assert_int_equal(store_secret_get(fixture->store, "default", "s", "a", &one, NULL), 0);
}

static void the_backup_is_made_by_the_loop_once_for_many_changes(void **state) {
        Fixture *fixture = *state;
        sd_event *event = NULL;
        StoreSecretValue value = {"a", "1", 1};
        struct stat st;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(store_attach_event(fixture->store, event, NULL, NULL, NULL), 0);
        assert_int_equal(store_secret_put(fixture->store, "default", "s", &value, 1, NULL, NULL),
                         1);
        assert_int_equal(sd_event_run(event, 1000000), 1);
        assert_int_equal(stat(fixture->backup, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(unlink(fixture->backup), 0);
        assert_int_equal(sd_event_run(event, 300000), 0);
        assert_int_equal(access(fixture->backup, F_OK), -1);
        fixture->store = store_free(fixture->store);
        sd_event_unref(event);
}

static void the_backup_opens_as_a_store(void **state) {
        Fixture *fixture = *state;
        StoreSecretValue value = {"a", "1", 1};
        _cleanup_(store_freep) Store *copy = NULL;
        _cleanup_buf_ MrBuf out = {};

        assert_int_equal(store_secret_put(fixture->store, "default", "s", &value, 1, NULL, NULL),
                         1);
        assert_int_equal(store_backup(fixture->store, NULL), 0);
        assert_int_equal(store_open(fixture->backup, &copy, NULL), 0);
        assert_int_equal(store_secret_get(copy, "default", "s", "a", &out, NULL), 1);
        copy = store_free(copy);
        assert_int_equal(sqlite3_threadsafe() >= 0, 1);
}

static void values_are_remembered_until_they_are_forgotten(void **state) {
        Fixture *fixture = *state;
        MrPair pair[] = {{"port/a", "9092"}, {"port/b", "9093"}};
        MrPairs pairs = {pair, 2};
        _cleanup_tree_ MrTree *ports = NULL, *none = NULL;

        assert_int_equal(store_remember_all(fixture->store, &pairs, NULL), 1);
        assert_int_equal(store_remember_all(fixture->store, &pairs, NULL), 0);
        assert_int_equal(store_remember(fixture->store, "other", "x", NULL), 1);
        assert_int_equal(store_remember(fixture->store, "other", "x", NULL), 0);
        reopen(fixture);
        assert_int_equal(store_remembered(fixture->store, "port/", &ports, NULL), 0);
        assert_int_equal(mr_tree_size(ports), 2);
        assert_string_equal(mr_tree_get_string(ports, "port/b"), "9093");
        assert_int_equal(store_remember(fixture->store, "other", NULL, NULL), 1);
        assert_int_equal(store_remembered(fixture->store, "other", &none, NULL), 0);
        assert_int_equal(mr_tree_size(none), 0);
}

static void holds_are_kept_until_released(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *holds = NULL;

        assert_int_equal(store_hold(fixture->store, "default", "n-0", "disk swap", NULL), 1);
        assert_int_equal(store_hold(fixture->store, "default", "n-0", "disk swap", NULL), 0);
        reopen(fixture);
        assert_int_equal(store_holds(fixture->store, "default", &holds, NULL), 0);
        assert_int_equal(mr_tree_size(holds), 1);
        assert_string_equal(mr_tree_get_string(mr_tree_at(holds, 0), "reason"), "disk swap");
        assert_true(mr_tree_get_int(mr_tree_at(holds, 0), "since", 0) > 0);
        assert_int_equal(store_release(fixture->store, "default", "n-0", NULL), 1);
        assert_int_equal(store_release(fixture->store, "default", "n-0", NULL), 0);
}

static char *digest_of(const char *path) {
        _cleanup_buf_ MrBuf content = {};
        char chunk[4096], digest[MR_DIGEST_MAX];
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
                mr_buf_append(&content, chunk, (size_t) n);
        close(fd);
        mr_digest(mr_buf_text(&content), content.size, digest);
        return mr_strdup(digest);
}

static void assert_refused_and_untouched(Fixture *fixture, const char *words) {
        _cleanup_free_ char *before = digest_of(fixture->path);
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_true(store_open(fixture->path, &fixture->store, &err) < 0);
        assert_int_equal(err.kind, MR_DENIED);
        assert_non_null(strstr(err.message, words));
        _cleanup_free_ char *after = digest_of(fixture->path);
        assert_string_equal(before, after);
}

static void spoil(const char *path, off_t offset, size_t size) {
        _cleanup_free_ char *junk = mr_malloc(size);
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        memset(junk, 0xa5, size);
        assert_int_equal(pwrite(fd, junk, size, offset), size);
        close(fd);
}

static void a_damaged_file_is_refused_and_left_as_it_is(void **state) {
        Fixture *fixture = *state;

        for (int i = 0; i < 50; i++) {
                _cleanup_free_ char *name = mr_strf("k%d", i);
                _cleanup_tree_ MrTree *object = kafka(name, 1);
                assert_int_equal(store_create(fixture->store, object, NULL, NULL), 0);
        }
        fixture->store = store_free(fixture->store);
        spoil(fixture->path, 3 * 4096 + 100, 8000);
        assert_refused_and_untouched(fixture, "state.db.backup");
        spoil(fixture->path, 0, 100);
        assert_refused_and_untouched(fixture, "damaged");
}

static void an_emptied_file_beside_a_backup_is_refused(void **state) {
        Fixture *fixture = *state;
        StoreSecretValue value = {"a", "1", 1};

        assert_int_equal(store_secret_put(fixture->store, "default", "s", &value, 1, NULL, NULL),
                         1);
        fixture->store = store_free(fixture->store);
        assert_int_equal(truncate(fixture->path, 0), 0);
        assert_refused_and_untouched(fixture, "backup exists");
}

static void set_pragma(Fixture *fixture, const char *sql) {
        sqlite3 *db = NULL;

        fixture->store = store_free(fixture->store);
        assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_newer_schema_is_refused(void **state) {
        Fixture *fixture = *state;

        set_pragma(fixture, "PRAGMA user_version = 99");
        assert_refused_and_untouched(fixture, "newer millraced");
}

static void a_newer_millraced_is_named(void **state) {
        Fixture *fixture = *state;

        set_pragma(fixture, "INSERT INTO programs VALUES('7.0.1', 1); PRAGMA user_version = 99");
        assert_refused_and_untouched(fixture, "(7.0.1, schema 99; this is " MILLRACE_VERSION);
}

/* A file of schema 1, as millraced 0.1.0 left it, in the place of the new one. */
static void put_older(Fixture *fixture, const char *then) {
        _cleanup_free_ char *sql =
                mr_strf("%s/tests/unit/store/schema-1.sql", getenv("MILLRACE_SOURCE"));
        _cleanup_buf_ MrBuf text = {};

        fixture->store = store_free(fixture->store);
        assert_int_equal(unlink(fixture->path), 0);
        assert_true(read_file_capped(sql, 1 << 20, &text, NULL) >= 0);
        mr_buf_puts(&text, then);
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, mr_buf_text(&text), NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Everything that says how the file is laid out. */
static char *layout_of(Fixture *fixture) {
        MrBuf all = {};
        sqlite3_stmt *statement = NULL;

        assert_int_equal(sqlite3_prepare_v2(fixture->store->db,
                                            "SELECT sql FROM sqlite_schema ORDER BY name", -1,
                                            &statement, NULL),
                         SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW)
                mr_buf_printf(&all, "%s\n", store_column(statement, 0));
        sqlite3_finalize(statement);
        return mr_buf_take(&all);
}

static int64_t schema_of(const char *path) {
        sqlite3_stmt *statement = NULL;
        sqlite3 *db = NULL;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        int64_t schema = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        return schema;
}

static void the_file_of_an_older_millraced_is_taken_over(void **state) {
        Fixture *fixture = *state;
        _cleanup_free_ char *fresh = layout_of(fixture);
        _cleanup_tree_ MrTree *holds = NULL, *remembered = NULL;
        _cleanup_resource_ StoreResource read = {};
        _cleanup_buf_ MrBuf key = {};

        put_older(fixture, "");
        assert_int_equal(store_open(fixture->path, &fixture->store, NULL), 0);
        _cleanup_free_ char *layout = layout_of(fixture);
        assert_string_equal(layout, fresh);
        assert_int_equal(store_get(fixture->store, "Kafka", "default", "my-cluster", &read, NULL),
                         0);
        assert_string_equal(read.uid, "b69585c9-95a9-4f73-9f80-a800788a39b8");
        assert_int_equal(store_version(fixture->store), 7);
        assert_int_equal(store_secret_get(fixture->store, "default", "my-cluster-cluster-ca",
                                          "ca.key", &key, NULL),
                         1);
        assert_string_equal(mr_buf_text(&key), "the key");
        assert_int_equal(store_holds(fixture->store, NULL, &holds, NULL), 0);
        assert_string_equal(mr_tree_get_string(mr_tree_at(holds, 0), "reason"),
                            "a disk is exchanged");
        assert_int_equal(store_remembered(fixture->store, "port/", &remembered, NULL), 0);
        assert_int_equal(mr_tree_size(remembered), 1);
        fixture->store = store_free(fixture->store);
        assert_int_equal(schema_of(fixture->path), STORE_SCHEMA);
}

static void a_takeover_that_fails_changes_nothing(void **state) {
        Fixture *fixture = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        put_older(fixture, "CREATE TABLE programs(something TEXT, else_ TEXT);");
        assert_true(store_open(fixture->path, &fixture->store, &err) < 0);
        assert_non_null(strstr(err.message, "programs"));
        assert_int_equal(schema_of(fixture->path), 1);
}

static void who_used_the_file_is_noted_once(void **state) {
        Fixture *fixture = *state;
        sqlite3_stmt *statement = NULL;

        reopen(fixture);
        reopen(fixture);
        assert_int_equal(sqlite3_prepare_v2(fixture->store->db,
                                            "SELECT group_concat(version) FROM programs", -1,
                                            &statement, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_string_equal(store_column(statement, 0), MILLRACE_VERSION);
        sqlite3_finalize(statement);
}

static void a_database_of_another_program_is_refused(void **state) {
        Fixture *fixture = *state;

        set_pragma(fixture, "PRAGMA application_id = 1");
        assert_refused_and_untouched(fixture, "another program");
}

static void the_file_is_private(void **state) {
        Fixture *fixture = *state;
        struct stat st;

        assert_int_equal(stat(fixture->path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        fixture->store = store_free(fixture->store);
        assert_int_equal(chmod(fixture->path, 0644), 0);
        assert_int_equal(store_open(fixture->path, &fixture->store, NULL), 0);
        assert_int_equal(stat(fixture->path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_second_daemon_is_kept_out(void **state) {
        Fixture *fixture = *state;
        _cleanup_(store_freep) Store *second = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(store_open(fixture->path, &second, &err), -EAGAIN);
        assert_non_null(strstr(err.message, "another program"));
}

static void a_full_disk_changes_nothing_and_passes(void **state) {
        Fixture *fixture = *state;
        _cleanup_tree_ MrTree *small = kafka("a", 1), *big = kafka("b", 1);
        _cleanup_free_ char *filler = mr_calloc(1, 200001);
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_resource_ StoreResource read = {};
        Seen seen = {};

        assert_int_equal(store_create(fixture->store, small, NULL, NULL), 0);
        memset(filler, 'x', 200000);
        mr_tree_set_string(mr_tree_get(big, "spec"), "filler", filler);
        assert_int_equal(
                sqlite3_exec(fixture->store->db, "PRAGMA max_page_count = 20", NULL, NULL, NULL),
                SQLITE_OK);
        StoreSubscription *subscription = store_subscribe(fixture->store, see, &seen);
        StoreSecretValue value = {"a", filler, 200000};

        assert_int_equal(store_create(fixture->store, big, NULL, &err), -EAGAIN);
        assert_int_equal(err.kind, MR_TRANSIENT);
        assert_non_null(strstr(err.message, "no space left"));
        assert_int_equal(store_secret_put(fixture->store, "default", "s", &value, 1, NULL, NULL),
                         -EAGAIN);
        assert_int_equal(store_version(fixture->store), 1);
        assert_int_equal(seen.log.size, 0);
        store_unsubscribe(subscription);

        assert_int_equal(sqlite3_exec(fixture->store->db, "PRAGMA max_page_count = 100000", NULL,
                                      NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(store_create(fixture->store, big, &read, NULL), 0);
        assert_int_equal(read.version, 2);
}

static void what_was_committed_survives_a_kill(void **state) {
        Fixture *fixture = *state;
        _cleanup_resources_ StoreResources all = {};

        fixture->store = store_free(fixture->store);
        pid_t pid = fork();
        if (pid == 0) {
                Store *store = NULL;
                _cleanup_tree_ MrTree *object = kafka("a", 1);
                if (store_open(fixture->path, &store, NULL) < 0 ||
                    store_create(store, object, NULL, NULL) < 0)
                        _exit(1);
                Transaction transaction;
                int64_t version;
                if (store_begin(store, &transaction, NULL) < 0 ||
                    store_next_version(store, &version, NULL) < 0)
                        _exit(1);
                kill(getpid(), SIGKILL);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(store_open(fixture->path, &fixture->store, NULL), 0);
        assert_int_equal(store_list(fixture->store, NULL, NULL, &all, NULL), 0);
        assert_int_equal(all.n, 1);
        assert_int_equal(store_version(fixture->store), 1);
}

static MrTree *platform_object(const char *uid, int64_t generation, int64_t replicas) {
        MrTree *object = mr_tree_new_map(), *metadata = mr_tree_need_map(object, "metadata");

        mr_tree_set_string(object, "apiVersion", "v1");
        mr_tree_set_string(object, "kind", "Kafka");
        mr_tree_set_string(metadata, "name", "kept");
        mr_tree_set_string(metadata, "uid", uid);
        if (generation > 0)
                mr_tree_set_int(metadata, "generation", generation);
        mr_tree_set_int(mr_tree_need_map(object, "spec"), "replicas", replicas);
        mr_tree_set_int(mr_tree_need_map(object, "status"), "seen", 1);
        return object;
}

static void a_resource_of_the_platform_is_a_copy(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource first = {}, second = {}, third = {};
        _cleanup_(mr_tree_freep) MrTree *one = platform_object("u-1", 4, 1),
                                        *two = platform_object("u-1", 5, 2),
                                        *bare = platform_object("u-1", 0, 3),
                                        *other = platform_object("u-2", 1, 1);

        assert_int_equal(store_put_platform_resource(fixture->store, one, &first, NULL), 1);
        assert_int_equal(first.generation, 4);
        assert_string_equal(first.uid, "u-1");
        assert_int_equal(mr_tree_get_int(mr_tree_get(first.tree, "status"), "seen", 0), 1);
        assert_int_equal(store_put_platform_resource(fixture->store, one, NULL, NULL), 0);
        assert_int_equal(store_put_platform_resource(fixture->store, two, &second, NULL), 1);
        assert_int_equal(second.generation, 5);
        /* Without a generation of its own, it gets one here. */
        assert_int_equal(store_put_platform_resource(fixture->store, bare, &third, NULL), 1);
        assert_int_equal(third.generation, 6);
        assert_int_equal(store_put_platform_resource(fixture->store, other, NULL, NULL), -ESTALE);
        assert_int_equal(store_update(fixture->store, one, NULL, NULL), -EPERM);
        assert_int_equal(store_delete(fixture->store, "Kafka", "default", "kept", NULL), -EPERM);
        assert_int_equal(store_put_file_resource(fixture->store, "/a.yaml", one, NULL, NULL),
                         -EEXIST);
        assert_int_equal(
                store_delete_platform_resource(fixture->store, "Kafka", "default", "kept", NULL),
                1);
        assert_int_equal(store_put_platform_resource(fixture->store, two, NULL, NULL), -ESTALE);
        assert_true(store_remove(fixture->store, "Kafka", "default", "kept", NULL) >= 0);
        assert_int_equal(store_put_platform_resource(fixture->store, other, NULL, NULL), 1);
}

static void what_comes_from_elsewhere_is_not_the_platforms(void **state) {
        Fixture *fixture = *state;
        _cleanup_(mr_tree_freep) MrTree *one = platform_object("u-1", 1, 1);

        assert_int_equal(store_create(fixture->store, one, NULL, NULL), 0);
        assert_int_equal(store_put_platform_resource(fixture->store, one, NULL, NULL), -EEXIST);
        assert_int_equal(
                store_delete_platform_resource(fixture->store, "Kafka", "default", "kept", NULL),
                -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        a_created_resource_has_an_identity_that_outlives_a_restart, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(creating_twice_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_generation_counts_changes_of_the_spec_only,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_update_from_an_old_version_conflicts, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_wrong_uid_conflicts, set_up, tear_down),
                cmocka_unit_test_setup_teardown(bad_names_are_refused_with_their_path, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(deletion_is_marked_first_and_ended_later, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(only_what_comes_again_is_not_waited_for, set_up,
                                                tear_down),
                cmocka_unit_test(files_have_the_same_uid_in_each_store_in_memory),
                cmocka_unit_test_setup_teardown(a_resource_of_a_file_is_read_only_and_keeps_its_uid,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_resource_of_the_platform_is_a_copy, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(what_comes_from_elsewhere_is_not_the_platforms,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_immutable_is_made_anew_or_stays, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_list_is_sorted_and_filtered, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_feed_tells_each_change_in_order, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_forgotten_version_cannot_be_replayed, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_subscriber_may_write_and_leave_and_order_is_kept,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(several_secrets_are_put_together_or_not_at_all,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(notes_on_secrets_go_with_them, set_up, tear_down),
                cmocka_unit_test_setup_teardown(secrets_are_replaced_as_a_whole_and_backed_up,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        the_backup_is_made_by_the_loop_once_for_many_changes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_backup_opens_as_a_store, set_up, tear_down),
                cmocka_unit_test_setup_teardown(values_are_remembered_until_they_are_forgotten,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(holds_are_kept_until_released, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_damaged_file_is_refused_and_left_as_it_is, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(an_emptied_file_beside_a_backup_is_refused, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_newer_schema_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_newer_millraced_is_named, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_file_of_an_older_millraced_is_taken_over,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_takeover_that_fails_changes_nothing, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(who_used_the_file_is_noted_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_database_of_another_program_is_refused, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(the_file_is_private, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_second_daemon_is_kept_out, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_full_disk_changes_nothing_and_passes, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(what_was_committed_survives_a_kill, set_up,
                                                tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
