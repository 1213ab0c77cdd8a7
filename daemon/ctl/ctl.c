/* What the verbs share: the table of verbs, kinds, and how a failure is told. */

#include "ctl/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "reconcile/ignored.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

const Verb ctl_verbs[] = {
        {"apply", "fn", "-f FILE|DIR|-…", "create or change resources as files say", NULL,
         verb_apply},
        {"delete", "fnWt", "-f FILE|DIR|-… | KIND NAME…",
         "delete resources; storage stays unless the spec says otherwise", NULL, verb_delete},
        {"get", "nAowl", "KIND[,KIND…] [NAME…]", "show resources",
         "Formats: wide, yaml, json, name. KIND is a kind, its plural or short name, or secrets or "
         "all.\n",
         verb_get},
        {"describe", "no", "KIND NAME",
         "show a resource with its nodes, what they wait for, and recent events",
         "Formats: json, yaml.\n", verb_describe},
        {"plan", "fnpo", "[KIND NAME] | --platform NAME -f FILE|DIR…",
         "show what would be done next, and why",
         "Formats: text, json, and on paper also manifests.\n"
         "With --platform no daemon, no network and no root are needed.\n",
         verb_plan},
        {"explain", "Ro", "KIND[.FIELD…]", "show what a field means, its bounds and default", NULL,
         verb_explain},
        {"crd", "", "[KIND…]",
         "print CustomResourceDefinitions, for kubectl apply --server-side -f -", NULL, verb_crd},
        {"wait", "nct", "KIND/NAME…", "wait until resources are ready, and show what they wait for",
         "The exit code is 3 when the time is up.\n", verb_wait},
        {"check", "m", "", "look whether this host is fit to run Kafka, and say what to change",
         NULL, verb_check},
        {"hold", "nr", "NODE", "keep the daemon's hands off a node, for maintenance", NULL,
         verb_hold},
        {"release", "n", "NODE", "end a hold", NULL, verb_release},
        {"pause", "n", "KIND NAME…", "leave resources and their nodes as they are", NULL,
         verb_pause},
        {"resume", "n", "KIND NAME…", "end a pause", NULL, verb_resume},
        {"restart", "nr", "NODE | KIND NAME",
         "restart a node, or all nodes of a cluster one by one", NULL, verb_restart},
        {"renew", "nr", "NODE", "let a node whose disk has lost its data begin anew",
         "What only this node had is gone then. Nodes whose data is there are refused.\n",
         verb_renew},
        {"discard", "nr", "NODE", "take a node's data away and let it begin anew",
         "It waits until everything the node has is in sync on other nodes.\n", verb_discard},
        {"secret", "no", "list | get NAME", "show secrets, or write them to files",
         "-o yaml prints all of it, -o DIR writes one file (mode 0600) for each key.\n",
         verb_secret},
        {"backup", "PK", "FILE", "save resources, authorities and identities to a sealed file",
         "The file needs a passphrase, or with --host-key this very host, to be read again.\n",
         verb_backup},
        {"restore", "P", "FILE", "put back what a backup holds, while the daemon is stopped",
         "Files that are there already stay as they are.\n", verb_restore},
        {"bundle", "", "FILE", "collect facts, plans, outcomes and versions for whoever is to help",
         "Values of secrets are masked. FILE is a tar archive, compressed by gzip; look into it "
         "before you\ngive it away: it holds names, addresses and settings.\n",
         verb_bundle},
        {"logs", "nFNs", "NODE", "show what a node has logged", NULL, verb_logs},
        {"version", "", "", "show the versions of this program and of the daemon", NULL,
         verb_version},
        {"completion", "n", "WHAT",
         "words for the completion of a shell: verbs, options VERB, kinds, names KIND, nodes, "
         "platforms, fields PATH",
         NULL, verb_completion},
        {"help", "", "[VERB]", "show this, or how a verb is used", NULL, verb_help},
        {},
};

const Verb *verb_find(const char *name) {
        for (const Verb *verb = ctl_verbs; verb->name; verb++)
                if (mr_streq(verb->name, name))
                        return verb;
        return NULL;
}

bool kind_is_secret(const MrKind *kind) {
        return mr_streq(kind->name, "Secret") && mr_streq(kind->group, "");
}

static void plugin_refused(void *userdata, const char *path _unused_, const MrError *err) {
        Ctl *ctl = userdata;
        _cleanup_free_ char *text = mr_error_text(err);

        fprintf(ctl->errors, "millctl: %s\n", text);
}

int ctl_registry(Ctl *ctl, const Registry **ret, MrError *err) {
        if (!ctl->registry) {
                unsigned owner = 0;
                _cleanup_free_ char *directory = plugins_directory(&owner);
                _cleanup_(registry_freep) Registry *registry = registry_new();

                int r = plugins_load(directory, owner, plugin_refused, ctl, &ctl->plugins, err);
                if (r >= 0)
                        r = plugins_register(&ctl->plugins, registry, err);
                if (r < 0)
                        return r;
                ctl->registry = TAKE(registry);
        }
        *ret = ctl->registry;
        return 0;
}

int ctl_kind(Ctl *ctl, const char *name, const MrKind **ret, MrError *err) {
        const Registry *registry;
        _cleanup_buf_ MrBuf known = {};

        int r = ctl_registry(ctl, &registry, err);
        if (r < 0)
                return r;
        /* kubectl also takes "kafka.kafka.strimzi.io". */
        _cleanup_free_ char *first = mr_strndup(name, strcspn(name, "."));
        *ret = registry_find(registry, first);
        if (*ret && (!strchr(name, '.') || mr_streq(strchr(name, '.') + 1, (*ret)->group)))
                return 0;
        for (size_t i = 0; registry_kinds(registry)[i]; i++)
                mr_buf_printf(&known, "%s%s", i > 0 ? ", " : "",
                              registry_kinds(registry)[i]->plural);
        return mr_fail(err, MR_INVALID, NULL,
                       "there is no kind of resources called %s; known are %s", name,
                       mr_buf_text(&known));
}

char *kind_title(const MrKind *kind, const char *name) {
        char *title = *kind->group ? mr_strf("%s.%s/%s", kind->name, kind->group, name)
                                   : mr_strf("%s/%s", kind->name, name);

        for (char *c = title; *c && *c != '.' && *c != '/'; c++)
                *c = (char) tolower((unsigned char) *c);
        return title;
}

int ctl_fail(Ctl *ctl, const MrError *err) {
        _cleanup_free_ char *text = mr_error_text(err);

        /* An error in a file begins with its place, so that editors find it. */
        fprintf(ctl->errors, "%s%s\n", err->source ? "" : "millctl: ", text);
        return CTL_FAILED;
}

int ctl_fail_text(Ctl *ctl, const char *format, ...) {
        va_list args;
        va_start(args, format);
        _cleanup_free_ char *text = mr_vstrf(format, args);
        va_end(args);
        fprintf(ctl->errors, "millctl: %s\n", text);
        return CTL_FAILED;
}

int ctl_misused(Ctl *ctl, const char *format, ...) {
        va_list args;
        va_start(args, format);
        _cleanup_free_ char *text = mr_vstrf(format, args);
        va_end(args);
        fprintf(ctl->errors, "millctl: %s\nSee millctl help.\n", text);
        return CTL_USAGE;
}

void ctl_print(Ctl *ctl, const MrBuf *text) {
        fputs(mr_buf_text(text), ctl->out);
}

void ctl_print_warnings(Ctl *ctl, const char *source, const MrTree *warnings) {
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *warning = mr_tree_at(warnings, i);
                const char *path = mr_tree_get_string(warning, "path"),
                           *file = mr_tree_get_string(warning, "source");
                int64_t line = mr_tree_get_int(warning, "line", 0);

                /* The daemon knows the platform, and says it. */
                if (ignored_is_open(warning))
                        continue;
                if (file || source)
                        fprintf(ctl->errors, "%s:", file ? file : source);
                if (line > 0)
                        fprintf(ctl->errors, "%lld:%lld:", (long long) line,
                                (long long) mr_tree_get_int(warning, "column", 1));
                fprintf(ctl->errors, "%swarning: %s%s%s\n", file || source || line > 0 ? " " : "",
                        path ? path : "", path ? ": " : "", mr_tree_get_string(warning, "message"));
        }
}

void ctl_done(Ctl *ctl) {
        registry_free(ctl->registry);
        plugins_done(&ctl->plugins);
        options_done(&ctl->options);
}

/* Options before the verb. `ret_verb` is set by those that are verbs themselves. Returns the index
 * of the verb. */
static int read_globals(Ctl *ctl, int argc, char *argv[], const char **ret_verb, MrError *err) {
        static const struct option rows[] = {
                {"socket", required_argument, NULL, 's'},
                {"context", required_argument, NULL, 's'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'V'},
                {},
        };

        optind = 0;
        for (int c; (c = getopt_long(argc, argv, "+:hV", rows, NULL)) >= 0;) {
                if (c == 's')
                        ctl->socket = optarg;
                else if (c == 'h')
                        *ret_verb = "help";
                else if (c == 'V')
                        *ret_verb = "version";
                else
                        return mr_fail(err, MR_INVALID, NULL, "%s %s",
                                       c == ':' ? "a value is missing for" : "there is no option",
                                       argv[optind - 1]);
        }
        return optind;
}

int ctl_main(Ctl *ctl, int argc, char *argv[]) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const char *name = NULL;

        int first = read_globals(ctl, argc, argv, &name, &err);
        if (first < 0)
                return ctl_misused(ctl, "%s", err.message);
        if (name)
                return verb_find(name)->run(ctl);
        if (first >= argc) {
                (void) verb_help(ctl);
                return CTL_USAGE;
        }
        const Verb *verb = verb_find(argv[first]);
        if (!verb)
                return ctl_misused(ctl, "there is no verb %s", argv[first]);
        if (options_read(verb->options, argc - first, argv + first, &ctl->options, &err) < 0)
                return ctl_misused(ctl, "%s", err.message);
        if (!ctl->options.help)
                return verb->run(ctl);
        verb_print_help(ctl, verb);
        return CTL_OK;
}
