/* SPDX-License-Identifier: BSD-2-Clause
 * The fields of delivery reports (RFC 3464, RFC 6533), as they are really written.
 */
#include "base/enc.h"
#include "base/util.h"
#include "message/bounce.h"

#include <string.h>

#define VALUE_MAX 2048

const char *const tkt_bounce_actions[TKT_BOUNCE_ACTIONS] = {
    "", "expanded", "relayed", "delivered", "delayed", "failed"};

/* A field with its folds; the last line of a text may lack its end. */
struct field {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

enum field_kind {
    FIELD_ORIGINAL,
    FIELD_FINAL,
    FIELD_ACTUAL,
    FIELD_ACTION,
    FIELD_STATUS,
    FIELD_DIAGNOSTIC,
    FIELD_KINDS
};
static const char *const field_names[FIELD_KINDS] = {
    "Original-Recipient", "Final-Recipient", "X-Actual-Recipient", "Action", "Status",
    "Diagnostic-Code"};

struct record {
    bool has[FIELD_KINDS];
    char original[TKT_BOUNCE_ADDRESS_MAX];
    char final[TKT_BOUNCE_ADDRESS_MAX];
    char actual[TKT_BOUNCE_ADDRESS_MAX];
    struct tkt_bounce_found found;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static size_t line_length(const char *p, const char *end)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));

    return lf == NULL ? (size_t)(end - p) : (size_t)(lf - p);
}

static size_t trimmed(const char *p, size_t n)
{
    while (n > 0 && is_blank(p[n - 1])) {
        n--;
    }
    return n;
}

/* Which of the fields begins at p, or FIELD_KINDS. */
static enum field_kind kind_at(const char *p, size_t n, size_t *value_at)
{
    for (int k = 0; k < FIELD_KINDS; k++) {
        size_t len = strlen(field_names[k]);
        if (n <= len || !tkt_ascii_ieqn(p, field_names[k], len)) {
            continue;
        }
        size_t at = len;
        while (at < n && is_blank(p[at])) {
            at++;
        }
        if (at < n && p[at] == ':') {
            *value_at = at + 1;
            return (enum field_kind)k;
        }
    }
    return FIELD_KINDS;
}

/* Without a character that was cut at the end. */
static size_t whole_characters(const char *s, size_t len)
{
    size_t i = len;

    while (i > 0 && len - i < 3 && ((unsigned char)s[i - 1] & 0xc0) == 0x80) {
        i--;
    }
    unsigned char lead = i > 0 ? (unsigned char)s[i - 1] : 0;
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return i > 0 && len - (i - 1) < want ? i - 1 : len;
}

void tkt_bounce_one_line(const char *text, size_t n, char *out, size_t max)
{
    size_t len = 0;
    bool gap = false;

    for (size_t i = 0; i < n && len + 1 < max; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == 0x7f) {
            gap = len > 0;
            continue;
        }
        if (gap && len + 2 < max) {
            out[len++] = ' ';
        }
        gap = false;
        out[len++] = (char)c;
    }
    out[whole_characters(out, len)] = '\0';
}

/* ---- addresses of fields ---- */

static int hex_value(char c)
{
    char byte = 0;

    return tkt_hex_decode((char[2]){'0', c}, 2, &byte, 1) > 0 ? (unsigned char)byte : -1;
}

/* RFC 6533: "\x{5F00}" in an address of the type utf-8. Bytes used at p, or 0. */
static size_t unescape(const char *p, char *out, size_t *len)
{
    unsigned long c = 0;
    size_t i = 3;

    if (strncmp(p, "\\x{", 3) != 0) {
        return 0;
    }
    for (; hex_value(p[i]) >= 0 && i < 9; i++) {
        c = c * 16 + (unsigned long)hex_value(p[i]);
    }
    if (i == 3 || p[i] != '}' || c <= ' ' || c == 0x7f || c > 0x10ffff ||
        (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }
    *len += tkt_utf8_put((uint32_t)c, out + *len);
    return i + 1;
}

/* RFC 3461 xtext: "+2B". Only where no '@' stands in the open: user+40example.org is not
 * the same as a sub-address such as a+40@example.org. */
static void decode_xtext(char *s)
{
    char *to = s;

    if (strchr(s, '@') != NULL || strstr(s, "+40") == NULL) {
        return;
    }
    for (const char *p = s; *p != '\0';) {
        char byte = 0;
        if (*p == '+' && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0 &&
            tkt_hex_decode(p + 1, 2, &byte, 1) > 0 && byte > ' ' && byte < 0x7f) {
            *to++ = byte;
            p += 3;
        } else {
            *to++ = *p++;
        }
    }
    *to = '\0';
}

static void decode_utf8_escapes(char *s)
{
    size_t len = 0;

    for (const char *p = s; *p != '\0';) {
        size_t used = unescape(p, s, &len);
        if (used > 0) {
            p += used;
        } else {
            s[len++] = *p++;
        }
    }
    s[len] = '\0';
}

/* "rfc822; <user@example.org> (comment)" -> "user@example.org"; what is no address (a
 * pipe, a file, a local name) gives "". */
static void read_address(const char *value, char out[TKT_BOUNCE_ADDRESS_MAX])
{
    char line[VALUE_MAX];
    size_t at = 0;
    size_t from = 0;

    memcpy(line, value, TKT_MIN(strlen(value) + 1, sizeof(line)));
    line[sizeof(line) - 1] = '\0';
    char *p = strchr(line, ';');
    p = p == NULL ? line : p + 1;
    decode_utf8_escapes(p);
    decode_xtext(p);
    if (!tkt_bounce_address_find(p, strlen(p), &at, &from, out)) {
        out[0] = '\0';
    }
}

/* ---- records ---- */

static enum tkt_bounce_action read_action(const char *value)
{
    static const struct {
        const char *word;
        enum tkt_bounce_action action;
    } words[] = {{"fail", TKT_BOUNCE_FAILED},       {"expired", TKT_BOUNCE_FAILED},
                 {"error", TKT_BOUNCE_FAILED},      {"undeliver", TKT_BOUNCE_FAILED},
                 {"reject", TKT_BOUNCE_FAILED},     {"delay", TKT_BOUNCE_DELAYED},
                 {"deferred", TKT_BOUNCE_DELAYED},  {"deliver", TKT_BOUNCE_DELIVERED},
                 {"success", TKT_BOUNCE_DELIVERED}, {"relay", TKT_BOUNCE_RELAYED},
                 {"expand", TKT_BOUNCE_EXPANDED}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (tkt_ascii_ieqn(value, words[i].word, strlen(words[i].word))) {
            return words[i].action;
        }
    }
    return TKT_BOUNCE_NONE;
}

/* "smtp; 550 5.1.1 ..." without its type. */
static const char *skip_type(const char *value)
{
    size_t n = strcspn(value, "; \t");

    if (value[n] != ';' || n == 0 || n > 20) {
        return value;
    }
    value += n + 1;
    return value + strspn(value, " ");
}

static void take_field(struct record *r, enum field_kind kind, const char *value)
{
    r->has[kind] = true;
    switch (kind) {
    case FIELD_ORIGINAL:
        read_address(value, r->original);
        break;
    case FIELD_FINAL:
        read_address(value, r->final);
        break;
    case FIELD_ACTUAL:
        read_address(value, r->actual);
        break;
    case FIELD_ACTION:
        r->found.action = read_action(value);
        break;
    case FIELD_STATUS:
        if (!tkt_bounce_status_find(value, strlen(value), r->found.status)) {
            r->found.status[0] = '\0';
        }
        break;
    case FIELD_DIAGNOSTIC: {
        const char *reason = skip_type(value);
        tkt_bounce_one_line(reason, strlen(reason), r->found.diagnostic,
                            sizeof(r->found.diagnostic));
        break;
    }
    case FIELD_KINDS:
        break;
    }
}

/* A status such as 5.0.0 says less than what the server answered. */
static void sharpen_status(struct tkt_bounce_found *f)
{
    char told[TKT_BOUNCE_STATUS_MAX];
    bool vague = strcmp(f->status + (f->status[0] == '\0' ? 0 : 1), ".0.0") == 0;

    if (vague && tkt_bounce_status_find(f->diagnostic, strlen(f->diagnostic), told) &&
        told[0] == f->status[0]) {
        memcpy(f->status, told, sizeof(told));
    }
}

static enum tkt_bounce_action implied_action(const struct record *r)
{
    if (r->found.action != TKT_BOUNCE_NONE) {
        return r->found.action;
    }
    return r->found.status[0] == '2' ? TKT_BOUNCE_DELIVERED : TKT_BOUNCE_FAILED;
}

/* The address that was written to comes before the one it turned into: it is the one
 * that we know. */
static void finish(struct record *r, struct tkt_bounce_found *best, bool *any)
{
    bool about_somebody = r->has[FIELD_ORIGINAL] || r->has[FIELD_FINAL];
    bool tells = r->has[FIELD_ACTION] || r->has[FIELD_STATUS] || r->has[FIELD_DIAGNOSTIC];

    if (tells && (about_somebody || r->has[FIELD_ACTION])) {
        const char *who = r->original[0] != '\0' ? r->original
                          : r->final[0] != '\0'  ? r->final
                                                 : r->actual;
        memcpy(r->found.recipient, who, sizeof(r->found.recipient));
        r->found.action = implied_action(r);
        sharpen_status(&r->found);
        bool better = r->found.action > best->action ||
                      (r->found.action == best->action && best->recipient[0] == '\0' &&
                       r->found.recipient[0] != '\0');
        if (!*any || better) {
            *best = r->found;
        }
        *any = true;
    }
    memset(r, 0, sizeof(*r));
}

static bool is_recipient(enum field_kind kind)
{
    return kind == FIELD_ORIGINAL || kind == FIELD_FINAL;
}

/* A field that is there already begins the next record, and so does a recipient behind
 * what was told of the one before. */
static bool begins_record(const struct record *r, enum field_kind kind)
{
    bool told = r->has[FIELD_ACTION] && r->has[FIELD_STATUS];

    return r->has[kind] || (is_recipient(kind) && told &&
                            (r->has[FIELD_FINAL] || r->has[FIELD_ORIGINAL]));
}

/* The line and those that continue it, as one; returns the bytes that it took. */
static size_t take_value(const char *p, const char *end, size_t value_at,
                         char out[VALUE_MAX])
{
    size_t n = line_length(p, end);
    size_t indent = 0;

    while (indent < n && is_blank(p[indent])) {
        indent++;
    }
    const char *next = p + n + (p + n < end ? 1 : 0);
    while (next < end) {
        size_t len = line_length(next, end);
        size_t ignored = 0;
        size_t in = 0;
        while (in < len && is_blank(next[in])) {
            in++;
        }
        bool continues = in > indent && in < len &&
                         kind_at(next + in, len - in, &ignored) == FIELD_KINDS;
        if (!continues) {
            break;
        }
        next += len + (next + len < end ? 1 : 0);
    }
    tkt_bounce_one_line(p + value_at, (size_t)(next - (p + value_at)), out, VALUE_MAX);
    return (size_t)(next - p);
}

bool tkt_bounce_fields(const char *text, size_t n, struct tkt_bounce_found *out)
{
    struct record r;
    struct tkt_bounce_found best;
    bool any = false;
    const char *end = text + TKT_MIN(n, TKT_BOUNCE_TEXT_MAX);
    char value[VALUE_MAX];

    memset(&r, 0, sizeof(r));
    memset(&best, 0, sizeof(best));
    for (const char *p = text; p < end;) {
        size_t len = line_length(p, end);
        size_t in = 0;
        size_t value_at = 0;
        while (in < len && (is_blank(p[in]) || p[in] == '>')) {
            in++;
        }
        if (trimmed(p, len) == 0 && r.has[FIELD_FINAL] && r.has[FIELD_ACTION]) {
            finish(&r, &best, &any);
        }
        enum field_kind kind = kind_at(p + in, len - in, &value_at);
        if (kind == FIELD_KINDS) {
            p += len + (p + len < end ? 1 : 0);
            continue;
        }
        if (begins_record(&r, kind)) {
            finish(&r, &best, &any);
        }
        p += take_value(p, end, in + value_at, value);
        take_field(&r, kind, value);
    }
    finish(&r, &best, &any);
    if (any) {
        *out = best;
    }
    return any;
}
