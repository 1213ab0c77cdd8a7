#pragma once

/* What a listener of the spec means for one broker: where it listens, what it advertises, and which
 * names its certificate needs. */

#include "kafka-cluster.h"

/* "tcp-clients", "tcp-external" … */
const char *listener_endpoint(MrArena *arena, const Listener *listener);
/* "PLAIN-9092" */
const char *listener_id(MrArena *arena, const Listener *listener);
/* "listener.name.plain-9092.KEY" */
const char *listener_key(MrArena *arena, const char *id, const char *key);
bool listener_has(const Listener *listener, AuthenticationType type);
/* "PLAINTEXT", "SASL_SSL" … */
const char *listener_protocol(const Listener *listener);

/* The standard port on which the broker listens: its nodePort, that of the first contact, or the
 * listener's. */
/* Whether its nodes are advertised by their whole names. */
bool listener_has_domain(const Listener *listener);
int64_t listener_port(const Listener *listener, int64_t id);
/* Whether that port was chosen for this broker alone. */
bool listener_port_is_fixed(const Listener *listener, int64_t id);
/* Host and port under which clients find the broker: as declared, or references to where it is. */
const char *listener_host(MrArena *arena, const Listener *listener, const KafkaNode *node);
/* The host of a route or ingress, or NULL. */
const char *listener_routed_host(MrArena *arena, const Listener *listener, const KafkaNode *node);
const char *listener_advertised_port(MrArena *arena, const Listener *listener,
                                     const KafkaNode *node);
/* "HOST:PORT", the host of an IPv6 address in brackets. */
const char *listener_address(MrArena *arena, const char *host, const char *port);
/* The declared name of the first contact, or NULL; its port is that of the brokers when they all
 * have the same. */
const char *listener_bootstrap_host(const Listener *listener);
const char *listener_bootstrap_port(const KafkaCluster *cluster, const Listener *listener);
/* Of a time when a cluster had only one external listener, whose objects do not bear its name. */
bool listener_is_historic(const Listener *listener);
/* The service of one broker for a listener that has such services. */
const char *listener_service(const KafkaCluster *cluster, const Listener *listener,
                             const KafkaNode *node);
/* Adds the names of all listeners that the certificate of the broker needs. */
void listeners_add_names(const KafkaCluster *cluster, const KafkaNode *node, MrStrings *names);

/* Who may connect, as the spec's networkPolicyPeers say. */
void listener_add_peers(MrArena *arena, const Listener *listener, MrEndpoint *endpoint);

/* "listener-external-9094.pem", or NULL when the listener shows the certificate of the node. */
const char *listener_key_pair_file(MrArena *arena, const Listener *listener);
/* Files with the secrets of a custom authentication: the name of one, and the text of a user with
 * their paths put in. */
const char *listener_secret_file(MrArena *arena, const Listener *listener, const SecretKey *key);
const char *listener_secret_text(MrParts *parts, const Listener *listener, const char *text);
/* Set by millrace, so it is left out of a listenerConfig. */
bool listener_option_is_forbidden(const char *key);
/* Options that change while the broker runs, by their full keys: max.connections and its like. */
void listener_add_limits(MrArena *arena, const Listener *listener, MrPairs *pairs);

/* What only the nodes tell: hosts that are missing, ports that collide, secrets that do not fit. */
int listeners_check_nodes(const KafkaCluster *cluster, MrError *err);
void listeners_warn(const KafkaCluster *cluster, MrParts *parts);
