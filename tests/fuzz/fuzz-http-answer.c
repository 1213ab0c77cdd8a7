/* What our HTTP client makes of an answer: in however many pieces it comes, the same head,
 * warnings, body and lines come out, or the same refusal. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/io/http-client.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES_MAX 64U /* a socket keeps so many */

/* All that a caller can see of an answer. */
typedef struct Seen {
        int head, body; /* results */
        unsigned status;
        MrBuf text;
} Seen;

static void require(bool condition) {
        if (!condition)
                abort();
}

/* One message for each piece, so that each is received by itself; then the end. */
static HttpClient *connected(const uint8_t *data, size_t size, size_t step) {
        HttpClient *client = mr_new(HttpClient, 1);
        int fds[2];

        require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
        for (size_t at = 0; at < size; at += step) {
                size_t n = size - at < step ? size - at : step;
                require(send(fds[1], data + at, n, MSG_DONTWAIT) == (ssize_t) n);
        }
        close(fds[1]);
        client->fd = fds[0];
        return client;
}

static void see_lines(HttpClient *client, Seen *seen) {
        char *line;

        while ((seen->body = http_client_read_line(client, 0, &line, NULL)) == 1) {
                mr_buf_puts(&seen->text, line);
                mr_buf_putc(&seen->text, '\n');
                free(line);
        }
}

static Seen see(const uint8_t *data, size_t size, size_t step, bool as_lines) {
        _cleanup_(http_client_freep) HttpClient *client = connected(data, size, step);
        Seen seen = {.head = client_receive_head(client, now_usec() + 1000000, NULL)};
        const char *warning;

        if (seen.head < 0)
                return seen;
        seen.status = http_client_status(client);
        require(seen.status >= 200 && seen.status <= 999);
        for (size_t i = 0; (warning = http_client_warning(client, i)); i++)
                mr_buf_printf(&seen.text, "warning: %s\n", warning);
        if (as_lines)
                see_lines(client, &seen);
        else
                seen.body = http_client_read(client, &seen.text, NULL);
        require(client->body.size <= size);
        return seen;
}

static bool is_same(const Seen *a, const Seen *b) {
        return a->head == b->head && a->body == b->body && a->status == b->status &&
               a->text.size == b->text.size &&
               (a->text.size == 0 || memcmp(a->text.data, b->text.data, a->text.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const size_t pieces[] = {2, 7, PIECES_MAX};

        /* What is received at once is one message, too. */
        if (size == 0 || size > 16384)
                return 0;
        for (int as_lines = 0; as_lines < 2; as_lines++) {
                Seen whole = see(data, size, size, as_lines);
                for (size_t i = 0; i < MR_ELEMENTS(pieces); i++) {
                        Seen cut = see(data, size, size / pieces[i] + 1, as_lines);
                        require(is_same(&cut, &whole));
                        mr_buf_done(&cut.text);
                }
                mr_buf_done(&whole.text);
        }
        return 0;
}
