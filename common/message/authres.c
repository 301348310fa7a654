/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/authres.h"

#include "base/cfws.h"
#include "base/enc.h"
#include "base/util.h"
#include "wire/idna.h"

#include <libpsl.h>

#include <string.h>

#define WORD_MAX 256

struct lexer {
    const char *at;
    const char *end;
};

static bool is_at(const struct lexer *l, char c)
{
    return l->at < l->end && *l->at == c;
}

static bool take(struct lexer *l, char c)
{
    l->at = tkt_cfws_end(l->at, l->end);
    if (!is_at(l, c)) {
        return false;
    }
    l->at++;
    return true;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '=' ||
           c == '(' || c == '"';
}

/* A word or a quoted string, in lower case; false when there is none or it is longer
 * than anything that we compare with (it is skipped all the same). */
static bool take_word(struct lexer *l, char out[WORD_MAX])
{
    size_t len = 0;
    bool fits = true;

    l->at = tkt_cfws_end(l->at, l->end);
    bool quoted = is_at(l, '"');
    l->at += quoted ? 1 : 0;
    for (; l->at < l->end; l->at++) {
        char c = *l->at;
        if (quoted ? c == '"' : ends_word(c)) {
            break;
        }
        if (quoted && c == '\\' && l->at + 1 < l->end) {
            c = *++l->at;
        }
        if (len + 1 < WORD_MAX && c != '\0') {
            out[len++] = c;
        } else {
            fits = false;
        }
    }
    l->at += quoted && is_at(l, '"') ? 1 : 0;
    out[len] = '\0';
    tkt_ascii_lower(out);
    return fits && len > 0;
}

bool tkt_authres_is_of(const char *value, size_t n, const char *const *ids, size_t count)
{
    struct lexer l = {value, value + n};
    char id[WORD_MAX];

    if (!take_word(&l, id)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (tkt_ascii_ieq(ids[i], id)) {
            return true;
        }
    }
    return false;
}

/* ---- whose domain ---- */

/* As the list of public suffixes has it: A-labels, lower case, without the root's dot. */
static bool plain_domain(const char *domain, char out[WORD_MAX])
{
    size_t n = strlen(domain);

    n -= n > 0 && domain[n - 1] == '.' ? 1 : 0;
    return n > 0 && tkt_idna_domain(domain, n, out, WORD_MAX) > 0 &&
           strchr(out, '.') != NULL;
}

/* RFC 7489 3.2: what its owner registered. A public suffix is nobody's but its own. */
static const char *organisation(const char *domain)
{
    const psl_ctx_t *list = psl_builtin();
    const char *own = list == NULL ? NULL : psl_registrable_domain(list, domain);

    return own == NULL ? domain : own;
}

bool tkt_domains_align(const char *a, const char *b)
{
    char first[WORD_MAX];
    char second[WORD_MAX];

    /* Most often they are one domain: no list has to be asked. */
    return plain_domain(a, first) && plain_domain(b, second) &&
           (strcmp(first, second) == 0 ||
            strcmp(organisation(first), organisation(second)) == 0);
}

/* ---- results ---- */

static enum tkt_auth result_of(const char *word)
{
    if (strcmp(word, "pass") == 0) {
        return TKT_AUTH_PASS;
    }
    if (strcmp(word, "fail") == 0 || strcmp(word, "hardfail") == 0) {
        return TKT_AUTH_FAIL;
    }
    if (strcmp(word, "temperror") == 0 || strcmp(word, "permerror") == 0) {
        return TKT_AUTH_ERROR;
    }
    return TKT_AUTH_NONE; /* none, neutral, policy, softfail: no proof either way */
}

/* One of several results of a method: a pass counts most, then a fail. */
static enum tkt_auth better(enum tkt_auth a, enum tkt_auth b)
{
    static const int rank[TKT_AUTH_COUNT] = {[TKT_AUTH_NONE] = 0,
                                             [TKT_AUTH_ERROR] = 1,
                                             [TKT_AUTH_FAIL] = 2,
                                             [TKT_AUTH_PASS] = 3};

    return rank[b] > rank[a] ? b : a;
}

/* The property whose domain must be From's for a pass of this method to say something
 * about the author. */
static const char *aligning_property(const char *method)
{
    if (strcmp(method, "dkim") == 0) {
        return "header.d";
    }
    if (strcmp(method, "dmarc") == 0) {
        return "header.from";
    }
    return strcmp(method, "spf") == 0 ? "smtp.mailfrom" : "";
}

/* "*( property = value )" up to ';'. True when the aligning one is From's domain. */
static bool read_properties(struct lexer *l, const char *wanted, const char *from_domain)
{
    bool aligned = false;

    for (;;) {
        char name[WORD_MAX];
        char value[WORD_MAX];
        l->at = tkt_cfws_end(l->at, l->end);
        if (l->at == l->end || *l->at == ';') {
            return aligned;
        }
        const char *before = l->at;
        bool named = take_word(l, name);
        bool valued = take(l, '=') && take_word(l, value);
        if (named && valued && strcmp(name, wanted) == 0) {
            const char *at = strrchr(value, '@');
            aligned = tkt_domains_align(at == NULL ? value : at + 1, from_domain);
        }
        l->at += l->at == before ? 1 : 0; /* a stray '=' must not hold us */
    }
}

static void read_result(struct lexer *l, const char *from_domain, struct tkt_authres *out)
{
    char method[WORD_MAX];
    char word[WORD_MAX];

    bool named = take_word(l, method);
    bool valued = take(l, '=') && take_word(l, word);
    if (!named || !valued) {
        (void)read_properties(l, "", ""); /* to the next ';' */
        return;
    }
    char *version = strchr(method, '/');
    if (version != NULL) {
        *version = '\0';
    }
    enum tkt_auth result = result_of(word);
    bool aligned = read_properties(l, aligning_property(method), from_domain);
    enum tkt_auth *slot = strcmp(method, "spf") == 0     ? &out->spf
                          : strcmp(method, "dkim") == 0  ? &out->dkim
                          : strcmp(method, "dmarc") == 0 ? &out->dmarc
                          : strcmp(method, "arc") == 0   ? &out->arc
                                                         : NULL;
    if (slot == NULL) {
        return;
    }
    *slot = better(*slot, result);
    out->aligned = out->aligned || (result == TKT_AUTH_PASS && aligned);
}

void tkt_authres_read(const char *value, size_t n, const char *from_domain,
                      struct tkt_authres *out)
{
    struct lexer l = {value, value + n};
    char id[WORD_MAX];

    memset(out, 0, sizeof(*out));
    (void)take_word(&l, id);
    (void)read_properties(&l, "", ""); /* the version, if any */
    while (take(&l, ';')) {
        read_result(&l, from_domain, out);
    }
}

/* ---- ARC (RFC 8617) ---- */

/* The value of a tag of "i=1; a=...; d=...", in lower case; false without one. */
static bool find_tag(const char *value, size_t n, const char *tag, char out[WORD_MAX])
{
    struct lexer l = {value, value + n};
    char name[WORD_MAX];

    while (l.at < l.end) {
        bool named = take_word(&l, name);
        if (named && strcmp(name, tag) == 0 && take(&l, '=')) {
            return take_word(&l, out);
        }
        const char *next = memchr(l.at, ';', (size_t)(l.end - l.at));
        l.at = next == NULL ? l.end : next + 1;
    }
    return false;
}

int tkt_arc_instance(const char *value, size_t n)
{
    char word[WORD_MAX];
    int64_t i = 0;

    return find_tag(value, n, "i", word) && tkt_parse_int(word, 1, 50, &i) == 0 ? (int)i
                                                                                : 0;
}

bool tkt_arc_seal_is_of(const char *value, size_t n, const char *const *sealers,
                        size_t count)
{
    char domain[WORD_MAX];

    if (!find_tag(value, n, "d", domain)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (tkt_ascii_ieq(sealers[i], domain)) {
            return true;
        }
    }
    return false;
}

void tkt_arc_results_read(const char *value, size_t n, const char *from_domain,
                          struct tkt_authres *out)
{
    const char *next = memchr(value, ';', n);

    memset(out, 0, sizeof(*out));
    if (next != NULL) {
        next++;
        tkt_authres_read(next, n - (size_t)(next - value), from_domain, out);
    }
}
