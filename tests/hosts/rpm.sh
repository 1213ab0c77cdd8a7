#!/bin/bash
# The RPM: reproducible, clean for rpmlint, and installed, upgraded and removed by rpm on a real host, with its dependencies
# resolved, its scriptlets run, and nodes that no upgrade restarts. What RHEL's base would provide is provided by a package
# that names, by rpm's own means, the libraries which this host has. The quickstart does there what it does on RHEL.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/package.sh"

export MILLRACE_VERSIONS=3.9.1
nodes=$(echo {zookeeper@my-cluster-zookeeper,kafka@my-cluster-kafka}-{0,1,2})
h1() { on h1 "$@"; }

rpmlint_clean() {
        rpmlint -c "$MILLRACE_REPOSITORY/packaging/rpm/rpmlint.toml" "$package" >"$scratch/rpmlint"
        grep -E ' [EW]: ' "$scratch/rpmlint" && return 1
        contains "0 errors, 0 warnings" <"$scratch/rpmlint"
}

has() { rpm -qpl "$package" | grep -x "$1" >/dev/null || { echo "$1 is not in the package"; return 1; }; }
has_all() { local file; for file; do has "$file" || return; done; }

# As on a machine that has no dpkg.
without_dpkg() { # CMD...
        local bin=$scratch/bin
        mkdir -p "$bin"
        ln -sf /usr/local/bin/* /usr/bin/* /usr/sbin/* "$bin/" && rm -f "$bin"/dpkg*
        PATH=$bin "$@"
}

# Both packages bring the same files, but for what each distribution wants of a package.
same_files() {
        local deb own='^/usr/share/(doc/millrace/(changelog.gz|copyright)|licenses/.*|lintian/.*)$'
        deb=$("$MILLRACE_REPOSITORY/packaging/build" --deb "$scratch/deb") || return
        diff <(dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n 's|^\.\(/.*[^/]\)$|\1|p' | grep -vE "$own" | sort) \
                <(rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$package" | sed -n 's/^-[^ ]* //p' | grep -vE "$own" | sort)
}

services_are_services() {
        local file
        for file in "$MILLRACE_REPOSITORY"/packaging/firewalld/*.xml; do
                python3 - "$file" <<'PY' || return
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
ports = root.findall("port")
assert root.tag == "service" and root.find("short").text and root.find("description").text and ports
for port in ports:
    first, _, last = port.get("port").partition("-")
    assert port.get("protocol") == "tcp" and 0 < int(first) <= int(last or first) < 65536
PY
        done
}

# Every path of the package's directories has a type that the module brings.
module_has_contexts() {
        local tree=$scratch/module path type
        mkdir "$tree"
        (cd "$tree" && rpm2archive - <"$package" | tar -xz ./usr/share/selinux/packages/millrace.pp) || return
        semodule_unpackage "$tree/usr/share/selinux/packages/millrace.pp" "$tree/millrace.mod" "$tree/millrace.fc" || return
        for path in $(awk '$1 == "d" {print $2}' "$MILLRACE_REPOSITORY/units/millrace.tmpfiles"); do
                type=$(awk -v path="$path" 'path ~ "^" $1 "$" {split($2, part, ":"); type = part[3]} END {print type}' "$tree/millrace.fc")
                grep -q "^type $type;" "$MILLRACE_REPOSITORY/packaging/selinux/millrace.te" || { echo "$path has no type"; return 1; }
        done
}

# --- what RHEL's base provides

library_provides() {
        ldconfig -p | sed -n 's/.* => //p' | sort -u | xargs ls 2>/dev/null | /usr/lib/rpm/elfdeps --provides | sort -u
}

repository() { h1 "$MILLRACE_REPOSITORY/packaging/$1" "${@:2}"; } # SCRIPT ARGUMENT...

# Also the packages that RHEL's own users would install to build and run it, by the names they have there.
base_package() {
        local spec=$scratch/base.spec
        {
                printf '%s\n' "Name: base" "Version: 1" "Release: 1" "Summary: what this host has" "License: none" \
                        "Provides: /bin/sh" "Provides: dbus" "Provides: rtld(GNU_HASH)" \
                        "Provides: systemd = $(dpkg-query -W -f '${Version}' systemd | sed 's/[-~+].*//')"
                library_provides | sed 's/^/Provides: /'
                repository dependencies --list build run | grep -vx 'dbus\|systemd' | sed 's/^/Provides: /'
                printf '%s\n' "%description" "." "%files"
        } >"$spec"
        rpmbuild -bb --quiet --define "_topdir $scratch/rpmbuild" --define "_rpmdir $scratch" \
                --define "_rpmfilename base.rpm" "$spec"
}

# The same files under a higher version number are an upgrade.
higher_package() {
        local tree=$scratch/higher
        mkdir "$tree"
        (cd "$tree" && rpm2archive - <"$package" | tar -xz) || return
        sed 's/@VERSION@/999/' "$MILLRACE_REPOSITORY/packaging/rpm/millrace.spec.in" >"$scratch/higher.spec"
        rpmbuild -bb --quiet --define "_topdir $scratch/rpmbuild" --define "_rpmdir $scratch" --define "millrace_tree $tree" \
                --define "_rpmfilename higher.rpm" --define "__os_install_post %{nil}" --define "debug_package %{nil}" \
                "$scratch/higher.spec"
}

rpm_there() { h1 rpm --force-debian "$@"; }
give() { cp "$1" "$(root_of h1)/var/tmp/$(basename "$1")"; }
refused_without_base() {
        rpm_there -i /var/tmp/millrace.rpm >"$scratch/refused" 2>&1 && { echo "it is installed"; return 1; }
        contains "libsystemd.so.0()(64bit) is needed by millrace" <"$scratch/refused" &&
                contains "systemd >= 252 is needed by millrace" <"$scratch/refused"
}

is_named_as_there() { [[ $(repository dependencies --list build run) == *glibc-static*java-17-openjdk-headless* ]]; }
lacks_packages() {
        repository dependencies build run >"$scratch/lacks" 2>&1 && { echo "nothing is said to be missing"; return 1; }
        contains "dependencies: installing" <"$scratch/lacks" && contains "libmicrohttpd-devel" <"$scratch/lacks"
}
quickstart() {
        h1 env "PATH=/opt/rhel:$PATH" "MILLRACE_TEST_CACHE=$MILLRACE_TEST_CACHE" "$MILLRACE_REPOSITORY/packaging/quickstart" \
                --inside /var/tmp/millrace.rpm 2>&1 | tee "$scratch/quickstart"
        return "${PIPESTATUS[0]}"
}

node_pids() { h1 systemctl show -P MainPID $nodes; }
daemon_pid() { h1 systemctl show -P MainPID millraced; }
daemon_is_another() { [ "$(daemon_pid)" != "$1" ] && [ "$(daemon_pid)" != 0 ]; }
active_daemon() { wait_for 15 "millraced" h1 systemctl -q is-active millraced; }
gone() { ! h1 test -e "$1" || { echo "$1 is still there"; return 1; }; }
there() { h1 test -e "$1" || { echo "$1 is gone"; return 1; }; }
ready() { h1 millctl wait kafka/my-cluster --timeout=4m; }
nothing_to_do() { h1 millctl plan kafka my-cluster | contains "Nothing to do"; }

# --- the package by itself

package=$("$MILLRACE_REPOSITORY/packaging/build" --rpm) || bail "the package does not build"
check "the same sources give the same bytes, and an RPM where there is no dpkg" without_dpkg same_bytes rpm
check "rpmlint finds nothing that is not explained" rpmlint_clean
check "it has the files of the DEB" same_files
check "among them SELinux, firewalld, users, directories, presets, bus, catalog, completion" has_all \
        /usr/share/selinux/packages/millrace.pp /usr/lib/firewalld/services/millrace-kafka.xml \
        /usr/lib/sysusers.d/millrace.conf /usr/lib/tmpfiles.d/millrace.conf /usr/lib/systemd/system-preset/90-millrace.preset \
        /usr/share/dbus-1/system.d/org.millrace.Host1.conf /usr/lib/systemd/catalog/millrace.catalog \
        /usr/share/bash-completion/completions/millctl /usr/share/man/man1/millctl.1.gz
check "firewalld services are what firewalld reads" services_are_services
check "the SELinux module has a type for each directory" module_has_contexts
check "a package of a higher version" higher_package

# --- on a host

host up h1 || bail "the host does not boot"
cp "$package" "$(root_of h1)/var/tmp/millrace.rpm"
printf '%s\n' 'ID="rhel"' 'ID_LIKE="fedora"' 'VERSION_ID="9.6"' >"$(root_of h1)/etc/os-release.new"
h1 mv /etc/os-release.new /etc/os-release
# Debian's rpm wants to be told that it is meant.
mkdir "$(root_of h1)/opt/rhel"
printf '#!/bin/sh\nexec /usr/bin/rpm --force-debian "$@"\n' >"$(root_of h1)/opt/rhel/rpm"
h1 chmod +x /opt/rhel/rpm
check "what is needed to build it is named as RHEL names it" is_named_as_there
check "what this host has becomes a package" base_package
give "$scratch/base.rpm"
give "$scratch/higher.rpm"
h1 sh -c 'rm -rf /var/lib/rpm && mkdir /var/lib/rpm && rpmdb --initdb'
check "dependencies that are not there are named" refused_without_base
check "nothing was installed" gone /usr/bin/millraced
check "what is missing to build and run it is found out, and named" lacks_packages
check "what the host has" rpm_there -i --nodeps /var/tmp/base.rpm
check "with it nothing is missing" same "" "$(repository dependencies build run 2>&1)"
check "all dependencies are resolved" rpm_there -i /var/tmp/millrace.rpm
check "its files are as they were packed" rpm_there -V millrace
check "its users are there" h1 sh -c 'getent passwd millrace millrace-fetch kafka zookeeper'
check "its directories are there" h1 sh -c 'stat -c "%a %U" /var/lib/millrace | grep -x "700 millrace" && test -d /etc/millrace/nodes'
check "a first installation starts nothing" same inactive "$(h1 systemctl is-active millraced || true)"
check "it enables nothing" same disabled "$(h1 systemctl is-enabled millraced || true)"
check "no unit has a mistake" h1 systemd-analyze verify /usr/lib/systemd/system/millrace{d,-hostd}.service
check "its messages are explained" h1 sh -c 'journalctl --list-catalog | grep -q "millrace: "'
host_classes h1 >/dev/null 2>&1 # what the cache does not have, quickstart makes
check "quickstart goes on from there" quickstart || bail "there is no cluster"
check "three ZooKeeper nodes and three brokers, and messages over mTLS" contains "reading them back, and comparing" <"$scratch/quickstart"

before=$(node_pids)
daemon=$(daemon_pid)
check "an upgrade" rpm_there -U /var/tmp/higher.rpm
check "the daemon runs" active_daemon
check "it is another one" daemon_is_another "$daemon"
check "the settings are kept" h1 grep -q "^distributions:" /etc/millrace/hostd.yaml
check "it restarts no node" same "$before" "$(node_pids)"
check "the cluster is ready after it" ready
check "nothing is left to do" nothing_to_do
check "still no node has been restarted" same "$before" "$(node_pids)"
check "only settings differ from what was packed" same "/etc/millrace/hostd.yaml" "$(rpm_there -V millrace | sed 's/.* //')"
h1 systemctl stop millraced
check "the version before it, again" rpm_there -U --oldpackage /var/tmp/millrace.rpm
check "a daemon that was stopped is not started by it" same inactive "$(h1 systemctl is-active millraced || true)"
h1 systemctl start millraced

check "removal" rpm_there -e millrace
check "removal stops the daemon" same inactive "$(h1 systemctl is-active millraced || true)"
check "removal leaves nodes alone" same "$before" "$(node_pids)"
check "removal leaves settings that were changed" there /etc/millrace/hostd.yaml.rpmsave
check "removal keeps resources and authorities" there /var/lib/millrace/state.db
check "removal keeps claims" there /var/lib/millrace-data/data-my-cluster-kafka-0/data
check "removal takes the programs" gone /usr/bin/millraced
