/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/class.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/body.h"
#include "message/rfc2047.h"

#include <stdio.h>
#include <string.h>

#define REPORT_MAX 16384 /* of a delivery-status part */
#define VALUE_MAX 200

struct judge {
    const struct tkt_scan *scan;
    struct tkt_message *msg;
    bool no_memory;
};

/* The stronger class wins; among equals the first evidence stays first. Strongest first:
 * what is a report says so in its structure; what replies by itself must never be
 * answered; list and bulk marks stand on people's mail as well. */
static const enum tkt_class strength[] = {
    TKT_CLASS_OWN,       TKT_CLASS_FEEDBACK,   TKT_CLASS_BOUNCE, TKT_CLASS_DELAY,
    TKT_CLASS_CHALLENGE, TKT_CLASS_AUTO_REPLY, TKT_CLASS_SYSTEM, TKT_CLASS_AUTO_GENERATED,
    TKT_CLASS_BULK,      TKT_CLASS_LIST,       TKT_CLASS_HUMAN};

static size_t rank(enum tkt_class class)
{
    size_t i = 0;

    while (i + 1 < TKT_ARRAY_LEN(strength) && strength[i] != class) {
        i++;
    }
    return i;
}

static void found(struct judge *j, enum tkt_class class, const char *name,
                  const char *value)
{
    struct tkt_strings *list = &j->msg->class_evidence;
    char line[VALUE_MAX + 100];

    if (rank(class) < rank(j->msg->class)) {
        j->msg->class = class;
    }
    if (list->items == NULL) {
        list->items = tkt_wire_arena_alloc(&j->msg->arena,
                                           TKT_MESSAGE_NOTES_MAX * sizeof(*list->items));
    }
    int n = snprintf(line, sizeof(line), "%s: %s", name, value);
    size_t len = tkt_utf8_cut(line, (size_t)n, sizeof(line) - 4);
    char *kept = tkt_wire_arena_strdup(&j->msg->arena, line, TKT_MIN(len, strlen(line)));
    if (list->items == NULL || kept == NULL) {
        j->no_memory = true;
    } else if (list->count < TKT_MESSAGE_NOTES_MAX) {
        list->items[list->count++] = kept;
    }
}

/* The first field of that name, unfolded and trimmed; false when there is none. */
static bool value_of(const struct judge *j, const char *name, char out[VALUE_MAX])
{
    size_t index = 0;
    const struct tkt_field *f = tkt_header_find(&j->scan->header, name, &index);

    out[0] = '\0';
    if (f == NULL) {
        return false;
    }
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * VALUE_MAX);
    tkt_utf8_add_clean(&b, tkt_field_value(&j->scan->header, f),
                       TKT_MIN(f->value_len, VALUE_MAX));
    size_t n = b.len == 0 ? 0 : tkt_header_unfold(b.data, b.len);
    const char *p = tkt_buf_str(&b);
    while (n > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    n = tkt_utf8_cut(p, n, VALUE_MAX - 1);
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')) {
        n--;
    }
    memcpy(out, p, n);
    out[n] = '\0';
    return true;
}

static bool starts(const char *s, const char *prefix)
{
    return tkt_ascii_ieqn(s, prefix, strlen(prefix));
}

/* ---- reports ---- */

/* The value of "Action:" that decides: failed before delayed before the rest. A report
 * without any is a bounce whose details got lost. */
static enum tkt_class action_class(const char *report)
{
    bool seen = false;
    bool delayed = false;

    for (const char *p = report; p != NULL; p = strchr(p, '\n')) {
        p += *p == '\n' ? 1 : 0;
        if (!starts(p, "action")) {
            continue;
        }
        p += 6;
        p += strspn(p, " \t");
        if (*p != ':') {
            continue;
        }
        p++;
        p += strspn(p, " \t");
        if (starts(p, "failed")) {
            return TKT_CLASS_BOUNCE;
        }
        seen = true;
        delayed = delayed || starts(p, "delayed");
    }
    if (delayed) {
        return TKT_CLASS_DELAY;
    }
    return seen ? TKT_CLASS_AUTO_GENERATED : TKT_CLASS_BOUNCE;
}

static int judge_delivery_status(struct judge *j, const struct tkt_message_source *src,
                                 const struct tkt_part *part, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(REPORT_MAX);
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * REPORT_MAX);

    if (tkt_body_head(src, part, &raw, err) < 0) {
        return -1;
    }
    tkt_utf8_add_clean(&text, tkt_buf_str(&raw), raw.len);
    enum tkt_class class = action_class(tkt_buf_str(&text));
    found(j, class, "delivery status",
          class == TKT_CLASS_BOUNCE  ? "failed"
          : class == TKT_CLASS_DELAY ? "delayed"
                                     : "neither failed nor delayed");
    return 0;
}

static int judge_parts(struct judge *j, const struct tkt_message_source *src,
                       struct tkt_err *err)
{
    const struct tkt_scan *s = j->scan;
    const char *root = s->part_count > 0 ? tkt_part_type(&s->parts[0]) : "";
    bool is_report = strcmp(root, "multipart/report") == 0;
    bool status_seen = false;

    for (size_t i = 1; is_report && i < s->part_count && s->parts[i].parent == 0; i++) {
        const char *type = tkt_part_type(&s->parts[i]);
        if (strcmp(type, "message/delivery-status") == 0 ||
            strcmp(type, "message/global-delivery-status") == 0) {
            status_seen = true;
            if (judge_delivery_status(j, src, &s->parts[i], err) < 0) {
                return -1;
            }
        } else if (strcmp(type, "message/feedback-report") == 0) {
            found(j, TKT_CLASS_FEEDBACK, "part", type);
        } else if (strcmp(type, "message/disposition-notification") == 0) {
            found(j, TKT_CLASS_AUTO_REPLY, "part", type);
        }
    }
    const char *hint = is_report ? s->parts[0].mime.subtype_hint : NULL;
    if (hint != NULL && strcmp(hint, "feedback-report") == 0) {
        found(j, TKT_CLASS_FEEDBACK, "report-type", hint);
    } else if (hint != NULL && strcmp(hint, "delivery-status") == 0 && !status_seen) {
        found(j, TKT_CLASS_BOUNCE, "report-type", hint);
    }
    return 0;
}

/* ---- fields ---- */

static bool is_reply_subject(const char *subject)
{
    static const char *const prefixes[] = {"automatic reply:",
                                           "auto:",
                                           "autoreply:",
                                           "auto-reply:",
                                           "auto reply:",
                                           "out of office",
                                           "automatische antwort:",
                                           "abwesenheitsnotiz",
                                           "abwesend:",
                                           "r\xc3\xa9ponse automatique",
                                           "risposta automatica:",
                                           "respuesta autom\xc3\xa1tica:",
                                           "automatisch antwoord:",
                                           "autosvar:",
                                           "resposta autom\xc3\xa1tica:"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(prefixes); i++) {
        if (starts(subject, prefixes[i])) {
            return true;
        }
    }
    return false;
}

static void judge_auto_submitted(struct judge *j)
{
    char v[VALUE_MAX];

    if (!value_of(j, "Auto-Submitted", v) || v[0] == '\0' || starts(v, "no")) {
        return;
    }
    if (starts(v, "auto-replied") || is_reply_subject(j->msg->subject)) {
        found(j, TKT_CLASS_AUTO_REPLY, "Auto-Submitted", v);
    } else {
        found(j, TKT_CLASS_AUTO_GENERATED, "Auto-Submitted", v);
    }
}

static void judge_precedence(struct judge *j)
{
    static const struct {
        const char *word;
        enum tkt_class class;
    } words[] = {{"auto_reply", TKT_CLASS_AUTO_REPLY},
                 {"auto-reply", TKT_CLASS_AUTO_REPLY},
                 {"list", TKT_CLASS_LIST},
                 {"bulk", TKT_CLASS_BULK},
                 {"junk", TKT_CLASS_BULK}};
    static const char *const names[] = {"Precedence", "X-Precedence"};
    char v[VALUE_MAX];

    for (size_t n = 0; n < TKT_ARRAY_LEN(names); n++) {
        for (size_t i = 0; value_of(j, names[n], v) && i < TKT_ARRAY_LEN(words); i++) {
            if (starts(v, words[i].word)) {
                found(j, words[i].class, names[n], v);
                break;
            }
        }
    }
}

/* Fields whose being there says it. */
static void judge_marks(struct judge *j)
{
    static const struct {
        const char *name;
        enum tkt_class class;
    } marks[] = {{"X-Failed-Recipients", TKT_CLASS_BOUNCE},
                 {"X-Autoreply", TKT_CLASS_AUTO_REPLY},
                 {"X-Autorespond", TKT_CLASS_AUTO_REPLY},
                 {"X-Autoresponder", TKT_CLASS_AUTO_REPLY},
                 {"X-Auto-Reply-From", TKT_CLASS_AUTO_REPLY},
                 {"X-Mail-Autoreply", TKT_CLASS_AUTO_REPLY},
                 {"X-Vacation-Message", TKT_CLASS_AUTO_REPLY},
                 {"X-TMDA-Confirm-Done", TKT_CLASS_CHALLENGE},
                 {"X-Cron-Env", TKT_CLASS_SYSTEM},
                 {"List-Id", TKT_CLASS_LIST},
                 {"List-Post", TKT_CLASS_LIST},
                 {"List-Unsubscribe", TKT_CLASS_BULK},
                 {"Feedback-ID", TKT_CLASS_BULK}};
    char v[VALUE_MAX];
    bool is_list = value_of(j, "List-Id", v) || value_of(j, "List-Post", v);

    for (size_t i = 0; i < TKT_ARRAY_LEN(marks); i++) {
        /* Discussion lists offer to unsubscribe as well as newsletters do. */
        bool moot = is_list && marks[i].class == TKT_CLASS_BULK;
        if (value_of(j, marks[i].name, v) && !moot) {
            found(j, marks[i].class, marks[i].name, v);
        }
    }
    if (value_of(j, "X-Auto-Response-Suppress", v) && !starts(v, "none")) {
        found(j,
              is_reply_subject(j->msg->subject) ? TKT_CLASS_AUTO_REPLY
                                                : TKT_CLASS_AUTO_GENERATED,
              "X-Auto-Response-Suppress", v);
    }
}

/* Subjects of programs that report in prose. Alone they say nothing: people forward such
 * mail to the desk. */
static bool is_bounce_subject(const char *subject)
{
    static const char *const words[] = {
        "undeliver",      "delivery fail",    "delivery status", "returned mail",
        "failure notice", "delivery failure", "delivery error",  "could not be delivered",
        "mail delivery",  "delivery report",  "not delivered",   "returned to sender"};

    for (; *subject != '\0'; subject++) {
        for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
            if (starts(subject, words[i])) {
                return true;
            }
        }
    }
    return false;
}

/* A From that names nobody: "MAILER-DAEMON", "<>". */
static bool is_nobody(struct judge *j)
{
    char v[VALUE_MAX];

    return j->msg->from.address[0] == '\0' && value_of(j, "From", v) &&
           (starts(v, "mailer-daemon") || strstr(v, "<>") != NULL);
}

/* Without any mark, the null sender is a bounce's; with the mark of an auto-reply it is
 * a careful auto-reply. */
static void judge_sender(struct judge *j, bool null_sender)
{
    char v[VALUE_MAX];
    const char *from = j->msg->from.address;
    bool is_postmaster = starts(from, "postmaster@");

    if (!null_sender && value_of(j, "Return-Path", v) && strcmp(v, "<>") == 0) {
        null_sender = true;
    }
    if (starts(from, "mailer-daemon@") || is_nobody(j) ||
        (is_postmaster && null_sender)) {
        found(j, TKT_CLASS_BOUNCE, "From", from[0] == '\0' ? "nobody" : from);
    } else if (is_postmaster && is_bounce_subject(j->msg->subject)) {
        found(j, TKT_CLASS_BOUNCE, "From and Subject", from);
    } else if (null_sender && j->msg->class == TKT_CLASS_HUMAN) {
        found(j, TKT_CLASS_BOUNCE, "envelope sender", "<>");
    }
}

/* A delayed or successful report comes from MAILER-DAEMON, too: its own status counts. */
static enum tkt_class settle_report(const struct judge *j)
{
    const struct tkt_strings *list = &j->msg->class_evidence;

    for (size_t i = 0; i < list->count; i++) {
        if (starts(list->items[i], "delivery status: delayed") &&
            j->msg->class == TKT_CLASS_BOUNCE) {
            return TKT_CLASS_DELAY;
        }
        if (starts(list->items[i], "delivery status: neither") &&
            j->msg->class == TKT_CLASS_BOUNCE) {
            return TKT_CLASS_AUTO_GENERATED;
        }
    }
    return j->msg->class;
}

/* ---- signed, encrypted ---- */

static enum tkt_security part_security(const struct tkt_part *p)
{
    const char *type = tkt_part_type(p);
    const char *hint = p->mime.subtype_hint == NULL ? "" : p->mime.subtype_hint;

    if (strcmp(type, "multipart/encrypted") == 0) {
        return TKT_SECURITY_ENCRYPTED;
    }
    if (strcmp(type, "application/pkcs7-mime") == 0 ||
        strcmp(type, "application/x-pkcs7-mime") == 0) {
        return strncmp(hint, "signed", 6) == 0 ? TKT_SECURITY_SIGNED
                                               : TKT_SECURITY_ENCRYPTED;
    }
    return strcmp(type, "multipart/signed") == 0 ? TKT_SECURITY_SIGNED
                                                 : TKT_SECURITY_NONE;
}

static bool has_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    while (at != NULL && at != text && at[-1] != '\n') {
        at = strstr(at + 1, line);
    }
    return at != NULL;
}

static enum tkt_security find_security(const struct tkt_scan *s,
                                       const struct tkt_message *msg)
{
    enum tkt_security security = TKT_SECURITY_NONE;

    for (size_t i = 0; i < s->part_count; i++) {
        security = TKT_MAX(security, part_security(&s->parts[i]));
    }
    if (has_line(msg->text, "-----BEGIN PGP MESSAGE-----")) {
        security = TKT_SECURITY_ENCRYPTED;
    } else if (has_line(msg->text, "-----BEGIN PGP SIGNED MESSAGE-----")) {
        security = TKT_MAX(security, TKT_SECURITY_SIGNED);
    }
    return security;
}

int tkt_class_read(const struct tkt_message_source *src, const struct tkt_scan *scan,
                   bool null_sender, struct tkt_message *msg, struct tkt_err *err)
{
    struct judge j = {.scan = scan, .msg = msg};

    msg->class = TKT_CLASS_HUMAN;
    if (!scan->header_only && judge_parts(&j, src, err) < 0) {
        return -1;
    }
    judge_auto_submitted(&j);
    judge_precedence(&j);
    judge_marks(&j);
    judge_sender(&j, null_sender);
    msg->class = settle_report(&j);
    msg->security = find_security(scan, msg);
    return j.no_memory ? tkt_err_set(err, TKT_ERR_TEMP, "no memory") : 0;
}
