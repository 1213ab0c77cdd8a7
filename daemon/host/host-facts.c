#include "host-facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host-distribution.h"
#include "host-files.h"
#include "sdk/str.h"

#define SMALL_FILE_MAX (256U * 1024)

static void ifaddrs_freep(struct ifaddrs **p) {
        if (*p)
                freeifaddrs(*p);
}

/* The text of an address somebody elsewhere can use, or NULL. */
static const char *address_text(const struct ifaddrs *entry, int family,
                                char out[INET6_ADDRSTRLEN]) {
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != family ||
            (entry->ifa_flags & IFF_LOOPBACK))
                return NULL;
        if (family == AF_INET) {
                struct sockaddr_in in;

                memcpy(&in, entry->ifa_addr, sizeof(in));
                return inet_ntop(AF_INET, &in.sin_addr, out, INET6_ADDRSTRLEN);
        }
        struct sockaddr_in6 in6;

        memcpy(&in6, entry->ifa_addr, sizeof(in6));
        return IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr)
                       ? NULL
                       : inet_ntop(AF_INET6, &in6.sin6_addr, out, INET6_ADDRSTRLEN);
}

static void addresses_add(MrTree *list) {
        _cleanup_(ifaddrs_freep) struct ifaddrs *all = NULL;
        static const int families[] = {AF_INET, AF_INET6};
        char text[INET6_ADDRSTRLEN];

        if (getifaddrs(&all) < 0)
                return;
        for (size_t i = 0; i < MR_ELEMENTS(families); i++)
                for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
                        if (address_text(entry, families[i], text))
                                mr_tree_append(list, mr_tree_new_string(text));
}

static bool file_text(const char *directory, const char *name, MrBuf *out) {
        _cleanup_free_ char *path = mr_strdup(directory);
        HostDir dir = {.fd = host_open_directory(path), .path = path};
        _cleanup_fd_ int fd = dir.fd;

        return fd >= 0 && host_file_read(&dir, name, SMALL_FILE_MAX, out, NULL) > 0;
}

/* In a line that names the host, the first name of which the host's is the first label. */
char *host_fqdn_find(const char *hosts, const char *hostname) {
        size_t n = strlen(hostname);

        for (const char *line = hosts; *line;) {
                size_t length = strcspn(line, "\n");
                _cleanup_free_ char *copy = mr_strndup(line, strcspn(line, "#\n"));
                char *state = NULL;

                for (char *word = strtok_r(copy, " \t\r", &state); word;
                     word = strtok_r(NULL, " \t\r", &state))
                        if (strncasecmp(word, hostname, n) == 0 && word[n] == '.' && word[n + 1])
                                return mr_strdup(word);
                line += length + (line[length] == '\n');
        }
        return NULL;
}

/* Names are looked up in files only: asking a name server could take longer than anybody wants to
 * wait. */
static void names_add(MrTree *facts, const HostConfig *config) {
        _cleanup_buf_ MrBuf hosts = {};
        _cleanup_free_ char *fqdn = NULL;
        struct utsname name;

        if (uname(&name) < 0)
                return;
        if (!strchr(name.nodename, '.') && file_text("/etc", "hosts", &hosts))
                fqdn = host_fqdn_find(mr_buf_text(&hosts), name.nodename);
        mr_tree_set_string(facts, "hostname", name.nodename);
        mr_tree_set_string(facts, "fqdn", fqdn ? fqdn : name.nodename);
        mr_tree_set_string(facts, "address",
                           config->address ? config->address
                           : fqdn          ? fqdn
                                           : name.nodename);
}

void host_nameservers_find(const char *text, MrTree *list) {
        _cleanup_free_ char *copy = mr_strdup(text);
        char *lines = NULL;

        for (char *line = strtok_r(copy, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
                char *words = NULL, *word = strtok_r(line, " \t\r", &words);
                const char *address =
                        mr_streq(word, "nameserver") ? strtok_r(NULL, " \t\r", &words) : NULL;
                unsigned char bytes[sizeof(struct in6_addr)];

                if (address && (inet_pton(AF_INET, address, bytes) == 1 ||
                                inet_pton(AF_INET6, address, bytes) == 1))
                        mr_tree_append(list, mr_tree_new_string(address));
        }
}

static void nameservers_add(MrTree *list) {
        _cleanup_buf_ MrBuf text = {};

        if (file_text("/etc", "resolv.conf", &text))
                host_nameservers_find(mr_buf_text(&text), list);
}

static char *release_version(const char *text) {
        static const char key[] = "JAVA_VERSION=\"";
        const char *line = text;

        while (line && !mr_starts_with(line, key)) {
                line = strchr(line, '\n');
                line = line ? line + 1 : NULL;
        }
        return line ? mr_strndup(line + strlen(key), strcspn(line + strlen(key), "\"\n")) : NULL;
}

char *host_java_version(const char *java, char **ret_message) {
        _cleanup_free_ char *real = realpath(java, NULL);
        _cleanup_buf_ MrBuf text = {};
        char *version = NULL;

        if (!real) {
                *ret_message = mr_strf("%s: %s; install a java runtime of version 17 or newer, or "
                                       "set java in " HOST_CONFIG_PATH,
                                       java, strerror(errno));
                return NULL;
        }
        char *slash = strrchr(real, '/');
        *slash = '\0';
        slash = strrchr(real, '/');
        if (slash)
                *slash = '\0';
        if (file_text(*real ? real : "/", "release", &text))
                version = release_version(mr_buf_text(&text));
        if (!version)
                *ret_message = mr_strf("%s/release does not tell the version of java; set java "
                                       "in " HOST_CONFIG_PATH,
                                       real);
        return version;
}

static MrTree *java_facts(const HostConfig *config) {
        _cleanup_free_ char *message = NULL;
        _cleanup_free_ char *version = host_java_version(config->java, &message);
        MrTree *java = mr_tree_new_map();

        mr_tree_set_string(java, "path", config->java);
        mr_tree_set(java, "version", mr_tree_new_string(version));
        mr_tree_set_string(java, "message", message);
        return java;
}

static void storage_add(MrTree *facts, const char *root, const HostConfig *config) {
        const HostStorageClass *classes = config->storage_classes.items;
        MrTree *paths = mr_tree_need_map(facts, "storage_classes");
        MrTree *space = mr_tree_need_map(facts, "storage");

        for (size_t i = 0; i < config->storage_classes.n; i++) {
                _cleanup_free_ char *path = mr_strf("%s%s", root, classes[i].path);
                struct statvfs st;

                mr_tree_set_string(paths, classes[i].name, classes[i].path);
                /* Where each claim has a disk of its own, the size of none of them is that of all.
                 */
                if (classes[i].devices.n > 0 || statvfs(path, &st) < 0)
                        continue;
                MrTree *one = mr_tree_need_map(space, classes[i].name);
                mr_tree_set_int(one, "size", (int64_t) st.f_blocks * (int64_t) st.f_frsize);
                mr_tree_set_int(one, "free", (int64_t) st.f_bavail * (int64_t) st.f_frsize);
        }
}

/* Every host has a name, so its label needs no configuration. */
static void labels_add(MrTree *facts, const HostConfig *config) {
        MrTree *labels = mr_tree_need_map(facts, "labels");

        mr_tree_set_string(labels, "kubernetes.io/hostname", mr_tree_get_string(facts, "hostname"));
        for (size_t i = 0; i < config->labels.n; i++)
                mr_tree_set_string(labels, config->labels.items[i].key,
                                   config->labels.items[i].value);
}

MrTree *host_facts(const char *root, const HostConfig *config, HostIsFetching is_fetching,
                   void *userdata) {
        const HostDistribution *distributions = config->distributions.items;
        MrTree *facts = mr_tree_new_map();

        names_add(facts, config);
        addresses_add(mr_tree_need_list(facts, "addresses"));
        nameservers_add(mr_tree_need_list(facts, "nameservers"));
        mr_tree_set_int(facts, "memory",
                        (int64_t) sysconf(_SC_PHYS_PAGES) * (int64_t) sysconf(_SC_PAGESIZE));
        mr_tree_set_int(facts, "cpus", (int64_t) sysconf(_SC_NPROCESSORS_ONLN));
        mr_tree_set(facts, "java", java_facts(config));
        storage_add(facts, root, config);
        labels_add(facts, config);
        MrTree *list = mr_tree_need_list(facts, "distributions");
        for (size_t i = 0; i < config->distributions.n; i++)
                mr_tree_append(list,
                               host_distribution_observe(
                                       root, &distributions[i],
                                       is_fetching && is_fetching(&distributions[i], userdata)));
        return facts;
}
