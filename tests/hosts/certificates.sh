#!/bin/bash
# Keys and certificates are replaced under the hands of everybody who uses them: brokers, ZooKeeper, controllers, clients
# and the daemon itself trust each other at every moment, nothing acknowledged is lost, and what can read its
# certificates again while it runs is not restarted. First with ZooKeeper, RSA and a maintenance window, then with a quorum of
# controllers, authorities of a user's own, and certificates that live for a minute and a half: certificates-kraft.sh.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

spec=$scratch/spec.yaml
kept=/root/kept # what a client was given when it came, and keeps

ask() { # SECRET ANNOTATION: a Secret without values asks for something
        printf '%s\n' "apiVersion: v1" "kind: Secret" "metadata: {name: $1, annotations: {strimzi.io/$2: \"true\"}}" | ctl apply -f -
}

nothing_asked() {
        local name
        for name in my-user my-cluster-{cluster-ca,cluster-ca-cert}; do ctl delete secret $name || return; done
        same "" "$(ctl get secret -o json | jq -r '.items[].metadata.name')"
}

# --- what there is

secret() { api "/api/v1/namespaces/default/secrets/$1"; }
value() { secret "$1" | jq -r --arg key "$2" '.data[$key] // "" | @base64d'; } # SECRET KEY
keys() { secret "$1" | jq -r '.data | keys[]' | sort | xargs; }
names() { openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout | sed -n 's/^subject=.*CN = //p' | sort | paste -sd,; }
trusted() { value my-cluster-trustbundle "$1-ca.crt" | names; }                                        # cluster|clients
authority() { value "my-cluster-$1-ca-cert" ca.crt | openssl x509 -noout "${@:2}"; }                   # cluster|clients OPTION...
issuer_of() { value "$1" "$2.crt" | openssl x509 -noout -issuer | sed 's/.*CN = //'; }                 # SECRET PREFIX
# Whoever only looks shows a certificate, too, so that no broker has to tell of one who has none.
looked() { h1 sh -c "openssl s_client -connect h1:$1 -cert $kept/user.crt -key $kept/user.key ${*:2} </dev/null 2>/dev/null"; } # PORT OPTION...
trusted_are() { same "$2" "$(trusted "$1")"; } # cluster|clients NAMES
signed_by() { same "$1" "$(issuer_of "$2" "$3")"; } # AUTHORITY SECRET PREFIX
shown() { looked "$1" | openssl x509; }                                                                # PORT
shows() { # SECRET PORT...: each port shows the certificate of the secret
        local port expected
        expected=$(value "$1" "$1.crt" | openssl x509)
        for port in "${@:2}"; do same "$expected" "$(shown "$port")" || return; done
}
are_trusted_by() { # FILE PORT...: a file of the host
        local port
        for port in "${@:2}"; do looked "$port" -CAfile "$1" | grep -q "Verify return code: 0 " || { echo "$port is not"; return 1; }; done
}

trust() { value my-cluster-trustbundle cluster-ca.crt >"$root/root/trust"; } # what a client would trust now

# --- who uses it

servers() { ctl get kafka my-cluster -o json | jq -r --arg name "$1" '.status.listeners[] | select(.name == $name) | .bootstrapServers'; } # LISTENER
clients_begin() { # [FILE]: one producer and one consumer that keep what they have, and clients that come anew
        CREDENTIALS=$kept REPLICATION=2 producer start h1 $bootstrap load 100 || return
        h1 systemd-run -q --unit=consumer -p SuccessExitStatus=143 -p "StandardOutput=truncate:/var/lib/consumed" -p "StandardError=truncate:/var/lib/consumer" \
                java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$MILLRACE_TEST_CACHE/dist/kafka-${KAFKA_VERSION:-3.9.1}/libs/*" \
                org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server $bootstrap --topic load --from-beginning \
                --consumer.config /var/lib/test-producer/client.properties &&
                h1 systemd-run -q --unit=comers -p "StandardOutput=truncate:/var/lib/came" \
                        "$MILLRACE_REPOSITORY/tests/stack/comers" $bootstrap comers my-user my-cluster "${1:-}"
}
came() { grep -c '^acked' "$root/var/lib/came"; }

clients_end() { # WHAT
        h1 systemctl stop comers
        producer stop h1
        trust && h1 sh -c "cat /root/trust >>$kept/ca.crt"
        check "$1: the producer lost nothing" eval 'producer report h1 | tee "$scratch/report"'
        note "$1: $(cat "$scratch/report")"
        check "$1: the consumer that has stayed has had all of it" wait_for 30 "the rest" consumed_all
        h1 systemctl stop consumer
        check "$1: whoever came was served, and nothing of it is lost" served_all
        note "$1: $(came) clients came"
}
consumed_all() { tail -n 3 "$root/var/lib/consumer"; same 0 "$(comm -23 "$root/var/lib/test-producer/acked" <(sort -u "$root/var/lib/consumed") | wc -l)"; }
served_all() {
        ! grep -B 5 '^failed' "$root/var/lib/came" || return
        h1 sh -c "kcat -C -q -e -o beginning -b $bootstrap -t comers $(tls_options kept)" | sort >"$scratch/found"
        same "" "$(comm -23 <(sed -n 's/^acked/comer/p' "$root/var/lib/came" | sort) "$scratch/found")" && [ "$(came)" -gt 20 ]
}

# --- whoever refuses a certificate says so, at one end or the other

refusals() {
        h1 journalctl --no-pager -o cat --since "@$mark" | grep -E \
                'Failed authentication with|failed authentication due to|SSLHandshakeException|PKIX path|certificate_(unknown|expired)|bad_certificate|unknown_ca|verify failed' |
                sed -E 's/^[-0-9]+ [0-9:,]+ //; s/[0-9]{3,}/N/g' | cut -c1-230
}
nobody_refused() { same "" "$(refusals | sort | uniq -c | sort -rn | head -n 8)"; }
stranger() { # comes with a certificate of his own making
        h1 sh -c "cd /root && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout s.key -out s.crt 2>/dev/null
                kcat -L -m 5 -b $1 -X security.protocol=ssl -X ssl.ca.location=/root/trust -X ssl.certificate.location=s.crt -X ssl.key.location=s.key"
}

# --- in which order

mark() { mark=$(h1 date +%s.%N); }
journal() { h1 journalctl -u millraced --no-pager -o cat --since "@$mark"; }
in_order() { # REGEX...: all that matches one comes before all that matches the next, and something matches each
        local regex first last=0 before=
        journal >"$scratch/journal"
        for regex; do
                first=$(grep -nE -- "$regex" "$scratch/journal" | head -n 1 | cut -d: -f1)
                [ -n "$first" ] || { echo "nothing says: $regex"; cat "$scratch/journal"; return 1; }
                [ "$first" -gt "$last" ] || { echo "line $first says '$regex', but '$before' still comes in $last"; cat "$scratch/journal"; return 1; }
                last=$(grep -nE -- "$regex" "$scratch/journal" | tail -n 1 | cut -d: -f1)
                before=$regex
        done
}
# Lines from the first that matches one up to the first that matches another. Each of the regular expressions must match there.
stage() { # FROM TO REGEX...
        local regex
        journal | sed -nE "/$1/,/${2:-never}/p" >"$scratch/stage"
        for regex in "${@:3}"; do grep -qE -- "$regex" "$scratch/stage" || { echo "nothing says there: $regex"; cat "$scratch/stage"; return 1; }; done
}
starts() { h1 journalctl -u "$1" --no-pager -o cat --since "@$mark" | grep -c '^Started '; } # UNIT
each_started() { # TIMES UNIT...
        local unit
        for unit in "${@:2}"; do same "$unit $1" "$unit $(starts "$unit")" || return; done
}

# --- with ZooKeeper

zookeeper_spec() { # [LINE...]: more of the spec
        cat <<-P
		apiVersion: kafka.strimzi.io/v1beta2
		kind: Kafka
		metadata: {name: my-cluster, annotations: {millrace.io/ca-key-type: RSA-2048}}
		spec:
		$(printf '  %s\n' "${@:-maintenanceTimeWindows: []}")
		  kafka:
		    version: 3.9.1
		    replicas: 2
		    listeners:
		    - {name: plain, port: 9092, type: internal, tls: false}
		    - {name: tls, port: 9093, type: internal, tls: true, authentication: {type: tls}}
		    config: {default.replication.factor: 2, min.insync.replicas: 1, offsets.topic.replication.factor: 2}
		    jvmOptions: {-Xms: 64m, -Xmx: 200m}
		    storage: {type: persistent-claim, size: 1Gi, deleteClaim: true}
		  zookeeper:
		    replicas: 3
		    jvmOptions: {-Xms: 32m, -Xmx: 64m}
		    storage: {type: persistent-claim, size: 1Gi, deleteClaim: true}
		---
		apiVersion: kafka.strimzi.io/v1beta2
		kind: KafkaUser
		metadata: {name: my-user, labels: {strimzi.io/cluster: my-cluster}}
		spec: {authentication: {type: tls}}
	P
}

test_renewal() {
        local before key leaf serial
        before=$(all_pids) key=$(authority cluster -pubkey) serial=$(authority cluster -serial) leaf=$(shown 9093)
        check "a renewal of the cluster's authority is asked for" ask my-cluster-cluster-ca-cert force-renew
        calm "the cluster's authority is renewed"
        check "its certificate is another" fails same "$serial" "$(authority cluster -serial)"
        check "its key is the same" same "$key" "$(authority cluster -pubkey)"
        check "so brokers show what they have shown" same "$leaf" "$(shown 9093)"
        check "a renewal of a user's certificate is asked for" ask my-user force-renew
        calm "the user's certificate is renewed"
        check "it is another" fails same "$(h1 cat $kept/user.crt)" "$(value my-user user.crt)"
        check "and nothing was restarted" kept_running "$before"
}

replaced="update secret my-cluster-cluster-ca: asked for by the annotation"
trusted_too="update secret my-cluster-trustbundle: .* is to be trusted, too"
signed_anew="update secret my-cluster-[a-z]*-[0-9]: its CA has a new key"
needless="update secret my-cluster-trustbundle: nothing needs to trust .* any more"

# Brokers read their files again, members of the ensemble restart: for trust, for their own, and for trust again.
test_cluster_key() {
        local brokers ensemble key
        brokers=$(pids $(kafka 0) $(kafka 1)) key=$(authority cluster -pubkey)
        ensemble="$(zookeeper 0) $(zookeeper 1) $(zookeeper 2)"
        value my-cluster-cluster-ca-cert ca.crt >"$root/root/former.crt"
        check "what is shown is signed by the present authority" are_trusted_by /root/former.crt 9093 9103
        mark
        check "a new key of the cluster's authority is asked for" ask my-cluster-cluster-ca force-replace
        check "in the end it alone is trusted" wait_for 240 "the last stage" trusted_are cluster "cluster-ca v1"
        calm "the cluster's key is replaced"
        check "it is another" fails same "$key" "$(authority cluster -pubkey)"
        check "trust comes first, then keys, and old trust goes last" in_order "$replaced" "$trusted_too" "$signed_anew" "$needless"
        check "before anything is signed with it, everybody has read whom to trust" stage "$trusted_too" "$signed_anew" \
                restart.*zookeeper-{0,1,2}/cluster-ca.crt kafka-{0,1}/cluster-ca.crt.is.to.be.read
        check "before the former one is forgotten, everybody shows what is new" stage "$signed_anew" "$needless" \
                restart.*zookeeper-{0,1,2}.pem kafka-{0,1}.pem.is.to.be.read
        check "in the end everybody forgets it" stage "$needless" "" restart.*zookeeper-{0,1,2}/cluster-ca.crt kafka-{0,1}/cluster-ca.crt.is.to.be.read
        check "brokers were told, and not restarted" same "$brokers" "$(pids $(kafka 0) $(kafka 1))"
        check "members of the ensemble were restarted once for each stage" each_started 3 $ensemble
        check "brokers show their new certificates" eval 'shows my-cluster-kafka-0 9093 && shows my-cluster-kafka-1 9103'
        check "which the former authority has not signed" fails are_trusted_by /root/former.crt 9093
        check "the present one has" eval 'trust && are_trusted_by /root/trust 9093 9103'
        check "nobody trusts the former one any more" same "cluster-ca v1 ca.crt ca.p12 ca.password" "$(trusted cluster) $(keys my-cluster-cluster-ca-cert)"
}

# Certificates of clients are due, which a change of their terms brings about, and their authority's key goes with them.
terms() { # WINDOW
        zookeeper_spec "clientsCa: {validityDays: 400, renewalDays: 399, certificateExpirationPolicy: replace-key}" \
                "maintenanceTimeWindows: ['$1']" | ctl apply -f -
}
test_window() {
        local before user
        before=$(all_pids) user=$(value my-user user.crt)
        check "certificates of clients are due, outside of the maintenance window" terms "* * * * * ? 2199"
        check "that is told" wait_for 60 "the warning" warning "it is renewed in the next of spec.maintenanceTimeWindows"
        calm "it is waited for"
        check "the authority is the same" same "clients-ca v0" "$(trusted clients)"
        check "and so is the user's certificate" same "$user" "$(value my-user user.crt)"
        check "nothing was restarted" kept_running "$before"
}
is_rsa() { openssl x509 -noout -text | contains "Public Key Algorithm: rsaEncryption"; }
test_kinds_of_keys() {
        check "keys of the authorities are RSA, because that was asked for" eval 'for one in cluster clients; do value my-cluster-$one-ca-cert ca.crt | is_rsa || return; done'
        check "so are those of brokers" eval 'shown 9093 | is_rsa'
        check "and of users" eval 'value my-user user.crt | is_rsa'
}

test_clients_key() { # WHAT HOW CMD...: whatever runs is told
        local before
        before=$(all_pids)
        mark
        check "$1: $2" "${@:3}"
        check "$1: the user's certificate is made anew" wait_for 120 "it" signed_by "clients-ca v1" my-user user
        calm "$1: the clients' key is replaced"
        check "$1: trust came first, then the user's certificate" in_order \
                "$trusted_too" "clients-ca.crt is to be read again" "update secret my-user: its CA has a new key"
        check "$1: nothing was restarted" kept_running "$before"
        check "$1: what clients keep is trusted until it ends" same "clients-ca v0,clients-ca v1" "$(trusted clients)"
        check "$1: a client that comes with what it has kept is served" eval 'trust && broker_count $bootstrap "$(tls_options kept | sed s:/root/kept/ca.crt:/root/trust:)"'
}

cluster_begin() { # WHAT
        from=$(seconds)
        check "$1: a cluster is applied" ctl apply -f - <"$spec"
        calm "$1: it becomes ready"
        slow=$(since "$from" | awk '{n = int($1 / 20) + 1; print (n > 3 ? 3 : n)}')
        note "Ready after $(since "$from") s"
        secret_files my-user
        h1 sh -c "rm -rf $kept && cp -r /root/my-user $kept"
        bootstrap=$(servers tls)
        ports=$(tr , '\n' <<<"$bootstrap" | sed 's/.*://')
        mark
        begun=$mark
}
cluster_end() { # WHAT
        mark=$begun
        clients_end "$1"
        check "$1: nobody has refused anybody" nobody_refused
        check_fails "$1: a stranger is refused" stranger $bootstrap
        check_fails "$1: and that is seen" nobody_refused
}

# --- with a quorum of controllers, one of them on its own and two that are brokers, too

kraft_spec() {
        cat <<-P
		apiVersion: kafka.strimzi.io/v1
		kind: Kafka
		metadata: {name: my-cluster}
		spec:
		  clusterCa: {generateCertificateAuthority: false, validityDays: 10, renewalDays: 5}
		  kafka:
		    version: 4.3.1
		    listeners:
		    - {name: plain, port: 9092, type: internal, tls: false}
		    - {name: tls, port: 9093, type: internal, tls: true, authentication: {type: tls}}
		    config: {default.replication.factor: 2, min.insync.replicas: 1, offsets.topic.replication.factor: 2}
		    jvmOptions: {-Xms: 64m, -Xmx: 200m}
		---
		apiVersion: kafka.strimzi.io/v1
		kind: KafkaUser
		metadata: {name: my-user, labels: {strimzi.io/cluster: my-cluster}}
		spec: {authentication: {type: tls}}
	P
        pool controller 1 controller
        pool mixed 2 "controller, broker"
}
pool() { # NAME REPLICAS ROLES
        printf '%s\n' --- "apiVersion: kafka.strimzi.io/v1" "kind: KafkaNodePool" "metadata: {name: $1, labels: {strimzi.io/cluster: my-cluster}}" \
                "spec: {replicas: $2, roles: [$3], storage: {type: persistent-claim, size: 1Gi, deleteClaim: true}}"
}

own_authority() { # NUMBER: made by somebody else, and given to the cluster
        local file=$root/root/own-$1
        [ -e "$file.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=own v$1" \
                -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$file.key" -out "$file.crt" 2>/dev/null
        printf '%s\n' "apiVersion: v1" "kind: Secret" "metadata: {name: my-cluster-cluster-ca-cert}" "stringData:" "  ca.crt: |"
        sed 's/^/    /' "$file.crt"
        printf '%s\n' --- "apiVersion: v1" "kind: Secret" "metadata: {name: my-cluster-cluster-ca}" "stringData:" "  ca.key: |"
        sed 's/^/    /' "$file.key"
}

quorum() { java_tool org.apache.kafka.tools.MetadataQuorumCommand --bootstrap-server "$(servers plain)" describe "$@"; }
leader() { quorum --status | sed -n 's/^LeaderId:[[:space:]]*//p'; }
leader_epoch() { quorum --status | sed -n 's/^LeaderEpoch:[[:space:]]*//p'; }
led_anew() { [ "$(leader_epoch)" -gt "$1" ]; } # EPOCH
caught_up() { # all three members follow at once
        quorum --replication | tee "$scratch/quorum" | awk 'NR > 1 && $NF ~ /Leader|Follower/ && $4 <= 2 {n++} END {exit n != 3}' || { cat "$scratch/quorum"; return 1; }
}
nodes() { units | sed 's/.*@\(.*\)\.service/\1/'; }
expired() { # DIRECTORY: all certificates in it
        local file
        for file in "$1"/*; do fails openssl x509 -noout -checkend 0 -in "$file" || { echo "$file lives"; return 1; }; done
}
all_of() { for node in $(nodes); do same "$1" "$(issuer_of "$node" "$node")" || return; done; } # AUTHORITY
days_of_seconds() { # SECONDS
        sed -i '/^certificate_day_seconds/d' "$root/etc/millrace/millraced.yaml"
        setting "certificate_day_seconds: $1"
}

# Certificates made from here on end after 90 seconds, longer where nodes take long to start, and are renewed when half of
# that is left: the three of them have to restart meanwhile.
lives_begin() { # SECONDS: of a day
        local node
        days_of_seconds $(($1 * slow))
        mark
        check "another authority of one's own is brought" ctl apply -f - < <(own_authority 2)
        check "what the nodes show is of it" wait_for $((240 * slow)) "new certificates" all_of "own v2"
        mkdir "$scratch/first"
        for node in $(nodes); do value "$node" "$node.crt" >"$scratch/first/$node"; done
        check "the former one is forgotten" wait_for $((150 * slow)) "the end" trusted_are cluster "own v2"
}
test_own_key() {
        local node
        epoch=$(leader_epoch)
        lives_begin 9
        check "trust comes first, then keys, and old trust goes last" in_order "$trusted_too" "$signed_anew" "$needless"
        check "before anything is signed with it, everybody has restarted with whom to trust" stage "$trusted_too" "$signed_anew" \
                $(for node in $(nodes); do echo "restart.*$node/cluster-ca.crt"; done)
        check "before the former one is forgotten, everybody has restarted with what is new" stage "$signed_anew" "$needless" \
                $(for node in $(nodes); do echo "restart.*$node.pem"; done)
}

test_short_lives() {
        local before now
        check "the first of the short certificates have ended" wait_for $((180 * slow)) "their end" expired "$scratch/first"
        now=$(leader_epoch)
        check "controllers have taken turns meanwhile" [ "$now" -gt "$epoch" ]
        check "acknowledgements never stayed away for more than two seconds" short_gap
        days_of_seconds 86400
        calm "with days as they are"
        now=$(leader_epoch) before=$(leader)
        h1 systemctl kill -s KILL "kafka@$(nodes | grep -- "-$before$").service"
        check "the active controller dies, and another takes over" wait_for 60 "another leader" led_anew "$now"
        calm "a controller died"
        check "every controller follows" wait_for 30 "the quorum" caught_up
        check "brokers show what lives for days" live_for_days $ports
        check "of which nobody renewed has died" tells_of_renewals "(controller|mixed)"
}
short_gap() { awk -v gap="$(producer gap h1)" 'BEGIN {print gap; exit gap > 2}'; }
live_for_days() { # PORT...
        local port
        for port; do shown "$port" | openssl x509 -noout -checkend 86400 || return; done
}
tells_of_renewals() { # ROLE...: nodes of each
        local role
        for role; do journal | grep -E "update secret my-cluster-$role-[0-9]: expires in" || return; done
        ! journal | grep -E "update secret my-cluster-.*: it expired"
}

# The same with ZooKeeper, whose members restart each time.
test_short_lives_with_zookeeper() {
        lives_begin 12
        check "the first of the short certificates have ended" wait_for $((240 * slow)) "their end" expired "$scratch/first"
        days_of_seconds 86400
        calm "with days as they are"
        check "brokers show what lives for days" live_for_days $ports
        check "so do members of the ensemble, whom only the cluster may ask: theirs were made anew" members_live_for_days
        check "of which nobody renewed has died" tells_of_renewals kafka zookeeper
        check "a member dies" h1 systemctl kill -s KILL "$(zookeeper 1)"
        calm "a member died"
}
members_live_for_days() {
        local n
        for n in 0 1 2; do value "my-cluster-zookeeper-$n" "my-cluster-zookeeper-$n.crt" | openssl x509 -noout -checkend 86400 || return; done
}

# Values that open something, those of the authorities among them, are in no log.
no_secret_is_logged() {
        local name
        h1 journalctl --no-pager -o export >"$scratch/log"
        {
                for name in my-cluster-clients-ca-cert my-user $(nodes); do
                        secret "$name" | jq -r '.data | to_entries[] | select(.key | test("password$|key$")) | .value | @base64d'
                done
                h1 sqlite3 -readonly /var/lib/millrace/state.db "SELECT value FROM secrets WHERE name = 'my-cluster-clients-ca' AND key = 'ca.key'"
                cat "$root"/root/own-*.key
        } | grep '.\{12\}' | grep -v -e '-----' >"$scratch/patterns"
        grep -qF "my-cluster-trustbundle" "$scratch/log" && [ "$(wc -l <"$scratch/patterns")" -ge 20 ] || { wc -l "$scratch/patterns"; return 1; }
        ! grep -aF -f "$scratch/patterns" "$scratch/log" && ! grep -a "PRIVATE KEY" "$scratch/log"
}

with_zookeeper() {
        zookeeper_spec >"$spec"
        cluster_begin "with ZooKeeper"
        check "clients come" clients_begin
        test_renewal
        test_cluster_key
        test_kinds_of_keys
        test_window
        test_clients_key "with ZooKeeper" "the window opens" terms "* * * * * ?"
        cluster_end "with ZooKeeper"
        check "with ZooKeeper: the cluster is deleted" ctl delete -f - <"$spec"
        check "and so is what was asked for" nothing_asked
}

with_controllers() {
        export KAFKA_VERSION=4.3.1
        kraft_spec >"$spec"
        check "an authority of one's own is brought" ctl apply -f - < <(own_authority 1)
        own_authority 2 >/dev/null
        cluster_begin "with controllers"
        check "the authority of one's own has signed what nodes show" all_of "own v1"
        h1 sh -c "cat /root/own-*.crt >>$kept/ca.crt"
        check "clients come again" clients_begin $kept/ca.crt
        test_clients_key "with controllers" "a new key of the clients' authority is asked for" ask my-cluster-clients-ca force-replace
        test_own_key
        test_short_lives
        cluster_end "with controllers"
        check "no secret is in any log" no_secret_is_logged
        deleted_soon "with controllers"
}

with_short_lives() {
        zookeeper_spec "clusterCa: {generateCertificateAuthority: false, validityDays: 10, renewalDays: 5}" >"$spec"
        check "an authority of one's own is brought" ctl apply -f - < <(own_authority 1)
        own_authority 2 >/dev/null
        cluster_begin "short lives with ZooKeeper"
        h1 sh -c "cat /root/own-*.crt >>$kept/ca.crt"
        check "clients come" clients_begin $kept/ca.crt
        test_short_lives_with_zookeeper
        cluster_end "short lives with ZooKeeper"
        deleted_soon "short lives with ZooKeeper"
}

host_with_package h1
root=$(root_of h1)
setting "resync_seconds: 5"
for part in ${MILLRACE_CERTIFICATES:-with_zookeeper}; do $part; done
