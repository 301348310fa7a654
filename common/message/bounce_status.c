/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "message/bounce.h"
#include "message/phrase.h"

#include <stdio.h>
#include <string.h>

#define REASON_MAX 4096 /* of a text in which words are looked for */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Digits at p, one to three of them; 0 when there are none or more. */
static size_t number(const char *p, size_t n)
{
    size_t len = 0;

    while (len < n && is_digit(p[len])) {
        len++;
    }
    return len <= 3 ? len : 0;
}

/* Length of "5.1.1" at p, or 0. Subjects are 0 to 7 (RFC 3463): that alone keeps most
 * version numbers out. */
static size_t status_length(const char *p, size_t n)
{
    if (n < 5 || (p[0] != '2' && p[0] != '4' && p[0] != '5') || p[1] != '.' ||
        p[2] < '0' || p[2] > '7' || p[3] != '.') {
        return 0;
    }
    size_t detail = number(p + 4, n - 4);
    size_t len = 4 + detail;
    bool more = len < n && (is_word(p[len]) ||
                            (p[len] == '.' && len + 1 < n && is_digit(p[len + 1])));
    return detail == 0 || more ? 0 : len;
}

bool tkt_bounce_status_find(const char *text, size_t n, char out[TKT_BOUNCE_STATUS_MAX])
{
    for (size_t i = 0; i + 4 < n; i++) {
        bool inside =
            i > 0 && (is_word(text[i - 1]) || text[i - 1] == '.' || text[i - 1] == '-');
        size_t len = inside ? 0 : status_length(text + i, n - i);
        if (len > 0 && (i == 0 || text[i - 1] != '/')) {
            memcpy(out, text + i, len);
            out[len] = '\0';
            return true;
        }
    }
    return false;
}

bool tkt_bounce_is_reply(const char *p, size_t n)
{
    if (n < 3 || (p[0] != '2' && p[0] != '4' && p[0] != '5') || p[1] < '0' ||
        p[1] > '7' || !is_digit(p[2])) {
        return false;
    }
    return n == 3 || p[3] == ' ' || p[3] == '-' || p[3] == '\t' || p[3] == '\n' ||
           p[3] == ':' || p[3] == ',' || p[3] == ';' || p[3] == '"' || p[3] == '\'' ||
           p[3] == ']' || p[3] == ')';
}

/* The first reply code of a refusal in the text, 0 without one. Numbers inside words,
 * addresses and dates are none. */
static int reply_code(const char *text, size_t n)
{
    for (size_t i = 0; i + 3 <= n; i++) {
        bool free = i == 0 || strchr(" \t\n:([<\"'>=;,", text[i - 1]) != NULL;
        if (free && text[i] != '2' && tkt_bounce_is_reply(text + i, n - i)) {
            return (text[i] - '0') * 100 + (text[i + 1] - '0') * 10 + (text[i + 2] - '0');
        }
    }
    return 0;
}

/* What servers and programs write, and the subject and detail (RFC 3463) that mean it.
 * The first that stands in the text counts: the more telling ones come first. */
static const struct {
    const char *words;
    const char *detail;
} meanings[] = {
    {"mailbox full", "2.2"},
    {"mailbox is full", "2.2"},
    {"mailbox has exceeded", "2.2"},
    {"mailfolder is full", "2.2"},
    {"mail box full", "2.2"},
    {"inbox is full", "2.2"},
    {"over quota", "2.2"},
    {"overquota", "2.2"},
    {"quota exceeded", "2.2"},
    {"exceeded quota", "2.2"},
    {"exceeded storage", "2.2"},
    {"exceeds quota", "2.2"},
    {"exceeded his quota", "2.2"},
    {"exceeded their quota", "2.2"},
    {"quota violation", "2.2"},
    {"out of storage", "2.2"},
    {"disk quota", "2.2"},
    {"storage quota", "2.2"},
    {"not enough storage", "2.2"},
    {"insufficient storage", "2.2"},
    {"account is full", "2.2"},
    {"has run out of space", "2.2"},
    {"user unknown", "1.1"},
    {"unknown user", "1.1"},
    {"user not found", "1.1"},
    {"user is unknown", "1.1"},
    {"unknown or illegal", "1.1"},
    {"no such user", "1.1"},
    {"no such recipient", "1.1"},
    {"no such person", "1.1"},
    {"no such mailbox", "1.1"},
    {"no such address", "1.1"},
    {"no such local user", "1.1"},
    {"no mailbox", "1.1"},
    {"no local mailbox", "1.1"},
    {"mailbox not found", "1.1"},
    {"mailbox unavailable", "1.1"},
    {"mailbox unknown", "1.1"},
    {"unknown mailbox", "1.1"},
    {"mailbox does not exist", "1.1"},
    {"unknown address", "1.1"},
    {"unknown recipient", "1.1"},
    {"recipient unknown", "1.1"},
    {"recipient not found", "1.1"},
    {"recipnotfound", "1.1"},
    {"recipient name is not recognized", "1.1"},
    {"recipient address does not exist", "1.1"},
    {"address couldn't be found", "1.1"},
    {"address you entered couldn't be found", "1.1"},
    {"address does not exist", "1.1"},
    {"email account that you tried to reach does not exist", "1.1"},
    {"does not have an account", "1.1"},
    {"doesn't have a", "1.1"},
    {"doesn't have an account", "1.1"},
    {"user does not exist", "1.1"},
    {"user doesn't exist", "1.1"},
    {"account does not exist", "1.1"},
    {"not listed in", "1.1"},
    {"not a valid mailbox", "1.1"},
    {"not a known user", "1.1"},
    {"not a valid user", "1.1"},
    {"invalid recipient", "1.1"},
    {"invalid mailbox", "1.1"},
    {"invalid user", "1.1"},
    {"invalid address", "1.1"},
    {"invalid final delivery userid", "1.1"},
    {"addressee unknown", "1.1"},
    {"no valid recipients", "1.1"},
    {"alias unknown", "1.1"},
    {"empfänger unbekannt", "1.1"},
    {"utilisateur inconnu", "1.1"},
    {"destinataire inconnu", "1.1"},
    {"usuario desconocido", "1.1"},
    {"utente sconosciuto", "1.1"},
    {"пользователь не найден", "1.1"},
    {"group you tried to contact", "1.1"},
    {"account has been disabled", "2.1"},
    {"account disabled", "2.1"},
    {"account is disabled", "2.1"},
    {"account inactive", "2.1"},
    {"account is inactive", "2.1"},
    {"account suspended", "2.1"},
    {"mailbox disabled", "2.1"},
    {"mailbox is disabled", "2.1"},
    {"mailbox is inactive", "2.1"},
    {"mailbox temporarily disabled", "2.1"},
    {"user is suspended", "2.1"},
    {"not accepting messages", "2.1"},
    {"no longer available", "2.1"},
    {"has moved", "1.6"},
    {"is no longer", "1.6"},
    {"message too large", "3.4"},
    {"message too big", "3.4"},
    {"message size exceeds", "3.4"},
    {"message is too large", "3.4"},
    {"size limit exceeded", "3.4"},
    {"message length exceeds", "2.3"},
    {"exceeds the maximum message size", "3.4"},
    {"exceeds maximum message size", "3.4"},
    {"message file too big", "3.4"},
    {"too many hops", "4.6"},
    {"hop count exceeded", "4.6"},
    {"mail loop", "4.6"},
    {"loops back to myself", "4.6"},
    {"routing loop", "4.6"},
    {"local configuration error", "3.5"},
    {"null mx", "1.10"},
    {"does not accept mail", "1.10"},
    {"host or domain name not found", "4.4"},
    {"couldn't find any host", "1.2"},
    {"host unknown", "1.2"},
    {"unknown host", "1.2"},
    {"host not found", "1.2"},
    {"domain does not exist", "1.2"},
    {"domain not found", "1.2"},
    {"domain unknown", "1.2"},
    {"unknown domain", "1.2"},
    {"no such domain", "1.2"},
    {"no mx record", "1.2"},
    {"dns lookup failure", "4.3"},
    {"dns error", "4.3"},
    {"name service error", "4.3"},
    {"name server", "4.3"},
    {"couldn't find a mail exchanger", "4.4"},
    {"unrouteable", "4.4"},
    {"unroutable", "4.4"},
    {"unable to route", "4.4"},
    {"could not find a gateway", "4.4"},
    {"no route to host", "4.4"},
    {"spf", "7.23"},
    {"dmarc", "7.1"},
    {"reverse dns", "7.25"},
    {"ptr record", "7.25"},
    {"no reverse", "7.25"},
    {"relay access denied", "7.1"},
    {"relaying denied", "7.1"},
    {"relay not permitted", "7.1"},
    {"unable to relay", "7.1"},
    {"not permitted to relay", "7.1"},
    {"blacklist", "7.1"},
    {"black list", "7.1"},
    {"blocklist", "7.1"},
    {"blocked", "7.1"},
    {"spam", "7.1"},
    {"virus", "7.1"},
    {"access denied", "7.1"},
    {"not authorized", "7.1"},
    {"not allowed", "7.1"},
    {"not permitted", "7.1"},
    {"permission to post", "7.1"},
    {"not member", "7.2"},
    {"not a member", "7.2"},
    {"policy", "7.1"},
    {"authentication required", "7.0"},
    {"prohibited", "7.1"},
    {"refused to accept", "7.1"},
    {"message rejected", "7.1"},
    {"rejected", "7.1"},
    {"sender was rejected", "1.8"},
    {"sender address", "1.8"},
    {"retry timeout exceeded", "4.7"},
    {"retry time not reached", "4.7"},
    {"envelope expired", "4.7"},
    {"message expired", "4.7"},
    {"delivery expired", "4.7"},
    {"delivery time expired", "4.7"},
    {"too long in the queue", "4.7"},
    {"in the queue too long", "4.7"},
    {"could not deliver for the last", "4.7"},
    {"multiple retries", "4.7"},
    {"was aborted after", "4.7"},
    {"after several attempts", "4.7"},
    {"connection refused", "4.1"},
    {"could not connect", "4.1"},
    {"unable to connect", "4.1"},
    {"requests to connect", "4.1"},
    {"establish an smtp connection", "4.1"},
    {"not reachable", "4.1"},
    {"no answer from host", "4.1"},
    {"connection timed out", "4.1"},
    {"operation timed out", "4.1"},
    {"timed out", "4.1"},
    {"timeout", "4.1"},
    {"connection dropped", "4.2"},
    {"connection lost", "4.2"},
    {"connection reset", "4.2"},
    {"lost connection", "4.2"},
    {"socket error", "4.2"},
    {"temporarily unavailable", "2.1"},
    {"temporarily deferred", "7.0"},
    {"too many connections", "4.5"},
    {"too many recipients", "5.3"},
    {"protocol error", "5.0"},
    {"syntax error", "5.2"},
    {"system resources", "3.1"},
    {"system error", "3.0"},
};

static const struct {
    int code;
    const char *detail;
} code_meanings[] = {
    {421, "3.2"}, {450, "2.0"}, {451, "3.0"}, {452, "3.1"}, {454, "7.0"},  {500, "5.2"},
    {501, "5.4"}, {502, "5.1"}, {503, "5.1"}, {504, "5.4"}, {521, "3.2"},  {530, "7.0"},
    {535, "7.8"}, {551, "1.6"}, {552, "2.2"}, {553, "1.3"}, {556, "1.10"},
};

void tkt_bounce_status_of(const char *text, size_t n, bool is_delayed,
                          char out[TKT_BOUNCE_STATUS_MAX])
{
    const char *detail = NULL;

    n = TKT_MIN(n, REASON_MAX);
    if (tkt_bounce_status_find(text, n, out) && out[0] != '2') {
        return;
    }
    int code = reply_code(text, n);
    int class = code > 0 ? code / 100 : is_delayed ? 4 : 5;
    for (size_t i = 0; detail == NULL && i < TKT_ARRAY_LEN(meanings); i++) {
        if (tkt_phrase_find(text, n, meanings[i].words) != NULL) {
            detail = meanings[i].detail;
        }
    }
    for (size_t i = 0; detail == NULL && i < TKT_ARRAY_LEN(code_meanings); i++) {
        detail = code_meanings[i].code == code ? code_meanings[i].detail : NULL;
    }
    if (detail != NULL && strcmp(detail, "4.7") == 0) {
        class = 4; /* RFC 3463: only a persistent transient error */
    }
    (void)snprintf(out, TKT_BOUNCE_STATUS_MAX, "%d.%s", class,
                   detail == NULL ? "0.0" : detail);
}
