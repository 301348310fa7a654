/* SPDX-License-Identifier: BSD-2-Clause
 * Addresses in the prose of programs: found by their '@', not parsed.
 */
#include "base/enc.h"
#include "base/util.h"
#include "message/bounce.h"

#include <string.h>

static bool is_atext(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

static bool is_domain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80 || c == '-' || c == '.' || c == '_';
}

/* Where the local part before at begins. "quoted parts"@ are taken whole, and what logs
 * put before an address ("to=user@...") is not part of it. */
static size_t local_begin(const char *text, size_t at)
{
    size_t from = at;

    if (at > 1 && text[at - 1] == '"') {
        size_t i = at - 1;
        while (i > 0 && text[i - 1] != '"' && (unsigned char)text[i - 1] >= ' ' &&
               text[i - 1] != 0x7f && at - i < 128) {
            i--;
        }
        if (i > 0 && text[i - 1] == '"' && i - 1 < at - 2) {
            return i - 1;
        }
        return at;
    }
    while (from > 0 && is_atext(text[from - 1]) && at - from < 256) {
        from--;
    }
    static const char *const labels[] = {
        "to=", "rcpt=", "recipient=", "address=", "addr=", "user=", "for=", "email="};
    for (size_t i = 0; i < TKT_ARRAY_LEN(labels); i++) {
        size_t len = strlen(labels[i]);
        if (at - from > len && tkt_ascii_ieqn(text + from, labels[i], len)) {
            from += len;
        }
    }
    while (from < at && strchr("'*.`=|-/", text[from]) != NULL) {
        from++; /* quotation marks and list signs; no local part begins so */
    }
    return from;
}

static size_t domain_end(const char *text, size_t n, size_t at)
{
    size_t end = at + 1;

    if (end < n && text[end] == '[') {
        while (end < n && text[end] != ']' && text[end] > ' ' && end - at < 64) {
            end++;
        }
        return end < n && text[end] == ']' ? end + 1 : at + 1;
    }
    while (end < n && is_domain(text[end]) && end - at < 256) {
        end++;
    }
    while (end > at + 1 && strchr(".-_", text[end - 1]) != NULL) {
        end--;
    }
    return end;
}

bool tkt_bounce_address_find(const char *text, size_t n, size_t *at, size_t *from,
                             char out[TKT_BOUNCE_ADDRESS_MAX])
{
    for (size_t i = *at; i < n; i++) {
        const char *sign = memchr(text + i, '@', n - i);
        if (sign == NULL) {
            break;
        }
        i = (size_t)(sign - text);
        size_t begin = local_begin(text, i);
        size_t end = domain_end(text, n, i);
        size_t len = end - begin;
        if (begin < *at || begin == i || end == i + 1 || len >= TKT_BOUNCE_ADDRESS_MAX ||
            !tkt_utf8_valid(text + begin, len)) {
            continue;
        }
        *at = end;
        *from = begin;
        memcpy(out, text + begin, len);
        out[len] = '\0';
        tkt_ascii_lower(strrchr(out, '@'));
        return true;
    }
    *at = n;
    return false;
}

bool tkt_bounce_failed_recipient(const struct tkt_header *h, char *out)
{
    static const char *const names[] = {"X-Failed-Recipients", "X-Bounced-Address",
                                        "X-Failed-Recipient"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        size_t index = 0;
        size_t at = 0;
        size_t from = 0;
        const struct tkt_field *f = tkt_header_find(h, names[i], &index);
        if (f != NULL && tkt_bounce_address_find(tkt_field_value(h, f), f->value_len, &at,
                                                 &from, out)) {
            return true;
        }
    }
    return false;
}
