/* A trial of Kafka on this host, alone and on loopback: which programs with which configuration. It
 * uses what clusters use, TLS, quorum and authorization, because a class that no trial loads is not
 * in the archive. This is the one place of the host side that knows Kafka, and it knows it as
 * configuration only. */

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/key.h"
#include "crypto/secret.h"
#include "fetch.h"
#include "sdk/str.h"

#define TRIAL_PORTS 7U

static void fd_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

void trial_done(Trial *trial) {
        if (trial->directory)
                fetch_remove(trial->directory);
        free(trial->directory);
        mr_arena_free(trial->arena);
        *trial = (Trial){};
}

/* Ports that are free now: bound all at once, so that they differ, and let go. */
static int ports_choose(unsigned ports[TRIAL_PORTS], MrError *err) {
        int fds[TRIAL_PORTS];
        int r = 0;

        for (size_t i = 0; i < TRIAL_PORTS; i++) {
                struct sockaddr_in address = {.sin_family = AF_INET,
                                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
                socklen_t size = sizeof(address);

                fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (fds[i] < 0 || bind(fds[i], (struct sockaddr *) &address, size) < 0 ||
                    getsockname(fds[i], (struct sockaddr *) &address, &size) < 0)
                        r = mr_fail(err, MR_TRANSIENT, NULL, "no free ports on loopback");
                ports[i] = ntohs(address.sin_port);
        }
        for (size_t i = 0; i < TRIAL_PORTS; i++)
                fd_close(&fds[i]);
        return r;
}

static int trial_file(const Trial *trial, const char *name, const char *text, mode_t mode,
                      MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s/%s", trial->directory, name);

        return write_file_atomic(path, text, strlen(text), mode, err);
}

/* A key and a certificate for 127.0.0.1 that live as long as the trial. */
static int trial_identity(const Trial *trial, MrError *err) {
        _cleanup_(secret_text_freep) char *key = NULL;
        _cleanup_(secret_text_freep) char *both = NULL;
        _cleanup_free_ char *certificate = NULL;
        const char *names[] = {"127.0.0.1"};
        CertificateRequest request = {.common_name = "trial",
                                      .names = {.items = names, .n = 1},
                                      .now = time(NULL),
                                      .validity_days = 1};

        int r = key_generate(KEY_EC_P256, &key, err);
        if (r < 0)
                return r;
        r = certificate_issue(&request, key, NULL, NULL, &certificate, err);
        if (r < 0)
                return r;
        both = secret_text_join(key, certificate, NULL);
        r = trial_file(trial, "identity.pem", both, 0600, err);
        if (r < 0)
                return r;
        return trial_file(trial, "trust.pem", certificate, 0600, err);
}

static int trial_logging(const Trial *trial, MrError *err) {
        int r = trial_file(trial, "log4j.properties",
                           "log4j.rootLogger=INFO, C\n"
                           "log4j.appender.C=org.apache.log4j.ConsoleAppender\n"
                           "log4j.appender.C.layout=org.apache.log4j.PatternLayout\n"
                           "log4j.appender.C.layout.ConversionPattern=%d %p %m (%c) [%t]%n\n",
                           0600, err);

        if (r < 0)
                return r;
        return trial_file(trial, "log4j2.yaml",
                          "Configuration:\n"
                          "  Appenders: {Console: {name: C, PatternLayout: {pattern: \"%d %p %m "
                          "(%c) [%t]%n\"}}}\n"
                          "  Loggers: {Root: {level: INFO, AppenderRef: [{ref: C}]}}\n",
                          0600, err);
}

/* The same stores under the names that different settings give them. */
static void stores_puts(MrBuf *out, const Trial *trial, const char *keystore,
                        const char *truststore) {
        mr_buf_printf(out, "%s.location=%s/identity.pem\n%s.type=PEM\n", keystore, trial->directory,
                      keystore);
        mr_buf_printf(out, "%s.location=%s/trust.pem\n%s.type=PEM\n", truststore, trial->directory,
                      truststore);
}

static int zookeeper_config(const Trial *trial, const unsigned *ports, MrError *err) {
        _cleanup_free_ char *data = mr_strf("%s/zookeeper", trial->directory);
        _cleanup_buf_ MrBuf out = {};

        if (mkdir(data, 0700) < 0 || trial_file(trial, "zookeeper/myid", "1\n", 0600, err) < 0)
                return mr_fail(err, MR_TRANSIENT, NULL, "cannot prepare a trial in %s",
                               trial->directory);
        mr_buf_printf(
                &out,
                "tickTime=2000\ninitLimit=5\nsyncLimit=2\ndataDir=%s\nadmin.enableServer=false\n"
                "4lw.commands.whitelist=ruok,srvr,mntr\nstandaloneEnabled=false\n"
                "secureClientPort=%u\nsecureClientPortAddress=127.0.0.1\n"
                "server.1=127.0.0.1:%u:%u\n"
                "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n"
                "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n"
                "ssl.clientAuth=need\nsslQuorum=true\nssl.quorum.clientAuth=need\n",
                data, ports[0], ports[1], ports[2]);
        stores_puts(&out, trial, "ssl.keyStore", "ssl.trustStore");
        stores_puts(&out, trial, "ssl.quorum.keyStore", "ssl.quorum.trustStore");
        return trial_file(trial, "zoo.cfg", mr_buf_text(&out), 0600, err);
}

static void broker_puts(MrBuf *out, const Trial *trial, const char *name) {
        mr_buf_printf(
                out,
                "log.dirs=%s/%s\ninter.broker.listener.name=REPLICATION\nssl.client.auth=required\n"
                "super.users=User:CN=trial\noffsets.topic.replication.factor=1\n",
                trial->directory, name);
        stores_puts(out, trial, "ssl.keystore", "ssl.truststore");
}

static int broker_config(const Trial *trial, const unsigned *ports, MrError *err) {
        _cleanup_buf_ MrBuf out = {};

        mr_buf_printf(&out,
                      "broker.id=0\nzookeeper.connect=127.0.0.1:%u/trial\nzookeeper.set.acl=true\n"
                      "zookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty\n"
                      "zookeeper.ssl.client.enable=true\n"
                      "listeners=REPLICATION://"
                      "127.0.0.1:%u\nlistener.security.protocol.map=REPLICATION:SSL\n"
                      "authorizer.class.name=kafka.security.authorizer.AclAuthorizer\n",
                      ports[0], ports[3]);
        stores_puts(&out, trial, "zookeeper.ssl.keystore", "zookeeper.ssl.truststore");
        broker_puts(&out, trial, "broker");
        return trial_file(trial, "broker.properties", mr_buf_text(&out), 0600, err);
}

static int combined_config(const Trial *trial, const unsigned *ports, MrError *err) {
        _cleanup_buf_ MrBuf out = {};

        mr_buf_printf(
                &out,
                "process.roles=broker,controller\nnode.id=0\ncontroller.listener.names=CONTROL\n"
                "controller.quorum.voters=0@127.0.0.1:%u\n"
                "listeners=CONTROL://127.0.0.1:%u,REPLICATION://127.0.0.1:%u\n"
                "listener.security.protocol.map=CONTROL:SSL,REPLICATION:SSL\n"
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n",
                ports[4], ports[4], ports[5]);
        broker_puts(&out, trial, "combined");
        return trial_file(trial, "combined.properties", mr_buf_text(&out), 0600, err);
}

static TrialRun *run_add(Trial *trial, const char *name, const char *class_name, unsigned port) {
        TrialRun *run = &trial->runs[trial->n_runs++];

        *run = (TrialRun){.name = name, .class_name = class_name, .port = port};
        return run;
}

static const char *trial_path(Trial *trial, const char *name) {
        return mr_arena_strf(trial->arena, "%s/%s", trial->directory, name);
}

/* Kafka before 4 brings ZooKeeper along, and needs it. */
static void runs_with_zookeeper(Trial *trial, const unsigned *ports) {
        TrialRun *zookeeper = run_add(
                trial, "zookeeper", "org.apache.zookeeper.server.quorum.QuorumPeerMain", ports[0]);
        TrialRun *broker = run_add(trial, "broker", "kafka.Kafka", ports[3]);

        zookeeper->stays = true;
        zookeeper->arguments[0] = trial_path(trial, "zoo.cfg");
        broker->arguments[0] = trial_path(trial, "broker.properties");
}

static void runs_without_zookeeper(Trial *trial, const unsigned *ports) {
        TrialRun *format = run_add(trial, "format", "kafka.tools.StorageTool", 0);
        TrialRun *combined = run_add(trial, "combined", "kafka.Kafka", ports[5]);

        format->arguments[0] = "format";
        format->arguments[1] = "-t";
        format->arguments[2] = "dHJpYWx0cmlhbHRyaWFsMQ";
        format->arguments[3] = "-c";
        format->arguments[4] = combined->arguments[0] = trial_path(trial, "combined.properties");
}

static bool has_jar(const char *libs, const char *prefix) {
        DIR *directory = opendir(libs);
        bool found = false;

        if (!directory)
                return false;
        for (const struct dirent *entry; !found && (entry = readdir(directory));)
                found = mr_starts_with(entry->d_name, prefix) &&
                        mr_ends_with(entry->d_name, ".jar");
        (void) closedir(directory);
        return found;
}

static int trial_prepare(Trial *trial, const char *libs, MrError *err) {
        unsigned ports[TRIAL_PORTS];
        int r = ports_choose(ports, err);

        if (r < 0)
                return r;
        r = trial_identity(trial, err);
        if (r < 0)
                return r;
        r = trial_logging(trial, err);
        if (r < 0)
                return r;
        if (has_jar(libs, "zookeeper-")) {
                r = zookeeper_config(trial, ports, err);
                if (r < 0)
                        return r;
                r = broker_config(trial, ports, err);
                if (r < 0)
                        return r;
                runs_with_zookeeper(trial, ports);
        }
        r = combined_config(trial, ports, err);
        if (r < 0)
                return r;
        runs_without_zookeeper(trial, ports);
        return 0;
}

int trial_init(Trial *trial, const char *software, const char *libs, MrError *err) {
        char directory[] = "/tmp/millrace-trial-XXXXXX";

        *trial = (Trial){.arena = mr_arena_new()};
        if (!mr_streq(software, "kafka"))
                return 0;
        if (!mkdtemp(directory))
                return mr_fail(err, MR_TRANSIENT, NULL, "cannot make a directory in /tmp");
        trial->directory = mr_strdup(directory);
        return trial_prepare(trial, libs, err);
}
