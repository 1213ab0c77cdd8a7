/* Any bytes as the response of any request in any version: either an error with a message, or a
 * tree that encodes and decodes again to an equal tree. The first byte chooses the request, the
 * second the version. */

#include <stdint.h>
#include <stdlib.h>

#include "kafka/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool is_so) {
        if (!is_so)
                abort();
}

static void check(const CodecField *fields, CodecForm form, const uint8_t *data, size_t size) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_(mr_tree_freep) MrTree *again = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf bytes = {};

        if (codec_decode(fields, form, data, size, &tree, &err) < 0) {
                need(err.kind == MR_INVALID && err.message);
                return;
        }
        need(codec_encode(fields, form, tree, &bytes, NULL) == 0);
        need(codec_decode(fields, form, bytes.data, bytes.size, &again, NULL) == 0);
        need(mr_tree_equal(tree, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t n = 0;

        if (size < 2)
                return 0;
        while (kafka_message_at(n))
                n++;
        const KafkaMessage *message = kafka_message_at(data[0] % n);
        int16_t version =
                (int16_t) (message->oldest + data[1] % (message->newest - message->oldest + 1));
        CodecForm form = kafka_message_form(message, version);
        check(message->response, form, data + 2, size - 2);
        check(message->request, form, data + 2, size - 2);

        /* The frame around it, with and without the right correlation. */
        MrTree *tree = NULL;
        if (kafka_response_decode(message, version, data[0], data + 2, size - 2, &tree, NULL) >= 0)
                mr_tree_free(tree);
        return 0;
}
