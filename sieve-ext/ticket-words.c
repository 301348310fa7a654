/* SPDX-License-Identifier: BSD-2-Clause */
#include "sieve-ext/ticket-words.h"

#include <string.h>
#include <strings.h>

#define PREFIX_MAX 10
#define DIGITS_MAX 19

static const char *const priorities[] = {"urgent", "high", "normal", "low", "planning"};

static bool is_alpha(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (!is_alpha(c) && !is_digit(c) && strchr("-_.", c) == NULL) {
            return false;
        }
    }
    return n > 0 && n <= TKT_SIEVE_NAME_MAX && memchr(text, '\0', n) == NULL;
}

static bool has_control(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < ' ' || c == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool is_priority(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
        if (strlen(priorities[i]) == n && strncasecmp(priorities[i], text, n) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_address(const char *text, size_t n)
{
    const char *at = n > 0 ? memchr(text, '@', n) : NULL;

    return at != NULL && at > text && (size_t)(at - text) + 1 < n &&
           memchr(text, ' ', n) == NULL;
}

const char *tkt_sieve_word_check(enum tkt_sieve_word kind, const char *text, size_t n)
{
    const char *equals;

    if (n > TKT_SIEVE_TEXT_MAX) {
        return "must be at most 255 octets long";
    }
    if (has_control(text, n)) {
        return "must be without control characters";
    }
    switch (kind) {
    case TKT_SIEVE_DESK:
        return is_name(text, n)
                   ? NULL
                   : "must be a name of 1 to 64 letters, digits, '-', '_', '.'";
    case TKT_SIEVE_PRIORITY:
        return is_priority(text, n)
                   ? NULL
                   : "must be one of urgent, high, normal, low, planning";
    case TKT_SIEVE_ADDRESS:
        return is_address(text, n) ? NULL : "must be an address, name@domain";
    case TKT_SIEVE_TAG:
        return n > 0 ? NULL : "must not be empty";
    case TKT_SIEVE_FIELD:
        equals = n > 0 ? memchr(text, '=', n) : NULL;
        return equals != NULL && is_name(text, (size_t)(equals - text))
                   ? NULL
                   : "must be name=value, with a name of letters, digits, '-', '_', '.'";
    case TKT_SIEVE_TEXT:
        break;
    }
    return NULL;
}

bool tkt_sieve_find_id(const char *text, size_t n, size_t *at, const char **id,
                       size_t *id_len)
{
    for (size_t i = *at; i < n; i++) {
        size_t k = i + 1;
        size_t digits;

        if (text[i] != '[' || k >= n || !is_alpha((unsigned char)text[k])) {
            continue;
        }
        while (k < n && k - i <= PREFIX_MAX &&
               (is_alpha((unsigned char)text[k]) || is_digit((unsigned char)text[k]))) {
            k++;
        }
        if (k >= n || text[k] != '-') {
            continue;
        }
        digits = ++k;
        while (k < n && k - digits < DIGITS_MAX && is_digit((unsigned char)text[k])) {
            k++;
        }
        if (k > digits && k < n && text[k] == ']') {
            *id = text + i + 1;
            *id_len = k - i - 1;
            *at = k + 1;
            return true;
        }
    }
    return false;
}
