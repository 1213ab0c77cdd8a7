#include "kafka/admin.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "crypto/scram.h"
#include "kafka/errors.h"
#include "sdk/str.h"

#define MECHANISM_SCRAM_SHA_512 2
#define SALT_SIZE 32
#define RESOURCE_NOT_FOUND 91

static int check_results(const MrTree *response, bool may_be_missing, MrError *err) {
        const MrTree *results = mr_tree_get(response, "results");

        for (size_t i = 0; i < mr_tree_size(results); i++) {
                const MrTree *result = mr_tree_at(results, i);
                if (may_be_missing &&
                    mr_tree_get_int(result, "error_code", 0) == RESOURCE_NOT_FOUND)
                        continue;
                int r = kafka_error_check_in(result, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_upserted(const MrTree *response, MrError *err) {
        return check_results(response, false, err);
}

static int check_deleted(const MrTree *response, MrError *err) {
        return check_results(response, true, err);
}

static KafkaCall *call(KafkaClient *client, KafkaRequest request, KafkaReply reply,
                       void *userdata) {
        request.reply = reply;
        request.userdata = userdata;
        return kafka_client_call(client, &request);
}

static void set_bytes(MrTree *map, const char *key, const void *data, size_t size) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        mr_base64(data, size, &text);
        mr_tree_set_string(map, key, mr_buf_text(&text));
}

KafkaCall *kafka_admin_upsert_scram(KafkaClient *client, const char *user, const char *password,
                                    int iterations, KafkaReply reply, void *userdata,
                                    MrError *err) {
        uint8_t salt[SALT_SIZE], salted[SCRAM_SIZE_MAX];
        MrTree *body;

        if (RAND_bytes(salt, sizeof(salt)) != 1) {
                (void) mr_fail(err, MR_TRANSIENT, NULL, "cannot get random bytes");
                return NULL;
        }
        if (scram_salted_password(SCRAM_SHA_512, password, salt, sizeof(salt), iterations, salted,
                                  err) < 0)
                return NULL;
        body = mr_tree_new_map();
        MrTree *upsertion =
                mr_tree_append(mr_tree_need_list(body, "upsertions"), mr_tree_new_map());
        mr_tree_set_string(upsertion, "name", user);
        mr_tree_set_int(upsertion, "mechanism", MECHANISM_SCRAM_SHA_512);
        mr_tree_set_int(upsertion, "iterations", iterations);
        set_bytes(upsertion, "salt", salt, sizeof(salt));
        set_bytes(upsertion, "salted_password", salted, scram_size(SCRAM_SHA_512));
        OPENSSL_cleanse(salted, sizeof(salted));
        return call(client,
                    (KafkaRequest){.api = KAFKA_ALTER_USER_SCRAM_CREDENTIALS,
                                   .target = KAFKA_CONTROLLER,
                                   .take_body = body,
                                   .check = check_upserted},
                    reply, userdata);
}

KafkaCall *kafka_admin_delete_scram(KafkaClient *client, const char *user, KafkaReply reply,
                                    void *userdata) {
        MrTree *body = mr_tree_new_map();
        MrTree *deletion = mr_tree_append(mr_tree_need_list(body, "deletions"), mr_tree_new_map());

        mr_tree_set_string(deletion, "name", user);
        mr_tree_set_int(deletion, "mechanism", MECHANISM_SCRAM_SHA_512);
        return call(client,
                    (KafkaRequest){.api = KAFKA_ALTER_USER_SCRAM_CREDENTIALS,
                                   .target = KAFKA_CONTROLLER,
                                   .take_body = body,
                                   .check = check_deleted},
                    reply, userdata);
}

static int check_log_dirs(const MrTree *response, MrError *err) {
        int r = kafka_error_check_in(response, err);
        return r < 0 ? r : check_results(response, false, err);
}

KafkaCall *kafka_admin_describe_log_dirs(KafkaClient *client, int32_t broker, KafkaReply reply,
                                         void *userdata) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set(body, "topics", NULL);
        return call(client,
                    (KafkaRequest){.api = KAFKA_DESCRIBE_LOG_DIRS,
                                   .target = broker,
                                   .take_body = body,
                                   .check = check_log_dirs},
                    reply, userdata);
}
