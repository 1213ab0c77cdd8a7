/* Batches from a hostile client of millrace-hostd: whatever is accepted must render without a line
 * of its own. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/host-render.h"
#include "sdk/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
        "distributions:\n"
        "  - {software: kafka, version: 3.9.1, directory: /opt/kafka-3.9.1}\n";

static void require(bool truth) {
        if (!truth)
                abort();
}

static size_t lines_of(const MrBuf *text) {
        size_t n = 0;

        for (size_t i = 0; i < text->size; i++)
                n += text->data[i] == '\n';
        return n;
}

/* One line for each thing asked for, and no other. */
static void check_launch(const HostProperties *p, const HostConfig *config) {
        _cleanup_buf_ MrBuf text = {};
        size_t fixed = 5 + (p->prepared_path != NULL) + (p->prepare_class != NULL) +
                       (p->expect_prepared == 1);

        host_render_launch(p, config, &text);
        require(lines_of(&text) == fixed + p->directories.n + p->contents.n +
                                           p->prepare_arguments.n + p->jvm_options.n +
                                           p->arguments.n + p->ready_ports.n);
}

static void check_dropin(const HostStep *step, const HostConfig *config) {
        const HostProperties *p = step->properties;
        _cleanup_buf_ MrBuf text = {};

        host_render_dropin(step->class_name, step->instance, p, config, &text);
        require(lines_of(&text) ==
                13 + (p->order == 0) + 2 * p->volumes.n + (p->stop_timeout_sec > 0));
        require(!strchr(mr_buf_text(&text), '\r') && strlen(mr_buf_text(&text)) == text.size);
}

static void check_step(const HostStep *step, const HostConfig *config) {
        require(!step->instance ||
                (host_name_is_valid(step->instance) && !strchr(step->instance, '/')));
        require(!step->claim || (host_name_is_valid(step->claim) && !strchr(step->claim, '/')));
        require(!step->name || (host_file_name_is_valid(step->name) && !strchr(step->name, '/')));
        require(!step->class_name || step->class);
        if (!step->properties)
                return;
        check_launch(step->properties, config);
        check_dropin(step, config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(host_config_freep) HostConfig *config = NULL;
        _cleanup_(host_batch_freep) HostBatch *batch = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        require(host_config_parse(config_text, strlen(config_text), NULL, &config, NULL) >= 0);
        if (host_batch_parse((const char *) data, size, config, &batch, &err) < 0) {
                require(err.message != NULL);
                return 0;
        }
        for (size_t i = 0; i < batch->n_steps; i++)
                check_step(&batch->steps[i], config);
        return 0;
}
