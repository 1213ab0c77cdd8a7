/* Nodes: making, reading, changing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tree.h"

static void readers_take_null(void **state) {
        (void) state;
        assert_int_equal(mr_tree_type(NULL), MR_TREE_NULL);
        assert_true(mr_tree_bool(NULL, true));
        assert_int_equal(mr_tree_int(NULL, 7), 7);
        assert_true(mr_tree_real(NULL, 0.5) > 0.4);
        assert_null(mr_tree_string(NULL));
        assert_int_equal(mr_tree_line(NULL), 0);
        assert_int_equal(mr_tree_column(NULL), 0);
        assert_int_equal(mr_tree_size(NULL), 0);
        assert_null(mr_tree_at(NULL, 0));
        assert_null(mr_tree_key(NULL, 0));
        assert_int_equal(mr_tree_key_line(NULL, 0, NULL), 0);
        assert_null(mr_tree_get(NULL, "a"));
        assert_null(mr_tree_find(NULL, "a.b", true));
        assert_null(mr_tree_get_string(NULL, "a"));
        assert_int_equal(mr_tree_get_int(NULL, "a", 3), 3);
        assert_true(mr_tree_get_bool(NULL, "a", true));
        assert_null(mr_tree_free(NULL));
        mr_tree_set_position(NULL, 1, 1);
        mr_tree_remove(NULL, "a");
        mr_tree_remove_at(NULL, 0);
        assert_null(mr_tree_set_int(NULL, "a", 1));
        assert_null(mr_tree_append(NULL, mr_tree_new_int(1)));
        assert_null(mr_tree_need_map(NULL, "a"));
}

static void a_copy_of_null_is_a_null_node(void **state) {
        (void) state;
        _cleanup_(mr_tree_freep) MrTree *copy = mr_tree_copy(NULL);
        assert_non_null(copy);
        assert_int_equal(mr_tree_type(copy), MR_TREE_NULL);
}

static void whole_reals_are_integers(void **state) {
        (void) state;
        static const struct {
                double value;
                MrTreeType type;
                int64_t integer;
        } cases[] = {
                {1.0, MR_TREE_INT, 1},
                {-0.0, MR_TREE_INT, 0},
                {1e15, MR_TREE_INT, 1000000000000000},
                {-9223372036854775808.0, MR_TREE_INT, INT64_MIN},
                {0.5, MR_TREE_REAL, -1},
                {9223372036854775808.0, MR_TREE_REAL, -1},
                {1e300, MR_TREE_REAL, -1},
                {NAN, MR_TREE_NULL, -1},
                {INFINITY, MR_TREE_NULL, -1},
        };
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_real(cases[i].value);
                assert_int_equal(mr_tree_type(tree), cases[i].type);
                assert_int_equal(mr_tree_int(tree, -1), cases[i].integer);
        }
}

static void strings_of_any_length_are_kept(void **state) {
        char text[64] = "";

        (void) state;
        for (size_t n = 0; n < 40; n++) {
                memset(text, 'x', n);
                text[n] = '\0';
                _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_string(text);
                _cleanup_(mr_tree_freep) MrTree *copy = mr_tree_copy(tree);
                assert_string_equal(mr_tree_string(tree), text);
                assert_string_equal(mr_tree_string(copy), text);
                assert_true(mr_tree_equal(tree, copy));
        }
        _cleanup_(mr_tree_freep) MrTree *none = mr_tree_new_string(NULL);
        assert_int_equal(mr_tree_type(none), MR_TREE_NULL);
        _cleanup_(mr_tree_freep) MrTree *also_none = mr_tree_new_string_n(NULL, 3);
        assert_int_equal(mr_tree_type(also_none), MR_TREE_NULL);
        _cleanup_(mr_tree_freep) MrTree *part = mr_tree_new_string_n("abcdef", 3);
        assert_string_equal(mr_tree_string(part), "abc");
}

static void maps_are_sorted_however_they_are_filled(void **state) {
        static const char *const keys[] = {"m", "a", "z", "b", "y", "aa", "", "q", "c", "x"};
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(keys); i++)
                mr_tree_set_int(map, keys[i], (int64_t) i);
        assert_int_equal(mr_tree_size(map), MR_ELEMENTS(keys));
        for (size_t i = 1; i < mr_tree_size(map); i++)
                assert_true(strcmp(mr_tree_key(map, i - 1), mr_tree_key(map, i)) < 0);
        for (size_t i = 0; i < MR_ELEMENTS(keys); i++)
                assert_int_equal(mr_tree_get_int(map, keys[i], -1), (int64_t) i);
        assert_null(mr_tree_get(map, "none"));
        assert_null(mr_tree_get(map, NULL));
        assert_null(mr_tree_key(map, 99));
}

static void set_replaces_and_remove_removes(void **state) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();

        (void) state;
        mr_tree_set_string(map, "a", "one");
        mr_tree_set_string(map, "a", "two");
        assert_int_equal(mr_tree_size(map), 1);
        assert_string_equal(mr_tree_get_string(map, "a"), "two");
        assert_null(mr_tree_set_string(map, "b", NULL));
        assert_null(mr_tree_get(map, "b"));
        assert_int_equal(mr_tree_type(mr_tree_set(map, "n", NULL)), MR_TREE_NULL);
        MrTree *same = mr_tree_get(map, "a");
        assert_ptr_equal(mr_tree_set(map, "a", same), same);
        mr_tree_set_bool(map, "c", true);
        mr_tree_remove(map, "a");
        mr_tree_remove(map, "missing");
        mr_tree_remove_at(map, 99);
        assert_null(mr_tree_get(map, "a"));
        assert_true(mr_tree_get_bool(map, "c", false));
        assert_int_equal(mr_tree_size(map), 2);
}

static void lists_grow_and_shrink(void **state) {
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_list();

        (void) state;
        for (int64_t i = 0; i < 100; i++)
                mr_tree_append(list, mr_tree_new_int(i));
        mr_tree_append(list, NULL);
        mr_tree_remove_at(list, 0);
        assert_int_equal(mr_tree_size(list), 100);
        assert_int_equal(mr_tree_int(mr_tree_at(list, 0), -1), 1);
        assert_int_equal(mr_tree_type(mr_tree_at(list, 99)), MR_TREE_NULL);
        assert_null(mr_tree_at(list, 100));
        assert_null(mr_tree_key(list, 0));
        assert_null(mr_tree_set_int(list, "a", 1));
}

static void needed_containers_appear(void **state) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();

        (void) state;
        mr_tree_set_int(mr_tree_need_map(map, "spec"), "a", 1);
        mr_tree_set_int(mr_tree_need_map(map, "spec"), "b", 2);
        mr_tree_append(mr_tree_need_list(map, "items"), mr_tree_new_int(1));
        mr_tree_append(mr_tree_need_list(map, "items"), mr_tree_new_int(2));
        assert_int_equal(mr_tree_size(mr_tree_get(map, "spec")), 2);
        assert_int_equal(mr_tree_size(mr_tree_get(map, "items")), 2);
        assert_int_equal(mr_tree_size(mr_tree_need_map(map, "items")), 0);
}

static void copies_are_deep_and_keep_positions(void **state) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();

        (void) state;
        MrTree *list = mr_tree_need_list(map, "list");
        mr_tree_append(list, mr_tree_new_real(0.25));
        mr_tree_append(list, mr_tree_new_bool(true));
        mr_tree_append(list, mr_tree_new_list());
        mr_tree_append(list, mr_tree_new_map());
        mr_tree_set_position(list, 70000, 70000);
        _cleanup_(mr_tree_freep) MrTree *copy = mr_tree_copy(map);
        assert_true(mr_tree_equal(map, copy));
        assert_int_equal(mr_tree_line(mr_tree_get(copy, "list")), 70000);
        assert_int_equal(mr_tree_column(mr_tree_get(copy, "list")), 65535);
        mr_tree_append(list, NULL);
        assert_false(mr_tree_equal(map, copy));
}

static void every_type_has_a_name(void **state) {
        (void) state;
        for (int i = MR_TREE_NULL; i <= MR_TREE_MAP; i++)
                assert_string_not_equal(mr_tree_type_name((MrTreeType) i), "unknown");
        assert_string_equal(mr_tree_type_name(MR_TREE_STRING), "a string");
        assert_string_equal(mr_tree_type_name((MrTreeType) 99), "unknown");
}

static void numbers_read_as_either(void **state) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();

        (void) state;
        mr_tree_set(map, "real", mr_tree_new_real(2.5));
        mr_tree_set_int(map, "int", 2);
        assert_true(mr_tree_real(mr_tree_get(map, "int"), 0) > 1.9);
        assert_true(mr_tree_real(mr_tree_get(map, "real"), 0) > 2.4);
        assert_int_equal(mr_tree_get_int(map, "real", -1), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(readers_take_null),
                cmocka_unit_test(a_copy_of_null_is_a_null_node),
                cmocka_unit_test(whole_reals_are_integers),
                cmocka_unit_test(strings_of_any_length_are_kept),
                cmocka_unit_test(maps_are_sorted_however_they_are_filled),
                cmocka_unit_test(set_replaces_and_remove_removes),
                cmocka_unit_test(lists_grow_and_shrink),
                cmocka_unit_test(needed_containers_appear),
                cmocka_unit_test(copies_are_deep_and_keep_positions),
                cmocka_unit_test(every_type_has_a_name),
                cmocka_unit_test(numbers_read_as_either),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
