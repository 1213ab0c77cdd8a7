/* Certificates as processes use them: what a process has read, what its endpoints show, and whether
 * all who have to talk to each other trust each other. */

#include <string.h>

#include "base/clock.h"
#include "crypto/certificate-memo.h"
#include "crypto/certificate.h"
#include "sdk/str.h"
#include "sim.h"

#define OPERATOR "c-cluster-operator-certs"
#define BUNDLE "c-trustbundle"

static bool is_certificate_file(const char *name) {
        return mr_ends_with(name, ".pem") || mr_ends_with(name, ".crt");
}

void sim_tls_load(Sim *sim, SimNode *node) {
        _cleanup_free_ char *prefix = mr_strf("%s/", node->instance);

        mr_tree_free(node->loaded);
        node->loaded = mr_tree_new_map();
        for (size_t i = 0; i < mr_tree_size(sim->contents); i++) {
                const char *path = mr_tree_key(sim->contents, i);
                if (mr_starts_with(path, prefix) && is_certificate_file(path))
                        mr_tree_set_string(node->loaded, path + strlen(prefix),
                                           mr_tree_string(mr_tree_at(sim->contents, i)));
        }
        sim_tls_check(sim);
}

/* A broker of a cluster with ZooKeeper has read everything when it was told to; what belongs to the
 * quorum of controllers stays as it was when the process began. */
void sim_tls_reload(Sim *sim, SimNode *node) {
        bool has_zookeeper = false;

        for (size_t i = 0; i < sim->n_nodes; i++)
                has_zookeeper = has_zookeeper || mr_streq(sim->nodes[i]->role, "zookeeper");
        if (has_zookeeper) {
                sim_tls_load(sim, node);
                return;
        }
        _cleanup_free_ char *path = mr_strf("%s/clients-ca.crt", node->instance);
        mr_tree_set_string(node->loaded, "clients-ca.crt", mr_tree_get_string(sim->contents, path));
        sim_tls_check(sim);
}

static const char *own_certificate(const SimNode *node) {
        _cleanup_free_ char *name = mr_strf("%s.pem", node->instance);
        return mr_tree_get_string(node->loaded, name);
}

bool sim_tls_is_shut(Sim *sim, const SimNode *node) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        if (!sim->refuses_ended || !node->loaded)
                return false;
        CertificateBriefs briefs = certificate_memo_briefs(sim->memo, own_certificate(node), arena);
        return briefs.n > 0 && briefs.items[0].not_after <= now_realtime_sec();
}

/* --- what can be seen */

static void add_names(Sim *sim, const char *bundle, MrTree *list) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        CertificateBriefs briefs = certificate_memo_briefs(sim->memo, bundle, arena);

        for (size_t i = 0; i < briefs.n; i++)
                mr_tree_append(list, mr_tree_new_string(briefs.items[i].name_digest));
}

static MrTree *see_endpoint(Sim *sim, const SimNode *node, const char *endpoint) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        CertificateBriefs briefs = certificate_memo_briefs(sim->memo, own_certificate(node), arena);
        MrTree *shown = mr_tree_new_map();

        if (node->state != SIM_RUNNING || briefs.n == 0) {
                mr_tree_set_string(shown, "error", "connection refused");
                return shown;
        }
        mr_tree_set_string(shown, "certificate", briefs.items[0].digest);
        mr_tree_set_int(shown, "not_after", briefs.items[0].not_after);
        add_names(sim,
                  mr_tree_get_string(node->loaded, mr_streq(endpoint, "tcp-replication")
                                                           ? "cluster-ca.crt"
                                                           : "clients-ca.crt"),
                  mr_tree_need_list(shown, "authorities"));
        return shown;
}

MrTree *sim_see_tls(Sim *sim, const MrProbe *probe) {
        MrTree *view = mr_tree_new_map();

        for (size_t i = 0; i < probe->nodes.n; i++) {
                const SimNode *node = sim_node(sim, probe->nodes.items[i]);
                for (size_t k = 0; node && k < probe->endpoints.n; k++)
                        mr_tree_set(mr_tree_need_map(view, node->instance),
                                    probe->endpoints.items[k],
                                    see_endpoint(sim, node, probe->endpoints.items[k]));
        }
        return view;
}

/* --- whether they trust each other */

/* The moment until which a certificate is good for whoever trusts this bundle; 0: it is not. */
static int64_t trusted_until(const char *certificate, const char *bundle, int64_t now) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_certificate_facts_ CertificateFacts facts = {};
        MrStrings texts = {};

        if (certificate_facts_read(certificate, &facts, NULL) < 0 || facts.not_before > now ||
            certificate_split(bundle, arena, &texts, NULL) < 0)
                return 0;
        for (size_t i = 0; i < texts.n; i++)
                if (certificate_is_signed_by(certificate, texts.items[i], NULL) == 1)
                        return facts.not_after;
        return 0;
}

/* Verifying takes long, and most of the time nothing has changed. */
static bool is_trusted(Sim *sim, const char *certificate, const char *bundle) {
        int64_t now = now_realtime_sec(), until;
        char digest[MR_DIGEST_MAX];

        if (!certificate || !bundle)
                return false;
        _cleanup_free_ char *both = mr_strf("%s%s", certificate, bundle);
        mr_digest(both, strlen(both), digest);
        until = mr_tree_get_int(sim->verdicts, digest, 0);
        if (until == 0) {
                until = trusted_until(certificate, bundle, now);
                mr_tree_set_int(sim->verdicts, digest, until);
        }
        return until > now;
}

/* One side of a connection: what it shows, and whom it trusts. */
typedef struct Side {
        const char *who, *certificate, *trust;
} Side;

static void check_link(Sim *sim, const Side *a, const Side *b) {
        sim->n_links++;
        if (!is_trusted(sim, a->certificate, b->trust))
                sim_violated(sim, "%s does not trust what %s shows", b->who, a->who);
        if (!is_trusted(sim, b->certificate, a->trust))
                sim_violated(sim, "%s does not trust what %s shows", a->who, b->who);
}

static Side side_of(const SimNode *node) {
        return (Side){.who = node->instance,
                      .certificate = own_certificate(node),
                      .trust = mr_tree_get_string(node->loaded, "cluster-ca.crt")};
}

/* To ZooKeeper a broker shows what its files hold at the moment. */
static Side side_on_disk(const Sim *sim, const SimNode *node) {
        _cleanup_free_ char *own = mr_strf("%s/%s.pem", node->instance, node->instance),
                            *trust = mr_strf("%s/cluster-ca.crt", node->instance);

        return (Side){.who = node->instance,
                      .certificate = mr_tree_get_string(sim->contents, own),
                      .trust = mr_tree_get_string(sim->contents, trust)};
}

static void check_pair(Sim *sim, const SimNode *a, const SimNode *b) {
        bool is_mixed = !mr_streq(a->role, b->role), is_a_broker = mr_streq(a->role, "kafka");
        Side x = is_mixed && is_a_broker ? side_on_disk(sim, a) : side_of(a),
             y = is_mixed && !is_a_broker ? side_on_disk(sim, b) : side_of(b);

        check_link(sim, &x, &y);
}

static void check_operator(Sim *sim, const SimNode *node) {
        _cleanup_(mr_buf_wipe) MrBuf certificate = {}, trust = {};

        if (!sim_secret(sim, OPERATOR, "cluster-operator.crt", &certificate) ||
            !sim_secret(sim, BUNDLE, "cluster-ca.crt", &trust))
                return;
        Side daemon = {.who = "the daemon",
                       .certificate = mr_buf_text(&certificate),
                       .trust = mr_buf_text(&trust)},
             other = side_of(node);
        check_link(sim, &daemon, &other);
}

static void check_user(Sim *sim, const SimNode *node, const char *who, const char *certificate) {
        const char *trust = mr_tree_get_string(node->loaded, "clients-ca.crt");
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        CertificateBriefs briefs = certificate_memo_briefs(sim->memo, certificate, arena);

        if (!trust || briefs.n == 0 || briefs.items[0].not_after <= now_realtime_sec())
                return;
        sim->n_links++;
        if (!is_trusted(sim, certificate, trust))
                sim_violated(sim, "%s does not trust %s", node->instance, who);
}

/* One user has his newest certificate, another never takes a new one while the old one is valid. */
static void check_users(Sim *sim, const SimNode *node) {
        _cleanup_(mr_buf_wipe) MrBuf certificate = {};
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        if (!sim_secret(sim, "u", "user.crt", &certificate))
                return;
        check_user(sim, node, "the user", mr_buf_text(&certificate));
        CertificateBriefs lazy = certificate_memo_briefs(sim->memo, sim->lazy_user, arena);
        if (lazy.n > 0 && lazy.items[0].not_after <= now_realtime_sec())
                free(TAKE(sim->lazy_user));
        if (!sim->lazy_user)
                sim->lazy_user = mr_strdup(mr_buf_text(&certificate));
        check_user(sim, node, "a user who keeps his certificate", sim->lazy_user);
}

void sim_tls_check(Sim *sim) {
        for (size_t i = 0; sim->checks_trust && !sim->is_ending && i < sim->n_nodes; i++) {
                const SimNode *node = sim->nodes[i];
                if (!sim_node_is_up(node) || !node->loaded)
                        continue;
                check_operator(sim, node);
                check_users(sim, node);
                for (size_t k = i + 1; k < sim->n_nodes; k++)
                        if (sim_node_is_up(sim->nodes[k]) && sim->nodes[k]->loaded)
                                check_pair(sim, node, sim->nodes[k]);
        }
}
