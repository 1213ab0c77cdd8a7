/* Reading a kubeconfig. What is in it and means nothing here is refused rather than ignored: it
 * would make us somebody else than its author meant. */

#include "kubeconfig.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "str.h"

#define FILE_MAX (1024U * 1024)

static void wipe_free(char **text) {
        if (*text)
                explicit_bzero(*text, strlen(*text));
        free(TAKE(*text));
}

void kubeconfig_done(KubeConfig *config) {
        free(config->server);
        free(config->authority);
        free(config->authority_data);
        free(config->certificate);
        free(config->certificate_data);
        free(config->key);
        wipe_free(&config->key_data);
        wipe_free(&config->token);
        free(config->token_file);
        free(config->ns);
        *config = (KubeConfig){};
}

static void fd_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

int kubeconfig_read_file(const char *path, MrBuf *out, MrError *err) {
        _cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;
        char block[4096];
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot read %s", path);
        if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
                return mr_fail(err, MR_INVALID, NULL, "%s is no small regular file", path);
        while ((n = read(fd, block, sizeof(block))) > 0 && out->size <= FILE_MAX)
                mr_buf_append(out, block, (size_t) n);
        explicit_bzero(block, sizeof(block));
        if (n < 0)
                return mr_fail_errno(err, errno, NULL, "cannot read %s", path);
        while (out->size > 0 && isspace((unsigned char) out->data[out->size - 1]))
                out->data[--out->size] = '\0';
        return 0;
}

/* The map `what` of the element of the list that has this name. */
static const MrTree *named(const MrTree *document, const char *list, const char *what,
                           const char *name, MrError *err) {
        const MrTree *entries = mr_tree_get(document, list);

        for (size_t i = 0; name && i < mr_tree_size(entries); i++) {
                const MrTree *entry = mr_tree_at(entries, i);
                if (mr_streq(mr_tree_get_string(entry, "name"), name))
                        return mr_tree_get(entry, what);
        }
        (void) mr_fail(err, MR_INVALID, list, "there is no %s called \"%s\"", what,
                       name ? name : "");
        return NULL;
}

static char *path_in(const char *directory, const MrTree *map, const char *key) {
        const char *path = mr_tree_get_string(map, key);

        if (mr_is_empty(path))
                return NULL;
        return *path == '/' ? mr_strdup(path) : mr_strf("%s/%s", directory, path);
}

static int data_of(const MrTree *map, const char *key, char **ret, MrError *err) {
        const char *text = mr_tree_get_string(map, key);
        _cleanup_(mr_buf_wipe) MrBuf data = {};

        if (mr_is_empty(text))
                return 0;
        if (mr_unbase64(text, strlen(text), &data) < 0)
                return mr_fail(err, MR_INVALID, key, "this is no base64");
        *ret = mr_strdup(mr_buf_text(&data));
        return 0;
}

static int refuse(const MrTree *map, const char *key, const char *advice, MrError *err) {
        const MrTree *value = mr_tree_get(map, key);

        if (!value || mr_tree_type(value) == MR_TREE_NULL ||
            (mr_tree_type(value) == MR_TREE_BOOL && !mr_tree_bool(value, false)))
                return 0;
        return mr_fail(err, MR_INVALID, key, "this is not supported; %s", advice);
}

static int decode_cluster(const MrTree *cluster, const char *directory, KubeConfig *config,
                          MrError *err) {
        const char *server = mr_tree_get_string(cluster, "server");

        int r = refuse(cluster, "insecure-skip-tls-verify",
                       "name the authority that signed the server's certificate", err);
        if (r >= 0)
                r = refuse(cluster, "proxy-url", "reach the server directly", err);
        if (r >= 0)
                r = refuse(cluster, "tls-server-name", "name the server as its certificate does",
                           err);
        if (r < 0)
                return r;
        if (!server || !mr_starts_with(server, "https://"))
                return mr_fail(err, MR_INVALID, "server", "this must be an https:// URL");
        config->server = mr_strdup(server);
        size_t n = strlen(config->server);
        if (config->server[n - 1] == '/')
                config->server[n - 1] = '\0';
        config->authority = path_in(directory, cluster, "certificate-authority");
        return data_of(cluster, "certificate-authority-data", &config->authority_data, err);
}

static int decode_user(const MrTree *user, const char *directory, KubeConfig *config,
                       MrError *err) {
        static const char *const foreign[] = {"exec", "auth-provider", "username", "password",
                                              "as"};
        static const char advice[] = "use a certificate, a token or a tokenFile";
        int r = 0;

        for (size_t i = 0; r >= 0 && i < MR_ELEMENTS(foreign); i++)
                r = refuse(user, foreign[i], advice, err);
        if (r >= 0)
                r = data_of(user, "client-certificate-data", &config->certificate_data, err);
        if (r >= 0)
                r = data_of(user, "client-key-data", &config->key_data, err);
        if (r < 0)
                return r;
        config->certificate = path_in(directory, user, "client-certificate");
        config->key = path_in(directory, user, "client-key");
        config->token_file = path_in(directory, user, "tokenFile");
        config->token = mr_strdup(mr_tree_get_string(user, "token"));
        if (!(config->certificate || config->certificate_data) !=
            !(config->key || config->key_data))
                return mr_fail(err, MR_INVALID, "client-certificate",
                               "a certificate and its key go together");
        return 0;
}

static int decode(const MrTree *document, const char *directory, const char *context,
                  KubeConfig *config, MrError *err) {
        const char *name = context ? context : mr_tree_get_string(document, "current-context");
        const MrTree *chosen = named(document, "contexts", "context", name, err);
        const MrTree *cluster = chosen ? named(document, "clusters", "cluster",
                                               mr_tree_get_string(chosen, "cluster"), err)
                                       : NULL;
        const MrTree *user =
                cluster ? named(document, "users", "user", mr_tree_get_string(chosen, "user"), err)
                        : NULL;

        if (!user)
                return -EINVAL;
        int r = decode_cluster(cluster, directory, config, err);
        if (r < 0)
                return mr_error_within(err, r, "clusters[%s].cluster",
                                       mr_tree_get_string(chosen, "cluster"));
        r = decode_user(user, directory, config, err);
        if (r < 0)
                return mr_error_within(err, r, "users[%s].user",
                                       mr_tree_get_string(chosen, "user"));
        config->ns = mr_strdup(mr_tree_get_string(chosen, "namespace"));
        return 0;
}

int kubeconfig_decode(const MrTree *document, const char *directory, const char *context,
                      KubeConfig *ret, MrError *err) {
        KubeConfig config = {};

        int r = decode(document, directory, context, &config, err);
        if (r < 0)
                kubeconfig_done(&config);
        else
                *ret = config;
        return r;
}

int kubeconfig_read(const char *path, const char *context, KubeConfig *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;
        _cleanup_(mr_buf_wipe) MrBuf text = {};
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory =
                slash ? mr_strndup(path, (size_t) (slash - path)) : mr_strdup(".");

        int r = kubeconfig_read_file(path, &text, err);
        if (r >= 0)
                r = mr_yaml_read(mr_buf_text(&text), text.size, path, &list, NULL, err);
        if (r >= 0)
                r = kubeconfig_decode(mr_tree_at(list, 0), directory, context, ret, err);
        return r < 0 ? mr_error_at(err, r, path, 0, 0) : r;
}

/* Where its account is; NULL: nothing says so. */
static char *namespace_of_pod(const char *directory) {
        _cleanup_free_ char *path = mr_strf("%s/namespace", directory);
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        if (kubeconfig_read_file(path, &text, NULL) < 0 || text.size == 0)
                return NULL;
        return mr_strdup(mr_buf_text(&text));
}

int kubeconfig_of_pod(const char *host, const char *port, const char *directory, KubeConfig *ret,
                      MrError *err) {
        bool is_v6 = host && strchr(host, ':');

        if (mr_is_empty(host))
                return mr_fail(err, MR_INVALID, "platform_config.kubeconfig",
                               "this must name a kubeconfig file, because this is no pod");
        *ret = (KubeConfig){
                .server = mr_strf("https://%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                                  mr_is_empty(port) ? "443" : port),
                .authority = mr_strf("%s/ca.crt", directory),
                .token_file = mr_strf("%s/token", directory),
                .ns = namespace_of_pod(directory),
        };
        return 0;
}
