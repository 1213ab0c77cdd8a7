/* Looks at a running Kafka cluster or ZooKeeper ensemble with the daemon's own clients and prints
 * what it sees as JSON. For the stack suites, and for people who want to know what the daemon would
 * see.
 *
 *      kafka-probe [OPTION…] HOST:PORT…
 *
 * Exit status: 0 seen, 1 not seen (the reason is on stderr), 2 wrong usage. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "io/four-letter.h"
#include "kafka/admin.h"
#include "kafka/view.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define PEM_MAX (1U << 20)
#define ENSEMBLE_TIMEOUT_USEC (5U * 1000 * 1000)

static const char usage[] =
        "Usage: kafka-probe [OPTION…] HOST:PORT…\n"
        "  --cert FILE --key FILE   own certificate (chain) and key in PEM\n"
        "  --ca FILE                certificates to trust in PEM; without it plain TCP is spoken\n"
        "  --user NAME              SCRAM-SHA-512; the password is the first line of stdin\n"
        "  --zookeeper              ask ZooKeeper members over their client port instead\n"
        "  --log-dirs ID            print the log directories of a broker instead\n"
        "  --set ID:KEY=VALUE       set a dynamic configuration (ID empty: cluster default; no "
        "'=': remove it)\n"
        "                           ID logger/N: a logger of broker N; quota/: quota of all users\n"
        "  --loggers, --quotas      look at these as well\n"
        "  --set-scram NAME         set the SCRAM-SHA-512 password of a user to the second line of "
        "stdin\n";

typedef struct Options {
        const char *certificate, *key, *authority, *user, *set, *scram_user, *log_dirs;
        int is_zookeeper;
        unsigned also;
        char **peers;
        size_t n_peers;
} Options;

typedef struct Program {
        Options options;
        sd_event *event;
        TlsClient *tls;
        KafkaClient *client;
        char passwords[2][1024];
        int status;
} Program;

static char *read_pem(const char *path) {
        _cleanup_free_ char *text = mr_calloc(1, PEM_MAX + 1);
        FILE *file = path ? fopen(path, "re") : NULL;
        size_t n = 0;

        if (file) {
                n = fread(text, 1, PEM_MAX, file);
                fclose(file);
        }
        if (path && n == 0)
                fprintf(stderr, "kafka-probe: cannot read %s\n", path);
        return n > 0 ? mr_strdup(text) : NULL;
}

static void program_end(Program *program, const MrError *err, const MrTree *tree) {
        _cleanup_buf_ MrBuf text = {};

        program->status = err != NULL;
        if (err) {
                _cleanup_free_ char *message = mr_error_text(err);
                fprintf(stderr, "kafka-probe: %s (%s)\n", message, mr_error_kind_name(err->kind));
        } else if (tree) {
                mr_json_write(tree, MR_JSON_PRETTY, &text);
                fputs(mr_buf_text(&text), stdout);
        }
        sd_event_exit(program->event, 0);
}

static void on_reply(const MrError *err, const MrTree *response, void *userdata) {
        program_end(userdata, err, response);
}

static void on_seen(void *userdata, MrTree *take_view) {
        _cleanup_(mr_tree_freep) MrTree *view = take_view;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const char *error = mr_tree_get_string(view, "error");

        if (error)
                (void) mr_fail(&err, MR_TRANSIENT, NULL, "%s", error);
        program_end(userdata, error ? &err : NULL, view);
}

static void on_altered(void *userdata, int r, const MrError *err) {
        (void) r;
        program_end(userdata, err, NULL);
}

/* "HOST:PORT", cut in two in place. */
static uint16_t split_peer(char *peer) {
        char *colon = strrchr(peer, ':');
        int64_t port = 0;

        if (!colon || mr_parse_int(colon + 1, &port) < 0 || port < 1 || port > UINT16_MAX)
                return 0;
        *colon = '\0';
        return (uint16_t) port;
}

static int start_zookeeper(Program *program, FourLetterView **ret, MrError *err) {
        const Options *options = &program->options;
        _cleanup_free_ FourLetterMember *members = mr_new(FourLetterMember, options->n_peers);

        for (size_t i = 0; i < options->n_peers; i++) {
                char *node = mr_strdup(options->peers[i]);
                uint16_t port = split_peer(options->peers[i]);
                members[i] =
                        (FourLetterMember){.node = node, .host = options->peers[i], .port = port};
        }
        int r = four_letter_view_new(program->event, members, options->n_peers, program->tls,
                                     ENSEMBLE_TIMEOUT_USEC, on_seen, program, ret, err);
        for (size_t i = 0; i < options->n_peers; i++)
                free((char *) (uintptr_t) members[i].node);
        return r;
}

static int start_client(Program *program, MrError *err) {
        const Options *options = &program->options;
        _cleanup_free_ KafkaAddress *addresses = mr_new(KafkaAddress, options->n_peers);

        for (size_t i = 0; i < options->n_peers; i++) {
                uint16_t port = split_peer(options->peers[i]);
                addresses[i] =
                        (KafkaAddress){.host = options->peers[i], .port = port, .node_id = -1};
        }
        KafkaClientArgs args = {
                .addresses = addresses,
                .n_addresses = options->n_peers,
                .security = {.tls = program->tls,
                             .user = options->user,
                             .password = program->passwords[0]},
        };
        return kafka_client_new(program->event, &args, &program->client, err);
}

/* "0:log.cleaner.threads=2" */
static KafkaAlteration *start_set(Program *program) {
        _cleanup_free_ char *text = mr_strdup(program->options.set);
        char *key = strchr(text, ':');
        char *value = strchr(text, '=');

        if (!key)
                return NULL;
        *key++ = '\0';
        if (value)
                *value++ = '\0';
        const char *slash = strchr(text, '/');
        KafkaConfigChange change = {
                .subject = mr_starts_with(text, "logger/")  ? KAFKA_SUBJECT_LOGGER
                           : mr_starts_with(text, "quota/") ? KAFKA_SUBJECT_QUOTA
                                                            : KAFKA_SUBJECT_BROKER,
                .broker = slash ? slash + 1 : text,
                .key = key,
                .value = value,
        };
        return kafka_alteration_new(program->client, &change, 1, on_altered, program);
}

static int run_kafka(Program *program, MrError *err) {
        const Options *options = &program->options;
        KafkaAlteration *alteration = NULL;
        KafkaView *view = NULL;
        int64_t broker = KAFKA_ANY;

        int r = start_client(program, err);
        if (r < 0)
                return r;
        if (options->set && !(alteration = start_set(program)))
                return mr_fail(err, MR_INVALID, "--set", "must be ID:KEY=VALUE");
        if (options->scram_user &&
            !kafka_admin_upsert_scram(program->client, options->scram_user, program->passwords[1],
                                      4096, on_reply, program, err))
                return -EINVAL;
        if (options->log_dirs && mr_parse_int(options->log_dirs, &broker) < 0)
                return mr_fail(err, MR_INVALID, "--log-dirs", "must be the id of a broker");
        if (options->log_dirs)
                (void) kafka_admin_describe_log_dirs(program->client, (int32_t) broker, on_reply,
                                                     program);
        if (!options->set && !options->scram_user && !options->log_dirs)
                view = kafka_view_new(program->client, program->options.also, on_seen, program);
        r = sd_event_loop(program->event);
        kafka_view_free(view);
        kafka_alteration_free(alteration);
        program->client = kafka_client_free(program->client);
        return r;
}

static int run_zookeeper(Program *program, MrError *err) {
        FourLetterView *view = NULL;

        int r = start_zookeeper(program, &view, err);
        if (r >= 0)
                r = sd_event_loop(program->event);
        four_letter_view_free(view);
        return r;
}

static int open_tls(Program *program, MrError *err) {
        const Options *options = &program->options;
        _cleanup_free_ char *certificate = read_pem(options->certificate);
        _cleanup_free_ char *key = read_pem(options->key);
        _cleanup_free_ char *authority = read_pem(options->authority);
        TlsClientArgs args = {.certificate = certificate, .key = key, .trust = authority};

        return options->authority ? tls_client_new(&args, &program->tls, err) : 0;
}

static void read_passwords(Program *program) {
        size_t n = program->options.scram_user ? 2 : program->options.user ? 1 : 0;

        for (size_t i = 0; i < n; i++)
                if (fgets(program->passwords[i], sizeof(program->passwords[i]), stdin))
                        program->passwords[i][strcspn(program->passwords[i], "\n")] = '\0';
}

static int parse_options(int argc, char **argv, Options *options) {
        static const struct option known[] = {
                {"cert", required_argument, NULL, 'c'},
                {"key", required_argument, NULL, 'k'},
                {"ca", required_argument, NULL, 'a'},
                {"user", required_argument, NULL, 'u'},
                {"zookeeper", no_argument, NULL, 'z'},
                {"log-dirs", required_argument, NULL, 'l'},
                {"set", required_argument, NULL, 's'},
                {"loggers", no_argument, NULL, 'L'},
                {"quotas", no_argument, NULL, 'Q'},
                {"set-scram", required_argument, NULL, 'p'},
                {},
        };
        int option;

        while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0)
                switch (option) {
                case 'c':
                        options->certificate = optarg;
                        break;
                case 'k':
                        options->key = optarg;
                        break;
                case 'a':
                        options->authority = optarg;
                        break;
                case 'u':
                        options->user = optarg;
                        break;
                case 'z':
                        options->is_zookeeper = 1;
                        break;
                case 'l':
                        options->log_dirs = optarg;
                        break;
                case 'L':
                        options->also |= KAFKA_ASK_LOGGERS;
                        break;
                case 'Q':
                        options->also |= KAFKA_ASK_QUOTAS;
                        break;
                case 's':
                        options->set = optarg;
                        break;
                case 'p':
                        options->scram_user = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        options->peers = argv + optind;
        options->n_peers = (size_t) (argc - optind);
        return options->n_peers > 0 ? 0 : -EINVAL;
}

int main(int argc, char **argv) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Program program = {};

        (void) signal(SIGPIPE, SIG_IGN);
        if (parse_options(argc, argv, &program.options) < 0) {
                fputs(usage, stderr);
                return 2;
        }
        read_passwords(&program);
        int r = sd_event_default(&program.event);
        if (r >= 0)
                r = open_tls(&program, &err);
        if (r >= 0)
                r = program.options.is_zookeeper ? run_zookeeper(&program, &err)
                                                 : run_kafka(&program, &err);
        if (r < 0 && err.message)
                program_end(&program, &err, NULL);
        kafka_client_free(program.client);
        tls_client_unref(program.tls);
        sd_event_unref(program.event);
        return r < 0 ? 1 : program.status;
}
