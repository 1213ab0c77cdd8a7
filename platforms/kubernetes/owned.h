#pragma once

/* Which fields of an object are ours. The API server keeps a record of who set what; what is ours
 * and as we set it is compared with what is wanted, and what the server or somebody else adds is
 * not our business. Pure. */

#include "tree.h"

#define FIELD_MANAGER "millrace"
/* The owners of an object that are none of the API: it would collect what they own. */
#define OWNERS_ANNOTATION "millrace.io/owners"

/* What is binary by its nature is base64 everywhere but in the API, where all is. */
bool owned_is_binary(const char *key);
/* The part of an object that we have set, as we sent it. Of a secret's values only digests are
 * kept. */
MrTree *owned_body(const MrTree *object);
/* The object that is sent for a body, and its values out of the payload of a secret, which may be
 * NULL. `has_owners`: its owners are objects of the API. */
int owned_object(const MrTree *body, const char *payload, bool has_owners, MrTree **ret,
                 MrError *err) _must_check_;
