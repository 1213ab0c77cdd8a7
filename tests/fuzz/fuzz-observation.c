/* What the daemon is told by the host service, which may be of another version, or not itself. */

#include <stdint.h>
#include <stdlib.h>

#include "rhel-baremetal/names.c"
#include "rhel-baremetal/observation.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(mr_observation_done) MrObservation seen = {};
        _cleanup_error_ MrError err = {};
        MrTree *tree = NULL;

        if (mr_json_read((const char *) data, size, NULL, &tree, NULL) < 0)
                return 0;
        if (observation_of_host(tree, &seen, &err) < 0 ? seen.found || !err.message : !seen.found)
                abort();
        return 0;
}
