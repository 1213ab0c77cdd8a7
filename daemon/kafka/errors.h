#pragma once

/* Error codes of Kafka's protocol, with their names and what they mean for us. */

#include <stdint.h>

#include "sdk/error.h"
#include "sdk/tree.h"

#define KAFKA_OK 0
#define KAFKA_UNKNOWN_TOPIC 3
#define KAFKA_NOT_CONTROLLER 41

/* Static text; "error 1234" has no name of its own, so unknown codes give "UNKNOWN". */
const char *kafka_error_name(int64_t code);
/* 0 for KAFKA_OK; else an error of the right kind with the broker's own message when it sent one.
 * Not being the controller is MR_CONFLICT: the world changed meanwhile. */
int kafka_error_check(int64_t code, const char *message, MrError *err) _must_check_;
/* The same from the fields error_code and error_message of a map. */
int kafka_error_check_in(const MrTree *map, MrError *err) _must_check_;
