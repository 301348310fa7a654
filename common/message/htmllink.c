/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmllink.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/entity.h"

#include <string.h>

static const char *const shown[] = {"http://", "https://", "ftp://", "file://"};
static const char *const bare[] = {"mailto:", "tel:", "callto:"};

static bool starts(const char *s, size_t n, const char *prefix)
{
    size_t len = strlen(prefix);

    return n >= len && tkt_ascii_ieqn(s, prefix, len);
}

/* With references decoded and without white space; 0 when it does not fit. */
static size_t decode(const char *p, size_t n, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < n;) {
        char utf8[TKT_ENTITY_TEXT_MAX];
        size_t utf8_len = 0;
        size_t used =
            p[i] == '&' ? tkt_entity_read(p + i, n - i, true, utf8, &utf8_len) : 0;
        if (used == 0) {
            utf8[0] = p[i];
            utf8_len = 1;
            used = 1;
        }
        i += used;
        if (utf8_len == 1 && ((unsigned char)utf8[0] <= ' ' || utf8[0] == 0x7f)) {
            continue;
        }
        if (len + utf8_len >= size) {
            return 0;
        }
        memcpy(out + len, utf8, utf8_len);
        len += utf8_len;
    }
    out[len] = '\0';
    return len;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX in place; what would be a control byte or no ASCII stays. */
static size_t percent_decode(char *s)
{
    size_t len = 0;

    for (size_t i = 0; s[i] != '\0'; i++) {
        int high = s[i] == '%' ? hex(s[i + 1]) : -1;
        int low = high >= 0 ? hex(s[i + 2]) : -1;
        int c = low >= 0 ? high * 16 + low : -1;
        if (c > ' ' && c < 0x7f) {
            s[len++] = (char)c;
            i += 2;
        } else {
            s[len++] = s[i];
        }
    }
    s[len] = '\0';
    return len;
}

/* "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fx.example&data=" */
static size_t unwrap(char *url, size_t n)
{
    static const char host[] = ".safelinks.protection.outlook.com/";
    char *slash = n > 8 ? strchr(url + 8, '/') : NULL;

    if (slash == NULL || (size_t)(slash + 1 - url) < sizeof(host) ||
        !tkt_ascii_ieqn(slash + 1 - (sizeof(host) - 1), host, sizeof(host) - 1)) {
        return n;
    }
    char *target = strstr(slash, "url=");
    if (target == NULL) {
        return n;
    }
    target += 4;
    target[strcspn(target, "&")] = '\0';
    memmove(url, target, strlen(target) + 1);
    return percent_decode(url);
}

size_t tkt_html_link_url(const char *href, size_t n, char *out, size_t size)
{
    size_t len = href == NULL ? 0 : decode(href, n, out, size);

    for (size_t i = 0; i < TKT_ARRAY_LEN(bare); i++) {
        if (starts(out, len, bare[i])) {
            size_t skip = strlen(bare[i]);
            memmove(out, out + skip, len - skip + 1);
            out[strcspn(out, "?")] = '\0';
            return strlen(out);
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(shown); i++) {
        if (starts(out, len, shown[i])) {
            return unwrap(out, len);
        }
    }
    return 0;
}

/* Without what people leave out when they write an address down. */
static void strip(const char **s, size_t *n)
{
    static const char *const prefixes[] = {"http://", "https://", "mailto:", "www."};

    while (*n > 0 && (unsigned char)**s <= ' ') {
        (*s)++;
        (*n)--;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(prefixes); i++) {
        if (starts(*s, *n, prefixes[i])) {
            *s += strlen(prefixes[i]);
            *n -= strlen(prefixes[i]);
        }
    }
    while (*n > 0 && ((unsigned char)(*s)[*n - 1] <= ' ' || (*s)[*n - 1] == '/')) {
        (*n)--;
    }
}

static bool is_phone(const char *s)
{
    return strspn(s, "+0123456789-.()/") == strlen(s);
}

/* Whether the digits of a text are those of a telephone number. */
static bool same_digits(const char *text, size_t n, const char *phone)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            continue;
        }
        phone += strcspn(phone, "0123456789");
        if (*phone != text[i]) {
            return false;
        }
        phone++;
    }
    return phone[strcspn(phone, "0123456789")] == '\0';
}

bool tkt_html_link_says(const char *text, size_t n, const char *url)
{
    size_t url_len = strlen(url);

    if (memmem(text, n, url, url_len) != NULL) {
        return true;
    }
    strip(&text, &n);
    strip(&url, &url_len);
    if (n == url_len && tkt_ascii_ieqn(text, url, n)) {
        return true;
    }
    return is_phone(url) && same_digits(text, n, url);
}
