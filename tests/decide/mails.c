/* SPDX-License-Identifier: BSD-2-Clause */
#include "mails.h"

#include "base/fs.h"
#include "base/util.h"
#include "message/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (8 * 1024 * 1024)
#define VALUE_MAX (256 * 1024)

/* ---- JSON, as far as such lines need it ----------------------------------------------- */

static void add_utf8(struct tkt_buf *out, unsigned long c)
{
    if (c < 0x80) {
        (void)tkt_buf_addc(out, (char)c); /* a full value is a shorter one */
    } else if (c < 0x800) {
        (void)tkt_buf_addc(out, (char)(0xC0 | c >> 6));
        (void)tkt_buf_addc(out, (char)(0x80 | (c & 0x3F)));
    } else {
        (void)tkt_buf_addc(out, (char)(0xE0 | c >> 12));
        (void)tkt_buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        (void)tkt_buf_addc(out, (char)(0x80 | (c & 0x3F)));
    }
}

/* The string that begins behind the quote at s. */
static void read_string(const char *s, struct tkt_buf *out)
{
    for (; *s != '\0' && *s != '"'; s++) {
        if (*s != '\\') {
            (void)tkt_buf_addc(out, *s);
            continue;
        }
        s++;
        if (*s == 'u') {
            char hex[5] = {0};
            memcpy(hex, s + 1, strnlen(s + 1, 4));
            add_utf8(out, strtoul(hex, NULL, 16));
            s += strnlen(s + 1, 4);
        } else if (*s == 'n') {
            (void)tkt_buf_addc(out, '\n');
        } else if (*s == 't') {
            (void)tkt_buf_addc(out, '\t');
        } else if (*s != 'r') {
            (void)tkt_buf_addc(out, *s);
        }
    }
}

/* A key of these files never stands within a value with its quotes unescaped. */
static void read_value(const char *line, const char *key, struct tkt_buf *out)
{
    char want[32];

    (void)snprintf(want, sizeof(want), "\"%s\":", key); /* fits */
    tkt_buf_reset(out);
    const char *at = strstr(line, want);
    if (at == NULL) {
        return;
    }
    at += strlen(want);
    at += strspn(at, " ");
    if (*at == '"') {
        read_string(at + 1, out);
    }
}

static struct tkt_buf value(void)
{
    return (struct tkt_buf)TKT_BUF_INIT(VALUE_MAX);
}

/* ---- one mail ------------------------------------------------------------------------- */

static int read_mail(const struct tkt_test_mail *mail, struct tkt_message *msg)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(2 * VALUE_MAX);
    struct tkt_message_options opt = {.prefix_count = 0};

    tkt_message_limits_default(&opt.limits);
    if (tkt_buf_addf(&raw,
                     "From: <sender@example.com>\nTo: <desk@example.org>\n"
                     "Message-ID: <score@example.com>\nSubject: %s\nMIME-Version: 1.0\n"
                     "Content-Type: text/plain; charset=utf-8\n"
                     "Content-Transfer-Encoding: 8bit\n\n%s\n",
                     tkt_buf_str(&mail->subject), tkt_buf_str(&mail->body)) < 0) {
        return -1;
    }
    struct tkt_message_source src = {
        .data = tkt_buf_str(&raw), .fd = -1, .size = raw.len};
    return tkt_message_parse(&src, &opt, msg, NULL);
}

/* ---- files ---------------------------------------------------------------------------- */

static int give_line(const char *line, tkt_test_mail_fn *fn, void *arg)
{
    struct tkt_test_mail m = {value(), value(), value(), value(), value(), value()};
    struct tkt_message msg;
    int rc = -1;

    read_value(line, "id", &m.id);
    read_value(line, "subject", &m.subject);
    read_value(line, "body", &m.body);
    read_value(line, "group", &m.group);
    read_value(line, "mood", &m.mood);
    read_value(line, "urgency", &m.urgency);
    if (read_mail(&m, &msg) == 0) {
        rc = fn(arg, &m, &msg);
        tkt_message_release(&msg);
    }
    struct tkt_buf *all[] = {&m.subject, &m.body, &m.group, &m.mood, &m.urgency, &m.id};
    for (size_t i = 0; i < TKT_ARRAY_LEN(all); i++) {
        tkt_buf_release(all[i]);
    }
    return rc;
}

int tkt_test_mails(const char *path, tkt_test_mail_fn *fn, void *arg)
{
    TKT_AUTO_BUF struct tkt_buf all = TKT_BUF_INIT(FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_read_file(path, &all, &err) < 0 || tkt_buf_addc(&all, '\0') < 0) {
        printf("%s: %s\n", path, err.text);
        return -1;
    }
    char *rest = NULL;
    size_t number = 0;
    for (char *line = strtok_r(all.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        number++;
        if (give_line(line, fn, arg) < 0) {
            printf("%s:%zu: not read\n", path, number);
            return -1;
        }
    }
    return 0;
}
