/* Bringing the archive: from a path, or from a URL. Its SHA-512 is computed on the way. */

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fetch.h"
#include "sdk/str.h"

#define BLOCK_SIZE 65536U
#define MEBIBYTE (1024 * 1024)
#define PROGRESS_SEC 5

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
DEFINE_CLEANUP(CURL *, curl_easy_cleanup);

static void fd_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

/* Where the bytes go. */
typedef struct Sink {
        const Fetch *fetch;
        EVP_MD_CTX *digest;
        int fd;
        int64_t size, expected; /* expected: 0 while unknown */
        int64_t told;           /* when progress was told last, seconds */
        MrError *err;
} Sink;

static int64_t now_sec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec;
}

static void progress_tell(Sink *sink) {
        int64_t now = now_sec();

        if (now - sink->told < PROGRESS_SEC)
                return;
        sink->told = now;
        if (sink->expected > 0)
                fetch_tell(sink->fetch, "fetching", "%" PRId64 " of %" PRId64 " MiB",
                           sink->size / MEBIBYTE, sink->expected / MEBIBYTE);
        else
                fetch_tell(sink->fetch, "fetching", "%" PRId64 " MiB", sink->size / MEBIBYTE);
}

static int sink_write(Sink *sink, const char *data, size_t size) {
        sink->size += (int64_t) size;
        if (sink->size > FETCH_SIZE_MAX)
                return mr_fail(
                        sink->err, MR_INVALID, NULL,
                        "the archive is larger than 1 GiB; name the binary release of one version");
        if (EVP_DigestUpdate(sink->digest, data, size) != 1)
                return mr_fail(sink->err, MR_BUG, NULL, "cannot compute SHA-512");

        while (size > 0) {
                ssize_t n = write(sink->fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return mr_fail_errno(sink->err, errno, NULL,
                                             "cannot keep the archive; make room in %s, it is "
                                             "needed twice: packed and unpacked",
                                             sink->fetch->base);
                data += n;
                size -= (size_t) n;
        }
        progress_tell(sink);
        return 0;
}

static int file_copy(Sink *sink, const char *path) {
        _cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ char *block = mr_malloc(BLOCK_SIZE);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return mr_fail_errno(sink->err, errno, NULL, "cannot open the archive %s", path);
        if (!S_ISREG(st.st_mode))
                return mr_fail(sink->err, MR_INVALID, NULL, "%s is no regular file; name a tarball",
                               path);
        sink->expected = st.st_size;

        for (;;) {
                ssize_t n = read(fd, block, BLOCK_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return mr_fail_errno(sink->err, errno, NULL, "cannot read the archive %s",
                                             path);
                if (n == 0)
                        return 0;
                int r = sink_write(sink, block, (size_t) n);
                if (r < 0)
                        return r;
        }
}

/* "https://name:password@host/x" is shown as "https://host/x". */
static char *url_shown(const char *url) {
        const char *host = strstr(url, "://");

        if (!host)
                return mr_strdup(url);
        host += 3;
        const char *at = memchr(host, '@', strcspn(host, "/"));
        return mr_strf("%.*s%s", (int) (host - url), url, at ? at + 1 : host);
}

static size_t block_take(char *data, size_t one, size_t n, void *userdata) {
        Sink *sink = userdata;

        return sink_write(sink, data, one * n) < 0 ? 0 : one * n;
}

static int size_take(void *userdata, curl_off_t total, curl_off_t now _unused_,
                     curl_off_t upload _unused_, curl_off_t uploaded _unused_) {
        Sink *sink = userdata;

        sink->expected = total;
        return 0;
}

/* An encrypted transfer stays encrypted when it is redirected. RHEL 9's libcurl knows only the
 * older options. */
static void url_restrict(CURL *curl, const char *url) {
        bool is_plain = mr_starts_with(url, "http:");
#if LIBCURL_VERSION_NUM >= 0x075500
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http,file");
        curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, is_plain ? "http,https" : "https");
#else
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                         CURLPROTO_HTTPS | CURLPROTO_HTTP | CURLPROTO_FILE);
        curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
                         is_plain ? CURLPROTO_HTTPS | CURLPROTO_HTTP : CURLPROTO_HTTPS);
#endif
}

static void url_prepare(CURL *curl, const char *url, Sink *sink) {
        url_restrict(curl, url);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "millrace");
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, block_take);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, size_take);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sink);
}

static int url_outcome(CURL *curl, CURLcode code, const char *url, Sink *sink) {
        _cleanup_free_ char *shown = url_shown(url);
        long status = 0;

        if (code == CURLE_OK)
                return 0;
        if (sink->err && sink->err->message)
                return -EIO;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (code == CURLE_HTTP_RETURNED_ERROR)
                return mr_fail(sink->err, status >= 500 ? MR_TRANSIENT : MR_INVALID, NULL,
                               "%s: HTTP %ld; check 'archive' in " HOST_CONFIG_PATH, shown, status);
        return mr_fail(sink->err, MR_TRANSIENT, NULL,
                       "%s: %s; check 'archive' in " HOST_CONFIG_PATH " and the way to its server",
                       shown, curl_easy_strerror(code));
}

static int url_download(Sink *sink, const char *url) {
        _cleanup_(curl_easy_cleanupp) CURL *curl = curl_easy_init();

        if (!curl)
                return mr_fail(sink->err, MR_BUG, NULL, "cannot use libcurl");
        url_prepare(curl, url, sink);
        return url_outcome(curl, curl_easy_perform(curl), url, sink);
}

static int sum_check(Sink *sink, const char *expected) {
        unsigned char sum[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
        unsigned n = 0;

        if (EVP_DigestFinal_ex(sink->digest, sum, &n) != 1)
                return mr_fail(sink->err, MR_BUG, NULL, "cannot compute SHA-512");
        for (unsigned i = 0; i < n; i++)
                snprintf(hex + 2 * i, 3, "%02x", sum[i]);
        if (!expected || strcasecmp(hex, expected) == 0)
                return 0;

        _cleanup_free_ char *shown = url_shown(sink->fetch->distribution->archive);
        return mr_fail(sink->err, MR_INVALID, NULL,
                       "%s is not what was expected: its SHA-512 is %s, and " HOST_CONFIG_PATH
                       " says %s; it was not used. Get the archive anew, or correct the sum",
                       shown, hex, expected);
}

static int sink_fill(Sink *sink, const HostDistribution *distribution) {
        int r = distribution->archive[0] == '/' ? file_copy(sink, distribution->archive)
                                                : url_download(sink, distribution->archive);

        if (r < 0)
                return r;
        if (sink->size == 0)
                return mr_fail(sink->err, MR_INVALID, NULL, "the archive is empty; get it anew");
        return sum_check(sink, distribution->sha512);
}

int fetch_source(const Fetch *fetch, const char *path, MrError *err) {
        _cleanup_(fd_close) int fd =
                open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
        _cleanup_error_ MrError own = {};
        Sink sink = {.fetch = fetch, .digest = digest, .fd = fd, .told = now_sec(), .err = &own};

        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot write %s", path);
        if (!digest || EVP_DigestInit_ex(digest, EVP_sha512(), NULL) != 1)
                return mr_fail(err, MR_BUG, NULL, "cannot compute SHA-512");

        int r = sink_fill(&sink, fetch->distribution);
        if (r < 0 && err)
                mr_error_move(err, &own);
        return r;
}
