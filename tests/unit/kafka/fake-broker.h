#pragma once

/* A broker for tests: it listens on loopback, on the loop of the test, and answers with trees that
 * the test makes. Real bytes cross a real socket, encoded by the same tables. */

#include <systemd/sd-event.h>

#include "kafka/messages.h"

typedef struct FakeBroker FakeBroker;

/* The body of the answer. NULL: no answer at all. May call fake_broker_hang_up(). */
typedef MrTree *(*FakeHandler)(FakeBroker *broker, KafkaApi api, const MrTree *request,
                               void *userdata);

FakeBroker *fake_broker_new(sd_event *event, FakeHandler handler, void *userdata);
FakeBroker *fake_broker_free(FakeBroker *broker);
uint16_t fake_broker_port(const FakeBroker *broker);
/* Closes all connections and sends nothing more on them. */
void fake_broker_hang_up(FakeBroker *broker);
/* These bytes go out instead of the next answer. */
void fake_broker_say(FakeBroker *broker, const void *data, size_t size);
unsigned fake_broker_accepted(const FakeBroker *broker);
/* Requests of this kind so far. */
unsigned fake_broker_asked(const FakeBroker *broker, KafkaApi api);
/* Leaves this request out of the versions it claims to know. */
void fake_broker_unlearn(FakeBroker *broker, KafkaApi api);
