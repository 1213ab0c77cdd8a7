/* Four-letter words (ZooKeeper administrator's guide, "The Four Letter Words"). */

#include "four-letter.h"

#include <string.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

/* "srvr" answers with a dozen lines. */
#define ANSWER_MAX (64U * 1024)

typedef struct Asking {
        FourLetterView *view; /* weak */
        char *node;
        Stream *stream;
        MrBuf answer;
} Asking;

struct FourLetterView {
        Asking *askings;
        size_t n, n_open;
        MrTree *result;
        FourLetterSeen seen;
        void *userdata;
};

static char *value_of(const char *text, const char *label) {
        for (const char *line = text; line && *line;) {
                size_t n = strcspn(line, "\n");
                if (strncmp(line, label, strlen(label)) == 0) {
                        const char *value = line + strlen(label);
                        value += strspn(value, " ");
                        return mr_strndup(value, n - (size_t) (value - line));
                }
                line += n + (line[n] == '\n');
        }
        return NULL;
}

MrTree *four_letter_parse(const char *text) {
        MrTree *member = mr_tree_new_map();
        _cleanup_free_ char *mode = value_of(text, "Mode:"),
                            *version = value_of(text, "Zookeeper version:");
        _cleanup_free_ char *zxid = value_of(text, "Zxid:"),
                            *outstanding = value_of(text, "Outstanding:");
        int64_t n_outstanding;

        if (mode)
                mr_tree_set_string(member, "state", mode);
        else if (strstr(text, "not currently serving requests"))
                mr_tree_set_string(member, "state", "looking");
        else if (strstr(text, "not in the whitelist"))
                mr_tree_set_string(member, "error",
                                   "the word srvr is not in 4lw.commands.whitelist; add it");
        else
                mr_tree_set_string(member, "error", "the answer makes no sense");
        mr_tree_set_string(member, "version", version);
        mr_tree_set_string(member, "zxid", zxid);
        if (outstanding && mr_parse_int(outstanding, &n_outstanding) == 0)
                mr_tree_set_int(member, "outstanding", n_outstanding);
        return member;
}

static void finish(Asking *asking, MrTree *take_member) {
        FourLetterView *view = asking->view;

        asking->stream = stream_free(asking->stream);
        mr_tree_set(mr_tree_need_map(view->result, "members"), asking->node, take_member);
        if (--view->n_open > 0)
                return;
        view->seen(view->userdata, TAKE(view->result));
}

static void received(Stream *stream, const void *data, size_t size, void *userdata) {
        Asking *asking = userdata;

        (void) stream;
        if (asking->answer.size + size <= ANSWER_MAX)
                mr_buf_append(&asking->answer, data, size);
}

static void closed(Stream *stream, const MrError *err, void *userdata) {
        Asking *asking = userdata;
        MrTree *member;

        (void) stream;
        /* Whoever has said everything may hang up as rudely as he likes. */
        if (asking->answer.size > 0 || !err)
                member = four_letter_parse(mr_buf_text(&asking->answer));
        else {
                member = mr_tree_new_map();
                mr_tree_set_string(member, "error", err->message);
        }
        finish(asking, member);
}

static const StreamOps stream_ops = {
        .received = received,
        .closed = closed,
};

static int ask(sd_event *event, const FourLetterMember *member, TlsClient *tls,
               uint64_t timeout_usec, Asking *asking, MrError *err) {
        StreamArgs args = {
                .host = member->host,
                .server_name = member->server_name,
                .port = member->port,
                .tls = tls,
                .timeout_usec = timeout_usec,
                .ops = &stream_ops,
                .userdata = asking,
        };

        int r = stream_new(event, &args, &asking->stream, err);
        if (r >= 0)
                stream_write(asking->stream, "srvr", 4);
        return r;
}

int four_letter_view_new(sd_event *event, const FourLetterMember *members, size_t n, TlsClient *tls,
                         uint64_t timeout_usec, FourLetterSeen seen, void *userdata,
                         FourLetterView **ret, MrError *err) {
        if (n == 0)
                return mr_fail(err, MR_INVALID, NULL, "there is no member to ask");
        FourLetterView *view = mr_new(FourLetterView, 1);

        view->askings = mr_new(Asking, n);
        view->n = view->n_open = n;
        view->result = mr_tree_new_map();
        view->seen = seen;
        view->userdata = userdata;
        for (size_t i = 0; i < n; i++) {
                view->askings[i].view = view;
                view->askings[i].node = mr_strdup(members[i].node);
                int r = ask(event, &members[i], tls, timeout_usec, &view->askings[i], err);
                if (r < 0) {
                        four_letter_view_free(view);
                        return r;
                }
        }
        *ret = view;
        return 0;
}

FourLetterView *four_letter_view_free(FourLetterView *view) {
        if (!view)
                return NULL;
        for (size_t i = 0; i < view->n; i++) {
                stream_free(view->askings[i].stream);
                mr_buf_done(&view->askings[i].answer);
                free(view->askings[i].node);
        }
        free(view->askings);
        mr_tree_free(view->result);
        free(view);
        return NULL;
}
