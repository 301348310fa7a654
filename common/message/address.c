/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/address.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"
#include "message/rfc2047.h"

#include <gmime/gmime.h>
#include <string.h>

static size_t count_colons(const char *p, size_t n)
{
    bool quoted = false;
    size_t colons = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\\' && quoted) {
            i++;
        } else if (p[i] == '"') {
            quoted = !quoted;
        } else if (p[i] == ':') {
            /* One quote too few would hide all that follow: those count as well. */
            colons += quoted ? 0 : 1;
        }
    }
    if (quoted) {
        colons = 0;
        for (size_t i = 0; i < n; i++) {
            colons += p[i] == ':' ? 1 : 0;
        }
    }
    return colons;
}

/* ---- encoded-words out of the way ---- */

static void add_quoted(struct tkt_buf *out, const char *text, size_t n,
                       const char *special)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\0' && strchr(special, text[i]) != NULL) {
            tkt_buf_addc(out, '\\');
        }
        tkt_buf_addc(out, text[i]);
    }
}

/* The field in UTF-8 with its encoded-words decoded into quoted strings; inside quotes
 * (where they are not allowed and often stand) and comments without quotes of their own. */
static void decode_words(struct tkt_buf *out, const char *p, size_t n)
{
    bool quoted = false;
    unsigned comment = 0;

    for (size_t i = 0; i < n;) {
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * n);
        size_t used = p[i] == '=' ? tkt_rfc2047_run(&text, p + i, n - i) : 0;
        if (used > 0) {
            bool bare = !quoted && comment == 0;
            tkt_buf_adds(out, bare ? "\"" : "");
            add_quoted(out, tkt_buf_str(&text), text.len,
                       comment > 0 && !quoted ? "\\()" : "\\\"");
            tkt_buf_adds(out, bare ? "\" " : "");
            i += used;
            continue;
        }
        if (p[i] == '\\' && i + 1 < n && (quoted || comment > 0)) {
            tkt_buf_addc(out, p[i++]);
        } else if (p[i] == '"' && comment == 0) {
            quoted = !quoted;
        } else if (p[i] == '(' && !quoted) {
            comment++;
        } else if (p[i] == ')' && !quoted && comment > 0) {
            comment--;
        }
        tkt_buf_addc(out, p[i++]);
    }
}

/* What decodes to another encoded-word stays text: GMime must not see "=?". */
static void hide_words(struct tkt_buf *b)
{
    for (size_t i = 0; i + 1 < b->len; i++) {
        if (b->data[i] == '=' && b->data[i + 1] == '?') {
            b->data[i] = '~';
        }
    }
}

/* GMime takes 0.8 s for 16,000 entries that are no addresses: it gets no more entries
 * than are kept. Returns whether something was cut off. */
static bool cut_entries(struct tkt_buf *b)
{
    bool quoted = false;
    size_t entries = 0;

    for (size_t i = 0; i < b->len; i++) {
        char c = b->data[i];
        if (c == '\\' && i + 1 < b->len) {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ',' || c == ';') &&
                   ++entries > TKT_MESSAGE_ADDRS_MAX) {
            b->data[i] = '\0';
            b->len = i;
            return true;
        }
    }
    return false;
}

/* ---- results ---- */

static char *keep(struct tkt_wire_arena *arena, const char *s, size_t max)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * max + 16);
    size_t n = strlen(s);

    n = TKT_MIN(n, max);
    tkt_utf8_add_clean(&b, s, n);
    b.len = b.len == 0 ? 0 : tkt_header_unfold(b.data, b.len);
    const char *start = tkt_buf_str(&b);
    size_t len = tkt_utf8_cut(start, b.len, max);
    while (len > 0 && (*start == ' ' || *start == '\t')) {
        start++;
        len--;
    }
    while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '\t')) {
        len--;
    }
    return tkt_wire_arena_strdup(arena, start, len);
}

static void lower_domain(char *address)
{
    char *at = strrchr(address, '@');

    if (at != NULL) {
        tkt_ascii_lower(at);
    }
}

static enum tkt_address_result append(struct tkt_addresses *out, const char *name,
                                      const char *address, struct tkt_wire_arena *arena)
{
    if (out->items == NULL) {
        out->items =
            tkt_wire_arena_alloc(arena, TKT_MESSAGE_ADDRS_MAX * sizeof(*out->items));
        if (out->items == NULL) {
            return TKT_ADDRESS_NO_MEMORY;
        }
    }
    if (out->count == TKT_MESSAGE_ADDRS_MAX) {
        return TKT_ADDRESS_MANY;
    }
    struct tkt_address a = {keep(arena, name, TKT_ADDRESS_MAX),
                            keep(arena, address, TKT_ADDRESS_MAX)};
    if (a.name == NULL || a.address == NULL) {
        return TKT_ADDRESS_NO_MEMORY;
    }
    lower_domain(a.address);
    if (strchr(a.address, '@') != NULL) {
        out->items[out->count++] = a;
    }
    return TKT_ADDRESS_OK;
}

/* Groups are at most colons_max deep; the stack of list positions is explicit. */
struct place {
    InternetAddressList *list;
    int at;
};

static enum tkt_address_result flatten(InternetAddressList *top, size_t colons_max,
                                       struct tkt_addresses *out,
                                       struct tkt_wire_arena *arena)
{
    enum tkt_address_result rc = TKT_ADDRESS_OK;
    TKT_AUTO_FREE struct place *stack = calloc(colons_max + 2, sizeof(*stack));
    size_t depth = 0;

    if (stack == NULL) {
        return TKT_ADDRESS_NO_MEMORY;
    }
    stack[depth++] = (struct place){top, 0};
    while (depth > 0 && rc == TKT_ADDRESS_OK) {
        struct place *here = &stack[depth - 1];
        if (here->at >= internet_address_list_length(here->list)) {
            depth--;
            continue;
        }
        InternetAddress *ia = internet_address_list_get_address(here->list, here->at++);
        const char *name = internet_address_get_name(ia);
        if (INTERNET_ADDRESS_IS_MAILBOX(ia)) {
            const char *addr =
                internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));
            rc = append(out, name == NULL ? "" : name, addr == NULL ? "" : addr, arena);
        } else if (depth < colons_max + 2) {
            stack[depth++] = (struct place){
                internet_address_group_get_members(INTERNET_ADDRESS_GROUP(ia)), 0};
        }
    }
    return rc;
}

/* ---- without GMime: whatever looks like user@domain ---- */

static bool is_address_byte(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && strchr("<>()[]:;,\"\\", c) == NULL;
}

static enum tkt_address_result search(const char *p, size_t n, struct tkt_addresses *out,
                                      struct tkt_wire_arena *arena)
{
    enum tkt_address_result rc = TKT_ADDRESS_OK;

    for (size_t i = 0; i < n && rc == TKT_ADDRESS_OK;) {
        size_t start = i;
        const char *at = NULL;
        while (i < n && is_address_byte(p[i])) {
            at = p[i] == '@' ? p + i : at;
            i++;
        }
        size_t len = i - start;
        if (at != NULL && at > p + start && at + 1 < p + i && len <= TKT_ADDRESS_MAX) {
            char address[TKT_ADDRESS_MAX + 1];
            memcpy(address, p + start, len);
            address[len] = '\0';
            rc = append(out, "", address, arena);
        }
        i += i == start ? 1 : 0;
    }
    return rc;
}

enum tkt_address_result tkt_address_add(const char *value, size_t n, size_t colons_max,
                                        struct tkt_addresses *out,
                                        struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf flat = TKT_BUF_INIT(n);
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(16 * n + 64);
    TKT_AUTO_BUF struct tkt_buf words = TKT_BUF_INIT(32 * n + 64);
    size_t before = out->count;

    if (tkt_buf_add(&flat, value, n) < 0) {
        return TKT_ADDRESS_NO_MEMORY;
    }
    flat.len = tkt_header_unfold(flat.data, n);
    tkt_charset_guess(&clean, flat.data, flat.len);
    decode_words(&words, tkt_buf_str(&clean), clean.len);
    if (clean.failed || words.failed) {
        return TKT_ADDRESS_NO_MEMORY;
    }
    if (words.len > 0) {
        words.len = tkt_header_unfold(words.data, words.len);
        words.data[words.len] = '\0';
    }
    hide_words(&words);
    if (count_colons(tkt_buf_str(&words), words.len) > colons_max) {
        enum tkt_address_result rc = search(flat.data, flat.len, out, arena);
        return rc == TKT_ADDRESS_OK ? TKT_ADDRESS_COLONS : rc;
    }
    bool is_cut = cut_entries(&words);
    InternetAddressList *list = internet_address_list_parse(NULL, tkt_buf_str(&words));
    enum tkt_address_result rc = TKT_ADDRESS_OK;
    if (list != NULL) {
        rc = flatten(list, colons_max, out, arena);
        g_object_unref(list);
    }
    if (rc == TKT_ADDRESS_OK && out->count == before) {
        rc = search(flat.data, flat.len, out, arena);
    }
    if (rc == TKT_ADDRESS_OK && is_cut) {
        return TKT_ADDRESS_MANY;
    }
    bool empty = strspn(tkt_buf_str(&clean), " \t") == clean.len;
    return rc == TKT_ADDRESS_OK && out->count == before && !empty ? TKT_ADDRESS_BROKEN
                                                                  : rc;
}
