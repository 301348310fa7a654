/* SPDX-License-Identifier: BSD-2-Clause
 * Who wrote it: each class by what many programs write, and above all that mail of people
 * stays human, even when it is about bounces, absences and automatic replies.
 */
#include "base/buf.h"
#include "base/util.h"
#include "message/bounce.h"
#include "message/parse.h"
#include "message/phrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define PERSON "From: Ann <ann@customer.example>\r\nTo: it@desk.example\r\n"
#define ANSWER "In-Reply-To: <1@desk.example>\r\n"

struct sample {
    enum tkt_class class;
    bool null_sender;
    const char *header;
    const char *body;
};

static struct tkt_message read_mail(const char *header, const char *body,
                                    bool null_sender)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(1024 * 1024);
    struct tkt_message_options opt = {.null_sender = null_sender};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg;

    tkt_buf_addf(&raw, "%sMIME-Version: 1.0\r\n%s", header, body);
    tkt_message_limits_default(&opt.limits);
    struct tkt_message_source src = {.data = raw.data, .fd = -1, .size = raw.len};
    assert_int_equal(tkt_message_parse(&src, &opt, &msg, &err), 0);
    return msg;
}

static struct tkt_message read_text(const struct sample *s)
{
    TKT_AUTO_BUF struct tkt_buf body = TKT_BUF_INIT(1024 * 1024);

    tkt_buf_addf(&body, "Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
                 s->body == NULL ? "Please look at my printer." : s->body);
    return read_mail(s->header, tkt_buf_str(&body), s->null_sender);
}

static void check_all(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tkt_message msg = read_text(&samples[i]);
        if (msg.class != samples[i].class) {
            fail_msg("%s for\n%s", tkt_class_names[msg.class], samples[i].header);
        }
        /* A class without a reason is none. */
        assert_int_equal(msg.class_evidence.count > 0, msg.class != TKT_CLASS_HUMAN);
        tkt_message_release(&msg);
    }
}

static void people_are_human_whatever_they_write_about(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {TKT_CLASS_HUMAN, false, PERSON "Subject: printer\r\n", NULL},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Out of office does not work\r\n",
         "I am out of the office next week and cannot set the automatic reply."},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Abwesenheitsnotiz: wie geht das?\r\n",
         "Ich bin nicht im Büro, bitte richten Sie das ein."},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Auto-reply: how do I stop it?\r\n",
         NULL},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Autosvar: hur?\r\n", NULL},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Urlaub\r\n",
         "Ich bin im Urlaub und komme nicht in mein Postfach."},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Undeliverable: what does it mean?\r\n",
         "My mail could not be delivered:\r\n550 5.1.1 <bob@x.example> user unknown"},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Mail could not be delivered\r\n",
         "See below.\r\n\r\n----- Original message -----\r\nReceived: from x\r\n"},
        {TKT_CLASS_HUMAN, false,
         PERSON ANSWER "Subject: Re: Automatic reply: printer\r\n",
         "She is out of the office until Monday, please go on without her."},
        {TKT_CLASS_HUMAN, false, PERSON ANSWER "Subject: AW: Undeliverable: printer\r\n",
         "delivery has failed to these recipients"},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Delayed delivery of my laptop\r\n",
         "It has not yet been delivered."},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Please confirm your message\r\n",
         "Was it you? Your message is being held until you answer."},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: Read: the news\r\n",
         "I read the news today."},
        {TKT_CLASS_HUMAN, false,
         PERSON "Subject: Vacation calendar\r\nReferences: <a@b>\r\n",
         "The calendar shows the wrong days."},
        {TKT_CLASS_HUMAN, false,
         PERSON "Subject: hello\r\nFeedback-ID: 12345678:user:provider\r\n", NULL},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: hello\r\nAuto-Submitted: no\r\n", NULL},
        {TKT_CLASS_HUMAN, false,
         PERSON "Subject: hello\r\nX-Auto-Response-Suppress: None\r\n", NULL},
        {TKT_CLASS_HUMAN, false, PERSON "Subject: hello\r\nPrecedence: first-class\r\n",
         NULL},
        {TKT_CLASS_HUMAN, false,
         PERSON "Subject: hello\r\nX-MS-Exchange-Inbox-Rules-Loop: x@y\r\n", NULL},
        {TKT_CLASS_HUMAN, false,
         "From: Postmaster <postmaster@customer.example>\r\nSubject: our MX\r\n",
         "We move our mail server on Sunday."},
        {TKT_CLASS_HUMAN, false,
         "From: No Reply <noreply@shop.example>\r\nSubject: your order\r\n", NULL},
    };
    check_all(samples, TKT_ARRAY_LEN(samples));
}

static void automatic_replies_say_so_in_many_ways(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: away\r\nAuto-Submitted: auto-replied\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: away\r\nAuto-Submitted: auto-replied (vacation)\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: Automatic reply: printer\r\nAuto-Submitted: auto-generated\r\n",
         NULL},
        {TKT_CLASS_AUTO_REPLY, false, PERSON "Subject: Re: x\r\nX-Autoreply: yes\r\n",
         NULL},
        {TKT_CLASS_AUTO_REPLY, false, PERSON "Subject: Re: x\r\nX-Autorespond: x\r\n",
         NULL},
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: Re: x\r\nPrecedence: auto_reply\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: Re: x\r\nX-Autogenerated: Reply\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: Re: x\r\nX-Apple-Action: VACATION\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: Re: x\r\nX-Mailer: vacation 1.2\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, false,
         PERSON "Subject: Re: x\r\nPrecedence: bulk\r\n" ANSWER,
         "I am out of the office until Monday."},
        {TKT_CLASS_AUTO_REPLY, false, PERSON ANSWER "Subject: Out of office: x\r\n",
         "I am out of the office until Monday."},
        {TKT_CLASS_AUTO_REPLY, false, PERSON ANSWER "Subject: Auto reply: x\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, true, PERSON "Subject: Abwesend bis Montag\r\n", NULL},
        {TKT_CLASS_AUTO_REPLY, false, PERSON "Subject: [EXTERN] Automatic reply: x\r\n",
         NULL},
        {TKT_CLASS_AUTO_REPLY, false, PERSON "Subject: Gelesen: Drucker\r\n",
         "Ihre Nachricht wurde gelesen am Montag"},
        {TKT_CLASS_AUTO_REPLY, false, PERSON "Subject: Read: printer\r\n",
         "Your message\r\nTo: Ann\r\nwas read on Monday, 3 May 2026"},
    };
    check_all(samples, TKT_ARRAY_LEN(samples));
}

static void automatic_replies_are_known_in_many_languages(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"Automatic reply",
                                           "Automatische Antwort",
                                           "Réponse automatique ",
                                           "Réponse automatique\xc2\xa0",
                                           "Respuesta automática",
                                           "Risposta automatica",
                                           "Resposta automática",
                                           "Automatisch antwoord",
                                           "Odpowiedź automatyczna",
                                           "Автоматический ответ",
                                           "Automatiskt svar",
                                           "Automatisk svar",
                                           "Automaattinen vastaus",
                                           "Automatická odpověď",
                                           "Автоматична відповідь",
                                           "Otomatik yanıt",
                                           "自动答复",
                                           "自動応答",
                                           "자동 회신",
                                           "Automatikus válasz",
                                           "Răspuns automat",
                                           "Αυτόματη απάντηση"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(prefixes); i++) {
        char header[256];
        (void)snprintf(header, sizeof(header), PERSON "Subject: %s: Drucker\r\n",
                       prefixes[i]);
        struct sample s = {TKT_CLASS_AUTO_REPLY, false, header, NULL};
        check_all(&s, 1);
        (void)snprintf(header, sizeof(header), PERSON "Subject: Re: %s: Drucker\r\n",
                       prefixes[i]);
        s.class = TKT_CLASS_HUMAN;
        check_all(&s, 1);
    }
}

static void other_classes_have_their_marks(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {TKT_CLASS_AUTO_GENERATED, false,
         "From: monitor@x.example\r\nSubject: DOWN\r\nAuto-Submitted: auto-generated\r\n",
         NULL},
        {TKT_CLASS_AUTO_GENERATED, false,
         "From: x@x.example\r\nSubject: x\r\nAuto-Submitted: auto-notified\r\n", NULL},
        {TKT_CLASS_AUTO_GENERATED, false,
         "From: root@x.example\r\nSubject: Cron\r\nX-Cron-Env: <HOME=/root>\r\n", NULL},
        {TKT_CLASS_AUTO_GENERATED, false,
         PERSON "Subject: x\r\nX-Auto-Response-Suppress: OOF, AutoReply\r\n", NULL},
        {TKT_CLASS_LIST, false, PERSON "Subject: x\r\nList-Id: <l.x.example>\r\n", NULL},
        {TKT_CLASS_LIST, false,
         PERSON "Subject: x\r\nPrecedence: bulk\r\nList-Post: <mailto:l@x.example>\r\n",
         NULL},
        {TKT_CLASS_LIST, false,
         PERSON "Subject: x\r\nList-Id: <l.x>\r\nList-Unsubscribe: <mailto:u@x>\r\n",
         NULL},
        {TKT_CLASS_LIST, false, PERSON "Subject: x\r\nPrecedence: list\r\n", NULL},
        {TKT_CLASS_BULK, false, PERSON "Subject: x\r\nList-Unsubscribe: <mailto:u@x>\r\n",
         NULL},
        {TKT_CLASS_BULK, false, PERSON "Subject: x\r\nPrecedence: bulk\r\n", NULL},
        {TKT_CLASS_CHALLENGE, false,
         PERSON
         "Subject: Please confirm your message\r\nAuto-Submitted: auto-replied\r\n",
         "Your message is being held until you click on the link below."},
        {TKT_CLASS_CHALLENGE, false, PERSON "Subject: Re: x\r\nX-TMDA-Confirm: x\r\n",
         NULL},
        {TKT_CLASS_CHALLENGE, false,
         "From: Ann <noreply@mailinblack.com>\r\nSubject: Votre message\r\n",
         "Pour que votre message soit remis, cliquez ici."},
        {TKT_CLASS_SYSTEM, false,
         "From: j@x.example\r\nSubject: [JIRA] (AB-1)\r\nX-JIRA-FingerPrint: 0\r\n"
         "Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\n",
         NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: s@x.example\r\nSubject: INC1\r\nX-ServiceNow-Generated: true\r\n", NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: z@x.example\r\nSubject: [Ticket]\r\nX-Mailer: Zendesk Mailer\r\n"
         "Auto-Submitted: auto-replied\r\n",
         NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: rt@x.example\r\nSubject: [x #1]\r\nRT-Ticket: x #1\r\n"
         "Precedence: bulk\r\n",
         NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: o@x.example\r\nSubject: [Ticket#1]\r\nX-Powered-By: OTRS (x)\r\n", NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: o@x.example\r\nSubject: [Ticket#1]\r\nX-Mailer: Znuny Mail Service\r\n",
         NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: g@x.example\r\nSubject: Re: [a/b] c\r\nX-GitHub-Reason: mention\r\n"
         "List-Id: a/b <b.a.x.example>\r\nPrecedence: list\r\n",
         NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: g@x.example\r\nSubject: x\r\nX-GitLab-Project-Id: 1\r\n", NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: r@x.example\r\nSubject: [p - Bug #1]\r\nX-Redmine-Issue-Id: 1\r\n", NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: g@x.example\r\nSubject: [GLPI #1]\r\nMessage-ID: <GLPI_1-Ticket-1@x>\r\n",
         NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: f@x.example\r\nSubject: [#1]\r\nX-Freshdesk-Ticket-Id: 1\r\n", NULL},
        {TKT_CLASS_SYSTEM, false,
         "From: z@x.example\r\nSubject: [#1]\r\nX-Powered-By: Zammad - Helpdesk\r\n",
         NULL},
        {TKT_CLASS_BOUNCE, true, PERSON "Subject: x\r\n", NULL},
        {TKT_CLASS_BOUNCE, false, "From: MAILER-DAEMON\r\nSubject: x\r\n", NULL},
        {TKT_CLASS_BOUNCE, false,
         "From: Mail Delivery System <MAILER-DAEMON@x.example>\r\nSubject: x\r\n"
         "Auto-Submitted: auto-replied\r\n",
         NULL},
        {TKT_CLASS_BOUNCE, false,
         "From: System Administrator <postmaster@x.example>\r\n"
         "Subject: Unzustellbar: Drucker\r\n",
         NULL},
        {TKT_CLASS_BOUNCE, false,
         "From: a@x.example\r\nSubject: x\r\nX-Failed-Recipients: b@y.example\r\n", NULL},
        {TKT_CLASS_DELAY, false,
         "From: Mailer-Daemon@x.example\r\nSubject: Warning: message 1 delayed 24 hours"
         "\r\n",
         "A message that you sent has not yet been delivered to\r\n\r\n  "
         "b@y.example\r\n"},
        {TKT_CLASS_FEEDBACK, false,
         "From: a@x.example\r\nSubject: unsubscribe\r\nX-Apple-Unsubscribe: true\r\n"
         "Auto-Submitted: auto-replied\r\n",
         NULL},
    };
    check_all(samples, TKT_ARRAY_LEN(samples));
}

/* ---- reports ---- */

#define REPORT(type)                                                                     \
    "Content-Type: multipart/report; report-type=" type "; boundary=b\r\n\r\n"           \
    "--b\r\n\r\nA report.\r\n--b\r\n"
#define STATUS                                                                           \
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
#define DAEMON "From: MAILER-DAEMON@mx.example\r\nTo: it@desk.example\r\nSubject: x\r\n"

static void a_report_is_what_its_fields_say(void **state)
{
    (void)state;
    static const struct {
        enum tkt_class class;
        const char *action;
        const char *fields;
    } rows[] = {
        {TKT_CLASS_BOUNCE, "failed",
         "Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"},
        {TKT_CLASS_DELAY, "delayed",
         "Final-Recipient: rfc822; a@x.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n"},
        {TKT_CLASS_AUTO_GENERATED, "delivered",
         "Final-Recipient: rfc822; a@x.example\r\nAction: delivered\r\nStatus: "
         "2.0.0\r\n"},
        {TKT_CLASS_AUTO_GENERATED, "relayed",
         "Final-Recipient: rfc822; a@x.example\r\nAction: relayed\r\nStatus: 2.0.0\r\n"},
        {TKT_CLASS_AUTO_GENERATED, "expanded",
         "Final-Recipient: rfc822; a@x.example\r\nAction: Expanded (to 3)\r\n"
         "Status: 2.0.0\r\n"},
        /* the recipient that failed, wherever it stands */
        {TKT_CLASS_BOUNCE, "failed",
         "Final-Recipient: rfc822; b@x.example\r\nAction: delivered\r\nStatus: 2.1.5\r\n"
         "\r\nFinal-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: "
         "5.2.2\r\n"},
        {TKT_CLASS_BOUNCE, "failed",
         "Final-Recipient: rfc822; b@x.example\r\nAction: delayed\r\nStatus: 4.1.5\r\n"
         "\r\nFinal-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: "
         "5.2.2\r\n"},
        /* blank lines that programs forget */
        {TKT_CLASS_BOUNCE, "failed",
         "Final-Recipient: rfc822; b@x.example\r\nAction: relayed\r\nStatus: 2.1.5\r\n"
         "Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"},
        {TKT_CLASS_BOUNCE, "failed",
         "Final-Recipient: rfc822; a@x.example\r\n"
         "Status: 5.0.0\r\n"},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char body[2048];
        (void)snprintf(body, sizeof(body), REPORT("delivery-status") STATUS "%s--b--\r\n",
                       rows[i].fields);
        struct tkt_message msg = read_mail(DAEMON, body, false);
        assert_int_equal(msg.class, rows[i].class);
        assert_true(msg.bounce.is_present);
        assert_string_equal(msg.bounce.action, rows[i].action);
        assert_string_equal(msg.bounce.recipient, "a@x.example");
        tkt_message_release(&msg);
    }
}

static void a_forwarded_report_is_a_persons_mail(void **state)
{
    (void)state;
    struct tkt_message msg = read_mail(
        PERSON "Subject: Fwd: Undeliverable: x\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nWhat is this?\r\n"
        "--b\r\n" STATUS
        "Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "--b--\r\n",
        false);
    assert_int_equal(msg.class, TKT_CLASS_HUMAN);
    tkt_message_release(&msg);
}

static void a_read_receipt_names_the_message_it_is_for(void **state)
{
    (void)state;
    struct tkt_message msg = read_mail(
        PERSON "Subject: x\r\n",
        REPORT(
            "disposition-notification") "Content-Type: "
                                        "message/disposition-notification\r\n\r\n"
                                        "Final-Recipient: rfc822; "
                                        "ann@customer.example\r\n"
                                        "Original-Message-ID: <12@desk.example>\r\n"
                                        "Disposition: manual-action/MDN-sent-manually; "
                                        "displayed\r\n--b--\r\n",
        false);
    assert_int_equal(msg.class, TKT_CLASS_AUTO_REPLY);
    assert_int_equal(msg.references.count, 1);
    assert_string_equal(msg.references.items[0], "12@desk.example");
    assert_false(msg.bounce.is_present);
    tkt_message_release(&msg);
}

static void a_feedback_report_is_one_whoever_sends_it(void **state)
{
    (void)state;
    struct tkt_message msg = read_mail(
        PERSON "Subject: FW: buy now\r\n",
        REPORT("feedback-report") "Content-Type: message/feedback-report\r\n\r\n"
                                  "Feedback-Type: abuse\r\n--b--\r\n",
        false);
    assert_int_equal(msg.class, TKT_CLASS_FEEDBACK);
    tkt_message_release(&msg);
    msg =
        read_mail("From: staff@provider.example\r\n"
                  "Subject: complaint about message from 192.0.2.1\r\n",
                  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                  "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n--b--\r\n",
                  false);
    assert_int_equal(msg.class, TKT_CLASS_FEEDBACK);
    tkt_message_release(&msg);
}

/* ---- pure readers ---- */

static void fields_are_read_as_they_are_really_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *recipient;
        const char *status;
        const char *diagnostic;
    } rows[] = {
        {"Original-Recipient: rfc822;ann@x.example\nFinal-Recipient: "
         "rfc822;box7@store.x.example\nAction: failed\nStatus: 5.2.2 (full)\n"
         "Diagnostic-Code: smtp; 552 5.2.2 mailbox\n  full\n",
         "ann@x.example", "5.2.2", "552 5.2.2 mailbox full"},
        {"Original-Recipient: rfc822;ann+40x.example\nAction: failed\nStatus: 5.1.1\n",
         "ann@x.example", "5.1.1", ""},
        {"Original-Recipient: rfc822;ann+2Bhome+40x.example\nAction: failed\n"
         "Status: 5.1.1\n",
         "ann+home@x.example", "5.1.1", ""},
        /* a sub-address is no xtext */
        {"Final-Recipient: rfc822; ann+40@x.example\nAction: failed\nStatus: 5.1.1\n",
         "ann+40@x.example", "5.1.1", ""},
        {"Final-Recipient: utf-8; \\x{8A2A}\\x{308D}@x.example\nAction: failed\n"
         "Status: 5.1.1\n",
         "訪ろ@x.example", "5.1.1", ""},
        {"final-recipient :RFC822;<Ann@X.Example> (Ann)\nACTION: FAILED\nstatus:5.1.1\n",
         "Ann@x.example", "5.1.1", ""},
        /* a pipe is no address */
        {"Final-Recipient: rfc822; |/usr/bin/filter\nX-Actual-Recipient: rfc822; "
         "ann@x.example\nAction: failed\nStatus: 5.3.0\n",
         "ann@x.example", "5.3.0", ""},
        /* the server says more than the status */
        {"Final-Recipient: rfc822; ann@x.example\nAction: failed\nStatus: 5.0.0\n"
         "Diagnostic-Code: smtp; 550 5.1.1 unknown\n",
         "ann@x.example", "5.1.1", "550 5.1.1 unknown"},
        {"Final-Recipient: rfc822; ann@x.example\nAction: failed\nStatus: 4.0.0\n"
         "Diagnostic-Code: smtp; 550 5.1.1 unknown\n",
         "ann@x.example", "4.0.0", "550 5.1.1 unknown"},
        /* pasted into prose, indented, quoted */
        {"Technical report:\n\n   Action: failed\n   Final-Recipient: rfc822; "
         "ann@x.example\n   Status: 5.1.1\n",
         "ann@x.example", "5.1.1", ""},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_bounce_found f;
        assert_true(tkt_bounce_fields(rows[i].text, strlen(rows[i].text), &f));
        assert_string_equal(f.recipient, rows[i].recipient);
        assert_string_equal(f.status, rows[i].status);
        assert_string_equal(f.diagnostic, rows[i].diagnostic);
        assert_int_equal(f.action, TKT_BOUNCE_FAILED);
    }
    struct tkt_bounce_found f;
    assert_false(tkt_bounce_fields("Status: all is well\n", 20, &f));
    assert_false(tkt_bounce_fields("", 0, &f));
}

static void status_comes_from_codes_and_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *status;
    } rows[] = {
        {"550 5.7.1 denied", "5.7.1"},
        {"Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1"},
        {"550 No such user here", "5.1.1"},
        {"550 unknown user", "5.1.1"},
        {"552 mailbox full", "5.2.2"},
        {"452 mailbox full", "4.2.2"},
        {"554 Relay access denied", "5.7.1"},
        {"host not found", "5.1.2"},
        {"retry timeout exceeded", "4.4.7"},
        {"552 something", "5.2.2"},
        {"451 something", "4.3.0"},
        {"550 something", "5.0.0"},
        {"something", "5.0.0"},
        /* addresses, versions and dates are no status */
        {"host 5.1.1.4 said: 550 user unknown", "5.1.1"},
        {"Exchange 5.5.2653.19: something", "5.0.0"},
        {"mailer-5.1.2: something", "5.0.0"},
        {"sent 550 messages 5.9.1 something", "5.0.0"},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char got[TKT_BOUNCE_STATUS_MAX];
        tkt_bounce_status_of(rows[i].text, strlen(rows[i].text), false, got);
        assert_string_equal(got, rows[i].status);
    }
    char got[TKT_BOUNCE_STATUS_MAX];
    tkt_bounce_status_of("something", 9, true, got);
    assert_string_equal(got, "4.0.0");
}

static void one_line_never_cuts_a_character(void **state)
{
    (void)state;
    const char *text = "ä  ö\n\tü";
    for (size_t max = 1; max < 12; max++) {
        char out[16];
        tkt_bounce_one_line(text, strlen(text), out, max);
        assert_true(strlen(out) < max);
        assert_true(strncmp("ä ö ü", out, strlen(out)) == 0);
        assert_int_not_equal((unsigned char)out[strlen(out)] & 0x80, 0x80);
        size_t n = strlen(out);
        assert_true(n == 0 || n == 2 || n == 3 || n == 5 || n == 6 || n == 8);
    }
}

int main(void)
{
    struct tkt_err err = TKT_ERR_INIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_are_human_whatever_they_write_about),
        cmocka_unit_test(automatic_replies_say_so_in_many_ways),
        cmocka_unit_test(automatic_replies_are_known_in_many_languages),
        cmocka_unit_test(other_classes_have_their_marks),
        cmocka_unit_test(a_report_is_what_its_fields_say),
        cmocka_unit_test(a_forwarded_report_is_a_persons_mail),
        cmocka_unit_test(a_read_receipt_names_the_message_it_is_for),
        cmocka_unit_test(a_feedback_report_is_one_whoever_sends_it),
        cmocka_unit_test(fields_are_read_as_they_are_really_written),
        cmocka_unit_test(status_comes_from_codes_and_words),
        cmocka_unit_test(one_line_never_cuts_a_character),
    };
    if (tkt_message_parser_init(&err) < 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
