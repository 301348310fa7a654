/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/class.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/class_judge.h"
#include "message/phrase.h"
#include "message/rfc2047.h"

#include <stdio.h>
#include <string.h>

/* The stronger class wins; among equals the first evidence stays first. Strongest first:
 * what is a report says so in its structure; another ticket system's answer is that
 * system's; what replies by itself must never be answered; list and bulk marks stand on
 * people's mail as well. */
static const enum tkt_class strength[] = {
    TKT_CLASS_OWN,        TKT_CLASS_FEEDBACK,       TKT_CLASS_BOUNCE,
    TKT_CLASS_DELAY,      TKT_CLASS_CHALLENGE,      TKT_CLASS_SYSTEM,
    TKT_CLASS_AUTO_REPLY, TKT_CLASS_AUTO_GENERATED, TKT_CLASS_BULK,
    TKT_CLASS_LIST,       TKT_CLASS_HUMAN};

static size_t rank(enum tkt_class class)
{
    size_t i = 0;

    while (i + 1 < TKT_ARRAY_LEN(strength) && strength[i] != class) {
        i++;
    }
    return i;
}

void tkt_judge_note(struct tkt_judge *j, const char *name, const char *value)
{
    char line[TKT_JUDGE_VALUE_MAX + 100];

    int n = snprintf(line, sizeof(line), "%s: %s", name, value);
    size_t len =
        tkt_utf8_cut(line, TKT_MIN((size_t)n, sizeof(line) - 1), sizeof(line) - 4);
    tkt_reading_add(j->r, &j->r->msg->class_evidence, TKT_MESSAGE_NOTES_MAX, line, len);
}

void tkt_judge_found(struct tkt_judge *j, enum tkt_class class, const char *name,
                     const char *value)
{
    if (rank(class) < rank(j->r->msg->class)) {
        j->r->msg->class = class;
    }
    tkt_judge_note(j, name, value);
}

bool tkt_judge_value(const struct tkt_judge *j, const char *name,
                     char out[TKT_JUDGE_VALUE_MAX])
{
    const struct tkt_header *h = &j->r->scan.header;
    size_t index = 0;
    const struct tkt_field *f = tkt_header_find(h, name, &index);

    out[0] = '\0';
    if (f == NULL) {
        return false;
    }
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * TKT_JUDGE_VALUE_MAX);
    tkt_utf8_add_clean(&b, tkt_field_value(h, f),
                       TKT_MIN(f->value_len, TKT_JUDGE_VALUE_MAX));
    size_t n = b.len == 0 ? 0 : tkt_header_unfold(b.data, b.len);
    const char *p = tkt_buf_str(&b);
    while (n > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    n = tkt_utf8_cut(p, n, TKT_JUDGE_VALUE_MAX - 1);
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')) {
        n--;
    }
    memcpy(out, p, n);
    out[n] = '\0';
    return true;
}

bool tkt_judge_begins(const char *s, const char *prefix)
{
    return tkt_ascii_ieqn(s, prefix, strlen(prefix));
}

/* ---- what reports tell ---- */

static bool is_report(const struct tkt_message *msg)
{
    return msg->class == TKT_CLASS_BOUNCE || msg->class == TKT_CLASS_DELAY;
}

/* A warning or a success comes from MAILER-DAEMON as a failure does: what the report says
 * of itself counts before the sender's name. */
static void settle_report(struct tkt_judge *j)
{
    struct tkt_message *msg = j->r->msg;

    if (msg->class == TKT_CLASS_BOUNCE && j->report.action == TKT_BOUNCE_NONE) {
        /* Some paste the fields of a report into their prose. */
        size_t n = tkt_bounce_returned_at(msg->text, strlen(msg->text), NULL);
        (void)tkt_bounce_fields(msg->text, n, &j->report);
    }
    enum tkt_bounce_action action = j->report.action;
    if (msg->class != TKT_CLASS_BOUNCE || action == TKT_BOUNCE_FAILED) {
        return;
    }
    if (action == TKT_BOUNCE_DELAYED) {
        msg->class = TKT_CLASS_DELAY;
    } else if (action != TKT_BOUNCE_NONE) {
        msg->class = TKT_CLASS_AUTO_GENERATED;
    } else if (tkt_phrase_in_subject(TKT_PHRASE_DELAY, msg->subject) &&
               !tkt_phrase_in_text(TKT_PHRASE_FINAL_TEXT, msg->text, j->text_len)) {
        msg->class = TKT_CLASS_DELAY;
        j->report.action = TKT_BOUNCE_DELAYED;
        tkt_judge_note(j, "delay", msg->subject);
    }
}

static int read_report(struct tkt_judge *j, struct tkt_err *err)
{
    struct tkt_message *msg = j->r->msg;

    if (!is_report(msg) && j->report.action == TKT_BOUNCE_NONE) {
        return 0;
    }
    if (tkt_bounce_read(j->r, &j->report, err) < 0) {
        return -1;
    }
    if (msg->class == TKT_CLASS_BOUNCE && strcmp(msg->bounce.action, "delayed") == 0) {
        msg->class = TKT_CLASS_DELAY;
        tkt_judge_note(j, "delay", "the text says that delivery goes on");
    }
    return 0;
}

/* ---- all of it ---- */

static bool is_null_sender(const struct tkt_judge *j)
{
    char v[TKT_JUDGE_VALUE_MAX];

    return j->r->opt->null_sender ||
           (tkt_judge_value(j, "Return-Path", v) && strcmp(v, "<>") == 0);
}

int tkt_class_read(struct tkt_reading *r, struct tkt_err *err)
{
    struct tkt_judge j = {.r = r};
    struct tkt_message *msg = r->msg;

    msg->class = TKT_CLASS_HUMAN;
    j.null_sender = is_null_sender(&j);
    j.answers = msg->in_reply_to.count > 0 || msg->references.count > 0;
    j.text_len = tkt_utf8_cut(msg->text, strlen(msg->text), TKT_JUDGE_TEXT_MAX);
    if (!r->scan.header_only && tkt_judge_parts(&j, err) < 0) {
        return -1;
    }
    tkt_judge_fields(&j);
    tkt_judge_sender(&j);
    tkt_judge_words(&j);
    settle_report(&j);
    return read_report(&j, err);
}
