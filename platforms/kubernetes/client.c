/* libcurl on sd-event: it tells which sockets it waits for and for how long, and is told what
 * happened to them. */

#include "client-private.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "library.h"
#include "pace.h"
#include "request.h"
#include "str.h"

/* Beside streams. */
#define RUNNING_MAX 8
/* In the long run, and at once. */
#define INTERVAL_USEC (SEC / 50)
#define BURST 100
#define TRIES_MAX 6
#define TOKEN_AGE_USEC (60 * SEC)

/* --- the loop */

static void drain(Client *client);

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Client *client = userdata;
        int what = ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                   ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                   ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
        int running;

        (void) source;
        (void) client->library.multi_act(client->multi, fd, what, &running);
        drain(client);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Client *client = userdata;
        int running;

        (void) source;
        (void) usec;
        (void) client->library.multi_act(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        drain(client);
        return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *known) {
        Client *client = userdata;
        sd_event_source *source = known;
        uint32_t events = (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? EPOLLIN : 0) |
                          (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? EPOLLOUT : 0);

        (void) easy;
        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(source);
                (void) client->library.multi_assign(client->multi, fd, NULL);
                return 0;
        }
        if (source)
                return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
        if (sd_event_add_io(client->event, &source, fd, events, on_io, client) < 0)
                return -1;
        (void) client->library.multi_assign(client->multi, fd, source);
        return 0;
}

static int set_timer(CURLM *multi, long timeout_msec, void *userdata) {
        Client *client = userdata;

        (void) multi;
        if (timeout_msec < 0)
                return sd_event_source_set_enabled(client->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        (void) sd_event_source_set_time(client->timer, pace_now(client->event, CLOCK_MONOTONIC) +
                                                               (uint64_t) timeout_msec * 1000);
        return sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

/* --- who we are */

/* A token that is mounted into a pod is another one every hour. */
static int refresh_token(Client *client, MrError *err) {
        uint64_t now = pace_now(client->event, CLOCK_MONOTONIC);

        if (!client->config->token_file ||
            (client->token.size > 0 && now - client->token_usec < TOKEN_AGE_USEC))
                return 0;
        _cleanup_(mr_buf_wipe) MrBuf fresh = {};
        int r = kubeconfig_read_file(client->config->token_file, &fresh, err);
        if (r < 0)
                return r;
        mr_buf_wipe(&client->token);
        mr_buf_append(&client->token, fresh.data, fresh.size);
        client->token_usec = now;
        return 0;
}

static int make_authority(Client *client, MrError *err) {
        const char *data = client->config->authority_data;

        if (!data)
                return 0;
        client->authority_fd = memfd_create("authority", MFD_CLOEXEC);
        if (client->authority_fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot keep the authority's certificate");
        size_t size = strlen(data);
        if (write(client->authority_fd, data, size) != (ssize_t) size)
                return mr_fail(err, MR_TRANSIENT, NULL, "cannot keep the authority's certificate");
        return 0;
}

static int prepare(Client *client, Request *request, MrError *err) {
        int r = refresh_token(client, err);
        if (r < 0)
                return r;
        request->easy = client->library.easy_init();
        if (!request->easy)
                return mr_fail(err, MR_TRANSIENT, NULL, "libcurl makes no request");
        transfer_prepare(client, request);
        return 0;
}

static int begin(Client *client, Request *request, MrError *err) {
        int r = prepare(client, request, err);
        if (r < 0)
                return r;
        request->tries++;
        client->n_running += !request->found;
        if (client->library.multi_add(client->multi, request->easy) != CURLM_OK)
                return mr_fail(err, MR_TRANSIENT, NULL, "libcurl takes no request");
        return 0;
}

/* Takes it out of libcurl's hands. */
static void end(Client *client, Request *request) {
        if (!request->easy)
                return;
        (void) client->library.multi_remove(client->multi, request->easy);
        client->library.easy_cleanup(TAKE(request->easy));
        transfer_wipe(client, request);
        client->n_running -= !request->found;
}

static void unlink_request(Client *client, Request *request) {
        *(request->before ? &request->before->next : &client->first) = request->next;
        *(request->next ? &request->next->before : &client->last) = request->before;
        request->before = request->next = NULL;
}

static void complete(Client *client, Request *request, int r, const MrError *err, unsigned status,
                     MrTree *answer) {
        ClientDone done = request->done;
        void *userdata = request->userdata;
        bool is_cancelled = request->is_cancelled;

        end(client, request);
        unlink_request(client, request);
        request_free(request);
        if (is_cancelled)
                mr_tree_free(answer);
        else
                done(userdata, r, err, status, answer);
}

static bool may_begin(const Client *client, const Request *request, uint64_t now) {
        return !request->easy && request->not_before_usec <= now &&
               (request->found || client->n_running < RUNNING_MAX);
}

static void wake(Client *client, uint64_t at_usec) {
        (void) sd_event_source_set_time(client->pace, at_usec);
        (void) sd_event_source_set_enabled(client->pace, SD_EVENT_ONESHOT);
}

/* Begins what may begin now, and says when the next may. */
static int on_pace(sd_event_source *source, uint64_t usec, void *userdata) {
        Client *client = userdata;
        uint64_t now = pace_now(client->event, CLOCK_MONOTONIC), later = UINT64_MAX;

        (void) source;
        (void) usec;
        for (Request *request = client->first, *next; request; request = next) {
                _cleanup_error_ MrError err = {};
                next = request->next;
                if (request->is_cancelled) {
                        client_cancel(client, request);
                        continue;
                }
                if (!may_begin(client, request, now)) {
                        if (!request->easy && request->not_before_usec > now &&
                            request->not_before_usec < later)
                                later = request->not_before_usec;
                        continue;
                }
                if (client->paid_usec > now + BURST * INTERVAL_USEC) {
                        later = now + INTERVAL_USEC;
                        break;
                }
                client->paid_usec =
                        (client->paid_usec > now ? client->paid_usec : now) + INTERVAL_USEC;
                int r = begin(client, request, &err);
                if (r < 0) {
                        /* Whoever is told may cancel the next one, so we begin anew. */
                        wake(client, now);
                        complete(client, request, r, &err, 0, NULL);
                        return 0;
                }
        }
        if (later < UINT64_MAX)
                wake(client, later);
        return 0;
}

/* The server has enough, or something on the way to it has: -1, or after how many seconds to try
 * again. */
static long retry_after(const Client *client, const Request *request, unsigned status) {
        curl_off_t asked = 0;

        if ((status != 429 && status != 503) || request->tries >= TRIES_MAX || request->found)
                return -1;
        (void) client->library.easy_get(request->easy, CURLINFO_RETRY_AFTER, &asked);
        return asked > 0 && asked < 60 ? (long) asked : 1L << (request->tries - 1);
}

static void finish(Client *client, Request *request, CURLcode code) {
        _cleanup_error_ MrError err = {};
        MrTree *answer = NULL;
        long status = 0;

        (void) client->library.easy_get(request->easy, CURLINFO_RESPONSE_CODE, &status);
        long later = code == CURLE_OK ? retry_after(client, request, (unsigned) status) : -1;
        if (later >= 0) {
                end(client, request);
                mr_buf_wipe(&request->content);
                request->not_before_usec =
                        pace_now(client->event, CLOCK_MONOTONIC) + (uint64_t) later * SEC;
                wake(client, pace_now(client->event, CLOCK_MONOTONIC));
                return;
        }
        int r = request->stopped;
        if (r < 0)
                mr_error_move(&err, &request->why);
        else if (code != CURLE_OK && !(request->found && code == CURLE_OPERATION_TIMEDOUT))
                r = mr_fail(&err, MR_TRANSIENT, NULL, "the API server %s cannot be reached: %s",
                            client->config->server,
                            *request->trouble ? request->trouble : client->library.easy_text(code));
        else
                r = request_answer(request, (unsigned) status, &answer, &err);
        complete(client, request, r, &err, (unsigned) status, answer);
}

static void drain(Client *client) {
        CURLMsg *message;
        int left;

        while ((message = client->library.multi_read(client->multi, &left))) {
                Request *request = NULL;
                CURLcode code = message->data.result;
                if (message->msg != CURLMSG_DONE ||
                    client->library.easy_get(message->easy_handle, CURLINFO_PRIVATE, &request) !=
                            CURLE_OK)
                        continue;
                finish(client, request, code);
        }
        if (client->first)
                wake(client, pace_now(client->event, CLOCK_MONOTONIC));
}

Request *client_request(Client *client, const RequestArgs *args) {
        Request *request = request_new(args);

        request->client = client;
        request->before = client->last;
        *(client->last ? &client->last->next : &client->first) = request;
        client->last = request;
        wake(client, pace_now(client->event, CLOCK_MONOTONIC));
        return request;
}

void client_request_at_once(Client *client, const RequestArgs *args) {
        Request *request = request_new(args);

        request->client = client;
        if (prepare(client, request, NULL) >= 0) {
                (void) client->library.easy_perform(request->easy);
                client->library.easy_cleanup(TAKE(request->easy));
        }
        transfer_wipe(client, request);
        request_free(request);
}

void client_cancel(Client *client, Request *request) {
        if (!request)
                return;
        if (client->is_inside) {
                request->is_cancelled = true;
                wake(client, pace_now(client->event, CLOCK_MONOTONIC));
                return;
        }
        end(client, request);
        unlink_request(client, request);
        request_free(request);
}

static int make_sources(Client *client, MrError *err) {
        int r = sd_event_add_time(client->event, &client->timer, CLOCK_MONOTONIC, 0, 1, on_timer,
                                  client);

        if (r >= 0)
                r = sd_event_source_set_enabled(client->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(client->event, &client->pace, CLOCK_MONOTONIC, 0, 1, on_pace,
                                      client);
        if (r >= 0)
                r = sd_event_source_set_enabled(client->pace, SD_EVENT_OFF);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot set up the event loop") : 0;
}

static int make_multi(Client *client, MrError *err) {
        const Library *library = &client->library;

        client->multi = library->multi_init();
        if (!client->multi)
                return mr_fail(err, MR_TRANSIENT, NULL, "libcurl cannot be set up");
        (void) library->multi_set(client->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
        (void) library->multi_set(client->multi, CURLMOPT_SOCKETDATA, client);
        (void) library->multi_set(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
        (void) library->multi_set(client->multi, CURLMOPT_TIMERDATA, client);
        return 0;
}

int client_new(sd_event *event, const KubeConfig *config, Client **ret, MrError *err) {
        Client *client = mr_new(Client, 1);

        client->event = sd_event_ref(event);
        client->config = config;
        client->authority_fd = -1;
        int r = library_load(&client->library, err);
        if (r >= 0)
                r = make_sources(client, err);
        if (r >= 0)
                r = make_multi(client, err);
        if (r >= 0)
                r = make_authority(client, err);
        if (r < 0)
                client_free(client);
        else
                *ret = client;
        return r;
}

Client *client_free(Client *client) {
        if (!client)
                return NULL;
        while (client->first)
                client_cancel(client, client->first);
        if (client->multi)
                (void) client->library.multi_cleanup(client->multi);
        sd_event_source_disable_unref(client->timer);
        sd_event_source_disable_unref(client->pace);
        sd_event_unref(client->event);
        if (client->authority_fd >= 0)
                (void) close(client->authority_fd);
        mr_buf_wipe(&client->token);
        free(client);
        return NULL;
}
