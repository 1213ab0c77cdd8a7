/* Credentials and addresses out of secrets and manifests, and the right client for the protocol. */

#include "look.h"

#include "io/four-letter.h"
#include "io/tls-look.h"
#include "kafka/view.h"
#include "sdk/str.h"

#define LOOK_TIMEOUT_USEC (5 * UINT64_C(1000000))
/* A listener that is full takes no more connections, and what it shows stays unknown: that must not
 * make all that was seen beside it too old to act upon. */
#define LOOK_SHOWN_USEC (1 * UINT64_C(1000000))

struct Look {
        FourLetterView *ensemble;
        TlsLook *shown;
        KafkaClient *client;
        KafkaView *cluster;
        LookSeen seen;
        void *userdata;
};

static int need_secret(const MrFacts *facts, const char *name, const char *key, const char **ret,
                       MrError *err) {
        *ret = mr_facts_secret(facts, name, key);
        if (!*ret)
                return mr_fail(err, MR_TRANSIENT, NULL, "secret %s has no %s yet", name, key);
        return 0;
}

static int open_tls(const MrProbe *probe, const MrFacts *facts, TlsClient **ret, MrError *err) {
        _cleanup_free_ char *certificate = mr_strf("%s.crt", probe->secret_prefix);
        _cleanup_free_ char *key = mr_strf("%s.key", probe->secret_prefix);
        TlsClientArgs args = {};

        int r = need_secret(facts, probe->secret, certificate, &args.certificate, err);
        if (r >= 0)
                r = need_secret(facts, probe->secret, key, &args.key, err);
        if (r >= 0)
                r = need_secret(facts, probe->authority,
                                probe->authority_key ? probe->authority_key : "ca.crt", &args.trust,
                                err);
        return r < 0 ? r : tls_client_new(&args, ret, err);
}

static void finish(Look *look, MrTree *take_tree) {
        look->seen(look->userdata, take_tree);
}

static void ensemble_seen(void *userdata, MrTree *take_view) {
        finish(userdata, take_view);
}

/* Whoever looks from outside of the platform knows none of its names, so it asks where the node was
 * seen; who answers there is known by its certificate. */
static const char *where(const MrAddress *address) {
        return address->at ? address->at : address->host;
}

static uint16_t port_of(const MrAddress *address) {
        return (uint16_t) (address->at ? address->at_port : address->port);
}

static int look_at_ensemble(sd_event *event, const MrProbe *probe, const MrManifests *wanted,
                            TlsClient *tls, Look *look, MrError *err) {
        _cleanup_free_ FourLetterMember *members = mr_new(FourLetterMember, probe->nodes.n);
        size_t n = 0;

        for (size_t i = 0; i < probe->nodes.n; i++) {
                const MrAddress *address =
                        mr_manifests_find_address(wanted, probe->nodes.items[i], probe->endpoint);
                if (address)
                        members[n++] = (FourLetterMember){
                                .node = probe->nodes.items[i],
                                .host = where(address),
                                .server_name = address->host,
                                .port = port_of(address),
                        };
        }
        if (n == 0)
                return mr_fail(err, MR_TRANSIENT, NULL, "no member has an address yet");
        return four_letter_view_new(event, members, n, tls, LOOK_TIMEOUT_USEC, ensemble_seen, look,
                                    &look->ensemble, err);
}

static size_t addresses_of(const MrProbe *probe, const MrManifests *wanted, KafkaAddress *ret) {
        size_t n = 0;

        for (size_t i = 0; i < probe->nodes.n; i++) {
                const MrAddress *address =
                        mr_manifests_find_address(wanted, probe->nodes.items[i], probe->endpoint);
                if (address)
                        ret[n++] = (KafkaAddress){
                                .host = where(address),
                                .server_name = address->host,
                                .port = port_of(address),
                                .node_id = -1,
                        };
        }
        return n;
}

static void cluster_seen(void *userdata, MrTree *take_view) {
        finish(userdata, take_view);
}

/* Connections are made for each look and closed after it: between looks nothing is open, and
 * nothing to keep alive. */
static int open_client(sd_event *event, const MrProbe *probe, const MrManifests *wanted,
                       TlsClient *tls, KafkaClient **ret, MrError *err) {
        _cleanup_free_ KafkaAddress *addresses = mr_new(KafkaAddress, probe->nodes.n);
        KafkaClientArgs args = {
                .addresses = addresses,
                .n_addresses = addresses_of(probe, wanted, addresses),
                .security = {.tls = tls},
                .connect_timeout_usec = LOOK_TIMEOUT_USEC,
        };

        if (args.n_addresses == 0)
                return mr_fail(err, MR_TRANSIENT, NULL, "no broker has an address yet");
        return kafka_client_new(event, &args, ret, err);
}

static unsigned questions_of(const MrProbe *probe) {
        static const struct {
                const char *name;
                unsigned question;
        } questions[] = {{"loggers", KAFKA_ASK_LOGGERS},
                         {"quotas", KAFKA_ASK_QUOTAS},
                         {"log_dirs", KAFKA_ASK_LOG_DIRS},
                         {"features", KAFKA_ASK_FEATURES},
                         {"registrations", KAFKA_ASK_REGISTRATIONS}};
        unsigned result = 0;

        for (size_t i = 0; i < probe->also.n; i++)
                for (size_t k = 0; k < MR_ELEMENTS(questions); k++)
                        if (mr_streq(probe->also.items[i], questions[k].name))
                                result |= questions[k].question;
        return result;
}

static int look_at_cluster(sd_event *event, const MrProbe *probe, const MrManifests *wanted,
                           TlsClient *tls, Look *look, MrError *err) {
        int r = open_client(event, probe, wanted, tls, &look->client, err);

        if (r >= 0)
                look->cluster =
                        kafka_view_new(look->client, questions_of(probe), cluster_seen, look);
        return r;
}

static void endpoints_seen(void *userdata, MrTree *take_view) {
        finish(userdata, take_view);
}

/* All endpoints of the probe that the nodes have. */
static int look_at_endpoints(sd_event *event, const MrProbe *probe, const MrManifests *wanted,
                             TlsClient *tls, Look *look, MrError *err) {
        _cleanup_free_ TlsEndpoint *endpoints =
                mr_new(TlsEndpoint, probe->nodes.n * probe->endpoints.n);
        size_t n = 0;

        (void) tls;
        for (size_t i = 0; i < probe->nodes.n * probe->endpoints.n; i++) {
                const char *node = probe->nodes.items[i / probe->endpoints.n],
                           *endpoint = probe->endpoints.items[i % probe->endpoints.n];
                const MrAddress *address = mr_manifests_find_address(wanted, node, endpoint);
                if (address)
                        endpoints[n++] = (TlsEndpoint){
                                .node = node,
                                .endpoint = endpoint,
                                .host = where(address),
                                .port = port_of(address),
                        };
        }
        if (n == 0)
                return mr_fail(err, MR_TRANSIENT, NULL, "no node has an address yet");
        return tls_look_new(event, endpoints, n, LOOK_SHOWN_USEC, endpoints_seen, look,
                            &look->shown, err);
}

static const struct Protocol {
        const char *name;
        int (*look)(sd_event *event, const MrProbe *probe, const MrManifests *wanted,
                    TlsClient *tls, Look *look, MrError *err);
        bool is_anonymous; /* anybody may look */
} protocols[] = {
        {"kafka", look_at_cluster, false},
        {"zookeeper", look_at_ensemble, false},
        {"tls", look_at_endpoints, true},
};

static const struct Protocol *find_protocol(const char *name) {
        for (size_t i = 0; i < MR_ELEMENTS(protocols); i++)
                if (mr_streq(protocols[i].name, name))
                        return &protocols[i];
        return NULL;
}

int look_new(sd_event *event, const MrProbe *probe, const MrManifests *wanted, const MrFacts *facts,
             LookSeen seen, void *userdata, Look **ret, MrError *err) {
        const struct Protocol *protocol = find_protocol(probe->protocol);
        _cleanup_(tls_client_unrefp) TlsClient *tls = NULL;
        Look *look = mr_new(Look, 1);

        look->seen = seen;
        look->userdata = userdata;
        int r = protocol ? 0
                         : mr_fail(err, MR_BUG, NULL, "no client speaks the protocol %s",
                                   probe->protocol);
        if (r >= 0 && !protocol->is_anonymous)
                r = open_tls(probe, facts, &tls, err);
        if (r >= 0)
                r = protocol->look(event, probe, wanted, tls, look, err);
        if (r < 0) {
                look_free(look);
                return r;
        }
        *ret = look;
        return 0;
}

Look *look_free(Look *look) {
        if (!look)
                return NULL;
        four_letter_view_free(look->ensemble);
        tls_look_free(look->shown);
        kafka_view_free(look->cluster);
        kafka_client_free(look->client);
        free(look);
        return NULL;
}

struct Alteration {
        KafkaClient *client;
        KafkaAlteration *running;
        AlterationDone done;
        void *userdata;
};

static void on_altered(void *userdata, int r, const MrError *err) {
        Alteration *alteration = userdata;

        alteration->done(alteration->userdata, r, err);
}

/* "broker/0" → "0" */
static const char *scope_id(const char *scope) {
        while (*scope && *scope != '/')
                scope++;
        return *scope ? scope + 1 : scope;
}

static KafkaSubject subject_of(const char *scope) {
        if (mr_starts_with(scope, "logger/"))
                return KAFKA_SUBJECT_LOGGER;
        if (mr_starts_with(scope, "feature/"))
                return KAFKA_SUBJECT_FEATURE;
        if (mr_starts_with(scope, "voter/"))
                return KAFKA_SUBJECT_VOTER;
        if (mr_starts_with(scope, "registration/"))
                return KAFKA_SUBJECT_REGISTRATION;
        return mr_starts_with(scope, "quota/") ? KAFKA_SUBJECT_QUOTA : KAFKA_SUBJECT_BROKER;
}

int alteration_new(sd_event *event, const MrProbe *probe, const MrManifests *wanted,
                   const MrFacts *facts, const MrSetting *settings, size_t n, AlterationDone done,
                   void *userdata, Alteration **ret, MrError *err) {
        _cleanup_(tls_client_unrefp) TlsClient *tls = NULL;
        _cleanup_free_ KafkaConfigChange *changes = mr_new(KafkaConfigChange, n);
        Alteration *alteration = mr_new(Alteration, 1);

        alteration->done = done;
        alteration->userdata = userdata;
        int r = open_tls(probe, facts, &tls, err);
        if (r >= 0)
                r = open_client(event, probe, wanted, tls, &alteration->client, err);
        if (r < 0) {
                alteration_free(alteration);
                return r;
        }
        for (size_t i = 0; i < n; i++)
                changes[i] = (KafkaConfigChange){
                        .subject = subject_of(settings[i].scope),
                        .broker = scope_id(settings[i].scope),
                        .key = settings[i].key,
                        .value = settings[i].value,
                };
        alteration->running =
                kafka_alteration_new(alteration->client, changes, n, on_altered, alteration);
        *ret = alteration;
        return 0;
}

Alteration *alteration_free(Alteration *alteration) {
        if (!alteration)
                return NULL;
        kafka_alteration_free(alteration->running);
        kafka_client_free(alteration->client);
        free(alteration);
        return NULL;
}
