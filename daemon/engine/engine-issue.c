/* Carrying out steps on secrets: keys are made in the worker, everything else on the loop. */

#include <string.h>

#include "crypto/secret.h"
#include "engine-private.h"
#include "reconcile/secrets.h"
#include "sdk/str.h"

/* The values must stay until an issue has copied them, and not longer. */
typedef struct Lookup {
        Batch *batch;
        MrArena *arena;
} Lookup;

static const char *lookup(const char *secret, const char *key, void *userdata) {
        const Lookup *scope = userdata;
        _cleanup_(mr_buf_wipe) MrBuf raw = {}, text = {};

        if (!engine_secret(scope->batch->engine, scope->batch->ns, secret, key, &raw))
                return NULL;
        if (!secret_key_is_binary(key))
                return mr_arena_strdup(scope->arena, mr_buf_text(&raw));
        mr_base64(mr_buf_text(&raw), raw.size, &text);
        return mr_arena_strdup(scope->arena, mr_buf_text(&text));
}

/* A secret on its way into the store. */
typedef struct Stored {
        StoreSecretPut put;
        StoreSecretValue *values;
        MrBuf *bytes;
} Stored;

/* What is binary by nature is stored as bytes. */
static void stored_fill(const Secret *secret, const MrPairs *labels, Stored *ret) {
        size_t n = secret_size(secret);

        ret->values = mr_new(StoreSecretValue, n);
        ret->bytes = mr_new(MrBuf, n);
        for (size_t i = 0; i < n; i++) {
                const char *text = secret_value_at(secret, i);
                if (!secret_key_is_binary(secret_key_at(secret, i)) ||
                    mr_unbase64(text, strlen(text), &ret->bytes[i]) < 0)
                        mr_buf_puts(&ret->bytes[i], text);
                ret->values[i] = (StoreSecretValue){
                        .key = secret_key_at(secret, i),
                        .data = mr_buf_text(&ret->bytes[i]),
                        .size = ret->bytes[i].size,
                };
        }
        ret->put = (StoreSecretPut){
                .name = secret_name(secret), .values = ret->values, .n = n, .labels = labels};
}

static void stored_done(Stored *stored) {
        for (size_t i = 0; i < stored->put.n; i++)
                mr_buf_wipe(&stored->bytes[i]);
        free(stored->bytes);
        free(stored->values);
}

int engine_put_secret(Engine *engine, const char *ns, const Secret *secret, const MrPairs *labels,
                      const MrPairs *notes, MrError *err) {
        _cleanup_(stored_done) Stored stored = {};

        stored_fill(secret, labels, &stored);
        if (notes)
                stored.put.notes = *notes;
        return store_secrets_put(engine->args.store, ns, &stored.put, 1, err);
}

/* Which of its keys and certificates an authority has, and what was done because somebody asked. */
static MrPairs notes_of(const MrCertificate *certificate, const CertificateTerms *terms,
                        const char *secret, MrArena *arena) {
        bool is_own = mr_streq(secret, certificate->name);
        const char *done = is_own ? terms->done : terms->done_public;
        MrPairs notes = {};

        if (!certificate->authority)
                mr_pairs_set(arena, &notes, is_own ? KEY_GENERATION : CERTIFICATE_GENERATION,
                             mr_arena_strf(arena, "%lld",
                                           (long long) (is_own ? terms->key_generation
                                                               : terms->certificate_generation)));
        if (done)
                mr_pairs_set(arena, &notes, DONE_ANNOTATION, done);
        return notes;
}

/* The key of an authority, its certificate and what is noted of them belong together: should
 * everything end here, nobody finds one without the other. */
static int put_issued(Batch *batch, const Issue *issue, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        Stored stored[ISSUE_SECRETS_MAX] = {};
        StoreSecretPut puts[ISSUE_SECRETS_MAX];
        size_t n = issue_secrets(issue);
        MrCertificate certificate = {};
        CertificateTerms terms = {};

        int r = issue_result(issue, err);
        (void) secrets_certificate(batch->steps[batch->at]->manifest, arena, &certificate, &terms);
        for (size_t i = 0; i < n; i++) {
                const Secret *secret = issue_secret_at(issue, i);
                stored_fill(secret, &certificate.labels, &stored[i]);
                puts[i] = stored[i].put;
                puts[i].notes = notes_of(&certificate, &terms, secret_name(secret), arena);
        }
        if (r >= 0)
                r = store_secrets_put(batch->engine->args.store, batch->ns, puts, n, err);
        for (size_t i = 0; i < n; i++)
                stored_done(&stored[i]);
        return r;
}

static MrPairs labels_of(const MrManifest *manifest, MrArena *arena) {
        return mr_pairs_of(arena, mr_tree_get(manifest->body, "labels"));
}

/* A value that is a map says how many letters and digits are to be made. */
static int set_value(Secret *secret, const char *key, const MrTree *value, MrError *err) {
        int64_t length = mr_tree_get_int(value, "random", 0);

        if (length <= 0) {
                secret_set(secret, key, mr_tree_string(value));
                return 0;
        }
        _cleanup_(secret_text_freep) char *text = secret_password_new((size_t) length);
        if (!text)
                return mr_fail(err, MR_TRANSIENT, key,
                               "the operating system gives no random numbers");
        secret_set(secret, key, text);
        return 0;
}

static int put_literal(Batch *batch, const MrManifest *manifest, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrPairs labels = labels_of(manifest, arena);
        _cleanup_(mr_tree_freep) MrTree *values = NULL;
        _cleanup_(secret_freep) Secret *secret = secret_new(manifest->name);

        int r = mr_json_read(manifest->payload, strlen(manifest->payload), NULL, &values, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(values); i++)
                r = set_value(secret, mr_tree_key(values, i), mr_tree_at(values, i), err);
        return r < 0 ? r
                     : engine_put_secret(batch->engine, batch->ns, secret,
                                         labels.n > 0 ? &labels : NULL, NULL, err);
}

static void finish(Batch *batch, int r, const MrError *err) {
        Engine *engine = batch->engine;
        _cleanup_free_ char *key = TAKE(batch->key);

        engine->batch = batch_free(batch);
        engine_acted(engine, key, true, r, err);
}

static void step_done(Batch *batch) {
        Engine *engine = batch->engine;
        Tracked *tracked = NULL;

        for (size_t i = 0; i < engine->n_tracked; i++)
                if (mr_streq(engine->tracked[i]->key, batch->key))
                        tracked = engine->tracked[i];
        if (tracked)
                engine_tell_step(engine, tracked, batch->steps[batch->at]);
        engine->n_steps++;
        batch->at++;
}

static void issued(void *data, void *userdata) {
        Batch *batch = userdata;
        _cleanup_error_ MrError err = {};

        int r = put_issued(batch, data, &err);
        if (r >= 0) {
                step_done(batch);
                r = batch_issue_next(batch, &err);
                if (r > 0)
                        return;
        }
        finish(batch, r, &err);
}

/* Returns 1 while the worker is at it, 0 when all is done. */
int batch_issue_next(Batch *batch, MrError *err) {
        for (; batch->at < batch->n; step_done(batch)) {
                const MrManifest *manifest = batch->steps[batch->at]->manifest;
                _cleanup_(mr_arena_wipep) MrArena *arena = mr_arena_new();
                Lookup scope = {.batch = batch, .arena = arena};
                MrCertificate certificate;
                CertificateTerms terms;
                if (batch->steps[batch->at]->verb == MR_VERB_REMOVE ||
                    !secrets_certificate(manifest, arena, &certificate, &terms)) {
                        int r = batch->steps[batch->at]->verb == MR_VERB_REMOVE
                                        ? 0
                                        : put_literal(batch, manifest, err);
                        if (r < 0)
                                return r;
                        continue;
                }
                Issue *issue = issue_new(&(CertificateQuestion){
                        .wanted = &certificate,
                        .terms = &terms,
                        .lookup = lookup,
                        .userdata = &scope,
                        .now = batch->now_sec,
                        .day_sec = batch->day_sec,
                });
                int r = worker_run(batch->engine->args.worker,
                                   (WorkerTask){
                                           .work = issue_work,
                                           .done = issued,
                                           .drop = issue_drop,
                                           .data = issue,
                                           .userdata = batch,
                                   },
                                   err);
                if (r < 0)
                        issue_free(issue);
                return r < 0 ? r : 1;
        }
        return 0;
}
