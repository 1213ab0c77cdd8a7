/* Changes to a running cluster, one request a subject; UpdateFeatures (KIP-584) raises features:
 * IncrementalAlterConfigs (KIP-339) for what concerns one broker, sent to that broker, which checks
 * it against its own configuration; AlterClientQuotas (KIP-546) for the quotas of all users; and
 * AddRaftVoter, RemoveRaftVoter (KIP-853) and UnregisterBroker for who belongs to the cluster. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kafka/errors.h"
#include "kafka/view.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define RESOURCE_BROKER 4
#define RESOURCE_BROKER_LOGGER 8
#define OPERATION_SET 0
#define OPERATION_DELETE 1
#define UPGRADE 1

/* All changes of one request. */
typedef struct Group {
        KafkaSubject subject;
        char *broker;
        MrTree *changes; /* map key → value or null */
} Group;

struct KafkaAlteration {
        KafkaClient *client;
        KafkaCall *call;
        KafkaAltered done;
        void *userdata;
        Group *groups;
        size_t n, allocated, at;
};

static int check_all(const MrTree *response, const char *list, MrError *err) {
        const MrTree *results = mr_tree_get(response, list);

        for (size_t i = 0; i < mr_tree_size(results); i++) {
                int r = kafka_error_check_in(mr_tree_at(results, i), err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_responses(const MrTree *response, MrError *err) {
        return check_all(response, "responses", err);
}

static int check_entries(const MrTree *response, MrError *err) {
        return check_all(response, "entries", err);
}

static int check_features(const MrTree *response, MrError *err) {
        int r = kafka_error_check_in(response, err);

        return r < 0 ? r : check_all(response, "results", err);
}

static void send_next(KafkaAlteration *alteration);

static void on_altered(const MrError *err, const MrTree *response, void *userdata) {
        KafkaAlteration *alteration = userdata;

        (void) response;
        alteration->call = NULL;
        if (err || ++alteration->at == alteration->n)
                alteration->done(alteration->userdata, err ? -EINVAL : 0, err);
        else
                send_next(alteration);
}

static MrTree *configs_request(const Group *group) {
        MrTree *body = mr_tree_new_map();
        MrTree *resource = mr_tree_append(mr_tree_need_list(body, "resources"), mr_tree_new_map());
        MrTree *configs = mr_tree_need_list(resource, "configs");

        mr_tree_set_int(resource, "resource_type",
                        group->subject == KAFKA_SUBJECT_LOGGER ? RESOURCE_BROKER_LOGGER
                                                               : RESOURCE_BROKER);
        mr_tree_set_string(resource, "resource_name", group->broker);
        for (size_t i = 0; i < mr_tree_size(group->changes); i++) {
                const char *value = mr_tree_string(mr_tree_at(group->changes, i));
                MrTree *config = mr_tree_append(configs, mr_tree_new_map());
                mr_tree_set_string(config, "name", mr_tree_key(group->changes, i));
                mr_tree_set_int(config, "config_operation",
                                value ? OPERATION_SET : OPERATION_DELETE);
                mr_tree_set(config, "value", mr_tree_new_string(value));
        }
        return body;
}

static MrTree *quotas_request(const Group *group) {
        MrTree *body = mr_tree_new_map();
        MrTree *entry = mr_tree_append(mr_tree_need_list(body, "entries"), mr_tree_new_map());
        MrTree *part = mr_tree_append(mr_tree_need_list(entry, "entity"), mr_tree_new_map());
        MrTree *changes = mr_tree_need_list(entry, "ops");

        mr_tree_set_string(part, "entity_type", "user");
        mr_tree_set(part, "entity_name", mr_tree_new_null());
        for (size_t i = 0; i < mr_tree_size(group->changes); i++) {
                const char *value = mr_tree_string(mr_tree_at(group->changes, i));
                double number = value ? strtod(value, NULL) : 0;
                MrTree *change = mr_tree_append(changes, mr_tree_new_map());
                mr_tree_set_string(change, "key", mr_tree_key(group->changes, i));
                mr_tree_set(change, "value", mr_tree_new_real(isnan(number) ? 0 : number));
                mr_tree_set_bool(change, "remove", !value);
        }
        return body;
}

static MrTree *features_request(const Group *group) {
        MrTree *body = mr_tree_new_map(), *updates = mr_tree_need_list(body, "feature_updates");

        mr_tree_set_int(body, "timeout_ms", 15000);
        for (size_t i = 0; i < mr_tree_size(group->changes); i++) {
                const char *text = mr_tree_string(mr_tree_at(group->changes, i));
                MrTree *update = mr_tree_append(updates, mr_tree_new_map());
                int64_t level;
                mr_tree_set_string(update, "feature", mr_tree_key(group->changes, i));
                mr_tree_set_int(update, "max_version_level",
                                text && mr_parse_int(text, &level) == 0 ? level : 0);
                mr_tree_set_int(update, "upgrade_type", UPGRADE);
        }
        return body;
}

/* The only change of a group of its own. */
static const char *group_key(const Group *group) {
        return mr_tree_key(group->changes, 0);
}

static const char *group_value(const Group *group) {
        return mr_tree_string(mr_tree_at(group->changes, 0));
}

/* "LISTENER://HOST:PORT" */
static void add_listener(MrTree *body, const char *text) {
        MrTree *listener = mr_tree_append(mr_tree_need_list(body, "listeners"), mr_tree_new_map());
        const char *host = strstr(text, "://"), *colon = strrchr(text, ':');
        int64_t port = 0;

        if (!host || colon < host + 3 || mr_parse_int(colon + 1, &port) < 0)
                return;
        _cleanup_free_ char *name = mr_strndup(text, (size_t) (host - text)),
                            *address = mr_strndup(host + 3, (size_t) (colon - host - 3));
        mr_tree_set_string(listener, "name", name);
        mr_tree_set_string(listener, "host", address);
        mr_tree_set_int(listener, "port", port);
}

/* "ID/DIRECTORY" */
static MrTree *voter_request(const Group *group) {
        MrTree *body = mr_tree_new_map();
        const char *slash = strchr(group_key(group), '/');
        _cleanup_free_ char *text = mr_strndup(group_key(group), strcspn(group_key(group), "/"));
        int64_t id;

        mr_tree_set(body, "cluster_id", mr_tree_new_null());
        mr_tree_set_int(body, "voter_id", mr_parse_int(text, &id) == 0 ? id : -1);
        mr_tree_set_string(body, "voter_directory_id", slash ? slash + 1 : "");
        if (group_value(group)) {
                mr_tree_set_int(body, "timeout_ms", 15000);
                add_listener(body, group_value(group));
        }
        return body;
}

static MrTree *registration_request(const Group *group) {
        MrTree *body = mr_tree_new_map();
        int64_t id;

        mr_tree_set_int(body, "broker_id", mr_parse_int(group_key(group), &id) == 0 ? id : -1);
        return body;
}

/* How each subject is altered, and whether the controller does it rather than one broker. */
static const struct {
        KafkaApi api;
        MrTree *(*request)(const Group *group);
        int (*check)(const MrTree *response, MrError *err);
        bool is_of_cluster;
        bool is_alone;       /* one request a change */
        KafkaApi api_to_end; /* for a change to nothing, where that is another request */
} subjects[] = {
        [KAFKA_SUBJECT_BROKER] = {KAFKA_INCREMENTAL_ALTER_CONFIGS, configs_request, check_responses,
                                  false},
        [KAFKA_SUBJECT_LOGGER] = {KAFKA_INCREMENTAL_ALTER_CONFIGS, configs_request, check_responses,
                                  false},
        [KAFKA_SUBJECT_QUOTA] = {KAFKA_ALTER_CLIENT_QUOTAS, quotas_request, check_entries, true},
        [KAFKA_SUBJECT_FEATURE] = {KAFKA_UPDATE_FEATURES, features_request, check_features, true},
        [KAFKA_SUBJECT_VOTER] = {KAFKA_ADD_RAFT_VOTER, voter_request, kafka_error_check_in, true,
                                 true, KAFKA_REMOVE_RAFT_VOTER},
        [KAFKA_SUBJECT_REGISTRATION] = {KAFKA_UNREGISTER_BROKER, registration_request,
                                        kafka_error_check_in, true, true},
};

static KafkaApi api_of(const Group *group) {
        KafkaApi other = subjects[group->subject].api_to_end;

        return other && !group_value(group) ? other : subjects[group->subject].api;
}

static void send_next(KafkaAlteration *alteration) {
        const Group *group = &alteration->groups[alteration->at];
        int64_t id;

        if (subjects[group->subject].is_of_cluster || mr_parse_int(group->broker, &id) < 0)
                id = KAFKA_CONTROLLER;
        KafkaRequest request = {
                .api = api_of(group),
                .target = (int32_t) id,
                .take_body = subjects[group->subject].request(group),
                .check = subjects[group->subject].check,
                .reply = on_altered,
                .userdata = alteration,
        };
        alteration->call = kafka_client_call(alteration->client, &request);
}

static Group *group_for(KafkaAlteration *alteration, const KafkaConfigChange *change) {
        for (size_t i = 0; i < alteration->n; i++) {
                Group *group = &alteration->groups[i];
                if (group->subject == change->subject && !subjects[change->subject].is_alone &&
                    mr_streq(group->broker, change->broker))
                        return group;
        }
        MR_GROW(alteration->groups, alteration->n, alteration->allocated);
        Group *group = &alteration->groups[alteration->n++];
        *group = (Group){
                .subject = change->subject,
                .broker = mr_strdup(change->broker),
                .changes = mr_tree_new_map(),
        };
        return group;
}

KafkaAlteration *kafka_alteration_new(KafkaClient *client, const KafkaConfigChange *changes,
                                      size_t n, KafkaAltered done, void *userdata) {
        KafkaAlteration *alteration = mr_new(KafkaAlteration, 1);

        alteration->client = client;
        alteration->done = done;
        alteration->userdata = userdata;
        for (size_t i = 0; i < n; i++)
                mr_tree_set(group_for(alteration, &changes[i])->changes, changes[i].key,
                            mr_tree_new_string(changes[i].value));
        send_next(alteration);
        return alteration;
}

KafkaAlteration *kafka_alteration_free(KafkaAlteration *alteration) {
        if (!alteration)
                return NULL;
        kafka_call_cancel(alteration->call);
        for (size_t i = 0; i < alteration->n; i++) {
                free(alteration->groups[i].broker);
                mr_tree_free(alteration->groups[i].changes);
        }
        free(alteration->groups);
        free(alteration);
        return NULL;
}
