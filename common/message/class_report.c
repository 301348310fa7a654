/* SPDX-License-Identifier: BSD-2-Clause
 * Reports: by their structure (RFC 3462 and its kin), by their sender, and by words where
 * those two leave it open.
 */
#include "base/enc.h"
#include "base/util.h"
#include "message/body.h"
#include "message/class_judge.h"
#include "message/ids.h"
#include "message/phrase.h"

#include <string.h>

#define REPORT_MAX (64 * 1024) /* of a report part */

static bool is_type(const struct tkt_part *p, const char *type)
{
    return strcmp(tkt_part_type(p), type) == 0;
}

/* ---- structure ---- */

static int read_report_part(struct tkt_judge *j, const struct tkt_part *part,
                            struct tkt_buf *text, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(REPORT_MAX);

    if (tkt_body_head(j->r->src, part, &raw, err) < 0) {
        return -1;
    }
    tkt_utf8_add_clean(text, tkt_buf_str(&raw), raw.len);
    return 0;
}

static int judge_delivery_status(struct tkt_judge *j, const struct tkt_part *part,
                                 bool is_report, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * REPORT_MAX);
    struct tkt_bounce_found found;

    memset(&found, 0, sizeof(found));
    if (read_report_part(j, part, &text, err) < 0) {
        return -1;
    }
    bool any = tkt_bounce_fields(tkt_buf_str(&text), text.len, &found);
    if (any && found.action > j->report.action) {
        j->report = found;
    }
    if (is_report) {
        /* A report without any action is a bounce whose details got lost. */
        enum tkt_bounce_action action = any ? found.action : TKT_BOUNCE_FAILED;
        tkt_judge_found(j,
                        action == TKT_BOUNCE_FAILED    ? TKT_CLASS_BOUNCE
                        : action == TKT_BOUNCE_DELAYED ? TKT_CLASS_DELAY
                                                       : TKT_CLASS_AUTO_GENERATED,
                        "delivery status", any ? tkt_bounce_actions[action] : "not told");
    }
    return 0;
}

/* A read receipt says of which message it is in a field of its report alone. */
static int judge_disposition(struct tkt_judge *j, const struct tkt_part *part,
                             struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * REPORT_MAX);

    if (read_report_part(j, part, &text, err) < 0) {
        return -1;
    }
    tkt_judge_found(j, TKT_CLASS_AUTO_REPLY, "part", tkt_part_type(part));
    const char *id =
        tkt_phrase_find(tkt_buf_str(&text), text.len, "Original-Message-ID:");
    if (id != NULL) {
        tkt_ids_add(j->r, id, strcspn(id, "\n"), &j->r->msg->references);
    }
    return 0;
}

static int judge_part(struct tkt_judge *j, const struct tkt_part *p, bool is_report,
                      struct tkt_err *err)
{
    if (is_type(p, "message/delivery-status") ||
        is_type(p, "message/global-delivery-status")) {
        return judge_delivery_status(j, p, is_report, err);
    }
    if (is_type(p, "message/feedback-report")) {
        j->has_complaint = true;
        if (is_report) {
            tkt_judge_found(j, TKT_CLASS_FEEDBACK, "part", tkt_part_type(p));
        }
    } else if (is_report && (is_type(p, "message/disposition-notification") ||
                             is_type(p, "message/global-disposition-notification"))) {
        return judge_disposition(j, p, err);
    } else if (is_type(p, "message/rfc822") || is_type(p, "text/rfc822-headers") ||
               is_type(p, "message/global") || is_type(p, "message/global-headers")) {
        j->has_returned = true;
    }
    return 0;
}

static void judge_report_type(struct tkt_judge *j, const struct tkt_part *root)
{
    const char *hint = root->mime.subtype_hint == NULL ? "" : root->mime.subtype_hint;

    if (strcmp(hint, "feedback-report") == 0) {
        tkt_judge_found(j, TKT_CLASS_FEEDBACK, "report-type", hint);
    } else if (strcmp(hint, "disposition-notification") == 0) {
        tkt_judge_found(j, TKT_CLASS_AUTO_REPLY, "report-type", hint);
    } else if (strcmp(hint, "delivery-status") == 0 &&
               j->report.action == TKT_BOUNCE_NONE) {
        tkt_judge_found(j, TKT_CLASS_BOUNCE, "report-type", hint);
    }
    j->is_machine = true;
}

/* Only a message that is a report as a whole counts as one: people attach the reports
 * that they ask about. A border that adds a footer wraps it once. */
static const struct tkt_part *find_report(const struct tkt_scan *s)
{
    for (size_t i = 0; i < s->part_count && i < 2; i++) {
        if (is_type(&s->parts[i], "multipart/report")) {
            return &s->parts[i];
        }
    }
    return NULL;
}

int tkt_judge_parts(struct tkt_judge *j, struct tkt_err *err)
{
    const struct tkt_scan *s = &j->r->scan;
    const struct tkt_part *report = find_report(s);

    for (size_t i = 1; i < s->part_count; i++) {
        const struct tkt_part *p = &s->parts[i];
        bool of_report = report != NULL && p->parent == (int)(report - s->parts);
        if (judge_part(j, p, of_report, err) < 0) {
            return -1;
        }
    }
    if (report != NULL) {
        judge_report_type(j, report);
    }
    return 0;
}

/* ---- sender ---- */

static bool is_one_of(const char *s, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tkt_judge_begins(s, list[i])) {
            return true;
        }
    }
    return false;
}

/* A name that is a mail system's and nobody else's. */
static bool is_daemon(const struct tkt_message *msg)
{
    static const char *const locals[] = {
        "mailer-daemon",     "mailer_daemon",  "mailerdaemon", "mail-daemon",
        "mail_daemon",       "maildaemon",     "mail.daemon",  "mail.delivery.system",
        "mail-delivery-sub", "maildeliverysub"};
    const char *from = msg->from.address;

    for (size_t i = 0; i < TKT_ARRAY_LEN(locals); i++) {
        char after = tkt_judge_begins(from, locals[i]) ? from[strlen(locals[i])] : 'x';
        if (after == '@' || after == '\0' || after == '-' || after == '+') {
            return true;
        }
    }
    return false;
}

/* A From that names nobody: "MAILER-DAEMON", "<>". */
static bool is_nobody(const struct tkt_judge *j)
{
    char v[TKT_JUDGE_VALUE_MAX];

    return j->r->msg->from.address[0] == '\0' && tkt_judge_value(j, "From", v) &&
           (tkt_judge_begins(v, "mailer-daemon") || tkt_judge_begins(v, "postmaster") ||
            strstr(v, "<>") != NULL);
}

/* Names under which mail systems report, and people write, too. */
static bool is_office(const struct tkt_message *msg)
{
    static const char *const locals[] = {
        "postmaster",   "poostmaster", "mailmaster", "microsoftexchange",
        "post_master@", "mdaemon@",    "mmdf@",      "mail.delivery"};
    static const char *const names[] = {"mail deliver",       "mailer-daemon",
                                        "mailer daemon",      "delivery subsystem",
                                        "delivery system",    "system administrator",
                                        "postmaster",         "internet mail deliver",
                                        "mail router",        "mail delivery",
                                        "mmsc ndr",           "interscan",
                                        "microsoft outlook",  "microsoft exchange",
                                        "mail administrator", "mail system",
                                        "email delivery",     "message delivery"};

    return is_one_of(msg->from.address, locals, TKT_ARRAY_LEN(locals)) ||
           is_one_of(msg->from.name, names, TKT_ARRAY_LEN(names));
}

/* An address that programs send from. */
static bool is_role(const char *from)
{
    static const char *const locals[] = {
        "no-reply",     "noreply",      "no_reply", "no.reply",  "donotreply",
        "do-not-reply", "do_not_reply", "root@",    "daemon@",   "system@",
        "sysadmin@",    "bounce",       "owner-",   "listserv@", "majordomo",
        "notification", "auto@",        "robot@"};
    static const char *const tails[] = {"-admin@",   "-owner@",   "-bounces@",
                                        "-request@", "-noreply@", "-daemon@"};
    bool role = is_one_of(from, locals, TKT_ARRAY_LEN(locals));

    for (size_t i = 0; i < TKT_ARRAY_LEN(tails) && !role; i++) {
        role = tkt_phrase_find(from, strlen(from), tails[i]) != NULL;
    }
    return role;
}

/* Words of a failed delivery and what only a program puts below them. */
static bool tells_failure(const struct tkt_judge *j)
{
    const char *text = j->r->msg->text;

    return tkt_phrase_in_text(TKT_PHRASE_BOUNCE_TEXT, text, j->text_len) ||
           tkt_phrase_in_text(TKT_PHRASE_DELAY_TEXT, text, j->text_len);
}

static bool returns_message(const struct tkt_judge *j)
{
    size_t n = strlen(j->r->msg->text);

    return j->has_returned || tkt_bounce_returned_at(j->r->msg->text, n, NULL) < n;
}

/* fml and its kin answer an article that they refuse under the list's own address. */
static void judge_list_server(struct tkt_judge *j)
{
    const struct tkt_message *msg = j->r->msg;
    char v[TKT_JUDGE_VALUE_MAX];

    if (tkt_judge_value(j, "X-MLServer", v) && is_role(msg->from.address) &&
        (tkt_phrase_in_text(TKT_PHRASE_REFUSAL, msg->subject, strlen(msg->subject)) ||
         tkt_phrase_in_text(TKT_PHRASE_REFUSAL, msg->text, j->text_len))) {
        tkt_judge_found(j, TKT_CLASS_BOUNCE, "X-MLServer", v);
    }
}

void tkt_judge_sender(struct tkt_judge *j)
{
    const struct tkt_message *msg = j->r->msg;
    const char *from = msg->from.address;
    bool subject = tkt_phrase_in_subject(TKT_PHRASE_BOUNCE, msg->subject);

    if (is_daemon(msg) || is_nobody(j)) {
        j->is_machine = true;
        tkt_judge_found(j, TKT_CLASS_BOUNCE, "From", from[0] == '\0' ? "nobody" : from);
    } else if (is_office(msg) && j->null_sender) {
        tkt_judge_found(j, TKT_CLASS_BOUNCE, "From", from);
    } else if (is_office(msg) && (subject || j->report.action == TKT_BOUNCE_FAILED ||
                                  (tells_failure(j) && returns_message(j)))) {
        tkt_judge_found(j, TKT_CLASS_BOUNCE, "From and Subject", from);
    } else if ((j->is_machine || is_role(from) || j->null_sender) &&
               (subject || tkt_judge_begins(msg->subject, "You ")) && tells_failure(j) &&
               (!subject || j->null_sender || returns_message(j))) {
        tkt_judge_found(j, TKT_CLASS_BOUNCE, "Subject and text", msg->subject);
    } else {
        judge_list_server(j);
    }
}

/* ---- words ---- */

static bool is_reply_prefix(const char *subject)
{
    static const char *const prefixes[] = {"re:", "re :", "aw:", "antw:", "sv:", "vs:"};

    return is_one_of(subject, prefixes, TKT_ARRAY_LEN(prefixes));
}

static bool tells_absence(const struct tkt_judge *j)
{
    return tkt_phrase_in_text(TKT_PHRASE_AWAY_TEXT, j->r->msg->text, j->text_len);
}

/* Away from the desk: a program's own phrase stands for itself, people's words need a
 * mark or must answer mail. (Words of the text last: they take longest to look for.) */
static void judge_away(struct tkt_judge *j)
{
    const struct tkt_message *msg = j->r->msg;
    bool marked = j->is_machine || j->null_sender;
    bool open = msg->class == TKT_CLASS_BULK || msg->class == TKT_CLASS_HUMAN ||
                msg->class == TKT_CLASS_AUTO_GENERATED;

    if (tkt_phrase_in_subject(TKT_PHRASE_AUTO_REPLY, msg->subject) ||
        ((marked || j->answers) &&
         tkt_phrase_in_subject(TKT_PHRASE_AUTO_NOUN, msg->subject))) {
        tkt_judge_found(j, TKT_CLASS_AUTO_REPLY, "Subject", msg->subject);
    } else if ((marked || j->answers) &&
               tkt_phrase_in_subject(TKT_PHRASE_AWAY, msg->subject) &&
               (marked || tells_absence(j))) {
        tkt_judge_found(j, TKT_CLASS_AUTO_REPLY, "Subject", msg->subject);
    } else if (marked && open && (j->answers || is_reply_prefix(msg->subject)) &&
               tells_absence(j)) {
        tkt_judge_found(j, TKT_CLASS_AUTO_REPLY, "text", "an absence, in answer to mail");
    }
}

static void judge_receipt(struct tkt_judge *j)
{
    const struct tkt_message *msg = j->r->msg;

    if (msg->class != TKT_CLASS_AUTO_REPLY &&
        tkt_phrase_in_subject(TKT_PHRASE_READ, msg->subject) &&
        tkt_phrase_in_text(TKT_PHRASE_READ_TEXT, msg->text, TKT_MIN(j->text_len, 1024))) {
        tkt_judge_found(j, TKT_CLASS_AUTO_REPLY, "read receipt", msg->subject);
    }
}

static void judge_challenge(struct tkt_judge *j)
{
    static const char *const domains[] = {"@spamarrest.com",  "@boxbe.com",
                                          "@mailinblack.com", "@0spam.com",
                                          "@knowspam.net",    "@bluebottle.com"};
    const struct tkt_message *msg = j->r->msg;
    const char *from = msg->from.address;
    bool service = false;

    for (size_t i = 0; i < TKT_ARRAY_LEN(domains); i++) {
        service = service || tkt_phrase_find(from, strlen(from), domains[i]) != NULL;
    }
    bool marked = j->is_machine || j->null_sender || service || is_role(from);
    if (marked &&
        (service || j->answers ||
         tkt_phrase_in_subject(TKT_PHRASE_CHALLENGE, msg->subject)) &&
        tkt_phrase_in_text(TKT_PHRASE_CHALLENGE_TEXT, msg->text, j->text_len)) {
        tkt_judge_found(j, TKT_CLASS_CHALLENGE, "Subject and text", msg->subject);
    }
}

static void judge_complaint(struct tkt_judge *j)
{
    const struct tkt_message *msg = j->r->msg;
    bool exact = tkt_phrase_in_subject(TKT_PHRASE_COMPLAINT, msg->subject);

    if (msg->class == TKT_CLASS_FEEDBACK) {
        return;
    }
    bool program = is_role(msg->from.address) || j->is_machine;
    if ((exact && j->has_returned &&
         (program || tkt_judge_begins(msg->subject, "complaint about message from"))) ||
        (j->has_complaint && (program || exact))) {
        tkt_judge_found(j, TKT_CLASS_FEEDBACK, "Subject and returned message",
                        msg->subject);
    }
}

/* Amazon SES by way of SNS: events as JSON. */
static void judge_event(struct tkt_judge *j)
{
    static const struct {
        const char *kind;
        enum tkt_class class;
        enum tkt_bounce_action action;
    } kinds[] = {{"Bounce", TKT_CLASS_BOUNCE, TKT_BOUNCE_FAILED},
                 {"Complaint", TKT_CLASS_FEEDBACK, TKT_BOUNCE_NONE},
                 {"Delivery", TKT_CLASS_AUTO_GENERATED, TKT_BOUNCE_DELIVERED}};
    const struct tkt_message *msg = j->r->msg;
    char kind[16];

    if (msg->text[0] != '{' ||
        !tkt_bounce_json(msg->text, strlen(msg->text), kind, sizeof(kind), &j->report)) {
        return;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(kinds); i++) {
        if (strcmp(kind, kinds[i].kind) == 0) {
            j->report.action = kinds[i].action;
            tkt_judge_found(j, kinds[i].class, "notificationType", kind);
        }
    }
}

void tkt_judge_words(struct tkt_judge *j)
{
    judge_event(j);
    judge_challenge(j);
    judge_complaint(j);
    judge_away(j);
    judge_receipt(j);
    if (j->null_sender && j->r->msg->class == TKT_CLASS_HUMAN) {
        /* Without any mark, the null sender is a bounce's; with the mark of an automatic
         * reply it is a careful one. */
        tkt_judge_found(j, TKT_CLASS_BOUNCE, "envelope sender", "<>");
    }
}
