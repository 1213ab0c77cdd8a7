/* HTTP/1.1 over a UNIX socket. What comes from the socket is capped: it may not be our daemon that
 * answers. */

#include "io/http-client.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define HEAD_MAX (64U * 1024)
#define BODY_MAX (256U * 1024 * 1024)
#define TIMEOUT_MSEC 30000
#define WARNINGS_MAX 64U
#define INTERIM_MAX 16U

typedef enum Chunk {
        CHUNK_SIZE,
        CHUNK_DATA,
        CHUNK_END,
        CHUNK_LAST,
} Chunk;

struct HttpClient {
        int fd;
        MrBuf raw;  /* received, not yet decoded */
        MrBuf body; /* decoded, not yet given out */
        bool is_chunked;
        Chunk chunk;   /* what comes next */
        bool is_ended; /* nothing more will be decoded */
        int64_t left;  /* of the body or of the chunk; -1: until the connection ends */
        unsigned status;
        char *warnings[WARNINGS_MAX];
        size_t n_warnings;
};

HttpClient *http_client_free(HttpClient *client) {
        if (!client)
                return NULL;
        if (client->fd >= 0)
                close(client->fd);
        mr_buf_wipe(&client->raw);
        mr_buf_wipe(&client->body);
        for (size_t i = 0; i < client->n_warnings; i++)
                free(client->warnings[i]);
        free(client);
        return NULL;
}

unsigned http_client_status(const HttpClient *client) {
        return client->status;
}

int http_client_fd(const HttpClient *client) {
        return client->fd;
}

const char *http_client_warning(const HttpClient *client, size_t i) {
        return i < client->n_warnings ? client->warnings[i] : NULL;
}

void http_encode(const char *text, MrBuf *out) {
        for (; *text; text++) {
                if (isalnum((unsigned char) *text) || strchr("-._~", *text))
                        mr_buf_putc(out, *text);
                else
                        mr_buf_printf(out, "%%%02X", (unsigned) (unsigned char) *text);
        }
}

static int fail_connect(const char *path, int errnum, MrError *err) {
        if (errnum == ENOENT || errnum == ECONNREFUSED) {
                (void) mr_fail(
                        err, MR_TRANSIENT, NULL,
                        "cannot reach millraced at %s; is it running? systemctl status millraced",
                        path);
                return -ECONNREFUSED;
        }
        if (errnum == EACCES || errnum == EPERM)
                return mr_fail(err, MR_DENIED, NULL,
                               "you may not use %s; run as root, or add yourself to group millrace "
                               "and log in again",
                               path);
        return mr_fail_errno(err, errnum, NULL, "cannot connect to %s", path);
}

static int client_connect(HttpClient *client, const char *path, MrError *err) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (strlen(path) >= sizeof(address.sun_path))
                return mr_fail(err, MR_INVALID, NULL,
                               "the path of the socket is too long; use a shorter one");
        memcpy(address.sun_path, path, strlen(path));
        client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client->fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make a socket");
        if (connect(client->fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return fail_connect(path, errno, err);
        return 0;
}

/* 1 ready, 0 too late. The deadline is of the monotonic clock; 0: none. */
static int client_wait(const HttpClient *client, short events, uint64_t deadline, MrError *err) {
        struct pollfd pfd = {.fd = client->fd, .events = events};

        for (;;) {
                uint64_t now = now_usec();
                int msec = deadline == 0     ? -1
                           : deadline <= now ? 0
                                             : (int) ((deadline - now + 999) / 1000);
                int r = poll(&pfd, 1, msec);

                if (r < 0 && errno == EINTR)
                        continue;
                return r < 0 ? mr_fail_errno(err, errno, NULL, "cannot wait for the answer") : r;
        }
}

static int fail_late(MrError *err) {
        (void) mr_fail(err, MR_TRANSIENT, NULL,
                       "millraced does not answer; see journalctl -u millraced");
        return -ETIMEDOUT;
}

static int client_send(HttpClient *client, const MrBuf *request, uint64_t deadline, MrError *err) {
        for (size_t sent = 0; sent < request->size;) {
                int r = client_wait(client, POLLOUT, deadline, err);
                if (r <= 0)
                        return r < 0 ? r : fail_late(err);
                ssize_t n = send(client->fd, request->data + sent, request->size - sent,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n > 0)
                        sent += (size_t) n;
                else if (errno == EPIPE || errno == ECONNRESET)
                        return 0; /* Refused early: the answer says why. */
                else if (errno != EAGAIN && errno != EINTR)
                        return mr_fail_errno(err, errno, NULL, "cannot send the request");
        }
        return 0;
}

/* 1 something came, 0 too late, -ENODATA (without an error set) at the end of the connection. */
static int client_receive(HttpClient *client, uint64_t deadline, MrError *err) {
        char chunk[16384];

        int r = client_wait(client, POLLIN, deadline, err);
        if (r <= 0)
                return r;
        ssize_t n = recv(client->fd, chunk, sizeof(chunk), 0);
        if (n < 0 && errno != ECONNRESET)
                return mr_fail_errno(err, errno, NULL, "cannot read the answer");
        if (n <= 0)
                return -ENODATA;
        mr_buf_append(&client->raw, chunk, (size_t) n);
        return 1;
}

static int fail_gone(MrError *err) {
        return mr_fail(err, MR_TRANSIENT, NULL,
                       "millraced ended before it answered, so this may be done or not; look, and "
                       "try again");
}

static int fail_answer(MrError *err) {
        return mr_fail(err, MR_TRANSIENT, NULL,
                       "the answer is no HTTP; is it millraced that listens at the socket?");
}

static const char *header_value(const char *line, const char *name) {
        size_t n = strlen(name);

        if (strncasecmp(line, name, n) != 0 || line[n] != ':')
                return NULL;
        return line + n + 1 + strspn(line + n + 1, " \t");
}

static int read_header(HttpClient *client, const char *line, MrError *err) {
        const char *value;

        if ((value = header_value(line, "Transfer-Encoding"))) {
                client->is_chunked = strcasecmp(value, "chunked") == 0;
                client->left = 0;
        } else if ((value = header_value(line, "Content-Length")) && !client->is_chunked) {
                if (mr_parse_int(value, &client->left) < 0 || client->left < 0 ||
                    client->left > BODY_MAX)
                        return fail_answer(err);
        } else if ((value = header_value(line, "Warning")) && client->n_warnings < WARNINGS_MAX) {
                const char *quote = strchr(value, '"');
                client->warnings[client->n_warnings++] =
                        quote ? mr_strndup(quote + 1, strcspn(quote + 1, "\"")) : mr_strdup(value);
        }
        return 0;
}

static int read_head(HttpClient *client, char *head, MrError *err) {
        int64_t status;

        if (!mr_starts_with(head, "HTTP/1.1 ") || strlen(head) < 12)
                return fail_answer(err);
        _cleanup_free_ char *code = mr_strndup(head + 9, 3);
        if (mr_parse_int(code, &status) < 0 || status < 100)
                return fail_answer(err);
        client->status = (unsigned) status;
        client->left = -1;
        client->is_chunked = false;
        for (char *end; (end = strstr(head, "\r\n"));) {
                *end = '\0';
                int r = read_header(client, head, err);
                if (r < 0)
                        return r;
                head = end + 2;
        }
        client->is_ended = !client->is_chunked && client->left == 0;
        return 0;
}

static int receive_one_head(HttpClient *client, uint64_t deadline, MrError *err) {
        const char *end;

        while (!(end = strstr(mr_buf_text(&client->raw), "\r\n\r\n"))) {
                if (client->raw.size > HEAD_MAX)
                        return fail_answer(err);
                int r = client_receive(client, deadline, err);
                if (r == 0)
                        return fail_late(err);
                if (r == -ENODATA)
                        return client->raw.size > 0 ? fail_answer(err) : fail_gone(err);
                if (r < 0)
                        return r;
        }
        size_t size = (size_t) (end - client->raw.data) + 2;
        _cleanup_free_ char *head = mr_strndup(client->raw.data, size);
        mr_buf_drop(&client->raw, size + 2);
        return read_head(client, head, err);
}

/* "100 Continue" and its like come before the answer. */
static int client_receive_head(HttpClient *client, uint64_t deadline, MrError *err) {
        for (unsigned i = 0; i < INTERIM_MAX; i++) {
                int r = receive_one_head(client, deadline, err);
                if (r < 0 || client->status >= 200)
                        return r;
        }
        return fail_answer(err);
}

int http_client_open(const char *socket_path, const HttpCall *call, HttpClient **ret,
                     MrError *err) {
        _cleanup_(http_client_freep) HttpClient *client = mr_new(HttpClient, 1);
        _cleanup_(mr_buf_wipe) MrBuf request = {};
        uint64_t deadline =
                now_usec() +
                (uint64_t) (call->timeout_msec > 0 ? call->timeout_msec : TIMEOUT_MSEC) * 1000;

        client->fd = -1;
        mr_buf_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                      call->method, call->target);
        if (call->content_type)
                mr_buf_printf(&request, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                              call->content_type, call->body_size);
        mr_buf_puts(&request, "\r\n");
        if (call->content_type)
                mr_buf_append(&request, call->body, call->body_size);

        int r = client_connect(client, socket_path, err);
        if (r == 0)
                r = client_send(client, &request, deadline, err);
        if (r == 0)
                r = client_receive_head(client, deadline, err);
        if (r < 0)
                return r;
        *ret = TAKE(client);
        return 0;
}

static void move_bytes(HttpClient *client, size_t n) {
        if (n == 0)
                return;
        mr_buf_append(&client->body, client->raw.data, n);
        mr_buf_drop(&client->raw, n);
        if (client->left > 0)
                client->left -= (int64_t) n;
}

/* "1a3;extension\r\n" → the size; 0 when the line is not complete, negative when it is none. */
static int64_t chunk_size(HttpClient *client, bool *ret_is_complete) {
        int64_t size = 0;
        size_t i = 0;

        *ret_is_complete = false;
        const char *text = mr_buf_text(&client->raw);
        const char *end = strstr(text, "\r\n");
        if (!end)
                return client->raw.size > 1024 ? -1 : 0;
        for (; isxdigit((unsigned char) text[i]); i++) {
                int c = tolower((unsigned char) text[i]);
                size = size * 16 + (isdigit(c) ? c - '0' : c - 'a' + 10);
                if (size > BODY_MAX)
                        return -1;
        }
        if (i == 0)
                return -1;
        mr_buf_drop(&client->raw, (size_t) (end - text) + 2);
        *ret_is_complete = true;
        return size;
}

/* One step through size, data, end of line, size …: 1 when another may follow, 0 when more bytes
 * are needed. */
static int decode_chunk(HttpClient *client, MrError *err) {
        bool is_complete;

        switch (client->chunk) {
        case CHUNK_SIZE:
                client->left = chunk_size(client, &is_complete);
                if (client->left < 0)
                        return fail_answer(err);
                if (is_complete)
                        client->chunk = client->left > 0 ? CHUNK_DATA : CHUNK_LAST;
                return is_complete;
        case CHUNK_DATA:
                if (client->raw.size == 0)
                        return 0;
                move_bytes(client, client->raw.size < (size_t) client->left
                                           ? client->raw.size
                                           : (size_t) client->left);
                if (client->left == 0)
                        client->chunk = CHUNK_END;
                return 1;
        case CHUNK_END:
                if (client->raw.size < 2)
                        return 0;
                if (memcmp(client->raw.data, "\r\n", 2) != 0)
                        return fail_answer(err);
                mr_buf_drop(&client->raw, 2);
                client->chunk = CHUNK_SIZE;
                return 1;
        default:
                client->is_ended = true;
                return 0;
        }
}

static int client_decode(HttpClient *client, MrError *err) {
        if (client->is_chunked) {
                int r;
                while ((r = decode_chunk(client, err)) == 1)
                        ;
                return r;
        }
        if (client->left < 0) {
                move_bytes(client, client->raw.size);
                return 0;
        }
        move_bytes(client, client->raw.size < (size_t) client->left ? client->raw.size
                                                                    : (size_t) client->left);
        client->is_ended = client->left == 0;
        return 0;
}

/* 1 when more of the body is there, 0 too late, -ENODATA at its end. What came before something
 * wrong is given out first, also when both came at once. */
static int client_more(HttpClient *client, uint64_t deadline, MrError *err) {
        size_t before = client->body.size;

        for (;;) {
                _cleanup_error_ MrError own = MR_ERROR_INIT;
                int r = client_decode(client, &own);
                if (client->body.size > before)
                        return 1;
                if (r < 0) {
                        mr_error_move(err, &own);
                        return r;
                }
                if (client->is_ended)
                        return -ENODATA;
                r = client_receive(client, deadline, err);
                if (r == -ENODATA)
                        client->is_ended = true;
                if (r <= 0)
                        return r;
        }
}

int http_client_read(HttpClient *client, MrBuf *out, MrError *err) {
        uint64_t deadline = now_usec() + (uint64_t) TIMEOUT_MSEC * 1000;
        int r;

        while ((r = client_more(client, deadline, err)) == 1)
                if (client->body.size > BODY_MAX)
                        return fail_answer(err);
        if (r == 0)
                return fail_late(err);
        if (r != -ENODATA)
                return r;
        if (client->is_chunked ? client->chunk != CHUNK_LAST : client->left > 0)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the answer of millraced broke off; try again");
        mr_buf_append(out, mr_buf_text(&client->body), client->body.size);
        return 0;
}

int http_client_read_line(HttpClient *client, int64_t timeout_msec, char **ret, MrError *err) {
        uint64_t deadline = timeout_msec < 0 ? 0 : now_usec() + (uint64_t) timeout_msec * 1000;
        const char *end;

        while (!(end = memchr(mr_buf_text(&client->body), '\n', client->body.size))) {
                int r = client_more(client, deadline, err);
                if (r <= 0)
                        return r;
                if (client->body.size > BODY_MAX)
                        return fail_answer(err);
        }
        size_t n = (size_t) (end - client->body.data);
        *ret = mr_strndup(client->body.data, n);
        mr_buf_drop(&client->body, n + 1);
        return 1;
}
