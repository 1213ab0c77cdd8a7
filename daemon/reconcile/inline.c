/* Passwords in resources, told by their names. */

#include "inline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "crypto/secret.h"
#include "str.h"

/* Without what stands between words: "API_KEY" and "api.key" are called the same. */
static char *squeezed(const char *name) {
        MrBuf out = {};

        for (; *name; name++)
                if (isalnum((unsigned char) *name))
                        mr_buf_putc(&out, (char) tolower((unsigned char) *name));
        return mr_buf_take(&out);
}

bool inline_is_secret(const char *name) {
        static const char *const within[] = {"password", "passwd", "passphrase", "jaasconfig"};
        static const char *const last[] = {"secret",      "token",      "apikey",
                                           "secretkey",   "accesskey",  "privatekey",
                                           "keystorekey", "credential", "credentials"};
        _cleanup_free_ char *text = squeezed(name ? name : "");

        for (size_t i = 0; text && i < MR_ELEMENTS(within); i++)
                if (strstr(text, within[i]))
                        return true;
        for (size_t i = 0; text && i < MR_ELEMENTS(last); i++)
                if (mr_ends_with(text, last[i]))
                        return true;
        return false;
}

/* A reference, a mask, or a word that says whether something is on gives nothing away. */
static bool is_plain(const char *value) {
        static const char *const no[] = {"true", "false", "null"};

        for (size_t i = 0; i < MR_ELEMENTS(no); i++)
                if (mr_streq(value, no[i]))
                        return false;
        return *value && !mr_starts_with(value, "${") && !mr_starts_with(value, "@{") &&
               !secret_text_is_masked(value);
}

static void tell(const char *name, const char *lead, const char *from, size_t n, InlineFound found,
                 void *userdata) {
        char *value = mr_strndup(from, n);

        if (is_plain(value))
                found(name, lead, value, userdata);
        explicit_bzero(value, n);
        free(value);
}

/* --- within a text */

static bool is_of_word(char c) {
        return isalnum((unsigned char) c) || strchr("._-", c);
}

/* The word that ends before `at`, which may stand in quotes. */
static const char *word_before(const char *text, const char *at, size_t *ret_size) {
        while (at > text && strchr(" \t\"'\\", at[-1]))
                at--;
        const char *end = at;
        while (at > text && at[-1] && is_of_word(at[-1]))
                at--;
        *ret_size = (size_t) (end - at);
        return at;
}

/* "${…" or "@{…" that is not closed yet: what follows is part of a reference. */
static bool is_in_reference(const char *text, const char *at) {
        while (at > text && *at != '}' && *at != '\n') {
                if (at[0] == '{' && (at[-1] == '$' || at[-1] == '@'))
                        return true;
                at--;
        }
        return false;
}

static bool begins_line(const char *text, const char *word) {
        while (word > text && strchr(" \t", word[-1]))
                word--;
        return word == text || word[-1] == '\n';
}

/* What begins behind "NAME=": in quotes, or up to the next separator, and at the beginning of a
 * line also all of it, since only who reads the file knows. */
static void tell_value(const char *text, const char *word, size_t n, const char *sign,
                       InlineFound found, void *userdata) {
        const char *value = sign + 1;

        value += strspn(value, " \t\\");
        char quote = *value == '"' || *value == '\'' ? *value++ : '\0';
        _cleanup_free_ char *name = mr_strndup(word, n);
        _cleanup_free_ char *lead = mr_strndup(word, (size_t) (value - word));
        const char ends[] = {quote, '\\', '\n', '\0'};
        size_t size = quote ? strcspn(value, ends) : strcspn(value, " \t\r\n;,}");
        size_t line = strcspn(value, "\r\n");

        tell(name, lead, value, size, found, userdata);
        if (!quote && line > size && begins_line(text, word))
                tell(name, lead, value, line, found, userdata);
}

/* "://USER:PASSWORD@" */
static void find_in_address(const char *at, InlineFound found, void *userdata) {
        size_t n = strcspn(at, "/ \t\r\n\"'"), user = strcspn(at, ":@/ \t\r\n\"'");

        if (at[user] != ':')
                return;
        const char *value = at + user + 1;
        size_t size = strcspn(value, "@");
        if (user + 1 + size >= n)
                return;
        _cleanup_free_ char *lead = mr_strndup(at, user + 1);
        tell("password", lead, value, size, found, userdata);
}

static void find_in_text(const char *text, InlineFound found, void *userdata) {
        for (const char *at = text; (at = strpbrk(at, "=:")); at++) {
                size_t n;
                const char *word = word_before(text, at, &n);
                _cleanup_free_ char *name = mr_strndup(word, n);
                if (mr_starts_with(at, "://"))
                        find_in_address(at + 3, found, userdata);
                else if (n > 0 && inline_is_secret(name) && !is_in_reference(text, at))
                        tell_value(text, word, n, at, found, userdata);
        }
}

/* --- in a tree */

static void tell_scalar(const char *name, const MrTree *value, InlineFound found, void *userdata) {
        _cleanup_free_ char *lead = mr_strf("%s=", name);
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        if (mr_tree_type(value) != MR_TREE_BOOL && mr_tree_text(value, &text))
                tell(name, lead, mr_buf_text(&text), text.size, found, userdata);
}

/* What names a key of a Secret, or a Secret, is no secret itself. */
static bool is_name_of_secret(const char *parent, const char *key) {
        return mr_streq(parent, "passwordSecret") || mr_streq(key, "pullSecret") ||
               mr_streq(key, "pushSecret");
}

static void find_in(const char *parent, const MrTree *tree, InlineFound found, void *userdata) {
        const char *text = mr_tree_string(tree);
        const char *name = mr_tree_get_string(tree, mr_tree_get(tree, "name") ? "name" : "key");
        bool is_map = mr_tree_type(tree) == MR_TREE_MAP;

        if (text)
                find_in_text(text, found, userdata);
        if (name && inline_is_secret(name))
                tell_scalar(name, mr_tree_get(tree, "value"), found, userdata);
        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                const char *key = is_map ? mr_tree_key(tree, i) : parent;
                const MrTree *value = mr_tree_at(tree, i);
                if (is_map && inline_is_secret(key) && !is_name_of_secret(parent, key))
                        tell_scalar(key, value, found, userdata);
                find_in(key, value, found, userdata);
        }
}

void inline_find(const MrTree *document, InlineFound found, void *userdata) {
        if (!mr_streq(mr_tree_get_string(document, "kind"), "Secret"))
                find_in("", document, found, userdata);
}

static void note(const char *name _unused_, const char *lead _unused_, const char *value _unused_,
                 void *userdata) {
        *(bool *) userdata = true;
}

bool inline_hides(const char *path, const MrTree *value) {
        const char *text = mr_tree_string(value);
        bool is_found = (inline_is_secret(path) && mr_tree_type(value) != MR_TREE_BOOL) ||
                        (text && strstr(text, SECRET_MASK));

        if (!is_found)
                find_in("", value, note, &is_found);
        return is_found;
}
