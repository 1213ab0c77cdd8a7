#pragma once

/* Changes to a cluster that are one request each. What concerns brokers' configurations is in
 * view.h. */

#include "kafka/client.h"

/* Sets the SCRAM-SHA-512 credential of a user. Only the salted password travels, and the salt is
 * fresh, so setting the same password twice changes what the cluster stores. NULL together with an
 * error when nothing could be sent. */
KafkaCall *kafka_admin_upsert_scram(KafkaClient *client, const char *user, const char *password,
                                    int iterations, KafkaReply reply, void *userdata, MrError *err);
/* Removes it; that there is none is no error. */
KafkaCall *kafka_admin_delete_scram(KafkaClient *client, const char *user, KafkaReply reply,
                                    void *userdata);
/* Sizes of what lies in the log directories of one broker; the reply's results are those of
 * DescribeLogDirs. */
KafkaCall *kafka_admin_describe_log_dirs(KafkaClient *client, int32_t broker, KafkaReply reply,
                                         void *userdata);
