#pragma once

/* Issuing a certificate with everything that belongs to it, in three moves: issue_new() copies
 * what it needs on the event loop, issue_work() makes keys and signs in a worker thread, and
 * back on the loop the result is taken out.
 *
 *      Issue *issue = issue_new(&question);
 *      worker_run(worker, (WorkerTask) {.work = issue_work, .done = issued, …});
 *      static void issued(void *data, void *userdata) { r = issue_result(data, &err); … }
 *
 * An authority gives two secrets: NAME with ca.key, and NAME-cert with ca.crt, ca.p12,
 * ca.password. A stored ca.key is kept unless a new one is asked for, so renewing an authority
 * changes only its certificate and what it has signed stays valid. When the key is made anew, the
 * former certificate stays trusted, as ca-YYYY-MM-DDTHH-MM-SSZ.crt, and its key stays beside the
 * new one, so that it can sign until everybody trusts that.
 *
 * Anything else gives one secret: PREFIX.key, PREFIX.crt (the certificate, then its CA),
 * PREFIX.pem (key, then the same chain) and, where wanted, PREFIX.p12 with PREFIX.password, and
 * ca.crt. Its key is always new, of the kind its authority's key has. Stored passwords are kept,
 * because clients have them in their configuration. */

#include "crypto/certificate-check.h"
#include "crypto/key.h"
#include "crypto/secret.h"

#define ISSUE_SECRETS_MAX 2U /* of an authority: one for everybody, one for its key */

typedef struct Issue Issue;

/* Everything is copied. */
Issue *issue_new(const CertificateQuestion *question);
Issue *issue_free(Issue *issue); /* wipes; takes NULL, returns NULL */
DEFINE_CLEANUP(Issue *, issue_free);

/* May run in any thread, once. Takes and frees an Issue behind void pointers, to fit a
 * WorkerTask. */
void issue_work(void *issue);
void issue_drop(void *issue);

/* After issue_work(): 0, or the negative errno and the reason. MR_TRANSIENT: the authority is
 * not there yet. */
int issue_result(const Issue *issue, MrError *err) _must_check_;
size_t issue_secrets(const Issue *issue); /* 0 unless it succeeded */
/* The i-th secret, to be stored as a whole. Borrowed. An authority's key comes before its
 * certificate. */
const Secret *issue_secret_at(const Issue *issue, size_t i);
