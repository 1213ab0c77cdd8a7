#include "hostd-job.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "disk.h"
#include "host-claims.h"
#include "host-distribution.h"
#include "host-node.h"
#include "sdk/str.h"

struct HostJob {
        HostJobArgs args;
        HostBatch *batch;
        size_t at;      /* the step under way */
        unsigned phase; /* of that step: how many of its asynchronous parts are over */
        char *unit;     /* of that step */
        char *mounted;  /* the disk that step gives back */
        bool is_there;  /* the disk of that step was mounted before, */
        int64_t disk;   /* and was so large: what it grows by meanwhile is seen later */
        /* Units whose drop-in was written: those that systemd has in memory as they were need a
         * reload, once for all of them. */
        char **stale;
        size_t n_stale, stale_allocated, stale_asked;
        size_t n_told; /* of the steps, those whose unit was told to stop before their turn */
        bool needs_reload;
        bool is_ending; /* all steps are over, or one failed: only the reload is left */
        MrError error;
        sd_event_source *turn;
        sd_event_source *child;
};

static void job_continue(HostJob *job);

static int job_fail(HostJob *job, int r, MrError *err) {
        r = mr_error_within(err, r, "steps[%zu]", job->at);
        mr_error_move(&job->error, err);
        job->is_ending = true;
        return r;
}

static void stale_clear(HostJob *job) {
        for (size_t i = 0; i < job->n_stale; i++)
                free(job->stale[i]);
        job->n_stale = job->stale_asked = 0;
        job->needs_reload = false;
}

static void stale_add(HostJob *job, const char *unit) {
        MR_GROW(job->stale, job->n_stale, job->stale_allocated);
        job->stale[job->n_stale++] = mr_strdup(unit);
}

/* An asynchronous part is over, well or not. */
static void part_done(void *userdata, int r, const MrError *err) {
        HostJob *job = userdata;
        _cleanup_error_ MrError own = MR_ERROR_INIT;

        if (r < 0) {
                r = mr_fail(&own, mr_error_kind(err, r), err->path, "%s",
                            err->message ? err->message : strerror(-r));
                (void) job_fail(job, r, &own);
        }
        job->phase++;
        job_continue(job);
}

static void stale_answered(void *userdata, int r, const MrError *err) {
        HostJob *job = userdata;

        (void) err;
        job->stale_asked++;
        if (r != 0)
                job->needs_reload = true;
        job_continue(job);
}

static void stale_reloaded(void *userdata, int r, const MrError *err) {
        HostJob *job = userdata;

        stale_clear(job);
        if (r < 0 && !job->is_ending) {
                part_done(job, r, err);
                return;
        }
        if (r < 0)
                log_warning(NULL, NULL, "Reload of systemd failed: %s", err->message);
        job_continue(job);
}

/* Makes systemd see changed drop-ins. Returns 1 when something was asked and the job has to wait, 0
 * when all is seen. */
static int stale_flush(HostJob *job, MrError *err) {
        int r;

        if (job->n_stale == 0)
                return 0;
        if (job->needs_reload)
                r = host_units_reload(job->args.units, stale_reloaded, job, err);
        else if (job->stale_asked < job->n_stale)
                r = host_units_is_outdated(job->args.units, job->stale[job->stale_asked],
                                           stale_answered, job, err);
        else {
                stale_clear(job);
                return 0;
        }
        return r < 0 ? r : 1;
}

static int child_ended(sd_event_source *source, const siginfo_t *info, void *userdata) {
        HostJob *job = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        int r = 0;

        (void) source;
        job->child = sd_event_source_disable_unref(job->child);
        if (info->si_code != CLD_EXITED || info->si_status != 0)
                r = mr_fail(&err, MR_TRANSIENT, NULL,
                            "the data of claim %s is out of the way, but not all of it could be "
                            "deleted; see the journal of "
                            "millrace-hostd",
                            job->batch->steps[job->at].claim);
        part_done(job, r, &err);
        return 0;
}

/* Deleting what a broker wrote takes its time. */
static int sweep_start(HostJob *job, const HostDir *base, MrError *err) {
        pid_t pid = fork();

        if (pid < 0)
                return mr_fail_errno(err, errno, NULL, "cannot start the deletion");
        if (pid == 0) {
                _cleanup_error_ MrError own = MR_ERROR_INIT;
                int r = host_claims_sweep(base, &own);

                if (r < 0)
                        log_error(NULL, NULL, "%s", own.message);
                _exit(r < 0 ? 1 : 0);
        }
        int r = sd_event_add_child(job->args.event, &job->child, pid, WEXITED, child_ended, job);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot wait for the deletion") : 1;
}

/* Each of these returns 1 when it waits for an asynchronous part, 0 when the step is over. */

/* The disk's unit was told what is wrong, when something was. */
static int disk_check(const HostJob *job, const char *claim, MrError *err) {
        _cleanup_dir_ HostDir messages = HOST_DIR_INIT;
        _cleanup_buf_ MrBuf text = {};

        int r = host_dir_open(job->args.root, DISK_MESSAGES_DIRECTORY, false, &messages, err);
        if (r >= 0 && messages.fd >= 0)
                r = host_file_read(&messages, claim, 65536, &text, err);
        return r <= 0 ? r : mr_fail(err, MR_TRANSIENT, "claim", "%s", mr_buf_text(&text));
}

/* First the disk, which another unit prepares, then its mount, then what is on it. */
static int disk_turn(HostJob *job, const HostStep *step, MrError *err) {
        _cleanup_free_ char *where = disk_mount_point(step->storage, step->claim),
                            *mount = disk_unit_name(where), *disk = NULL;
        int r = 0;

        switch (job->phase) {
        case 0:
                disk = mr_strf("millrace-disk@%s:%s.service", step->storage_class, step->claim);
                r = host_units_bring_up(job->args.units, disk, part_done, job, err);
                break;
        case 1:
                r = disk_check(job, step->claim, err);
                if (r >= 0)
                        r = host_units_reload(job->args.units, part_done, job, err);
                break;
        case 2:
                r = host_units_enable(job->args.units, mount, part_done, job, err);
                break;
        case 3:
                r = host_units_bring_up(job->args.units, mount, part_done, job, err);
                break;
        default:
                return 0;
        }
        return r < 0 ? r : 1;
}

/* What is mounted may have become larger. */
static int grow_turn(HostJob *job, const HostStep *step, MrError *err) {
        _cleanup_free_ char *disk = NULL;

        if (job->phase > 0)
                return disk_check(job, step->claim, err);
        disk = mr_strf("millrace-disk@%s:%s.service", step->storage_class, step->claim);
        int r = host_units_bring_up(job->args.units, disk, part_done, job, err);
        return r < 0 ? r : 1;
}

static int run_claim_create(HostJob *job, const HostStep *step, MrError *err) {
        const char *root = job->args.root;

        if (step->storage->devices.n > 0) {
                if (job->phase == 0) {
                        job->is_there = host_claim_find_mounted(root, step);
                        job->disk = job->is_there ? host_claim_disk_size(root, step) : 0;
                }
                int r = (job->is_there ? grow_turn : disk_turn)(job, step, err);
                if (r != 0)
                        return r;
        }
        HostStep with_disk = *step;
        with_disk.disk = job->disk;
        int r = host_claim_create(root, job->args.config, &with_disk, err);
        return r < 0 ? r : 0;
}

/* The disk goes on as one that is empty and belongs to nobody; millrace takes it again once its
 * signature is gone. */
static int disk_give_back(HostJob *job, MrError *err) {
        _cleanup_dir_ HostDir units = HOST_DIR_INIT;

        (void) rmdir(job->mounted);
        int r = host_dir_open(job->args.root, DISK_UNITS_DIRECTORY, false, &units, err);
        if (r >= 0 && units.fd >= 0)
                r = host_file_remove(&units, job->unit, err);
        job->needs_reload = true;
        stale_add(job, job->unit);
        free(TAKE(job->mounted));
        return r < 0 ? r : 0;
}

static int run_claim_remove(HostJob *job, const HostStep *step, MrError *err) {
        _cleanup_dir_ HostDir base = HOST_DIR_INIT;
        int r;

        if (job->phase == 0) {
                r = host_claim_remove(job->args.root, job->args.config, step, &base, err);
                if (r == 2) {
                        job->mounted = mr_strdup(base.path);
                        job->unit = disk_unit_name(base.path + strlen(job->args.root));
                }
                return r <= 0 ? r : sweep_start(job, &base, err);
        }
        if (!job->mounted)
                return 0;
        if (job->phase == 1)
                r = host_units_stop(job->args.units, job->unit, part_done, job, err);
        else if (job->phase == 2)
                r = host_units_disable(job->args.units, job->unit, part_done, job, err);
        else
                return disk_give_back(job, err);
        return r < 0 ? r : 1;
}

static int run_unit_write(HostJob *job, const HostStep *step, MrError *err) {
        if (job->phase > 0)
                return 0;
        int r = host_node_unit_write(job->args.root, job->args.config, step, err);
        /* An earlier job may have written the drop-in, and died before systemd could read it. */
        stale_add(job, job->unit);
        if (r < 0)
                return r;
        r = host_units_enable(job->args.units, job->unit, part_done, job, err);
        return r < 0 ? r : 1;
}

static void told(void *userdata, int r, const MrError *err) {
        (void) userdata;
        (void) r;
        (void) err;
}

/* Units that are removed one right after the other stop together: each may need the others for an
 * orderly end, and together they take no longer than one. What fails is seen in the turn of each.
 */
static void tell_next(HostJob *job) {
        size_t i = job->at + 1 > job->n_told ? job->at + 1 : job->n_told;

        for (; i < job->batch->n_steps && job->batch->steps[i].op == HOST_UNIT_REMOVE; i++) {
                const HostStep *next = &job->batch->steps[i];
                _cleanup_free_ char *unit = host_unit_name(next->class_name, next->instance);
                _cleanup_error_ MrError err = MR_ERROR_INIT;

                if (host_units_begin_stop(job->args.units, unit, told, NULL, &err) < 0)
                        break;
        }
        job->n_told = i;
}

static int run_unit_remove(HostJob *job, const HostStep *step, MrError *err) {
        bool dropin = false;
        int r;

        if (job->phase == 0) {
                r = host_units_stop(job->args.units, job->unit, part_done, job, err);
                tell_next(job);
        } else if (job->phase == 1)
                r = host_units_disable(job->args.units, job->unit, part_done, job, err);
        else if (job->phase == 2)
                r = host_units_forget(job->args.units, job->unit, part_done, job, err);
        else {
                r = host_node_unit_remove(job->args.root, step, &dropin, err);
                if (dropin)
                        stale_add(job, job->unit);
                return r < 0 ? r : 0;
        }
        return r < 0 ? r : 1;
}

/* systemd must see the drop-in before it starts the unit, but a stop need not wait for that. */
static int run_unit_verb(HostJob *job, const HostStep *step, MrError *err) {
        int r;

        if (job->phase > 0)
                return 0;
        if (step->op != HOST_STOP) {
                r = stale_flush(job, err);
                if (r != 0)
                        return r;
        }
        if (step->op == HOST_START)
                r = host_units_start(job->args.units, job->unit, part_done, job, err);
        else if (step->op == HOST_RESTART)
                r = host_units_restart(job->args.units, job->unit, part_done, job, err);
        else
                r = host_units_stop(job->args.units, job->unit, part_done, job, err);
        return r < 0 ? r : 1;
}

static int run_distribution(HostJob *job, const HostStep *step, MrError *err) {
        if (job->phase > 0 || host_distribution_is_complete(job->args.root, step->distribution))
                return 0;
        _cleanup_free_ char *unit = host_distribution_unit(step->distribution);
        int r = host_units_start(job->args.units, unit, part_done, job, err);
        return r < 0 ? r : 1;
}

static int step_run(HostJob *job, MrError *err) {
        const HostStep *step = &job->batch->steps[job->at];
        const char *root = job->args.root;
        int r = 0;

        switch (step->op) {
        case HOST_CLAIM_CREATE:
                return run_claim_create(job, step, err);
        case HOST_CLAIM_REMOVE:
                return run_claim_remove(job, step, err);
        case HOST_FILE_WRITE:
                r = host_node_file_write(root, step, err);
                break;
        case HOST_FILE_REMOVE:
                r = host_node_file_remove(root, step, err);
                break;
        case HOST_UNIT_WRITE:
                return run_unit_write(job, step, err);
        case HOST_UNIT_REMOVE:
                return run_unit_remove(job, step, err);
        case HOST_START:
        case HOST_STOP:
        case HOST_RESTART:
                return run_unit_verb(job, step, err);
        case HOST_DISTRIBUTION_ENSURE:
                return run_distribution(job, step, err);
        default:
                break;
        }
        return r < 0 ? r : 0;
}

static void step_log(const HostJob *job) {
        const HostStep *step = &job->batch->steps[job->at];
        const char *what = step->instance ? step->instance
                           : step->claim  ? step->claim
                                          : step->software;

        log_info(&(LogScope){.node = step->instance}, NULL, "%s %s%s%s", host_op_name(step->op),
                 what, step->name ? "/" : "", step->name ? step->name : "");
}

static void job_end(HostJob *job) {
        _cleanup_error_ MrError error = MR_ERROR_INIT;
        bool failed = job->error.message != NULL;

        mr_error_move(&error, &job->error);
        job->args.done(job->args.userdata, job->at, failed ? &error : NULL);
}

/* One turn: the step under way goes on, or the next begins. */
static int job_turn(sd_event_source *source, void *userdata) {
        HostJob *job = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        int r;

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (job->at >= job->batch->n_steps)
                job->is_ending = true;
        if (job->is_ending) {
                if (stale_flush(job, &err) <= 0)
                        job_end(job);
                return 0;
        }
        if (!job->unit && job->batch->steps[job->at].class_name)
                job->unit = host_unit_name(job->batch->steps[job->at].class_name,
                                           job->batch->steps[job->at].instance);
        r = step_run(job, &err);
        if (r > 0)
                return 0;
        if (r < 0)
                (void) job_fail(job, r, &err);
        else {
                step_log(job);
                job->at++;
        }
        job->phase = 0;
        free(TAKE(job->unit));
        job_continue(job);
        return 0;
}

static void job_continue(HostJob *job) {
        (void) sd_event_source_set_enabled(job->turn, SD_EVENT_ONESHOT);
}

int host_job_new(const HostJobArgs *args, HostBatch *take_batch, HostJob **ret, MrError *err) {
        _cleanup_(host_job_freep) HostJob *job = mr_new(HostJob, 1);

        job->args = *args;
        job->batch = take_batch;
        int r = sd_event_add_defer(args->event, &job->turn, job_turn, job);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot start a job");
        *ret = TAKE(job);
        return 0;
}

HostJob *host_job_free(HostJob *job) {
        if (!job)
                return NULL;
        sd_event_source_disable_unref(job->turn);
        sd_event_source_disable_unref(job->child);
        stale_clear(job);
        free(job->stale);
        free(job->unit);
        free(job->mounted);
        mr_error_done(&job->error);
        host_batch_free(job->batch);
        free(job);
        return NULL;
}
