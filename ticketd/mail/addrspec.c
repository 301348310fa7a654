/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/addrspec.h"

#include "base/cfws.h"
#include "base/enc.h"

#include <string.h>

/* Behind the quoted string that begins at i. */
static size_t skip_quoted(const char *v, size_t len, size_t i)
{
    for (i++; i < len; i++) {
        if (v[i] == '\\') {
            i++;
        } else if (v[i] == '"') {
            return i + 1;
        }
    }
    return len;
}

/* Copies [i, end) without blanks and comments; quoted strings whole. */
static void copy_spec(const char *v, size_t i, size_t end, char *out, size_t max)
{
    size_t n = 0;

    while (i < end) {
        size_t next = i + 1;

        if (v[i] == '(') {
            i = (size_t)(tkt_comment_end(v + i, v + end) - v);
            continue;
        }
        if (v[i] == '"') {
            next = skip_quoted(v, end, i);
        } else if (v[i] == ' ') {
            i++;
            continue;
        }
        if (next - i >= max - n) {
            out[0] = '\0';
            return;
        }
        memcpy(out + n, v + i, next - i);
        n += next - i;
        i = next;
    }
    out[n] = '\0';
}

/* The first "<...>" outside quotes and comments, or the first list element. */
static void first_mailbox(const char *v, size_t len, size_t *start, size_t *end)
{
    size_t i = 0;

    *start = 0;
    while (i < len) {
        if (v[i] == '"') {
            i = skip_quoted(v, len, i);
        } else if (v[i] == '(') {
            i = (size_t)(tkt_comment_end(v + i, v + len) - v);
        } else if (v[i] == '<') {
            const char *close = memchr(v + i, '>', len - i);

            *start = i + 1;
            *end = close == NULL ? len : (size_t)(close - v);
            return;
        } else if (v[i] == ':') {
            *start = ++i; /* a group's name ends here */
        } else if (v[i] == ',' || v[i] == ';') {
            break;
        } else {
            i++;
        }
    }
    *end = i < len ? i : len;
}

void tkt_addrspec_first(const char *value, size_t len, char *out, size_t max)
{
    size_t start;
    size_t end;
    char *at;

    first_mailbox(value, len, &start, &end);
    copy_spec(value, start, end, out, max);
    if (out[0] == '@') { /* an RFC 822 route: "@hop,@hop:user@domain" */
        char *colon = strchr(out, ':');

        if (colon != NULL) {
            memmove(out, colon + 1, strlen(colon + 1) + 1);
        }
    }
    at = strrchr(out, '@');
    if (at != NULL) {
        tkt_ascii_lower(at);
    }
}

static bool is_address_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80 || (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~.-@", c));
}

bool tkt_addrspec_within(const char *value, size_t len, const char *addr)
{
    size_t n = strlen(addr);

    if (n == 0) {
        return false;
    }
    for (size_t i = 0; i + n <= len; i++) {
        if (tkt_ascii_ieqn(value + i, addr, n) &&
            (i == 0 || !is_address_char(value[i - 1])) &&
            (i + n == len || !is_address_char(value[i + n]))) {
            return true;
        }
    }
    return false;
}
