/* SPDX-License-Identifier: BSD-2-Clause
 * Amazon SES's events as SNS mails them: JSON, sometimes as a string inside JSON. Only a
 * few strings of it are wanted, so it is searched and not parsed.
 */
#include "base/util.h"
#include "message/bounce.h"
#include "message/phrase.h"

#include <string.h>

/* The string behind "key" from p on; quotation marks may be escaped. */
static bool find_string(const char *p, size_t n, const char *key, char *out, size_t max)
{
    const char *end = p + n;
    char quoted[64];
    size_t len = strlen(key);

    memcpy(quoted, key, len);
    quoted[len] = '\0';
    for (const char *at = p; (at = tkt_phrase_find(at, (size_t)(end - at), quoted));) {
        bool is_key = at > p && at[-1] == '"';
        at += len;
        const char *v = at;
        while (v < end && strchr("\\\" \t\n", *v) != NULL) {
            v++;
        }
        if (!is_key || v == at || v == end || *v != ':') {
            continue;
        }
        v++;
        while (v < end && strchr(" \t\n\\", *v) != NULL) {
            v++;
        }
        if (v == end || *v != '"') {
            continue;
        }
        const char *stop = ++v;
        while (stop < end && *stop != '"') {
            stop++;
        }
        size_t value_len = (size_t)(stop - v);
        while (value_len > 0 && v[value_len - 1] == '\\') {
            value_len--;
        }
        tkt_bounce_one_line(v, value_len, out, max);
        return true;
    }
    return false;
}

bool tkt_bounce_json(const char *text, size_t n, char *kind, size_t kind_max,
                     struct tkt_bounce_found *out)
{
    struct tkt_bounce_found f;
    size_t at = 0;
    size_t from = 0;
    char address[TKT_BOUNCE_ADDRESS_MAX] = "";

    memset(&f, 0, sizeof(f));
    n = n < TKT_BOUNCE_TEXT_MAX ? n : TKT_BOUNCE_TEXT_MAX;
    if (!find_string(text, n, "notificationType", kind, kind_max) &&
        !find_string(text, n, "eventType", kind, kind_max)) {
        return false;
    }
    const char *who = tkt_phrase_find(text, n, "bouncedRecipients");
    who = who == NULL ? tkt_phrase_find(text, n, "complainedRecipients") : who;
    size_t left = who == NULL ? 0 : n - (size_t)(who - text);
    if (who != NULL && find_string(who, left, "emailAddress", address, sizeof(address)) &&
        !tkt_bounce_address_find(address, strlen(address), &at, &from, f.recipient)) {
        f.recipient[0] = '\0';
    }
    char status[64] = "";
    if (who != NULL && find_string(who, left, "status", status, sizeof(status)) &&
        !tkt_bounce_status_find(status, strlen(status), f.status)) {
        f.status[0] = '\0';
    }
    if (who != NULL &&
        !find_string(who, left, "diagnosticCode", f.diagnostic, sizeof(f.diagnostic))) {
        f.diagnostic[0] = '\0';
    }
    if (tkt_phrase_find(f.diagnostic, TKT_MIN(strlen(f.diagnostic), 5), "smtp;") ==
        f.diagnostic) {
        size_t skip = 5 + strspn(f.diagnostic + 5, " ");
        memmove(f.diagnostic, f.diagnostic + skip, strlen(f.diagnostic + skip) + 1);
    }
    *out = f;
    return true;
}
