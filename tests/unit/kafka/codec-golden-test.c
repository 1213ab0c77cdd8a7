/* Bytes of real brokers against the tables: for every pair in tests/golden/kafka/VERSION the
 * request decodes and encodes to the same bytes again, and the response decodes to the expected
 * tree and encodes to the same bytes. With MR_GOLDEN_UPDATE=1 in the environment the trees are
 * written instead of compared. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka/messages.h"
#include "kafka/wire.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static const char *golden_folder(void) {
        const char *folder = getenv("MR_GOLDEN");

        return folder ? folder : "tests/golden";
}

static char *read_file(const char *path) {
        char *text = mr_calloc(1, 1 << 20);
        FILE *file = fopen(path, "re");

        if (file) {
                (void) !fread(text, 1, (1 << 20) - 1, file);
                fclose(file);
        }
        return text;
}

static void read_hex(const char *path, MrBuf *out) {
        _cleanup_free_ char *text = read_file(path);
        unsigned byte = 0;

        for (const char *at = text; *at; at++) {
                if (*at == '\n')
                        continue;
                assert_int_equal(sscanf(at++, "%2x", &byte), 1);
                mr_buf_putc(out, (char) byte);
        }
        assert_true(out->size > 0);
}

/* "…/Metadata-v12.request.hex" → the message, its version and the stem of the path. */
static const KafkaMessage *parse_path(const char *path, int16_t *ret_version, char **ret_stem) {
        const char *name = strrchr(path, '/') + 1;
        const char *dash = strstr(name, "-v");

        *ret_version = (int16_t) atoi(dash + 2);
        *ret_stem = mr_strndup(path, strlen(path) - strlen(".request.hex"));
        for (size_t i = 0; kafka_message_at(i); i++) {
                const char *known = kafka_message_at(i)->name;
                if (strlen(known) == (size_t) (dash - name) && mr_starts_with(name, known))
                        return kafka_message_at(i);
        }
        fail_msg("%s is of no known message", path);
        return NULL;
}

static int32_t check_request(const KafkaMessage *message, int16_t version, const char *path) {
        _cleanup_buf_ MrBuf wanted = {};
        _cleanup_buf_ MrBuf again = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        CodecForm form = kafka_message_form(message, version);
        int64_t correlation = 0;

        read_hex(path, &wanted);
        /* api, version, correlation, "millrace", and no tags where the header has some */
        size_t header = 2 + 2 + 4 + 2 + strlen("millrace") + (form.is_flexible ? 1 : 0);
        WireReader reader = WIRE_READER(wanted.data + 4, 4);
        assert_int_equal(wire_read_int(&reader, 4, &correlation, &err), 0);
        if (codec_decode(message->request, form, wanted.data + header, wanted.size - header, &tree,
                         &err) < 0)
                fail_msg("%s: %s", path, mr_error_text(&err));
        assert_int_equal(kafka_request_encode(message, version, (int32_t) correlation, "millrace",
                                              tree, &again, &err),
                         0);
        assert_int_equal(again.size, wanted.size + 4);
        assert_memory_equal(again.data + 4, wanted.data, wanted.size);
        return (int32_t) correlation;
}

static void check_tree(const MrTree *tree, const char *path) {
        _cleanup_buf_ MrBuf found = {};
        _cleanup_free_ char *wanted = NULL;

        mr_json_write(tree, MR_JSON_PRETTY, &found);
        if (getenv("MR_GOLDEN_UPDATE")) {
                FILE *file = fopen(path, "we");
                assert_non_null(file);
                fputs(mr_buf_text(&found), file);
                fclose(file);
        }
        wanted = read_file(path);
        assert_string_equal(mr_buf_text(&found), wanted);
}

static void check_response(const KafkaMessage *message, int16_t version, int32_t correlation,
                           const char *stem) {
        _cleanup_free_ char *path = mr_strf("%s.response.hex", stem);
        _cleanup_free_ char *json = mr_strf("%s.json", stem);
        _cleanup_buf_ MrBuf wanted = {};
        _cleanup_buf_ MrBuf again = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;

        read_hex(path, &wanted);
        if (kafka_response_decode(message, version, correlation, wanted.data, wanted.size, &tree,
                                  &err) < 0)
                fail_msg("%s: %s", path, mr_error_text(&err));
        check_tree(tree, json);
        assert_int_equal(codec_encode(message->response, kafka_message_form(message, version), tree,
                                      &again, &err),
                         0);
        assert_memory_equal(wanted.data + wanted.size - again.size, again.data, again.size);

        /* No prefix of it is a message, and nobody reads beyond its end. */
        for (size_t size = 0; size < wanted.size; size++) {
                _cleanup_error_ MrError short_err = MR_ERROR_INIT;
                MrTree *none = NULL;
                char *copy = mr_malloc(size ? size : 1);
                memcpy(copy, wanted.data, size);
                assert_int_equal(kafka_response_decode(message, version, correlation, copy, size,
                                                       &none, &short_err),
                                 -EINVAL);
                assert_null(none);
                free(copy);
        }
        assert_int_equal(kafka_response_decode(message, version, correlation + 1, wanted.data,
                                               wanted.size, &tree, &err),
                         -EINVAL);
}

static void check_broker(const char *version, size_t least) {
        _cleanup_free_ char *pattern =
                mr_strf("%s/kafka/%s/*.request.hex", golden_folder(), version);
        glob_t found = {};

        assert_int_equal(glob(pattern, 0, NULL, &found), 0);
        assert_true(found.gl_pathc >= least);
        for (size_t i = 0; i < found.gl_pathc; i++) {
                _cleanup_free_ char *stem = NULL;
                int16_t message_version = 0;
                const KafkaMessage *message =
                        parse_path(found.gl_pathv[i], &message_version, &stem);
                int32_t correlation = check_request(message, message_version, found.gl_pathv[i]);
                check_response(message, message_version, correlation, stem);
        }
        globfree(&found);
}

static void kafka_3_9_1_with_zookeeper(void **state) {
        (void) state;
        check_broker("3.9.1", 17);
}

/* Taken while one of its two brokers was down. */
static void kafka_3_9_1_with_kraft(void **state) {
        (void) state;
        check_broker("3.9.1-kraft", 6);
}

static void kafka_4_3_1_with_kraft(void **state) {
        (void) state;
        check_broker("4.3.1", 23);
}

/* A controller gets a vote and loses it again, and a broker that has ended is forgotten; then the
 * same of another cluster, of a voter and of a broker there are none of. */
static void votes_of_kafka_4_3_1(void **state) {
        (void) state;
        check_broker("4.3.1-votes", 4);
        check_broker("4.3.1-votes-refused", 4);
}

/* Two levels up, and one that does not exist. */
static void features_of_kafka_4_3_1(void **state) {
        (void) state;
        check_broker("4.3.1-features", 2);
        check_broker("4.3.1-features-refused", 2);
}

static void every_message_has_bytes_of_a_broker(void **state) {
        (void) state;
        for (size_t i = 0; kafka_message_at(i); i++) {
                _cleanup_free_ char *pattern = mr_strf("%s/kafka/*/%s-v*.request.hex",
                                                       golden_folder(), kafka_message_at(i)->name);
                glob_t found = {};
                if (glob(pattern, 0, NULL, &found) != 0)
                        fail_msg("%s was never recorded", kafka_message_at(i)->name);
                globfree(&found);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_message_has_bytes_of_a_broker),
                cmocka_unit_test(kafka_3_9_1_with_zookeeper),
                cmocka_unit_test(kafka_3_9_1_with_kraft),
                cmocka_unit_test(kafka_4_3_1_with_kraft),
                cmocka_unit_test(votes_of_kafka_4_3_1),
                cmocka_unit_test(features_of_kafka_4_3_1),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
