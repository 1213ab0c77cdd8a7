/* The stream of a watch: however it is cut into pieces, the same events come out, and none that is
 * no document of its own line. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../platforms/kubernetes/lines.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition) {
        if (!condition)
                abort();
}

static int keep(void *userdata, MrTree *event, MrError *err _unused_) {
        mr_tree_append(userdata, mr_tree_copy(event));
        return 0;
}

/* Pieces of `step` bytes. */
static int read_in(const uint8_t *data, size_t size, size_t step, MrTree *events) {
        _cleanup_(lines_done) Lines lines = {};
        int r = 0;

        for (size_t at = 0; r >= 0 && at < size; at += step)
                r = lines_push(&lines, data + at, size - at < step ? size - at : step, keep, events,
                               NULL);
        require(lines.rest.size <= size);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const size_t steps[] = {1, 2, 7, 4096};
        _cleanup_(mr_tree_freep) MrTree *whole = mr_tree_new_list();

        if (size == 0)
                return 0;
        int r = read_in(data, size, size, whole);
        for (size_t i = 0; i < MR_ELEMENTS(steps); i++) {
                _cleanup_(mr_tree_freep) MrTree *events = mr_tree_new_list();
                require(read_in(data, size, steps[i], events) == r);
                require(mr_tree_equal(events, whole));
        }
        return 0;
}
