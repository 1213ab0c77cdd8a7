/* IncrementalAlterConfigs (KIP-339), broker after broker: what concerns one broker must be sent to
 * that broker, which checks it against its own configuration. */

#include <errno.h>

#include "kafka/errors.h"
#include "kafka/view.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define RESOURCE_BROKER 4
#define OPERATION_SET 0
#define OPERATION_DELETE 1

struct KafkaAlteration {
        KafkaClient *client;
        KafkaCall *call;
        KafkaAltered done;
        void *userdata;
        MrTree *changes; /* map broker → {key: value or null} */
        size_t at;
};

static int check_responses(const MrTree *response, MrError *err) {
        const MrTree *responses = mr_tree_get(response, "responses");

        for (size_t i = 0; i < mr_tree_size(responses); i++) {
                int r = kafka_error_check_in(mr_tree_at(responses, i), err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void send_next(KafkaAlteration *alteration);

static void on_altered(const MrError *err, const MrTree *response, void *userdata) {
        KafkaAlteration *alteration = userdata;

        (void) response;
        alteration->call = NULL;
        if (err || ++alteration->at == mr_tree_size(alteration->changes))
                alteration->done(alteration->userdata, err ? -EINVAL : 0, err);
        else
                send_next(alteration);
}

static MrTree *request_for(const char *broker, const MrTree *changes) {
        MrTree *body = mr_tree_new_map();
        MrTree *resource = mr_tree_append(mr_tree_need_list(body, "resources"), mr_tree_new_map());
        MrTree *configs = mr_tree_need_list(resource, "configs");

        mr_tree_set_int(resource, "resource_type", RESOURCE_BROKER);
        mr_tree_set_string(resource, "resource_name", broker);
        for (size_t i = 0; i < mr_tree_size(changes); i++) {
                const char *value = mr_tree_string(mr_tree_at(changes, i));
                MrTree *config = mr_tree_append(configs, mr_tree_new_map());
                mr_tree_set_string(config, "name", mr_tree_key(changes, i));
                mr_tree_set_int(config, "config_operation",
                                value ? OPERATION_SET : OPERATION_DELETE);
                mr_tree_set(config, "value", mr_tree_new_string(value));
        }
        return body;
}

static void send_next(KafkaAlteration *alteration) {
        const char *broker = mr_tree_key(alteration->changes, alteration->at);
        int64_t id;

        if (mr_parse_int(broker, &id) < 0)
                id = KAFKA_CONTROLLER;
        KafkaRequest request = {
                .api = KAFKA_INCREMENTAL_ALTER_CONFIGS,
                .target = (int32_t) id,
                .take_body = request_for(broker, mr_tree_at(alteration->changes, alteration->at)),
                .check = check_responses,
                .reply = on_altered,
                .userdata = alteration,
        };
        alteration->call = kafka_client_call(alteration->client, &request);
}

KafkaAlteration *kafka_alteration_new(KafkaClient *client, const KafkaConfigChange *changes,
                                      size_t n, KafkaAltered done, void *userdata) {
        KafkaAlteration *alteration = mr_new(KafkaAlteration, 1);

        alteration->client = client;
        alteration->done = done;
        alteration->userdata = userdata;
        alteration->changes = mr_tree_new_map();
        for (size_t i = 0; i < n; i++)
                mr_tree_set(mr_tree_need_map(alteration->changes, changes[i].broker),
                            changes[i].key, mr_tree_new_string(changes[i].value));
        send_next(alteration);
        return alteration;
}

KafkaAlteration *kafka_alteration_free(KafkaAlteration *alteration) {
        if (!alteration)
                return NULL;
        kafka_call_cancel(alteration->call);
        mr_tree_free(alteration->changes);
        free(alteration);
        return NULL;
}
