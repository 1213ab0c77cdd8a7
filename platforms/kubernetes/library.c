/* dlopen of libcurl, whose interface has been the same since 2006. */

#include "library.h"

#include <dlfcn.h>
#include <string.h>

#define NAME "libcurl.so.4"

static const struct {
        const char *name;
        size_t offset;
} functions[] = {
        {"curl_global_init", offsetof(Library, global_init)},
        {"curl_easy_init", offsetof(Library, easy_init)},
        {"curl_easy_cleanup", offsetof(Library, easy_cleanup)},
        {"curl_easy_setopt", offsetof(Library, easy_set)},
        {"curl_easy_getinfo", offsetof(Library, easy_get)},
        {"curl_easy_perform", offsetof(Library, easy_perform)},
        {"curl_easy_strerror", offsetof(Library, easy_text)},
        {"curl_multi_init", offsetof(Library, multi_init)},
        {"curl_multi_cleanup", offsetof(Library, multi_cleanup)},
        {"curl_multi_setopt", offsetof(Library, multi_set)},
        {"curl_multi_add_handle", offsetof(Library, multi_add)},
        {"curl_multi_remove_handle", offsetof(Library, multi_remove)},
        {"curl_multi_assign", offsetof(Library, multi_assign)},
        {"curl_multi_socket_action", offsetof(Library, multi_act)},
        {"curl_multi_info_read", offsetof(Library, multi_read)},
        {"curl_slist_append", offsetof(Library, list_append)},
        {"curl_slist_free_all", offsetof(Library, list_free)},
};

int library_load(Library *ret, MrError *err) {
        Library library = {.handle = dlopen(NAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};

        if (!library.handle)
                return mr_fail(err, MR_INVALID, "platform", "cannot load %s (%s); install libcurl",
                               NAME, dlerror());
        for (size_t i = 0; i < MR_ELEMENTS(functions); i++) {
                void *function = dlsym(library.handle, functions[i].name);
                if (!function)
                        return mr_fail(err, MR_INVALID, "platform", "%s is too old: it has no %s",
                                       NAME, functions[i].name);
                memcpy((char *) &library + functions[i].offset, &function, sizeof(function));
        }
        if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return mr_fail(err, MR_TRANSIENT, "platform", "libcurl cannot be set up");
        *ret = library;
        return 0;
}
