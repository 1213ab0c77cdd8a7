#pragma once

/* What client.c and transfer.c share. */

#include "client.h"
#include "library.h"
#include "request.h"

struct Client {
        sd_event *event;
        Library library;
        CURLM *multi;
        sd_event_source *timer; /* libcurl's */
        sd_event_source *pace;  /* when another request may begin */
        const KubeConfig *config;
        int authority_fd; /* its certificates, where they come as data; -1: none */
        MrBuf token;
        uint64_t token_usec;
        uint64_t paid_usec;    /* until then the rate has been used up */
        Request *first, *last; /* of all, in the order they were made */
        size_t n_running;      /* without streams */
        bool is_inside;        /* a callback of libcurl */
};

/* transfer.c: everything libcurl is told of a request before it begins. */
void transfer_prepare(Client *client, Request *request);
/* Forgets its headers, and what was secret in them. */
void transfer_wipe(const Client *client, Request *request);
