/* millctl apply: everything is read and checked here first, so that an error names its line and
 * nothing is half-applied. */

#include <errno.h>
#include <string.h>

#include "ctl/ctl-api.h"
#include "io/documents.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static const char *resource_version(const MrTree *object) {
        return mr_tree_get_string(mr_tree_get(object, "metadata"), "resourceVersion");
}

/* The daemon repeats what the document's own warnings said already, with quotes made harmless for a
 * header. */
static bool is_known(const Document *document, const char *text) {
        for (size_t i = 0; i < mr_tree_size(document->warnings); i++) {
                const MrTree *warning = mr_tree_at(document->warnings, i);
                const char *path = mr_tree_get_string(warning, "path");
                _cleanup_free_ char *own = mr_strf("%s%s%s", path ? path : "", path ? ": " : "",
                                                   mr_tree_get_string(warning, "message"));
                for (char *c = own; *c; c++)
                        if (*c == '"' || *c == '\\')
                                *c = '\'';
                if (strncmp(own, text, strlen(text)) == 0)
                        return true;
        }
        return false;
}

static void print_new_warnings(Ctl *ctl, const Document *document, const MrTree *warnings) {
        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const char *text = mr_tree_string(mr_tree_at(warnings, i));
                if (!is_known(document, text))
                        fprintf(ctl->errors, "%s: warning: %s\n", document->source, text);
        }
}

/* The daemon names the field; the document knows where that is. */
static int locate(const Document *document, int r, MrError *err) {
        if (!err->path)
                return r;
        const MrTree *place = mr_tree_find(document->tree, err->path, true);
        return mr_error_at(err, r, document->source, mr_tree_line(place), mr_tree_column(place));
}

static int apply_one(Ctl *ctl, const Document *document, MrError *err) {
        const MrResource *resource = &document->resource;
        _cleanup_free_ char *target = api_target(resource->kind, resource->ns, resource->name);
        _cleanup_free_ char *title = kind_title(resource->kind, resource->name);
        _cleanup_(mr_tree_freep) MrTree *before = NULL;
        _cleanup_error_ MrError absent = MR_ERROR_INIT;
        _cleanup_reply_ ApiReply reply = {};

        int r = api_get(ctl, target, &before, &absent);
        if (r < 0 && r != -ENOENT) {
                mr_error_move(err, &absent);
                return r;
        }
        r = api_call(ctl, "PATCH", target, "application/apply-patch+yaml", document->tree, &reply,
                     err);
        if (reply.warnings)
                print_new_warnings(ctl, document, reply.warnings);
        if (r < 0)
                return locate(document, r, err);
        bool is_same = before && mr_streq(resource_version(before), resource_version(reply.body));
        fprintf(ctl->out, "%s %s\n", title,
                !before   ? "created"
                : is_same ? "unchanged"
                          : "configured");
        return 0;
}

static int apply_all(Ctl *ctl, const Documents *documents) {
        int code = CTL_OK;

        for (size_t i = 0; i < documents->n; i++) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;

                ctl_print_warnings(ctl, documents->items[i]->source, documents->items[i]->warnings);
                if (apply_one(ctl, documents->items[i], &err) < 0) {
                        code = ctl_fail(ctl, &err);
                        if (err.kind ==
                            MR_TRANSIENT) /* Nobody is there: the others would fare no better. */
                                return code;
                }
        }
        return code;
}

int verb_apply(Ctl *ctl) {
        _cleanup_documents_ Documents documents = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const Registry *registry;

        if (ctl->options.n_files == 0 || ctl->options.n_arguments > 0)
                return ctl_misused(ctl, "name the files to apply: millctl apply -f FILE");
        int r = ctl_registry(ctl, &registry, &err);
        for (size_t i = 0; r >= 0 && i < ctl->options.n_files; i++)
                r = documents_read_path(registry, ctl->options.files[i], ctl->options.ns,
                                        &documents, &err);
        if (r < 0)
                return ctl_fail(ctl, &err);
        if (documents.n == 0)
                return ctl_fail_text(ctl, "there is no resource in %s", ctl->options.files[0]);
        return apply_all(ctl, &documents);
}
