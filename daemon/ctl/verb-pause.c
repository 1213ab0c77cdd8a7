/* millctl pause and resume: the annotation that stops all care for a resource. */

#include "ctl/ctl-api.h"
#include "ctl/names.h"
#include "model/annotations.h"
#include "sdk/alloc.h"

static int annotate(Ctl *ctl, const Name *name, const char *value, MrError *err) {
        _cleanup_free_ char *target = api_target(name->kind, api_namespace(ctl), name->name);
        _cleanup_(mr_tree_freep) MrTree *patch = mr_tree_new_map();
        _cleanup_reply_ ApiReply reply = {};
        MrTree *annotations = mr_tree_need_map(mr_tree_need_map(patch, "metadata"), "annotations");

        mr_tree_set(annotations, ANNOTATION_PAUSE, mr_tree_new_string(value));
        return api_call(ctl, "PATCH", target, "application/merge-patch+json", patch, &reply, err);
}

static int annotate_all(Ctl *ctl, const char *value, const char *what) {
        _cleanup_names_ Names names = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = names_read(ctl, 0, &names, &err);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                r = annotate(ctl, &names.items[i], value, &err);
                if (r < 0)
                        break;
                _cleanup_free_ char *title = kind_title(names.items[i].kind, names.items[i].name);
                fprintf(ctl->out, "%s %s\n", title, what);
        }
        return r < 0 ? ctl_fail(ctl, &err) : CTL_OK;
}

int verb_pause(Ctl *ctl) {
        if (ctl->options.n_arguments == 0)
                return ctl_misused(ctl, "name a resource: millctl pause kafka my-cluster");
        return annotate_all(ctl, "true", "paused; millctl resume ends it");
}

int verb_resume(Ctl *ctl) {
        if (ctl->options.n_arguments == 0)
                return ctl_misused(ctl, "name a resource: millctl resume kafka my-cluster");
        return annotate_all(ctl, NULL, "resumed");
}
