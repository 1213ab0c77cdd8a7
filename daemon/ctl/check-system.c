/* The service manager, cgroups and SELinux. */

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <systemd/sd-bus.h>

#include "ctl/check.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define SYSTEMD_NEEDED 252

/* "252.39-1~deb12u1" → 252; -1 when nobody answers. A test root has its answer in a file. */
static int systemd_version(const Check *check) {
        _cleanup_free_ char *text = *check->root ? check_read(check, "/run/systemd/version") : NULL;
        sd_bus *bus = NULL;
        char *answer = NULL;

        if (*check->root)
                return text ? atoi(text) : -1;
        if (sd_bus_open_system(&bus) < 0)
                return -1;
        int r = sd_bus_get_property_string(
                bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "Version", NULL, &answer);
        int version = r < 0 ? -1 : atoi(answer);
        free(answer);
        sd_bus_flush_close_unref(bus);
        return version;
}

static void check_systemd(Check *check) {
        _cleanup_free_ char *init = check_read(check, "/proc/1/comm");
        int version = systemd_version(check);

        if (!mr_streq(init, "systemd"))
                return check_add(check, CHECK_FAIL,
                                 "nodes are systemd units; use a host that systemd has booted",
                                 "process 1 is %s, not systemd", init ? init : "unknown");
        if (version < 0)
                return check_add(check, CHECK_WARN,
                                 "see whether the system bus runs: systemctl status dbus",
                                 "the version of systemd could not be asked for");
        check_add(check, version < SYSTEMD_NEEDED ? CHECK_FAIL : CHECK_OK,
                  "version 252 or later is needed", "systemd is version %d", version);
}

static void check_cgroup(Check *check) {
        _cleanup_free_ char *path = mr_strf("%s/sys/fs/cgroup", check->root);
        _cleanup_free_ char *controllers = check_read(check, "/sys/fs/cgroup/cgroup.controllers");
        struct statfs fs;

        bool is_unified =
                controllers || (statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC);
        if (!is_unified)
                return check_add(check, CHECK_WARN,
                                 "limits still work where the v1 controllers do; boot with "
                                 "systemd.unified_cgroup_hierarchy=1",
                                 "control groups are not version 2");
        check_add(check, !controllers || strstr(controllers, "memory") ? CHECK_OK : CHECK_WARN,
                  "limits of memory will have no effect; enable the memory controller",
                  "control groups are version 2%s",
                  !controllers || strstr(controllers, "memory")
                          ? ""
                          : ", without the memory controller");
}

/* What is not labelled as packaging/selinux says, services may not touch. */
static void check_label(Check *check) {
        _cleanup_free_ char *path = mr_strf("%s%s", check->root, check->data);
        char label[256] = {};

        if (getxattr(path, "security.selinux", label, sizeof(label) - 1) < 0)
                return;
        check_add(check, strstr(label, ":millrace_data_t:") ? CHECK_OK : CHECK_WARN,
                  "semanage fcontext -a -e /var/lib/millrace-data DIRECTORY, then restorecon -R",
                  "%s is labelled %s", check->data, label);
}

static void check_selinux(Check *check) {
        int64_t enforcing = check_read_int(check, "/sys/fs/selinux/enforce");

        check_add(check, CHECK_OK, NULL, "SELinux is %s",
                  enforcing < 0    ? "not in use"
                  : enforcing == 1 ? "enforcing"
                                   : "permissive");
        if (enforcing >= 0)
                check_label(check);
}

void check_system(Check *check) {
        check_systemd(check);
        check_cgroup(check);
        check_selinux(check);
}
