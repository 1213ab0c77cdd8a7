/* The table of options, and getopt_long driven by it. */

#include "ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

const Option ctl_options[] = {
        {'f', 'f', "filename", "FILE",
         "a file, a directory of files, or - for standard input; may be repeated"},
        {'n', 'n', "namespace", "NAME", "the namespace; default"},
        {'A', 'A', "all-namespaces", NULL, "all namespaces"},
        {'o', 'o', "output", "FORMAT", "another format of the output"},
        {'w', 'w', "watch", NULL, "go on and print each change"},
        {'l', 'l', "selector", "LABEL=VALUE", "only resources with these labels"},
        {'r', 0, "reason", "TEXT", "why, for the journal and for others who look"},
        {'p', 0, "platform", "NAME", "plan on paper for this platform, without a daemon"},
        {'R', 0, "recursive", NULL, "all fields below, without prose"},
        {'c', 0, "for", "CONDITION", "condition=NAME, condition=NAME=VALUE or delete"},
        {'t', 0, "timeout", "TIME", "give up after this time: 30s, 5m, 1h"},
        {'F', 'f', "follow", NULL, "go on with new lines"},
        {'N', 0, "lines", "N", "only the last N lines"},
        {'s', 0, "since", "TIME", "only lines since this time, as journalctl takes it"},
        {'W', 0, "no-wait", NULL, "do not wait until it is gone"},
        {'m', 0, "heap", "SIZE",
         "memory the nodes of this host will take together, for example 6Gi"},
        {'P', 0, "passphrase-file", "FILE", "the first line of this file is the passphrase"},
        {'K', 0, "host-key", NULL, "use the key of this host, as systemd-creds does"},
        {'h', 'h', "help", NULL, "this text"},
        {},
};

static const Option *option_find(const char *allowed, int c, int index) {
        if (index >= 0)
                return &ctl_options[index];
        for (const Option *option = ctl_options; option->id; option++)
                if (option->letter == c && strchr(allowed, option->id))
                        return option;
        return NULL;
}

int options_duration(const char *text, int64_t *ret) {
        static const struct {
                char unit;
                int64_t seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
        int64_t total = 0;

        if (mr_parse_int(text, ret) == 0)
                return *ret < 0 ? -EINVAL : 0;
        while (*text) {
                int64_t number = 0, factor = 0;
                size_t n = strspn(text, "0123456789");
                _cleanup_free_ char *digits = mr_strndup(text, n);
                if (n == 0 || n > 9 || mr_parse_int(digits, &number) < 0)
                        return -EINVAL;
                for (size_t i = 0; i < MR_ELEMENTS(units); i++)
                        if (text[n] == units[i].unit)
                                factor = units[i].seconds;
                if (factor == 0)
                        return -EINVAL;
                total += number * factor;
                text += n + 1;
        }
        *ret = total;
        return 0;
}

static int option_store(Options *options, const Option *option, const char *value, MrError *err) {
        switch (option->id) {
        case 'f':
                options->files = mr_realloc_array(options->files, options->n_files + 1,
                                                  sizeof(*options->files));
                options->files[options->n_files++] = value;
                return 0;
        case 't':
                if (options_duration(value, &options->timeout_sec) < 0)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "\"%s\" is no time; write for example 30s, 5m or 1h", value);
                return 0;
        case 'n':
                options->ns = value;
                return 0;
        case 'A':
                options->all_namespaces = true;
                return 0;
        case 'o':
                options->output = value;
                return 0;
        case 'w':
                options->watch = true;
                return 0;
        case 'l':
                options->selector = value;
                return 0;
        case 'r':
                options->reason = value;
                return 0;
        case 'p':
                options->platform = value;
                return 0;
        case 'R':
                options->recursive = true;
                return 0;
        case 'c':
                options->condition = value;
                return 0;
        case 'F':
                options->follow = true;
                return 0;
        case 'N':
                options->lines = value;
                return 0;
        case 's':
                options->since = value;
                return 0;
        case 'W':
                options->no_wait = true;
                return 0;
        case 'm':
                options->heap = value;
                return 0;
        case 'P':
                options->passphrase_file = value;
                return 0;
        case 'K':
                options->host_key = true;
                return 0;
        default:
                options->help = true;
                return 0;
        }
}

typedef struct Parser {
        struct option rows[MR_ELEMENTS(ctl_options)];
        int indexes[MR_ELEMENTS(ctl_options)]; /* row → index in ctl_options */
        MrBuf letters;
} Parser;

static void parser_init(Parser *parser, const char *allowed) {
        size_t n = 0;

        mr_buf_putc(&parser->letters, ':');
        for (int i = 0; ctl_options[i].id; i++) {
                const Option *option = &ctl_options[i];
                if (option->id != 'h' && !strchr(allowed, option->id))
                        continue;
                parser->indexes[n] = i;
                parser->rows[n++] = (struct option){
                        option->name, option->value ? required_argument : no_argument, NULL, 0};
                if (option->letter)
                        mr_buf_printf(&parser->letters, "%c%s", option->letter,
                                      option->value ? ":" : "");
        }
}

static int refuse(int c, char *argv[], MrError *err) {
        if (c == ':')
                return mr_fail(err, MR_INVALID, NULL, "option %s needs a value", argv[optind - 1]);
        if (optopt)
                return mr_fail(err, MR_INVALID, NULL, "%s has no option -%c", argv[0], optopt);
        return mr_fail(err, MR_INVALID, NULL, "%s has no option %s", argv[0], argv[optind - 1]);
}

int options_read(const char *allowed, int argc, char *argv[], Options *ret, MrError *err) {
        Parser parser = {};
        int row = -1, r = 0;

        *ret = (Options){.timeout_sec = -1};
        parser_init(&parser, allowed);
        optind = 0; /* getopt starts afresh: this is not its first use */
        for (int c; r == 0 && (c = getopt_long(argc, argv, mr_buf_text(&parser.letters),
                                               parser.rows, &row)) >= 0;
             row = -1) {
                const Option *option =
                        c == 'h' ? &ctl_options[MR_ELEMENTS(ctl_options) - 2]
                                 : option_find(allowed, c, row >= 0 ? parser.indexes[row] : -1);
                r = c == '?' || c == ':' || !option ? refuse(c, argv, err)
                                                    : option_store(ret, option, optarg, err);
        }
        mr_buf_done(&parser.letters);
        if (r < 0)
                return r;
        ret->arguments = argv + optind;
        ret->n_arguments = (size_t) (argc - optind);
        return 0;
}

void options_done(Options *options) {
        free(options->files);
        *options = (Options){};
}
