#pragma once

/* ZooKeeper's four-letter words over its TLS client port: the one way to ask a member how it is
 * that needs no session and no plaintext port. The member closes the connection after its answer.
 */

#include "io/stream.h"
#include "sdk/tree.h"

/* What an ensemble's members say of themselves. */
typedef struct FourLetterMember {
        const char *node; /* key in the answer */
        const char *host;
        uint16_t port;
        const char *server_name; /* expected in the certificate; NULL: host */
} FourLetterMember;

typedef struct FourLetterView FourLetterView;

/* {"members": {NODE: {"state": "leader"|"follower"|"standalone"|"observer"|"looking", "version",
 * "zxid", "outstanding", "error"}}}; taken over by the receiver, to whom the view may be freed
 * already. */
typedef void (*FourLetterSeen)(void *userdata, MrTree *take_view);

/* Asks all members at once, each at most `timeout_usec`. Everything is copied. */
int four_letter_view_new(sd_event *event, const FourLetterMember *members, size_t n, TlsClient *tls,
                         uint64_t timeout_usec, FourLetterSeen seen, void *userdata,
                         FourLetterView **ret, MrError *err) _must_check_;
/* No callback comes any more. Takes and returns NULL. */
FourLetterView *four_letter_view_free(FourLetterView *view);

/* The answer to "srvr" as a map; pure, for tests and fuzzing. */
MrTree *four_letter_parse(const char *text);
