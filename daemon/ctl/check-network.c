/* Names, ports, the firewall and the clock. */

#include <dirent.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include "ctl/check.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static const struct {
        unsigned port;
        const char *use;
} ports[] = {
        {2181, "ZooKeeper's clients"},   {2888, "ZooKeeper's quorum"},
        {3888, "ZooKeeper's elections"}, {9090, "KRaft's controllers"},
        {9091, "Kafka's replication"},   {9092, "Kafka's clients"},
        {9093, "Kafka's TLS clients"},   {9094, "Kafka's external clients"},
};

/* "  0: 00000000:2384 00000000:0000 0A …": is some process listening at the port? */
static bool is_listening(const char *table, unsigned port) {
        for (const char *line = table; line && *line;
             line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                const char *colon = strchr(line, ':'),
                           *second = colon ? strchr(colon + 1, ':') : NULL;
                const char *end = strchr(line, '\n');
                if (!second || (end && second > end))
                        continue;
                char *after = NULL;
                unsigned long local = strtoul(second + 1, &after, 16);
                const char *state = after + strspn(after, " ");
                state += strcspn(state, " ");
                state += strspn(state, " ");
                if (local == port && mr_starts_with(state, "0A"))
                        return true;
        }
        return false;
}

/* Who listens cannot be known without root; on a host that has nodes it is most likely they. */
static bool has_nodes(const Check *check) {
        _cleanup_free_ char *path = mr_strf("%s/etc/millrace/nodes", check->root);
        DIR *dir = opendir(path);
        bool found = false;

        for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
                found = entry->d_name[0] != '.';
        if (dir)
                closedir(dir);
        return found;
}

static void check_ports(Check *check) {
        _cleanup_free_ char *four = check_read(check, "/proc/net/tcp"),
                            *six = check_read(check, "/proc/net/tcp6");
        _cleanup_buf_ MrBuf taken = {};

        for (size_t i = 0; i < MR_ELEMENTS(ports); i++)
                if (is_listening(four, ports[i].port) || is_listening(six, ports[i].port))
                        mr_buf_printf(&taken, "%s%u (%s)", taken.size > 0 ? ", " : "",
                                      ports[i].port, ports[i].use);
        if (!four && !six)
                check_add(check, CHECK_WARN, "see whether /proc is mounted",
                          "which ports are taken cannot be read");
        else if (taken.size == 0)
                check_add(check, CHECK_OK, NULL,
                          "the standard ports of Kafka and ZooKeeper are free");
        else
                check_add(check, has_nodes(check) ? CHECK_OK : CHECK_WARN,
                          "another program listens there; stop it, or nodes get other ports: ss "
                          "-ltnp",
                          "ports are taken: %s", mr_buf_text(&taken));
}

static bool is_loopback(const struct sockaddr *address) {
        char text[NI_MAXHOST];

        return getnameinfo(address, address->sa_family == AF_INET ? 16 : 28, text, sizeof(text),
                           NULL, 0, NI_NUMERICHOST) == 0 &&
               (mr_starts_with(text, "127.") || mr_streq(text, "::1"));
}

/* Certificates and advertised listeners carry the host's name, so clients elsewhere must be able to
 * resolve it. */
static void check_names(Check *check) {
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *info = NULL;
        const char *advertised = mr_tree_get_string(check->config, "address");
        char own[256] = {}, back[NI_MAXHOST] = {};

        if (*check->root) /* Names are not a matter of files. */
                return;
        (void) gethostname(own, sizeof(own) - 1);
        const char *name = advertised ? advertised : own;
        if (getaddrinfo(name, NULL, &hints, &info) != 0)
                return check_add(check, CHECK_WARN,
                                 "put it into DNS or /etc/hosts, here and on every client",
                                 "the host's name %s has no address", name);
        bool loops = is_loopback(info->ai_addr);
        bool has_name = getnameinfo(info->ai_addr, info->ai_addrlen, back, sizeof(back), NULL, 0,
                                    NI_NAMEREQD) == 0;
        freeaddrinfo(info);
        if (loops)
                return check_add(check, CHECK_WARN,
                                 "clients on other hosts cannot reach it; give the name an address "
                                 "of the network",
                                 "the host's name %s leads to the loopback address", name);
        check_add(check, has_name ? CHECK_OK : CHECK_WARN,
                  "add the reverse record, or entries in /etc/hosts",
                  has_name ? "the host's name %s has an address, and that a name"
                           : "the address of %s has no name",
                  name);
}

static bool is_running(const Check *check, const char *comm) {
        _cleanup_free_ char *proc = mr_strf("%s/proc", check->root);
        DIR *dir = opendir(proc);
        bool found = false;

        for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
                int64_t pid;
                if (mr_parse_int(entry->d_name, &pid) < 0)
                        continue;
                _cleanup_free_ char *path = mr_strf("/proc/%s/comm", entry->d_name),
                                    *text = check_read(check, path);
                found = mr_streq(text, comm);
        }
        if (dir)
                closedir(dir);
        return found;
}

/* "DefaultZone=public" */
static char *default_zone(const Check *check) {
        _cleanup_free_ char *text = check_read(check, "/etc/firewalld/firewalld.conf");
        const char *at = text ? strstr(text, "\nDefaultZone=") : NULL;

        if (!at)
                return mr_strdup("public");
        at += strlen("\nDefaultZone=");
        return mr_strndup(at, strcspn(at, " \t\r\n"));
}

/* What is open for good is in a file, which only root may read. */
static void check_firewall(Check *check) {
        static const char *const open[] = {"\"millrace-kafka\"", "\"9092\"", "\"9092-9094\"",
                                           "target=\"ACCEPT\""};
        _cleanup_free_ char *zone = default_zone(check);
        _cleanup_free_ char *path = mr_strf("/etc/firewalld/zones/%s.xml", zone);
        _cleanup_free_ char *text = check_read(check, path);
        bool is_open = false;

        if (!is_running(check, "firewalld"))
                return check_add(check, CHECK_OK, NULL, "no firewalld is running");
        for (size_t i = 0; text && i < MR_ELEMENTS(open); i++)
                is_open = is_open || strstr(text, open[i]);
        check_add(check, is_open ? CHECK_OK : CHECK_WARN,
                  "firewall-cmd --permanent --add-service=millrace-kafka, then firewall-cmd "
                  "--reload; millrace-kafka-internal and millrace-zookeeper for other hosts",
                  "firewalld's zone %s %s", zone,
                  is_open ? "lets clients of Kafka in"
                  : text  ? "does not let clients of Kafka in"
                          : "cannot be read, or has nothing of Kafka's open");
}

void check_network(Check *check) {
        check_names(check);
        check_ports(check);
        check_firewall(check);
}

void check_clock(Check *check) {
        struct timex timex = {};

        if (*check->root) /* Nor is the clock. */
                return;
        int state = adjtimex(&timex);
        check_add(check,
                  state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC) ? CHECK_OK
                                                                                    : CHECK_WARN,
                  "certificates and logs need the right time; run chrony or systemd-timesyncd",
                  "the clock is %ssynchronized",
                  state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC) ? "" : "not ");
}
