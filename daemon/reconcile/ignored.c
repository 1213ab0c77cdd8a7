#include "ignored.h"

#include "str.h"

bool ignored_is_open(const MrTree *warning) {
        return mr_streq(mr_tree_get_string(warning, "reason"), "Concerns");
}

static void add_ignored(const MrTree *warnings, const MrIgnored *ignored, MrTree *ret) {
        _cleanup_buf_ MrBuf message = {};

        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *warning = mr_tree_at(warnings, i);
                if (ignored_is_open(warning) &&
                    (mr_tree_get_int(warning, "concerns", 0) & (int64_t) ignored->flag))
                        mr_buf_printf(&message, "%s%s", message.size > 0 ? ", " : "",
                                      mr_tree_get_string(warning, "path"));
        }
        if (message.size == 0)
                return;
        mr_buf_printf(&message, " ignored here: %s", ignored->reason);
        MrTree *entry = mr_tree_append(ret, mr_tree_new_map());
        mr_tree_set_string(entry, "reason", "Ignored");
        mr_tree_set_string(entry, "message", mr_buf_text(&message));
}

void ignored_warnings(const Document *document, const MrPlatformOps *platform, MrTree *ret) {
        for (size_t i = 0; i < mr_tree_size(document->warnings); i++)
                if (!ignored_is_open(mr_tree_at(document->warnings, i)))
                        mr_tree_append(ret, mr_tree_copy(mr_tree_at(document->warnings, i)));
        for (const MrIgnored *row = platform->ignored; row && row->flag; row++)
                add_ignored(document->warnings, row, ret);
}
