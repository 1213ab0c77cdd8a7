-- What millraced 0.1.0 left behind: schema 1, with a secret and a remembered value. The test reads it as it is.
PRAGMA application_id = 1296649292;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('version',7);
CREATE TABLE resources(kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, generation INTEGER NOT NULL, version INTEGER NOT NULL, source TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(kind, ns, name));
INSERT INTO resources VALUES('Kafka','default','my-cluster','b69585c9-95a9-4f73-9f80-a800788a39b8',1,1,'api','{"apiVersion":"kafka.strimzi.io/v1beta2","kind":"Kafka","metadata":{"creationTimestamp":"2026-11-23T10:47:01Z","generation":1,"name":"my-cluster","namespace":"default","resourceVersion":"1","uid":"b69585c9-95a9-4f73-9f80-a800788a39b8"},"spec":{"kafka":{"config":{"default.replication.factor":1,"min.insync.replicas":1,"offsets.topic.replication.factor":1,"transaction.state.log.min.isr":1,"transaction.state.log.replication.factor":1},"listeners":[{"name":"plain","port":9092,"tls":false,"type":"internal"},{"name":"tls","port":9093,"tls":true,"type":"internal"}],"replicas":1,"storage":{"type":"ephemeral"},"version":"3.9.1"},"zookeeper":{"replicas":1,"storage":{"type":"ephemeral"}}}}');
CREATE TABLE secret_objects(ns TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, created TEXT NOT NULL, labels TEXT NOT NULL, PRIMARY KEY(ns, name)) WITHOUT ROWID;
CREATE TABLE secrets(ns TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(ns, name, key));
CREATE TABLE remembered(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE holds(ns TEXT NOT NULL, node TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY(ns, node)) WITHOUT ROWID;
INSERT INTO holds VALUES('default','my-cluster-kafka-0','a disk is exchanged',1795430821);
INSERT INTO secret_objects VALUES('default','my-cluster-cluster-ca',7,'2026-11-23T10:47:02Z','{"strimzi.io/cluster":"my-cluster"}');
INSERT INTO secrets VALUES('default','my-cluster-cluster-ca','ca.key',CAST('the key' AS BLOB));
INSERT INTO remembered VALUES('port/default/my-cluster-kafka-0/plain','9092');
COMMIT;
