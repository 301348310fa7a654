/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/mtafield.h"

#include "base/cfws.h"
#include "base/enc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- Received ---------------------------------------------------------------------- */

static void copy_bounded(char *out, size_t max, const char *p, size_t n)
{
    if (n >= max) {
        n = 0; /* half a name would match nothing */
    }
    memcpy(out, p, n);
    out[n] = '\0';
}

/* The next word outside comments; ';' is a word of its own. */
static bool next_word(const char **at, const char *end, const char **word, size_t *n)
{
    const char *p = *at;

    while (p < end && (*p == ' ' || *p == '(')) {
        p = *p == '(' ? tkt_comment_end(p, end) : p + 1;
    }
    *word = p;
    if (p < end && *p == ';') {
        p++;
    } else {
        while (p < end && *p != ' ' && *p != ';' && *p != '(') {
            p++;
        }
    }
    *n = (size_t)(p - *word);
    *at = p;
    return *n > 0;
}

static bool word_is(const char *word, size_t n, const char *want)
{
    return n == strlen(want) && tkt_ascii_ieqn(word, want, n);
}

void tkt_received_parse(const char *value, size_t len, struct tkt_received *out)
{
    const char *end = value + len;
    const char *word;
    const char *arg;
    size_t n;
    size_t arg_len;

    memset(out, 0, sizeof(*out));
    while (next_word(&value, end, &word, &n)) {
        if (*word == ';') {
            while (value < end && *value == ' ') {
                value++;
            }
            copy_bounded(out->stamp, sizeof(out->stamp), value, (size_t)(end - value));
            return;
        }
        if (!word_is(word, n, "from") && !word_is(word, n, "by") &&
            !word_is(word, n, "with") && !word_is(word, n, "id") &&
            !word_is(word, n, "for") && !word_is(word, n, "via")) {
            continue;
        }
        if (!next_word(&value, end, &arg, &arg_len)) {
            return;
        }
        if (word_is(word, n, "by") && out->host[0] == '\0') {
            copy_bounded(out->host, sizeof(out->host), arg, arg_len);
        } else if (word_is(word, n, "id") && out->id[0] == '\0') {
            copy_bounded(out->id, sizeof(out->id), arg, arg_len);
        } else if (word_is(word, n, "with") && arg_len >= 4 &&
                   tkt_ascii_ieqn(arg, "LMTP", 4)) {
            out->is_lmtp = true;
        }
    }
}

/* ---- Date -------------------------------------------------------------------------- */

static int month_number(const char *name)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int i = 0; i < 12; i++) {
        if (tkt_ascii_ieqn(name, months + 3 * i, 3)) {
            return i;
        }
    }
    return -1;
}

/* "+0130" -> seconds; the few names that mean UTC. */
static bool zone_offset(const char *zone, int64_t *out_s)
{
    int hours;
    int minutes;

    if (tkt_ascii_ieq(zone, "GMT") || tkt_ascii_ieq(zone, "UT") ||
        tkt_ascii_ieq(zone, "UTC") || tkt_ascii_ieq(zone, "Z")) {
        *out_s = 0;
        return true;
    }
    if (strlen(zone) != 5 || (zone[0] != '+' && zone[0] != '-') ||
        strspn(zone + 1, "0123456789") != 4) {
        return false;
    }
    hours = (zone[1] - '0') * 10 + zone[2] - '0';
    minutes = (zone[3] - '0') * 10 + zone[4] - '0';
    *out_s = (zone[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool tkt_mail_date_parse(const char *value, struct tkt_mail_date *out)
{
    const char *comma = strchr(value, ',');
    const char *p = comma == NULL ? value : comma + 1;
    struct tm tm = {0};
    char month[4];
    char zone[6];
    int64_t offset_s;
    int used = 0;

    if (sscanf(p, " %2d %3s %4d %2d:%2d:%2d %5s%n", &tm.tm_mday, month, &tm.tm_year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone, &used) != 7) {
        return false;
    }
    tm.tm_mon = month_number(month);
    tm.tm_year -= 1900;
    if (tm.tm_mon < 0 || tm.tm_year < 70 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 ||
        tm.tm_sec < 0 || tm.tm_sec > 60 || !zone_offset(zone, &offset_s)) {
        return false;
    }
    out->at_s = (int64_t)timegm(&tm) - offset_s;
    out->has_zone_name = strncmp(p + used, " (", 2) == 0 && p[strlen(p) - 1] == ')';
    return true;
}

/* ---- what is ours ------------------------------------------------------------------ */

bool tkt_message_id_is_mta(const char *id, const char *queue_id, const char *host)
{
    const char *at = strrchr(id, '@');
    size_t queue_len = strlen(queue_id);
    size_t left;

    if (at == NULL || queue_len == 0 || host[0] == '\0' || !tkt_ascii_ieq(at + 1, host)) {
        return false;
    }
    left = (size_t)(at - id);
    return left > queue_len && at[-(ptrdiff_t)queue_len - 1] == '.' &&
           memcmp(at - queue_len, queue_id, queue_len) == 0;
}

/* Postfix and Sendmail begin their Message-IDs with the time in UTC, which is also that
 * of the Date they add: YYYYMMDDhhmmss or YYYYMMDDhhmm, and a dot. */
static bool id_spells_time(const char *id, int64_t at_s)
{
    size_t n = strspn(id, "0123456789");
    time_t t = (time_t)at_s;
    struct tm tm;
    char text[32];

    if ((n != 14 && n != 12) || id[n] != '.' || gmtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm) != 14) {
        return false;
    }
    return memcmp(id, text, n) == 0;
}

bool tkt_date_is_mta(const struct tkt_date_facts *f)
{
    struct tkt_mail_date date;
    struct tkt_mail_date stamp;
    int64_t mail_time_s = f->mail_time_s;

    if (!tkt_mail_date_parse(f->date, &date)) {
        return false;
    }
    if (id_spells_time(f->message_id, date.at_s)) {
        return f->message_id_is_mta; /* one MTA wrote both; whether it was ours shows */
    }
    if (mail_time_s == 0 && tkt_mail_date_parse(f->stamp, &stamp)) {
        mail_time_s = stamp.at_s;
    }
    if (mail_time_s != 0 && f->is_last && date.has_zone_name) {
        int64_t off_s = date.at_s - mail_time_s;

        return off_s >= -1 && off_s <= 1;
    }
    return f->mail_time_s == 0 && f->stamp[0] != '\0' && strcmp(f->date, f->stamp) == 0 &&
           (f->is_last || f->is_first);
}
