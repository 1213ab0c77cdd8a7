#pragma once

/* Where the API server is and who we are to it: from a kubeconfig file, or, in a pod, from what
 * Kubernetes mounts there. */

#include "error.h"
#include "tree.h"

typedef struct KubeConfig {
        char *server; /* "https://10.0.0.1:6443", without a slash at the end */
        /* Each of these is a path or, where it has data, PEM. All may be NULL. */
        char *authority, *authority_data;
        char *certificate, *certificate_data;
        char *key, *key_data;
        char *token, *token_file;
        char *ns; /* of the context or the pod; NULL: none is named */
} KubeConfig;

/* `context` NULL: the current one. */
int kubeconfig_read(const char *path, const char *context, KubeConfig *ret,
                    MrError *err) _must_check_;
/* The same from a document; `directory` is what relative paths begin at. */
int kubeconfig_decode(const MrTree *document, const char *directory, const char *context,
                      KubeConfig *ret, MrError *err) _must_check_;
/* In a pod. `host` and `port` are what Kubernetes puts into the environment, NULL when it does not:
 * then we are in none. */
int kubeconfig_of_pod(const char *host, const char *port, const char *directory, KubeConfig *ret,
                      MrError *err) _must_check_;
void kubeconfig_done(KubeConfig *config); /* wipes what is secret */

/* A whole small file; trailing white space goes. */
int kubeconfig_read_file(const char *path, MrBuf *out, MrError *err) _must_check_;
