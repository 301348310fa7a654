/* SPDX-License-Identifier: BSD-2-Clause
 * Card numbers and IBANs. */
#include "base/enc.h"
#include "base/util.h"
#include "message/redact_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CARD_MIN 13
#define CARD_MAX 19
#define GROUPS_MAX 8
#define BEFORE 32 /* bytes in front of a number in which its line may name it */

/* A blank, an unbreakable one, a dash or a point between groups: its bytes. */
static size_t separator(const char *p, size_t n)
{
    if (n > 1 && (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] == 0xa0) {
        return 2;
    }
    return n > 0 && (*p == ' ' || *p == '-' || *p == '.') ? 1 : 0;
}

/* A letter or digit of ASCII; other scripts put no blank behind a number. */
static bool goes_into_word(const char *text, size_t n, size_t end)
{
    return end < n && (unsigned char)text[end] < 0x80 && tkt_redact_is_word(text[end]);
}

/* Digits with single separators between groups, as far as they could be one number. */
struct number {
    char digits[CARD_MAX + 1];
    size_t group_count;
    unsigned char groups[GROUPS_MAX]; /* their lengths */
    size_t counts[GROUPS_MAX];        /* digits up to the end of each */
    size_t lens[GROUPS_MAX];          /* ... bytes */
};

static void read_number(const char *text, size_t n, size_t at, struct number *out)
{
    size_t i = at;
    size_t count = 0;

    memset(out, 0, sizeof(*out));
    while (i < n && tkt_redact_is_digit(text[i]) && out->group_count < GROUPS_MAX) {
        size_t from = i;
        for (; i < n && tkt_redact_is_digit(text[i]); i++) {
            if (count == CARD_MAX) {
                return; /* this group is of something else */
            }
            out->digits[count++] = text[i];
        }
        if (goes_into_word(text, n, i)) {
            return;
        }
        out->groups[out->group_count] = (unsigned char)(i - from);
        out->counts[out->group_count] = count;
        out->lens[out->group_count++] = i - at;
        size_t gap = separator(text + i, n - i);
        i += gap;
        if (gap == 0) {
            return;
        }
    }
}

static bool luhn(const char *digits, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned)(digits[n - 1 - i] - '0');
        d = i % 2 == 1 ? 2 * d : d;
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}

/* Whether a number of that length may begin so. */
static bool is_issued(const char *digits, size_t n)
{
    static const struct {
        unsigned first;
        unsigned last;
        unsigned char digits; /* of first and last */
        unsigned char min;
        unsigned char max;
    } issuers[] = {
        {4, 4, 1, 13, 19},       {51, 55, 2, 16, 16},     {2221, 2720, 4, 16, 16},
        {34, 34, 2, 15, 15},     {37, 37, 2, 15, 15},     {300, 305, 3, 14, 19},
        {3095, 3095, 4, 14, 19}, {36, 36, 2, 14, 19},     {38, 39, 2, 14, 19},
        {6011, 6011, 4, 16, 19}, {644, 659, 3, 16, 19},   {622126, 622925, 6, 16, 19},
        {62, 62, 2, 16, 19},     {3528, 3589, 4, 16, 19}, {5018, 5018, 4, 13, 19},
        {5020, 5020, 4, 13, 19}, {5038, 5038, 4, 13, 19}, {5893, 5893, 4, 13, 19},
        {6304, 6304, 4, 13, 19}, {6759, 6763, 4, 13, 19}, {2200, 2204, 4, 16, 19},
        {9792, 9792, 4, 16, 16},
    };

    for (size_t i = 0; i < TKT_ARRAY_LEN(issuers); i++) {
        unsigned head = 0;
        for (size_t k = 0; k < issuers[i].digits; k++) {
            head = head * 10 + (unsigned)(digits[k] - '0');
        }
        if (head >= issuers[i].first && head <= issuers[i].last && n >= issuers[i].min &&
            n <= issuers[i].max) {
            return true;
        }
    }
    return false;
}

/* 4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4: as it is printed on a card. */
static bool is_grouped_as_card(const unsigned char *g, size_t count)
{
    bool fours = count >= 4;

    if (count == 3) {
        return g[0] == 4 && g[1] == 6 && (g[2] == 5 || g[2] == 4);
    }
    for (size_t i = 0; fours && i < count; i++) {
        fours = g[i] == 4 || (i == count - 1 && g[i] < 4);
    }
    return fours;
}

/* Whether the line calls it something else, shortly before. */
static bool is_called_otherwise(const char *text, size_t at)
{
    static const char *const words[] = {
        "order",    "invoice",    "tracking",         "track ",    "shipment", "ticket",
        "case",     "ref",        "serial",           "imei",      "isbn",     "ean",
        "bestell",  "auftrag",    "rechnung",         "sendung",   "vorgang",  "kunden",
        "customer", "beleg",      "commande",         "facture",   "colis",    "pedido",
        "factura",  "ordine",     "fattura",          "encomenda", "fatura",   "phone",
        "telefon",  "t\xc3\xa9l", "zam\xc3\xb3wieni", "paczk",
    };
    static const char *const cards[] = {"card", "karte",  "carte", "tarjeta", "carta",
                                        "visa", "master", "amex",  "kredit",  "credit"};
    size_t from = at > BEFORE ? at - BEFORE : 0;
    char before[BEFORE + 1];

    for (size_t i = from; i < at; i++) {
        from = text[i] == '\n' ? i + 1 : from;
    }
    memcpy(before, text + from, at - from);
    before[at - from] = '\0';
    for (char *p = before; *p != '\0'; p++) {
        *p = (unsigned char)*p < 0x80 && *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(cards); i++) {
        if (strstr(before, cards[i]) != NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strstr(before, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* In the middle of something longer: "AB-4111...", "1.4111...", "+4...". */
static bool is_glued(const char *text, size_t at)
{
    return (at > 1 && (text[at - 1] == '-' || text[at - 1] == '.') &&
            tkt_redact_is_word(text[at - 2])) ||
           (at > 0 && (text[at - 1] == '+' || text[at - 1] == '/'));
}

/* "4111111111111111-7": goes on with something else. */
static bool goes_on(const char *text, size_t n, size_t end)
{
    return end + 1 < n && (text[end] == '-' || text[end] == '.') &&
           tkt_redact_is_word(text[end + 1]);
}

/* What follows a card number on its line are more digits: its date, another number. So the
 * longest run of groups counts that is one. */
size_t tkt_redact_card(const char *text, size_t n, size_t at)
{
    struct number x;

    if (!tkt_redact_is_digit(text[at]) || is_glued(text, at)) {
        return 0;
    }
    read_number(text, n, at, &x);
    for (size_t k = x.group_count; k > 0; k--) {
        size_t count = x.counts[k - 1];
        size_t len = x.lens[k - 1];
        if (count < CARD_MIN) {
            break;
        }
        if (!is_issued(x.digits, count) || !luhn(x.digits, count)) {
            continue;
        }
        if (k > 1 ? is_grouped_as_card(x.groups, k)
                  : !goes_on(text, n, at + len) && !is_called_otherwise(text, at)) {
            return len;
        }
    }
    return 0;
}

/* ---- IBANs ---- */

#define IBAN_MIN 15
#define IBAN_MAX 34

/* Country and length, in one string: five bytes each. */
static const char countries[] = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 "
                                "BY28 CH21 CR22 CY28 CZ24 DE22 "
                                "DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 "
                                "GE22 GI23 GL18 GR27 GT28 HR21 "
                                "HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 "
                                "LI21 LT20 LU20 LV21 LY25 MC27 "
                                "MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 "
                                "PK24 PL28 PS29 PT25 QA29 RO24 "
                                "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 "
                                "SV28 TL23 TN24 TR26 UA29 VA22 "
                                "VG24 XK20 ";

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c;
}

static size_t length_of(const char country[2])
{
    for (const char *p = countries; *p != '\0'; p += 5) {
        if (p[0] == country[0] && p[1] == country[1]) {
            return (size_t)((p[2] - '0') * 10 + (p[3] - '0'));
        }
    }
    return 0;
}

/* ISO 13616: the first four go to the end, letters count from 10 on, modulo 97 is 1. */
static bool mod97(const char *iban, size_t n)
{
    unsigned rest = 0;

    for (size_t i = 0; i < n; i++) {
        char c = iban[(i + 4) % n];
        rest = tkt_redact_is_digit(c) ? rest * 10 + (unsigned)(c - '0')
                                      : rest * 100 + (unsigned)(c - 'A' + 10);
        rest %= 97;
    }
    return rest == 1;
}

size_t tkt_redact_iban(const char *text, size_t n, size_t at)
{
    char iban[IBAN_MAX];
    size_t len = 0;
    size_t i = at;

    if (n - at < IBAN_MIN || !tkt_redact_is_digit(text[at + 2]) ||
        !tkt_redact_is_digit(text[at + 3])) {
        return 0;
    }
    char country[2] = {upper(text[at]), upper(text[at + 1])};
    size_t want = length_of(country);
    while (i < n && len < want) {
        size_t gap = len > 0 ? separator(text + i, n - i) : 0;
        char c = i + gap < n ? upper(text[i + gap]) : '\0';
        if (!tkt_redact_is_digit(c) && !(c >= 'A' && c <= 'Z')) {
            return 0;
        }
        iban[len++] = c;
        i += gap + 1;
    }
    return want > 0 && len == want && !goes_into_word(text, n, i) && mod97(iban, len)
               ? i - at
               : 0;
}
