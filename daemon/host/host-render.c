#include "host-render.h"

#include <inttypes.h>

#include "sdk/str.h"

#define FIRST "millrace-first.target"
#define MANIFEST 1 /* version of manifest.json */

char *host_unit_name(const char *class_name, const char *instance) {
        return mr_strf("%s@%s.service", class_name, instance);
}

void host_unit_quote(const char *text, MrBuf *out) {
        mr_buf_putc(out, '"');
        for (const char *p = text; *p; p++) {
                if (*p == '%')
                        mr_buf_puts(out, "%%");
                else if (*p == '"' || *p == '\\')
                        mr_buf_printf(out, "\\%c", *p);
                else if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        mr_buf_printf(out, "\\x%02x", (unsigned char) *p);
                else
                        mr_buf_putc(out, *p);
        }
        mr_buf_putc(out, '"');
}

static void line_with_path(MrBuf *out, const char *key, const char *path, const char *suffix) {
        mr_buf_printf(out, "%s=", key);
        host_unit_quote(path, out);
        mr_buf_printf(out, "%s\n", suffix);
}

/* Conditions of systemd know no quotes. */
static void line_bare(MrBuf *out, const char *key, const char *path) {
        mr_buf_printf(out, "%s=", key);
        for (const char *p = path; *p; p++)
                mr_buf_puts(out, (char[]){*p, *p == '%' ? '%' : '\0', '\0'});
        mr_buf_putc(out, '\n');
}

/* The base directories are hidden, so a node sees no claim but its own. */
static void render_paths(const HostProperties *p, const HostConfig *config, MrBuf *out) {
        const HostStorageClass *classes = config->storage_classes.items;
        const HostVolume *volumes = p->volumes.items;

        for (size_t i = 0; i < config->storage_classes.n; i++)
                line_with_path(out, "TemporaryFileSystem", classes[i].path, ":ro");
        for (size_t i = 0; i < p->volumes.n; i++)
                line_with_path(out, "BindPaths", volumes[i].data, "");
}

/* Shares count in hundredths of a core, so the usual weight 100 stands for one core. */
static int64_t cpu_weight(int64_t request) {
        int64_t weight = request / 10;

        return weight < 1 ? 1 : weight > 10000 ? 10000 : weight;
}

/* Caches are taken back a little before the limit, so that the limit itself, which kills, is rarely
 * met. */
static int64_t memory_high(int64_t limit) {
        return limit - limit / 16;
}

/* Every limit is written, also one that does not hold: a value that was set at run time must not
 * outlive it. */
static void render_limits(const HostProperties *p, MrBuf *out) {
        if (p->memory_limit > 0) {
                mr_buf_printf(out, "MemoryMax=%" PRId64 "\n", p->memory_limit);
                mr_buf_printf(out, "MemoryHigh=%" PRId64 "\n", memory_high(p->memory_limit));
        } else
                mr_buf_puts(out, "MemoryMax=infinity\nMemoryHigh=infinity\n");
        mr_buf_printf(out, "MemoryMin=%" PRId64 "\n", p->memory_request);

        if (p->cpu_limit > 0)
                mr_buf_printf(out, "CPUQuota=%" PRId64 ".%" PRId64 "%%\n", p->cpu_limit / 10,
                              p->cpu_limit % 10);
        else
                mr_buf_puts(out, "CPUQuota=\n");
        if (p->cpu_request > 0)
                mr_buf_printf(out, "CPUWeight=%" PRId64 "\n", cpu_weight(p->cpu_request));
        else
                mr_buf_puts(out, "CPUWeight=\n");
        if (p->stop_timeout_sec > 0)
                mr_buf_printf(out, "TimeoutStopSec=%" PRId64 "\n", p->stop_timeout_sec);
}

/* Written anew at each change, and in force once systemd has read it: no node is restarted. */
static void render_networks(const HostProperties *p, MrBuf *out) {
        if (p->networks.n == 0)
                return;
        mr_buf_puts(out, "IPAddressDeny=any\nIPAddressAllow=localhost\n");
        for (size_t i = 0; i < p->networks.n; i++)
                mr_buf_printf(out, "IPAddressAllow=%s\n", p->networks.items[i]);
}

/* Whoever starts first ends last: others may need it for an orderly end. The target is started by
 * those it stands for, so it holds up nobody's start. */
static void render_order(const HostProperties *p, MrBuf *out) {
        if (p->order == 0)
                mr_buf_puts(out, "Before=" FIRST "\nUpholds=" FIRST "\n");
        else
                mr_buf_puts(out, "After=" FIRST "\n");
}

void host_render_dropin(const char *class_name, const char *instance, const HostProperties *p,
                        const HostConfig *config, MrBuf *out) {
        const HostVolume *volumes = p->volumes.items;

        mr_buf_printf(
                out,
                "# Written by millrace-hostd, and written again when it is edited. Change the "
                "cluster's resource, or\n"
                "# add a drop-in of your own with 'systemctl edit %s@%s.service'.\n\n[Unit]\n",
                class_name, instance);
        for (size_t i = 0; i < p->volumes.n; i++)
                line_with_path(out, "RequiresMountsFor", volumes[i].data, "");
        for (size_t i = 0; i < p->volumes.n; i++)
                if (volumes[i].is_mounted) {
                        _cleanup_free_ char *where =
                                mr_strf("%s/%s", volumes[i].base, volumes[i].claim);
                        line_bare(out, "AssertPathIsMountPoint", where);
                }
        render_order(p, out);
        mr_buf_puts(out, "\n[Service]\n");
        render_paths(p, config, out);
        render_limits(p, out);
        render_networks(p, out);
}

static void launch_line(MrBuf *out, const char *key, const char *value) {
        if (value)
                mr_buf_printf(out, "%s %s\n", key, value);
}

static void launch_lines(MrBuf *out, const char *key, const MrStrings *values) {
        for (size_t i = 0; i < values->n; i++)
                launch_line(out, key, values->items[i]);
}

void host_render_launch(const HostProperties *p, const HostConfig *config, MrBuf *out) {
        _cleanup_free_ char *directory = host_distribution_directory(p->distribution);
        _cleanup_free_ char *libs = mr_strf("%s/libs", directory);
        _cleanup_free_ char *classes = host_distribution_classes(p->distribution);

        launch_line(out, "fingerprint", p->fingerprint);
        launch_line(out, "java", config->java);
        launch_line(out, "libs", libs);
        launch_line(out, "extras", p->distribution->extras);
        launch_line(out, "archive", classes);
        launch_lines(out, "directory", &p->directories);
        for (size_t i = 0; i < p->contents.n; i++)
                mr_buf_printf(out, "content %s %s\n", p->contents.items[i].key,
                              p->contents.items[i].value);
        launch_line(out, "prepared", p->prepared_path);
        if (p->expect_prepared == 1)
                launch_line(out, "expect-prepared", "yes");
        for (size_t i = 0; i < p->markers.n; i++) {
                const HostMarker *marker = (const HostMarker *) p->markers.items + i;
                if (p->prepare_class && !mr_streq(marker->full, p->prepared_path))
                        launch_line(out, "prepared-too", marker->full);
                for (size_t k = 0; k < marker->lines.n; k++)
                        mr_buf_printf(out, "expect-line %s %s\n", marker->full,
                                      marker->lines.items[k]);
        }
        launch_line(out, "prepare-class", p->prepare_class);
        launch_lines(out, "prepare-argument", &p->prepare_arguments);
        launch_lines(out, "option", &p->jvm_options);
        launch_line(out, "class", p->main_class);
        launch_lines(out, "argument", &p->arguments);
        for (size_t i = 0; i < p->ready_ports.n; i++)
                mr_buf_printf(out, "ready %" PRId64 "\n", p->ready_ports.items[i]);
}

void host_render_manifest(const char *class_name, const char *instance, const MrTree *properties,
                          MrBuf *out) {
        _cleanup_(mr_tree_freep) MrTree *manifest = mr_tree_new_map();

        mr_tree_set_int(manifest, "version", MANIFEST);
        mr_tree_set_string(manifest, "class", class_name);
        mr_tree_set_string(manifest, "instance", instance);
        mr_tree_set(manifest, "properties", mr_tree_copy(properties));
        mr_json_write(manifest, MR_JSON_PRETTY, out);
}
