/* Bytes → lines → trees. */

#include "lines.h"

#include <string.h>

void lines_done(Lines *lines) {
        /* Secrets come this way, too. */
        mr_buf_wipe(&lines->rest);
}

static int read_line(const char *line, size_t size, LineFound found, void *userdata, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *event = NULL;

        if (size == 0 || (size == 1 && *line == '\r'))
                return 0;
        int r = mr_json_read(line, size, NULL, &event, err);
        return r < 0 ? r : found(userdata, event, err);
}

int lines_push(Lines *lines, const void *data, size_t size, LineFound found, void *userdata,
               MrError *err) {
        size_t searched = lines->rest.size, begin = 0;
        int r = 0;

        mr_buf_append(&lines->rest, data, size);
        while (r >= 0) {
                const char *from = mr_buf_text(&lines->rest) + searched;
                const char *end = memchr(from, '\n', lines->rest.size - searched);
                if (!end)
                        break;
                size_t at = (size_t) (end - mr_buf_text(&lines->rest));
                r = read_line(mr_buf_text(&lines->rest) + begin, at - begin, found, userdata, err);
                begin = searched = at + 1;
        }
        mr_buf_drop(&lines->rest, begin);
        if (r >= 0 && lines->rest.size > LINE_MAX_SIZE)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the API server sends an object of more than %u MiB",
                               LINE_MAX_SIZE >> 20);
        return r < 0 ? r : 0;
}
