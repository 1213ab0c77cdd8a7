/* The quotas that hold for every user without some of its own. */

#include "kafka/view.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static void keep(MrTree *kept, const MrTree *values) {
        for (size_t i = 0; i < mr_tree_size(values); i++) {
                const MrTree *entry = mr_tree_at(values, i), *value = mr_tree_get(entry, "value");
                const char *key = mr_tree_get_string(entry, "key");
                _cleanup_buf_ MrBuf text = {};
                if (!key || !value)
                        continue;
                mr_json_write(value, 0, &text);
                mr_tree_set_string(kept, key, mr_buf_text(&text));
        }
}

MrTree *kafka_view_quotas(const MrTree *describe_client_quotas) {
        static const char *const keys[] = {"producer_byte_rate", "consumer_byte_rate",
                                           "request_percentage", "controller_mutation_rate"};
        const MrTree *entries = mr_tree_get(describe_client_quotas, "entries");
        MrTree *quotas = mr_tree_new_map(), *kept = mr_tree_need_map(quotas, "");

        for (size_t i = 0; i < MR_ELEMENTS(keys); i++)
                mr_tree_set(kept, keys[i], mr_tree_new_null());
        for (size_t i = 0; i < mr_tree_size(entries); i++)
                keep(kept, mr_tree_get(mr_tree_at(entries, i), "values"));
        return quotas;
}
