#pragma once

/* A simulated world for the real engine: its clock, its host with nodes that start, stop and catch
 * up, what can be seen of the running system, and faults. Engine, store, operands, lowering and the
 * plans are the real ones; time, threads, D-Bus and the network are simulated, so that a day takes
 * a second and the same seed gives the same day.
 *
 * Every change of the world is checked against the rules of safety at the moment it happens; the
 * first violation ends the run, with the seed and what led to it. */

#include "engine/engine-private.h"
#include "io/plugins.h"

#define SIM_MSEC UINT64_C(1000)
#define SIM_SEC UINT64_C(1000000)
#define SIM_NODES_MAX 16

typedef struct Sim Sim;

typedef enum SimState {
        SIM_DOWN, /* never started, or stopped; `since` tells */
        SIM_STARTING,
        SIM_RUNNING,
        SIM_STOPPING,
        SIM_FAILED,
} SimState;

typedef struct SimNode {
        char *instance;
        char *role;
        int id;
        SimState state;
        bool is_masked, is_broken; /* a broken one does not come up */
        bool has_caught_up;        /* in sync, or serving */
        bool is_drained;           /* no partitions are on it */
        bool by_us;                /* it is not well since we restarted it */
        uint64_t unwell_since;     /* 0: it is well */
        uint64_t state_usec;       /* when the state began */
        int64_t since;             /* as systemd tells it; 0: never ran */
        unsigned epoch;            /* what was to happen to an earlier life of it does not */
        unsigned restarts;
        int pid;
        MrTree *running; /* {fingerprint, settings}; NULL: no process */
        MrTree *configs; /* dynamic settings in effect */
        MrTree *loaded;  /* certificates it has read, by file; NULL: no process */
        MrTree *altered; /* those that were set while running; they outlive the process */
} SimNode;

typedef void (*SimFunction)(Sim *sim, void *data);

typedef struct SimEvent {
        uint64_t at, number;
        SimFunction run;
        void *data;
} SimEvent;

typedef struct SimHappened {
        char what[48]; /* "update File" */
        size_t n;
} SimHappened;

struct Sim {
        uint64_t now, start;
        uint64_t seed, random;
        SimEvent *queue;
        size_t n_queue, allocated_queue;
        uint64_t n_events;
        char *violation;
        MrBuf trace;
        /* The program. */
        Plugins plugins;
        Registry *registry;
        sd_event *event;
        Store *store;
        StoreSubscription *subscription;
        Worker *worker;
        Engine *engine;
        MrPlugin plugin; /* the platform: real lowering, simulated host */
        MrPlatformOps ops;
        size_t n_replaced; /* parts of the core */
        unsigned life;     /* of the daemon: counts its starts */
        /* The host. */
        MrTree *instances, *claims, *distributions, *contents;
        SimNode *nodes[SIM_NODES_MAX];
        size_t n_nodes;
        MrPlatform *platform;     /* of the present life */
        uint64_t batch_seen_usec; /* when the look began that the batch under way was decided by; 0:
                                     none */
        bool observed_well;
        bool in_deletion, may_delete_data;
        const char *discarded; /* the node whose data may be given up; NULL: none */
        bool is_ending;        /* nothing new happens any more */
        bool is_fault;         /* what happens now was not done by the program */
        size_t n_actions;      /* steps the host has carried out */
        size_t n_data_removed; /* claims that were removed with data in them */
        unsigned operations;   /* 1 << HostOp: of these kinds */
        size_t crash_after;    /* the daemon ends after so many steps; SIZE_MAX: never */
        bool cut_batch;        /* and the rest of the batch is lost with it */
        char crashed_at[48];   /* the step it ended after */
        SimHappened happened[32];
        size_t n_happened;
        unsigned char sequence[1024]; /* which of them, step after step */
        MrTree *disks,
                *away;  /* of claims of the class "disks"; what is on those that were taken out */
        size_t n_blank; /* disks nobody has */
        MrTree *voters; /* id → directory; NULL: no quorum was founded */
        MrTree *directories; /* id → directory of a controller that has formatted its disk */
        size_t n_votes;      /* that were given and taken */
        /* Faults. */
        bool fails_at_once;             /* a batch that fails, fails at its first step */
        unsigned batches, observations; /* how many were begun */
        unsigned observe_fails, apply_fails, look_fails; /* percent */
        uint64_t start_usec, catch_up_usec;
        int64_t resync_sec; /* 0: 30 */
        /* Who has to talk to each other must trust each other, whenever something changes. */
        bool checks_trust;
        bool refuses_ended; /* nobody opens a connection to what shows an ended certificate */
        char *lazy_user;
        MrTree *verdicts; /* digest of a certificate and a bundle → until when it is trusted */
        CertificateMemo *memo;
        size_t n_links; /* how many connections were looked at */
};

/* sim.c: the clock and what will happen. */
extern Sim *sim_now; /* the one world; clocks, threads and clients of the program find it here */
uint64_t sim_random(Sim *sim, uint64_t below);
bool sim_chance(Sim *sim, unsigned percent);
void sim_at(Sim *sim, uint64_t usec, SimFunction run, void *data); /* from now */
void sim_note(Sim *sim, const char *format, ...) _printf_(2, 3);
void sim_violated(Sim *sim, const char *format, ...) _printf_(2, 3);
/* Every kind of step that a plan can have, up to NULL. Another one is a violation wherever it
 * happens, and crash-test.c has a crash after each. */
extern const char *const sim_steps[];
void sim_happened(Sim *sim, const char *verb, const char *kind);

/* sim-world.c: the whole. */
Sim *sim_new(uint64_t seed);
Sim *sim_free(Sim *sim);
DEFINE_CLEANUP(Sim *, sim_free);
void sim_start(Sim *sim); /* the daemon */
void sim_crash(Sim *sim); /* everything it had in memory is gone, and it is started again */
void sim_run(Sim *sim, uint64_t usec); /* lets time pass */
/* Lets time pass until nothing is left to do and every node is well; false after `sec` seconds. */
bool sim_settle(Sim *sim, int64_t sec);
void sim_apply(Sim *sim, const char *yaml);
void sim_delete(Sim *sim, const char *kind, const char *name);
/* Checks that the world is as the spec says, that another pass plans nothing, and neither does a
 * fresh daemon. */
void sim_check_settled(Sim *sim);
MrTree *sim_plan(Sim *sim, const char *kind, const char *name);
/* The pass that would come next, as `millctl bundle` keeps it; and the steps that follow from one.
 */
MrTree *sim_record(Sim *sim, const char *kind, const char *name);
/* Free them. */
MrFacts *sim_facts(Sim *sim, const char *kind, const char *name);
MrTree *sim_replay(Sim *sim, const MrTree *record);

/* sim-node.c: processes. */
SimNode *sim_node(Sim *sim, const char *instance);
SimNode *sim_need_node(Sim *sim, const char *instance, const char *role);
void sim_node_start(Sim *sim, SimNode *node);
void sim_node_down(Sim *sim, SimNode *node, SimState state);
void sim_node_restart(Sim *sim, SimNode *node, uint64_t down_usec);
void sim_node_remove(Sim *sim, const char *instance);
bool sim_node_is_up(const SimNode *node);
/* "broker" or "controller", by what its file says; where there is ZooKeeper, every node of Kafka is
 * a broker. */
bool sim_node_has_role(const Sim *sim, const SimNode *node, const char *role);
/* What stands in the way of us taking this node down now, by what could be known; NULL: nothing. */
const char *sim_node_spared(Sim *sim, const SimNode *node);
bool sim_others_have_all(const Sim *sim, const SimNode *node);
MrTree *sim_see_kafka(Sim *sim);
MrTree *sim_see_zookeeper(Sim *sim);

/* sim-disk.c: a disk for each claim of the storage class "disks". */
bool sim_disk_is_wanted(const MrTree *step);
const char *sim_disk_take(Sim *sim, const char *claim); /* why there is none; NULL: it has one */
void sim_disk_note(Sim *sim, const char *name, MrTree *claim);
void sim_disk_give_back(Sim *sim, const char *claim);
void sim_disk_take_out(Sim *sim, const char *claim);
void sim_disk_put_in(Sim *sim, const char *claim);

/* sim-quorum.c: controllers and their votes. */
void sim_quorum_format(Sim *sim, const SimNode *node);
bool sim_quorum_has(const Sim *sim, const SimNode *node); /* it votes */
size_t sim_quorum_size(const Sim *sim);
bool sim_quorum_spares(const Sim *sim, const SimNode *node); /* the others are a majority */
void sim_quorum_see(const Sim *sim, MrTree *view);           /* in the view */
bool sim_quorum_alter(Sim *sim, const char *key, const char *listener); /* false: refused */

/* sim-tls.c: certificates. */
void sim_tls_load(Sim *sim, SimNode *node);   /* a process begins */
void sim_tls_reload(Sim *sim, SimNode *node); /* it was told to read its files again */
void sim_tls_check(Sim *sim);
/* Whether nobody may connect to it any more: what it shows has ended. */
bool sim_tls_is_shut(Sim *sim, const SimNode *node);
MrTree *sim_see_tls(Sim *sim, const MrProbe *probe);

/* sim-host.c: the host's service, and its platform. */
void sim_host_init(Sim *sim);
MrTree *sim_host_observe(Sim *sim);
void sim_host_changed(Sim *sim);
/* sim-batch.c, sim-observation.c: the platform's own translations. */
MrTree *batch_of_actions(const MrAction *actions, size_t n, int64_t protocol);
int observation_of_host(MrTree *take_observed, MrObservation *ret, MrError *err) _must_check_;

/* What tests do to the store and the engine. They call these and nothing of the core itself,
 * because the linker takes each symbol where it finds it first: the parts of this folder that
 * replace parts of the core must come before it. */
void sim_kick(Sim *sim);
void sim_hold(Sim *sim, const char *node, const char *reason);
void sim_ask_restart(Sim *sim, const char *node, const char *reason);
/* Free the trees. */
MrTree *sim_events(Sim *sim, const char *kind, const char *name);
MrTree *sim_status(Sim *sim, const char *kind, const char *name);
bool sim_is_stored(Sim *sim, const char *kind, const char *name);
/* Whether something was altered, and has not been read back yet. */
bool sim_is_outdated(const Tracked *tracked);
void sim_release(Sim *sim, const char *node);
int sim_renew(Sim *sim, const char *node); /* negative: refused */
int sim_discard(Sim *sim, const char *node);
/* The disk of a claim is emptied, or gone altogether. */
void sim_lose_disk(Sim *sim, const char *claim, bool altogether);
bool sim_secret(Sim *sim, const char *name, const char *key,
                MrBuf *out); /* as the engine sees it */
void sim_lose_secret(Sim *sim, const char *name);
void sim_damage_secret(Sim *sim, const char *name, const char *key);
/* One in each file that replaces a part of the core, so that the linker takes all of them. */
extern const char sim_replaces_look, sim_replaces_worker;

/* sim-fault.c: things that go wrong, one at random. */
void sim_fault(Sim *sim);
