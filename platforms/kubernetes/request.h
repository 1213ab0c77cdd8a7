#pragma once

/* One request of a client: what goes out, what came back, and what the answer means. */

#include "client.h"
#include "library.h"

struct Request {
        Client *client;
        Request *before, *next;
        CURL *easy; /* NULL while it waits for its turn */
        struct curl_slist *headers;
        char trouble[CURL_ERROR_SIZE];
        char *method, *path, *type, *body, *what;
        bool is_secret;
        bool is_cancelled; /* from within a callback of libcurl, which takes no calls then */
        unsigned timeout_sec;
        unsigned tries;
        uint64_t not_before_usec;
        void (*begun)(void *userdata);
        LineFound found; /* NULL: no stream */
        ClientDone done;
        void *userdata;
        MrBuf content; /* of the answer, unless it is a stream */
        Lines lines;
        int stopped; /* why we do not want to hear the rest */
        MrError why;
};

Request *request_new(const RequestArgs *args);
Request *request_free(Request *request); /* what libcurl has is gone already */
/* A piece of the answer; negative: no more of it is wanted. */
int request_take(Request *request, unsigned status, const void *data, size_t size) _must_check_;
/* What the whole answer says. */
int request_answer(const Request *request, unsigned status, MrTree **ret,
                   MrError *err) _must_check_;
