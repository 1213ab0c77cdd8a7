#pragma once

/* libcurl, loaded when a cluster is talked to, so that programs that never do stay small. */

#include <curl/curl.h>

#include "error.h"

typedef struct Library {
        void *handle;
        CURLcode (*global_init)(long flags);
        CURL *(*easy_init)(void);
        void (*easy_cleanup)(CURL *easy);
        CURLcode (*easy_set)(CURL *easy, CURLoption option, ...);
        CURLcode (*easy_get)(CURL *easy, CURLINFO info, ...);
        CURLcode (*easy_perform)(CURL *easy);
        const char *(*easy_text)(CURLcode code);
        CURLM *(*multi_init)(void);
        CURLMcode (*multi_cleanup)(CURLM *multi);
        CURLMcode (*multi_set)(CURLM *multi, CURLMoption option, ...);
        CURLMcode (*multi_add)(CURLM *multi, CURL *easy);
        CURLMcode (*multi_remove)(CURLM *multi, CURL *easy);
        CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t fd, void *userdata);
        CURLMcode (*multi_act)(CURLM *multi, curl_socket_t fd, int events, int *running);
        CURLMsg *(*multi_read)(CURLM *multi, int *left);
        struct curl_slist *(*list_append)(struct curl_slist *list, const char *text);
        void (*list_free)(struct curl_slist *list);
} Library;

/* It stays loaded: what it has set up for the program cannot be taken back. */
int library_load(Library *ret, MrError *err) _must_check_;
