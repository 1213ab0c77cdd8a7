/* millctl secret: lists secrets, shows the keys of one, and writes them to files only their owner
 * can read. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ctl/ctl-api.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static int decode(const MrTree *value, MrBuf *out, MrError *err) {
        const char *text = mr_tree_string(value);

        if (!text || mr_unbase64(text, strlen(text), out) < 0)
                return mr_fail(err, MR_INVALID, NULL, "a value of the secret is no base64");
        return 0;
}

/* The key becomes a file name, so it must not lead anywhere else. */
static int write_key(const char *folder, const char *key, const MrTree *value, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf data = {};

        if (*key == '.' || strchr(key, '/'))
                return mr_fail(err, MR_INVALID, NULL, "the key \"%s\" cannot be the name of a file",
                               key);
        int r = decode(value, &data, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *path = mr_strf("%s/%s", folder, key);
        return write_file_atomic(path, mr_buf_text(&data), data.size, 0600, err);
}

static int write_files(Ctl *ctl, const char *folder, const MrTree *data, MrError *err) {
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                return mr_fail_errno(err, errno, NULL, "cannot make the directory %s", folder);
        for (size_t i = 0; i < mr_tree_size(data); i++) {
                int r = write_key(folder, mr_tree_key(data, i), mr_tree_at(data, i), err);
                if (r < 0)
                        return r;
                fprintf(ctl->out, "%s/%s\n", folder, mr_tree_key(data, i));
        }
        return 0;
}

static int print_keys(Ctl *ctl, const MrTree *data, MrError *err) {
        for (size_t i = 0; i < mr_tree_size(data); i++) {
                _cleanup_(mr_buf_wipe) MrBuf value = {};
                int r = decode(mr_tree_at(data, i), &value, err);
                if (r < 0)
                        return r;
                fprintf(ctl->out, "%s: %zu bytes\n", mr_tree_key(data, i), value.size);
        }
        return 0;
}

static int get_secret(Ctl *ctl, const char *name) {
        const MrKind *kind;
        _cleanup_(mr_tree_freep) MrTree *secret = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = ctl_kind(ctl, "secrets", &kind, &err);
        _cleanup_free_ char *target = api_target(kind, api_namespace(ctl), name);
        if (r >= 0)
                r = api_get(ctl, target, &secret, &err);
        if (r < 0)
                return ctl_fail(ctl, &err);
        const MrTree *data = mr_tree_get(secret, "data");
        if (mr_streq(ctl->options.output, "yaml")) {
                _cleanup_(mr_buf_wipe) MrBuf text = {};
                mr_yaml_write(secret, &text);
                ctl_print(ctl, &text);
        } else if (ctl->options.output) {
                r = write_files(ctl, ctl->options.output, data, &err);
        } else {
                r = print_keys(ctl, data, &err);
        }
        return r < 0 ? ctl_fail(ctl, &err) : CTL_OK;
}

static int list_secrets(Ctl *ctl) {
        char *arguments[] = {(char[]){"secrets"}};

        ctl->options.arguments = arguments;
        ctl->options.n_arguments = 1;
        return verb_get(ctl);
}

int verb_secret(Ctl *ctl) {
        const Options *options = &ctl->options;

        if (options->n_arguments == 1 && mr_streq(options->arguments[0], "list"))
                return list_secrets(ctl);
        if (options->n_arguments == 2 && mr_streq(options->arguments[0], "get"))
                return get_secret(ctl, options->arguments[1]);
        return ctl_misused(ctl,
                           "use millctl secret list, or millctl secret get NAME [-o DIR|yaml]");
}
