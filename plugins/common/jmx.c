/* Rows of jmxOptions, and the options of the virtual machine they stand for. */

#include "jmx.h"

#define PROPERTY "-Dcom.sun.management.jmxremote"

static const MrEnum types[] = {
        {"password", 0, "A user and a password, in a secret."},
        {},
};

static const MrField authentication_fields[] = {
        MR_ENUM("type", JmxAuthentication, type, types, .flags = MR_REQUIRED,
                .doc = "How clients of the JMX port show who they are."),
        {},
};

const MrField jmx_fields[] = {
        MR_OBJECT("authentication", Jmx, authentication, JmxAuthentication, authentication_fields,
                  .doc = "Who may use the JMX port. Without it everybody on the host of the node "
                         "may, and nobody from elsewhere."),
        {},
};

bool jmx_is_reached(const Jmx *jmx) {
        return jmx && jmx->authentication;
}

void jmx_add_secret(MrParts *parts, const Jmx *jmx, const char *secret, MrPairs labels) {
        MrSecretPart part = {.name = secret, .labels = labels};

        if (!jmx_is_reached(jmx))
                return;
        mr_pairs_set(mr_parts_arena(parts), &part.values, "jmx-username", "@{random:32}");
        mr_pairs_set(mr_parts_arena(parts), &part.values, "jmx-password", "@{random:32}");
        mr_parts_add(parts, (MrPart){.kind = MR_PART_SECRET, .secret = part});
}

/* Java refuses a file with passwords that anybody else may read. */
static void add_file(MrParts *parts, const char *node, const char *name, const char *content) {
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_FILE,
                                    .file = {.node = node,
                                             .name = name,
                                             .content = content,
                                             .effect = MR_EFFECT_RESTART,
                                             .is_private = true},
                            });
}

static void add_authentication(MrParts *parts, const char *secret, MrWorkload *workload) {
        MrArena *arena = mr_parts_arena(parts);
        MrStrings *options = &workload->jvm_options;

        add_file(parts, workload->node, "jmxremote.password",
                 mr_arena_strf(arena, "@{secret:%s/jmx-username} @{secret:%s/jmx-password}\n",
                               secret, secret));
        add_file(parts, workload->node, "jmxremote.access",
                 mr_arena_strf(arena, "@{secret:%s/jmx-username} readwrite\n", secret));
        mr_strings_add(arena, options, PROPERTY ".authenticate=true");
        mr_strings_add(arena, options, PROPERTY ".password.file=@{file:jmxremote.password}");
        mr_strings_add(arena, options, PROPERTY ".access.file=@{file:jmxremote.access}");
        /* Java would write digests into the file, which it cannot and need not. */
        mr_strings_add(arena, options, PROPERTY ".password.toHashes=false");
}

void jmx_add(MrParts *parts, const Jmx *jmx, const char *secret, const char *group,
             MrWorkload *workload) {
        MrArena *arena = mr_parts_arena(parts);
        MrStrings *options = &workload->jvm_options;

        if (!jmx)
                return;
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_ENDPOINT,
                                    .endpoint = {.node = workload->node,
                                                 .name = JMX_ENDPOINT,
                                                 .group = group,
                                                 .port = JMX_PORT,
                                                 .is_aside = true,
                                                 .loopback_only = !jmx_is_reached(jmx)},
                            });
        mr_strings_add(arena, options, PROPERTY ".port=@{bind:" JMX_ENDPOINT "}");
        mr_strings_add(arena, options, PROPERTY ".rmi.port=@{bind:" JMX_ENDPOINT "}");
        mr_strings_add(arena, options, PROPERTY ".ssl=false");
        if (jmx->authentication) {
                mr_strings_add(arena, options,
                               mr_arena_strf(arena, "-Djava.rmi.server.hostname=@{addr:%s}",
                                             workload->node));
                add_authentication(parts, secret, workload);
                return;
        }
        mr_strings_add(arena, options, "-Djava.rmi.server.hostname=127.0.0.1");
        mr_strings_add(arena, options, PROPERTY ".host=127.0.0.1");
        mr_strings_add(arena, options, PROPERTY ".authenticate=false");
}

void jmx_warn(MrParts *parts, const Jmx *jmx, const char *where) {
        if (jmx && !jmx->authentication)
                mr_parts_warn(parts, "JmxWithoutAuthentication",
                              "%s: everybody on the host can control the nodes through their JMX "
                              "ports, which are bound to 127.0.0.1 only; add authentication",
                              where);
}
