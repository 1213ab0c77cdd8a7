/* Which ports are bound, and by whom. A socket belongs to a process when one of its descriptors
 * shows the socket's inode; where descriptors cannot be read, the port alone decides. */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launch.h"

#define TCP_LISTEN_STATE 0x0AU

static void file_close(FILE **file) {
        if (*file)
                (void) fclose(*file);
}

static void directory_close(DIR **directory) {
        if (*directory)
                (void) closedir(*directory);
}

static uint16_t port_number(const char *text) {
        return (uint16_t) strtoul(text, NULL, 10);
}

/* The n-th column of a line that has blanks between columns, from 0. */
static const char *column(const char *line, unsigned n) {
        for (;; n--) {
                while (isspace((unsigned char) *line))
                        line++;
                if (n == 0)
                        return line;
                while (*line && !isspace((unsigned char) *line))
                        line++;
        }
}

/* "  0: 00000000:2383 00000000:0000 0A 00000000:00000000 00:00000000 00000000  998 0 41234 …" */
bool port_line_parse(const char *line, uint16_t *ret_port, uint64_t *ret_inode) {
        const char *local = column(line, 1);
        const char *colon = strchr(local, ':');

        if (!colon || colon > local + strcspn(local, " "))
                return false;
        if (strtoul(column(line, 3), NULL, 16) != TCP_LISTEN_STATE)
                return false;
        *ret_port = (uint16_t) strtoul(colon + 1, NULL, 16);
        *ret_inode = strtoull(column(line, 9), NULL, 10);
        return true;
}

/* The sockets that listen on a port, at most as many as fit: one per address. */
typedef struct Inodes {
        uint64_t items[32];
        size_t n;
} Inodes;

static void inodes_collect(const char *table, uint16_t port, Inodes *inodes) {
        _cleanup_(file_close) FILE *file = fopen(table, "re");
        _cleanup_(text_free) char *line = NULL;
        size_t allocated = 0;

        while (file && inodes->n < MR_ELEMENTS(inodes->items) &&
               getline(&line, &allocated, file) >= 0) {
                uint64_t inode;
                uint16_t found;

                if (port_line_parse(line, &found, &inode) && found == port)
                        inodes->items[inodes->n++] = inode;
        }
}

static bool inodes_hold(const Inodes *inodes, uint64_t inode) {
        for (size_t i = 0; i < inodes->n; i++)
                if (inodes->items[i] == inode)
                        return true;
        return false;
}

static bool descriptor_is_one_of(int directory, const char *name, const Inodes *inodes) {
        char target[64];
        ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);

        if (n <= 0)
                return false;
        target[n] = '\0';
        return strncmp(target, "socket:[", 8) == 0 &&
               inodes_hold(inodes, strtoull(target + 8, NULL, 10));
}

static bool process_holds(pid_t pid, const Inodes *inodes) {
        _cleanup_(text_free) char *path = text_format("/proc/%d/fd", (int) pid);
        _cleanup_(directory_close) DIR *directory = opendir(path);

        if (!directory)
                return errno == EACCES || errno == EPERM;
        for (const struct dirent *entry; (entry = readdir(directory));)
                if (descriptor_is_one_of(dirfd(directory), entry->d_name, inodes))
                        return true;
        return false;
}

/* Binding as java does: to every address, over IPv6 when the host has it. SO_REUSEADDR lets
 * connections that a former run left in TIME_WAIT pass, but nobody who still listens. */
static int port_try(int family, const struct sockaddr *address, socklen_t size) {
        _cleanup_(fd_close) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int one = 1, zero = 0;

        if (fd < 0)
                return errno == EAFNOSUPPORT ? 0 : -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (family == AF_INET6)
                (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
        return bind(fd, address, size) < 0 ? -errno : 0;
}

/* 0: nobody listens; -EADDRINUSE: somebody does; anything else: why that cannot be told. It asks
 * the kernel for the port instead of reading its tables: that walks over every connection of the
 * machine, and took more of the processor than the JVMs that were waited for. */
static int port_ask(uint16_t port) {
        struct sockaddr_in6 any6 = {
                .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT, .sin6_port = htons(port)};
        struct sockaddr_in any4 = {
                .sin_family = AF_INET, .sin_addr = {htonl(INADDR_ANY)}, .sin_port = htons(port)};

        int r = port_try(AF_INET6, (const struct sockaddr *) &any6, sizeof(any6));
        return r < 0 ? r : port_try(AF_INET, (const struct sockaddr *) &any4, sizeof(any4));
}

const char *ports_waiting(const Launch *launch, pid_t pid) {
        for (size_t i = 0; i < launch->ready.n; i++)
                if (port_ask(port_number(launch->ready.items[i])) == 0)
                        return launch->ready.items[i];
        for (size_t i = 0; i < launch->ready.n; i++) {
                uint16_t port = port_number(launch->ready.items[i]);
                Inodes inodes = {};

                inodes_collect("/proc/self/net/tcp", port, &inodes);
                inodes_collect("/proc/self/net/tcp6", port, &inodes);
                if (inodes.n == 0 || !process_holds(pid, &inodes))
                        return launch->ready.items[i];
        }
        return NULL;
}

int ports_check_free(const Launch *launch, Failure *failure) {
        for (size_t i = 0; i < launch->ready.n; i++)
                if (port_ask(port_number(launch->ready.items[i])) == -EADDRINUSE)
                        return failure_set(failure, LAUNCH_PORT_TAKEN,
                                           "port %s is taken by another process; find it with: ss "
                                           "-ltnp 'sport = :%s', then stop it or give "
                                           "the listener another port",
                                           launch->ready.items[i], launch->ready.items[i]);
        return 0;
}
