/* SPDX-License-Identifier: BSD-2-Clause
 * What the strings of service levels and escalations must look like.
 */
#include "base/enc.h"
#include "base/util.h"
#include "conf/conf.h"
#include "conf/text.h"
#include "conf/unit.h"

#include <string.h>

#define TARGET_MAX_MS (366 * INT64_C(24) * 3600 * 1000)

int tkt_conf_priority(const char *text)
{
    static const char *const words[] = {"urgent", "high", "normal", "low", "planning"};
    int64_t number = 0;

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (tkt_ascii_ieq(words[i], text)) {
            return (int)i + 1;
        }
    }
    return tkt_parse_int(text, 1, 5, &number) == 0 ? (int)number : -1;
}

static int parse_time(const char *text, int64_t *ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number = 0;
    char copy[16];

    if (digits == 0 || digits >= sizeof(copy)) {
        return -1;
    }
    memcpy(copy, text, digits);
    copy[digits] = '\0';
    for (const struct tkt_conf_unit *u = tkt_conf_time_units; u->name != NULL; u++) {
        if (strcmp(text + digits, u->name) == 0) {
            return tkt_parse_int(copy, 0, INT64_MAX / u->factor, &number) < 0 ||
                           __builtin_mul_overflow(number, u->factor, ms)
                       ? -1
                       : 0;
        }
    }
    return -1;
}

int tkt_conf_sla_target(const char *text, int *priority, int64_t *ms)
{
    const char *is = strchr(text, '=');
    char word[16];

    *priority = 0;
    if (is != NULL) {
        size_t n = (size_t)(is - text);
        if (n == 0 || n >= sizeof(word)) {
            return -1;
        }
        memcpy(word, text, n);
        word[n] = '\0';
        *priority = tkt_conf_priority(word);
        if (*priority < 0) {
            return -1;
        }
    }
    return parse_time(is != NULL ? is + 1 : text, ms) < 0 || *ms < 1000 ||
                   *ms > TARGET_MAX_MS
               ? -1
               : 0;
}

const char *tkt_conf_is_sla_target(const char *value)
{
    int priority;
    int64_t ms;

    return tkt_conf_sla_target(value, &priority, &ms) == 0
               ? NULL
               : "a time from 1s to 366d such as 4h, or of one priority such as "
                 "urgent=15m";
}

const char *tkt_conf_is_priority(const char *value)
{
    return tkt_conf_priority(value) > 0
               ? NULL
               : "1 to 5, or urgent, high, normal, low, planning";
}

static bool is_number(const char *value)
{
    size_t n = value[0] == '+' ? strspn(value + 1, "0123456789") : 0;

    return n >= 6 && n <= 15 && value[1 + n] == '\0'; /* E.164 */
}

const char *tkt_conf_is_notify(const char *value)
{
    return strcmp(value, "manager") == 0 || strcmp(value, "assignee") == 0 ||
                   strcmp(value, "group") == 0 || strcmp(value, "room") == 0 ||
                   is_number(value) || tkt_conf_is_mailbox(value) == NULL
               ? NULL
               : "manager, assignee, group, room, an address or a number";
}
