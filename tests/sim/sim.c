/* The clock of the world, and what will happen in it. */

#include "sim.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Far behind every real clock, so that no timer of the event loop goes off by itself. */
#define CLOCK_START (UINT64_C(1000000000) * SIM_SEC)
#define REALTIME_START INT64_C(1790000000)

Sim *sim_now;

/* Distributions are only fetched; a setting always has some value, which changes. */
const char *const sim_steps[] = {
        "create Secret", "update Secret",
        "remove Secret", "create Distribution",
        "create Volume", "update Volume",
        "remove Volume", "create File",
        "update File",   "remove File",
        "create Unit",   "update Unit",
        "remove Unit",   "update Setting",
        "start",         "restart",
        "stop",          NULL,
};

/* The program's clocks. */
uint64_t now_usec(void) {
        return CLOCK_START + sim_now->now;
}

int64_t now_realtime_sec(void) {
        return REALTIME_START + (int64_t) (sim_now->now / SIM_SEC);
}

/* splitmix64: every seed gives a good sequence. */
uint64_t sim_random(Sim *sim, uint64_t below) {
        uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return below > 0 ? (z ^ (z >> 31)) % below : 0;
}

bool sim_chance(Sim *sim, unsigned percent) {
        return percent > 0 && sim_random(sim, 100) < percent;
}

void sim_at(Sim *sim, uint64_t usec, SimFunction run, void *data) {
        MR_GROW(sim->queue, sim->n_queue, sim->allocated_queue);
        sim->queue[sim->n_queue++] = (SimEvent){
                .at = sim->now + usec,
                .number = sim->n_events++,
                .run = run,
                .data = data,
        };
}

void sim_note(Sim *sim, const char *format, ...) {
        va_list args;

        mr_buf_printf(&sim->trace, "%10.3f  ", (double) (sim->now - sim->start) / 1e6);
        va_start(args, format);
        mr_buf_vprintf(&sim->trace, format, args);
        va_end(args);
        mr_buf_putc(&sim->trace, '\n');
        /* The end of the story is what matters. */
        if (sim->trace.size > 256U * 1024)
                mr_buf_drop(&sim->trace, 128U * 1024);
}

void sim_violated(Sim *sim, const char *format, ...) {
        va_list args;

        if (sim->violation)
                return;
        va_start(args, format);
        sim->violation = mr_vstrf(format, args);
        va_end(args);
        sim_note(sim, "VIOLATION: %s", sim->violation);
}

static bool is_step(const char *what) {
        for (size_t i = 0; sim_steps[i]; i++)
                if (strcmp(sim_steps[i], what) == 0)
                        return true;
        return false;
}

void sim_happened(Sim *sim, const char *verb, const char *kind) {
        char what[sizeof(sim->happened[0].what)];
        size_t i = 0;

        (void) snprintf(what, sizeof(what), "%s%s%s", verb, kind ? " " : "", kind ? kind : "");
        if (!is_step(what)) {
                sim_violated(sim,
                             "no crash follows a step \"%s\": add it to sim_steps, and to the "
                             "life of crash-test.c",
                             what);
                return;
        }
        while (i < sim->n_happened && strcmp(sim->happened[i].what, what) != 0)
                i++;
        if (i == MR_ELEMENTS(sim->happened)) {
                sim_violated(sim, "more kinds of steps happened than this world has room for");
                return;
        }
        if (i == sim->n_happened)
                memcpy(sim->happened[sim->n_happened++].what, what, sizeof(what));
        sim->happened[i].n++;
        if (sim->n_actions < MR_ELEMENTS(sim->sequence))
                sim->sequence[sim->n_actions] = (unsigned char) i;
        sim->n_actions++;
        if (sim->n_actions == sim->crash_after)
                memcpy(sim->crashed_at, what, sizeof(what));
}
