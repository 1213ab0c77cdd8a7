# Every knob of a cluster is turned once while a producer runs, and does what the plan says of it: it is a reload, it is told
# to the running broker, its limit changes in place, or it takes a restart. Nothing is lost meanwhile. Scripts say which:
#
#   knobs limits levels quotas

# KRAFT=yes: one node of Kafka 4 instead of ZooKeeper and a broker.
if [ -n "${KRAFT:-}" ]; then
        export KAFKA_VERSION=4.3.1 MILLRACE_VERSIONS=4.3.1
        broker=my-cluster-dual-role-0
        kafka() { echo "kafka@$broker.service"; }
else
        export KAFKA_VERSION=3.9.1
        broker=my-cluster-kafka-0
fi
spec=$scratch/spec.json
extras=$MILLRACE_TEST_CACHE/dist/extras

# What comes beside Kafka, from Maven, once; several scripts may want it at the same time.
extras_fetch() (
        mkdir -p "$extras" && exec 9>"$extras.lock" && flock 9 || return
        [ ! -e "$extras/metrics-reporter-0.2.0.jar" ] || return 0
        mvn -q -B -ntp -f "$MILLRACE_REPOSITORY/tests/stack/pom.xml" -P extras dependency:copy-dependencies \
                -DincludeGroupIds=io.prometheus.jmx,io.prometheus,io.strimzi "-DoutputDirectory=$extras.new" </dev/null &&
                chmod a+r "$extras".new/*.jar && mv "$extras".new/*.jar "$extras/" && rmdir "$extras.new" && chmod a+rx "$extras"
)
# Kafka's own example of a plugin for older segments: it keeps them in a directory.
keeper=$extras-keeper/kafka-storage-4.3.1-test.jar
keeper_fetch() (
        exec 9>"$extras.lock" && flock 9 || return
        [ ! -e "$keeper" ] || return 0
        mvn -q -B -ntp -f "$MILLRACE_REPOSITORY/tests/stack/pom.xml" dependency:copy -Dartifact=org.apache.kafka:kafka-storage:4.3.1:jar:test \
                "-DoutputDirectory=$extras-keeper.new" </dev/null && chmod -R a+rX "$extras-keeper.new" && mv -T "$extras-keeper.new" "$extras-keeper"
)
extras_use() {
        sed -i "s|^  directory:.*|&\n  extras: $extras|" "$(root_of h1)/etc/millrace/hostd.yaml"
        printf 'labels:\n  topology.kubernetes.io/zone: west\n' >>"$(root_of h1)/etc/millrace/hostd.yaml"
        h1 systemctl try-restart millrace-hostd
}

kraft_spec_make() {
        cat >"$spec" <<'END'
{"apiVersion": "v1", "kind": "List", "items": [
 {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "knobs"}, "data": {
  "metrics.yaml": "rules:\n- pattern: java.lang<type=Runtime><>Uptime\n  name: first_name\n",
  "log4j2.properties": "appender.console.type = Console\nappender.console.name = STDOUT\nappender.console.layout.type = PatternLayout\nappender.console.layout.pattern = %d{ISO8601} %p %m (%c) [%t]%n\nrootLogger.level = INFO\nrootLogger.appenderRefs = console\nrootLogger.appenderRef.console.ref = STDOUT\nlogger.log.name = kafka.log\nlogger.log.level = WARN\n"}},
 {"apiVersion": "kafka.strimzi.io/v1", "kind": "Kafka", "metadata": {"name": "my-cluster"}, "spec": {
  "kafka": {"version": "4.3.1", "jvmOptions": {"-Xms": "64m", "-Xmx": "256m"},
   "config": {"offsets.topic.replication.factor": 1, "default.replication.factor": 1},
   "listeners": [{"name": "plain", "port": 9092, "type": "internal", "tls": false}]}}},
 {"apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaNodePool", "metadata": {"name": "dual-role", "labels": {"strimzi.io/cluster": "my-cluster"}},
  "spec": {"replicas": 1, "roles": ["controller", "broker"], "storage": {"type": "persistent-claim", "size": "1Gi"}}}]}
END
}
spec_make() {
        [ -z "${KRAFT:-}" ] || { kraft_spec_make; return; }
        cat >"$spec" <<'END'
{"apiVersion": "v1", "kind": "List", "items": [
 {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "knobs"}, "data": {
  "metrics.yaml": "rules:\n- pattern: java.lang<type=Runtime><>Uptime\n  name: first_name\n",
  "log4j.properties": "log4j.rootLogger=INFO, CONSOLE\nlog4j.appender.CONSOLE=org.apache.log4j.ConsoleAppender\nlog4j.appender.CONSOLE.layout=org.apache.log4j.PatternLayout\nlog4j.appender.CONSOLE.layout.ConversionPattern=%d{ISO8601} %p %m (%c) [%t]%n\nlog4j.logger.kafka.log=WARN\n"}},
 {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "Kafka", "metadata": {"name": "my-cluster"}, "spec": {
  "kafka": {"version": "3.9.1", "replicas": 1, "storage": {"type": "persistent-claim", "size": "1Gi"},
   "jvmOptions": {"-Xms": "64m", "-Xmx": "256m"},
   "config": {"offsets.topic.replication.factor": 1, "default.replication.factor": 1},
   "listeners": [{"name": "plain", "port": 9092, "type": "internal", "tls": false}]},
  "zookeeper": {"replicas": 1, "storage": {"type": "persistent-claim", "size": "1Gi"}, "jvmOptions": {"-Xms": "64m", "-Xmx": "128m"}}}}]}
END
}
apply() { h1 millctl apply -f - <"$spec"; }
turn() { # JQ: of the Kafka resource
        jq ".items[1] |= ($1)" "$spec" >"$spec.new" && mv "$spec.new" "$spec" && apply
}
data() { # KEY SED: of the ConfigMap
        jq --arg key "$1" --arg value "$(jq -r --arg key "$1" '.items[0].data[$key]' "$spec" | sed "$2")"$'\n' \
                '.items[0].data[$key] = $value' "$spec" >"$spec.new" && mv "$spec.new" "$spec" && apply
}

# --- outcomes

outcome() { # WHAT EVENT KEPT|UNIT CMD...: turned by CMD, told by EVENT, with nothing restarted or only UNIT
        local what=$1 event=$2 unit=$3 before mine
        shift 3
        before=$(all_pids)
        [ "$unit" = kept ] || mine=$(property "$unit" MainPID)
        mark
        check "$what is changed" "$@" || return
        check "$what: told as expected" wait_for 60 "the event" event_says "$event"
        [ "$unit" = kept ] || check "$what: it restarts" wait_for 180 "a restart" started_anew "$unit" "$mine"
        calm "$what: done"
        [ "$unit" != kept ] || check "$what: nothing restarts" kept_running "$before"
}
metrics() { h1 curl -sf "http://127.0.0.1:${1:-9404}/metrics"; }
has_metric() { metrics | contains "$1"; }
levels() { java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9092 --describe --entity-type broker-loggers --entity-name 0; }
configs() { java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9092 --describe --all --entity-type brokers --entity-name 0; }
quotas() { java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9092 --describe --entity-type users --entity-default; }
logged() { h1 journalctl -q -o cat -u "$1" --since "@$mark" | contains "$2"; }

test_limits() {
        outcome "the memory limit" "* update unit $broker: *memory_limit*live limit?" kept \
                turn '.spec.kafka.resources = {limits: {memory: "1536Mi", cpu: "1500m"}, requests: {cpu: "500m"}}'
        check "the running broker has it" same 1610612736 "$(property "$(kafka 0)" MemoryMax)"
        check "its processor time, too" same 1.500000s "$(property "$(kafka 0)" CPUQuotaPerSecUSec)"
        check "the drop-in says so" eval 'h1 cat "/etc/systemd/system/$(kafka 0).d/50-millrace.conf" | contains MemoryMax=1610612736'
        [ -z "${KRAFT:-}" ] || return 0
        outcome "the limit of ZooKeeper" "* update unit my-cluster-zookeeper-0: *memory_limit*live limit?" kept \
                turn '.spec.zookeeper.resources = {limits: {memory: "1Gi"}}'
        check "the running member has it" same 1073741824 "$(property "$(zookeeper 0)" MemoryMax)"
}

test_levels() {
        outcome "a level" "* update setting logger/0/kafka.server: *alter?" kept \
                turn '.spec.kafka.logging = {type: "inline", loggers: {"log4j.logger.kafka.server": "DEBUG"}}'
        check "the running broker has it" eval 'levels | contains kafka.server=DEBUG'
        check "it logs so" wait_for 30 "a line" logged "$(kafka 0)" " DEBUG "
        outcome "a level that is no longer asked for" "* update setting logger/0/kafka.server: *alter?" kept turn 'del(.spec.kafka.logging)'
        check "it is as it was" eval 'levels | contains kafka.server=INFO'
}

test_logging() {
        outcome "a logger that does not exist" "Normal Restarted $broker: *log4j.loggers*" "$(kafka 0)" \
                turn '.spec.kafka.logging = {type: "inline", loggers: {"log4j.logger.com.example.Nobody": "DEBUG"}}'
        outcome "a configuration in a ConfigMap" "Normal Restarted $broker: *log4j.loggers*" "$(kafka 0)" \
                turn '.spec.kafka.logging = {type: "external", valueFrom: {configMapKeyRef: {name: "knobs", key: "log4j.properties"}}}'
        outcome "a level in the ConfigMap" "* update setting logger/0/kafka.log: *alter?" kept \
                data log4j.properties 's/kafka.log=WARN/kafka.log=ERROR/'
        check "the running broker has it" eval 'levels | contains kafka.log=ERROR'
        outcome "the layout in the ConfigMap" "Normal Restarted $broker: *ConversionPattern*" "$(kafka 0)" \
                data log4j.properties 's/ConversionPattern=.*/ConversionPattern=KNOB %p %m (%c)%n/'
        check "it logs so" logged "$(kafka 0)" "KNOB INFO "
        outcome "a level of ZooKeeper" "Normal Restarted my-cluster-zookeeper-0: *log4j.logger.root*" "$(zookeeper 0)" \
                turn '.spec.zookeeper.logging = {type: "inline", loggers: {"zookeeper.root.logger": "WARN"}}'
}

# log4j2 looks at its file by itself: neither levels nor layouts take a restart.
test_log4j2() {
        outcome "a level" "* update file $broker/log4j2.properties: *reload?" kept \
                turn '.spec.kafka.logging = {type: "inline", loggers: {"logger.server.name": "kafka.server", "logger.server.level": "DEBUG"}}'
        check "the running broker has it" wait_for 30 "the level" eval 'levels | contains kafka.server=DEBUG'
        check "it logs so" wait_for 60 "a line" logged "$(kafka 0)" " DEBUG "
        outcome "a logger that does not exist" "* update file $broker/log4j2.properties: *reload?" kept \
                turn '.spec.kafka.logging.loggers = {"logger.nobody.name": "com.example.Nobody", "logger.nobody.level": "DEBUG"}'
        check "the running broker has it" wait_for 30 "the level" eval 'levels | contains com.example.Nobody=DEBUG'
        check "the level before is as it was" eval 'fails eval "levels | contains kafka.server=DEBUG"'
        outcome "a configuration in a ConfigMap" "* update file $broker/log4j2.properties: *reload?" kept \
                turn '.spec.kafka.logging = {type: "external", valueFrom: {configMapKeyRef: {name: "knobs", key: "log4j2.properties"}}}'
        check "the running broker has it" wait_for 30 "the level" eval 'levels | contains kafka.log=WARN'
        outcome "a level in the ConfigMap" "* update file $broker/log4j2.properties: *reload?" kept \
                data log4j2.properties 's/^logger.log.level = WARN/logger.log.level = ERROR/'
        check "the running broker has it" wait_for 30 "the level" eval 'levels | contains kafka.log=ERROR'
        outcome "the layout in the ConfigMap" "* update file $broker/log4j2.properties: *reload?" kept \
                data log4j2.properties 's/^\(appender.console.layout.pattern =\).*/\1 KNOB %p %m (%c)%n/; s/^rootLogger.level = INFO/rootLogger.level = DEBUG/'
        check "it logs so" wait_for 60 "a line" logged "$(kafka 0)" "KNOB DEBUG "
        outcome "logging as it was" "* update file $broker/log4j2.properties: *reload?" kept turn 'del(.spec.kafka.logging)'
        check "the running broker has it" wait_for 30 "the level" eval 'levels | contains root=INFO'
}

test_metrics() {
        local exporter='{type: "jmxPrometheusExporter", valueFrom: {configMapKeyRef: {name: "knobs", key: "metrics.yaml"}}}'
        outcome "metrics" "Normal Restarted $broker: *jvm_options*" "$(kafka 0)" turn ".spec.kafka.metricsConfig = $exporter"
        check "they are served" has_metric first_name
        outcome "a rule of the metrics" "* update file $broker/metrics.yaml: *reload?" kept data metrics.yaml 's/first_name/second_name/'
        check "it is in force" wait_for 30 "the new name" has_metric second_name
        [ -z "${KRAFT:-}" ] || return 0
        outcome "metrics of ZooKeeper" "Normal Restarted my-cluster-zookeeper-0: *jvm_options*" "$(zookeeper 0)" \
                turn ".spec.zookeeper.metricsConfig = $exporter"
        check "they are served, on a port of their own" has_metric_elsewhere
        check "clients reach the broker where they did" same 1 "$(broker_count h1:9092)"
}
test_reporter() {
        outcome "metrics by a reporter" "Normal Restarted $broker: *metric.reporters*" "$(kafka 0)" \
                turn '.spec.kafka.metricsConfig = {type: "strimziMetricsReporter", values: {allowList: ["kafka_server_socket.*"]}}'
        check "they are served" wait_for 30 "a metric" has_metric kafka_server_socket_server_metrics_connection_count
        check_fails "and only those" has_metric kafka_server_app_info
}
has_metric_elsewhere() { metrics 9414 | contains second_name; }

jmx_source() {
        cat >"$(root_of h1)/var/tmp/Jmx.java" <<'END'
import java.util.Map;
import javax.management.remote.*;
class Jmx {
    public static void main(String[] a) throws Exception {
        Map<String, Object> env = a.length > 1 ? Map.of(JMXConnector.CREDENTIALS, new String[] {a[1], a[2]}) : Map.of();
        try (JMXConnector c = JMXConnectorFactory.connect(new JMXServiceURL(a[0]), env)) {
            System.out.println("beans: " + c.getMBeanServerConnection().getMBeanCount());
        }
    }
}
END
}
jmx() { h1 java -Xmx64m /var/tmp/Jmx.java service:jmx:rmi:///jndi/rmi://h1:9999/jmxrmi "$@" 2>&1; }
jmx_with_secret() {
        h1 sh -c 'umask 077 && millctl secret get my-cluster-kafka-jmx -o /root/jmx' >/dev/null &&
                jmx "$(h1 cat /root/jmx/jmx-username)" "$(h1 cat /root/jmx/jmx-password)" | contains "beans: "
}
test_jmx() {
        jmx_source
        outcome "the JMX port" "Normal Restarted $broker: *jmxremote*" "$(kafka 0)" \
                turn '.spec.kafka.jmxOptions = {authentication: {type: "password"}}'
        check "only the broker may read its passwords" same "600 kafka" "$(h1 stat -c '%a %U' "/etc/millrace/nodes/$broker/jmxremote.password")"
        check "who is in the secret gets in" jmx_with_secret
        check_fails "who is not does not" eval 'jmx me wrong | contains "beans: "'
        check_fails "nor does somebody without a name" eval 'jmx | contains "beans: "'
}

test_java() {
        outcome "the heap" "Normal Restarted $broker: *-Xmx256m → -Xmx272m*" "$(kafka 0)" turn '.spec.kafka.jvmOptions["-Xmx"] = "272m"'
        outcome "a flag, a property and the log of the collector" "Normal Restarted $broker: *" "$(kafka 0)" \
                turn '.spec.kafka.jvmOptions += {"-XX": {UseSerialGC: true}, gcLoggingEnabled: true, javaSystemProperties: [{name: "a.b", value: "c d"}]}'
        check "java got them" eval 'command_line "$(kafka 0)" | contains "-Da.b=c d" && command_line "$(kafka 0)" | contains -XX:+UseSerialGC'
        check "the collector logs" logged "$(kafka 0)" "Using Serial"
        outcome "the rack" "Normal Restarted $broker: *broker.rack*west*" "$(kafka 0)" \
                turn '.spec.kafka.rack = {topologyKey: "topology.kubernetes.io/zone"}'
        check "the broker knows it" eval 'configs | contains "broker.rack=west "'
}

test_quotas() {
        outcome "quotas of Kafka" "* update setting quota/*producer_byte_rate: *alter?" kept \
                turn '.spec.kafka.quotas = {type: "kafka", producerByteRate: 50000000, controllerMutationRate: 2.5}'
        check "the cluster has them" eval 'quotas | contains producer_byte_rate=5.0E7'
        outcome "quotas of the plugin" "Normal Restarted $broker: *client.quota*" "$(kafka 0)" \
                turn '.spec.kafka.quotas = {type: "strimzi", producerByteRate: 50000000, minAvailableBytesPerVolume: 1000000}'
        check "the plugin runs" eval 'configs | contains StaticQuotaCallback'
        check "Kafka's own are gone" eval 'fails eval "quotas | contains producer_byte_rate"'
}

# Segments go to the plugin, and are read from there when the broker has them no more.
test_tiered() {
        local data=/var/lib/millrace-data/data-$broker/data
        check "the plugin is fetched" keeper_fetch
        outcome "storage of older segments elsewhere" "Normal Restarted $broker: *remote.log*" "$(kafka 0)" \
                turn '.spec.kafka.tieredStorage = {type: "custom", remoteStorageManager: {className: "org.apache.kafka.server.log.remote.storage.LocalTieredStorage",
                        classPath: "'"$keeper"'", config: {dir: "'"$data/elsewhere"'"}}} |
                        .spec.kafka.config += {"remote.log.manager.task.interval.ms": 1000, "log.retention.check.interval.ms": 1000}'
        check "a topic has its older segments there" java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server h1:9092 --create --topic older \
                --config remote.storage.enable=true --config segment.bytes=1048576 --config local.retention.ms=1000 --config file.delete.delay.ms=1000
        check "forty messages are written, of a tenth of a segment each" older_write
        check "segments are elsewhere" wait_for 90 "segments" eval 'h1 find "$data/elsewhere" -name "*.log" | grep -c . | grep -qx "[2-9]"'
        check "and here no more" wait_for 90 "the end of the first" fails h1 test -e "$data/kafka-log0/older-0/00000000000000000000.log"
        check "all forty are read, in their order" same "$(seq 1 40 | xargs)" "$(older_read)"
        check "the topic is removed" java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server h1:9092 --delete --topic older
        check "with its segments elsewhere" wait_for 90 "their end" eval '! h1 find "$data/elsewhere" -name "*.log" | grep .'
}
older_write() { h1 sh -c "for n in \$(seq 1 40); do printf '%s %0100000d\\n' \$n 0; done | kcat -P -b h1:9092 -t older -p 0 -X acks=all -X linger.ms=0 -X batch.num.messages=1"; }
older_read() { h1 sh -c "kcat -C -q -e -o beginning -b h1:9092 -t older -p 0" | cut -d' ' -f1 | xargs; }

test_asked() {
        local before
        before=$(all_pids)
        mark
        check "the cluster is paused" ctl pause kafka my-cluster
        turn '.metadata.annotations["strimzi.io/pause-reconciliation"] = "true" | .spec.kafka.jvmOptions["-Xmx"] = "288m"' >/dev/null
        check "its plan waits" wait_for 30 "the plan" eval 'ctl plan | contains "is paused"'
        sleep 10
        check "nothing restarts" kept_running "$before"
        outcome "the end of the pause" "Normal Restarted $broker: *-Xmx288m*" "$(kafka 0)" \
                turn 'del(.metadata.annotations["strimzi.io/pause-reconciliation"])'
        outcome "an annotation that asks for a roll" "Normal Restarted $broker: *asked for: *manual-rolling-update" "$(kafka 0)" \
                turn '.metadata.annotations["strimzi.io/manual-rolling-update"] = "once"'
}

knobs() { # GROUP...
        local group report
        extras_fetch || bail "the jars beside Kafka cannot be fetched"
        spec_make
        host_with_package h1
        extras_use
        check "the cluster is applied" apply || bail "nothing to turn knobs of"
        check "it is ready" settled 300 || bail "it does not run"
        REPLICATION=1 producer start h1 h1:9092 load 100
        for group; do "test_$group"; done
        producer stop h1
        report=$(producer report h1)
        note "$report"
        check "nothing was lost" eval '[[ $report == *" lost 0 "* && $report == *" failed 0 "* ]]'
}
