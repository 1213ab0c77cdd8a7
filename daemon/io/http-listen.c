/* Listening sockets for the server. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/http-server.h"
#include "sdk/alloc.h"

#define BACKLOG 1024

static void fd_close(int *fd) {
        if (*fd >= 0)
                close(*fd);
}
#define _cleanup_fd_ _cleanup_(fd_close)

static int unix_address(const char *path, struct sockaddr_un *ret, MrError *err) {
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof(ret->sun_path))
                return mr_fail(err, MR_INVALID, NULL,
                               "the path of the socket is longer than %zu bytes; use a shorter one",
                               sizeof(ret->sun_path) - 1);
        memcpy(ret->sun_path, path, strlen(path));
        return 0;
}

/* A socket that nobody answers is a left-over of a killed process. */
static int remove_stale(const char *path, const struct sockaddr_un *address, MrError *err) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0
                                       : mr_fail_errno(err, errno, NULL, "cannot look at %s", path);
        if (!S_ISSOCK(st.st_mode))
                return mr_fail(err, MR_DENIED, NULL, "%s is no socket; move it away", path);

        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, (const struct sockaddr *) address, sizeof(*address)) == 0)
                return mr_fail(err, MR_DENIED, NULL, "another program answers at %s; stop it first",
                               path);
        if (unlink(path) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot remove the old socket %s", path);
        return 0;
}

static int give_to_group(const char *path, const char *group, MrError *err) {
        if (!group)
                return 0;
        const struct group *entry = getgrnam(group);
        if (!entry)
                return mr_fail(err, MR_DENIED, NULL,
                               "there is no group %s; make it with systemd-sysusers", group);
        if (lchown(path, (uid_t) -1, entry->gr_gid) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot give %s to group %s", path, group);
        return 0;
}

int http_listen_unix(const char *path, const char *group, MrError *err) {
        struct sockaddr_un address;

        int r = unix_address(path, &address, err);
        if (r == 0)
                r = remove_stale(path, &address, err);
        if (r < 0)
                return r;

        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make a socket");
        /* Nobody can connect before listen(), so the mode is right in time whatever the umask. */
        if (bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make the socket %s", path);
        if (chmod(path, 0660) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot protect the socket %s", path);
        r = give_to_group(path, group, err);
        if (r < 0)
                return r;
        if (listen(fd, BACKLOG) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot listen at %s", path);
        r = fd;
        fd = -1;
        return r;
}

/* "[::1]:9404" → "::1", "9404" */
static int split_address(const char *address, char **ret_host, char **ret_port, MrError *err) {
        const char *colon = strrchr(address, ':');
        const char *host = address;

        if (!colon || !colon[1])
                return mr_fail(err, MR_INVALID, NULL,
                               "\"%s\" is no address with a port; write for example 127.0.0.1:9404",
                               address);
        size_t n = (size_t) (colon - address);
        if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
                host++;
                n -= 2;
        }
        *ret_host = n > 0 ? mr_strndup(host, n) : NULL;
        *ret_port = mr_strdup(colon + 1);
        return 0;
}

static int listen_at(const struct addrinfo *info, const char *address, MrError *err) {
        const int on = 1;

        _cleanup_fd_ int fd =
                socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make a socket");
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot listen at %s", address);
        int r = fd;
        fd = -1;
        return r;
}

int http_listen_tcp(const char *address, MrError *err) {
        _cleanup_free_ char *host = NULL, *port = NULL;
        const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                       .ai_socktype = SOCK_STREAM,
                                       .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
        struct addrinfo *info = NULL;

        int r = split_address(address, &host, &port, err);
        if (r < 0)
                return r;
        r = getaddrinfo(host, port, &hints, &info);
        if (r != 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "\"%s\" is no numeric address with a port (%s)", address,
                               gai_strerror(r));
        r = listen_at(info, address, err);
        freeaddrinfo(info);
        return r;
}
