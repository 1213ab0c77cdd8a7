/* Names on the command line. */

#include "ctl/names.h"

#include <string.h>

#include "sdk/alloc.h"

void names_done(Names *names) {
        free(names->items);
        *names = (Names){};
}

static void add(Names *names, const MrKind *kind, const char *name) {
        names->items[names->n++] = (Name){kind, name};
}

int names_read(Ctl *ctl, size_t first, Names *ret, MrError *err) {
        const Options *options = &ctl->options;
        _cleanup_names_ Names names = {.items = mr_new(Name, options->n_arguments + 1)};
        const MrKind *kind = NULL;

        for (size_t i = first; i < options->n_arguments; i++) {
                const char *argument = options->arguments[i], *slash = strchr(argument, '/');
                if (!slash && kind) {
                        add(&names, kind, argument);
                        continue;
                }
                _cleanup_free_ char *word = mr_strndup(argument, strcspn(argument, "/"));
                const MrKind *found = NULL;
                int r = ctl_kind(ctl, word, &found, err);
                if (r < 0)
                        return r;
                if (slash)
                        add(&names, found, slash + 1);
                else
                        kind = found;
        }
        if (names.n == 0)
                return mr_fail(err, MR_INVALID, NULL, "name a resource: KIND NAME or KIND/NAME");
        *ret = names;
        names = (Names){};
        return 0;
}
