/* SPDX-License-Identifier: BSD-2-Clause
 * The finders of tkt_redact_add(), one a file. Each is asked at a place where a word
 * begins and says how many bytes from there on (0 = none) are what it looks for. Private
 * to them.
 */
#ifndef TKT_MESSAGE_REDACT_INTERNAL_H
#define TKT_MESSAGE_REDACT_INTERNAL_H
#include <stdbool.h>
#include <stddef.h>

/* text[at] begins a word. */
size_t tkt_redact_card(const char *text, size_t n, size_t at);
size_t tkt_redact_iban(const char *text, size_t n, size_t at);
/* A word for passwords begins here: *skip bytes stay, then the secret. */
size_t tkt_redact_password(const char *text, size_t n, size_t at, size_t *skip);
size_t tkt_redact_pattern(const char *text, size_t n, size_t at, const char *pattern);

static inline bool tkt_redact_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of characters beyond ASCII count as letters. */
static inline bool tkt_redact_is_letter(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

static inline bool tkt_redact_is_word(char c)
{
    return tkt_redact_is_digit(c) || tkt_redact_is_letter(c);
}

static inline bool tkt_redact_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

#endif
