/* SPDX-License-Identifier: BSD-2-Clause
 * Who may be answered, and by what a notice is known for what it is.
 */
#include "ticketd/mail/noticemail.h"

#include "base/util.h"
#include "notify/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h wants these first */
#include <cmocka.h>

static struct tkt_conf *conf;
static struct tkt_token_keys keys;
static const struct tkt_conf_channel channel = {.from = (char[]){""}};

static int set_up(void **state)
{
    static const char text[] =
        "hostname = \"mx.example.org\"\n"
        "desk it { addresses = {\"it@desk.example\", \"@whole.example\"} prefix = \"IT\" "
        "display_name = \"IT Desk\" }\n"
        "desk hr { addresses = {\"hr@grüße.example\"} prefix = \"HR\" }\n";
    char path[] = "/tmp/tkt-noticemail-XXXXXX";
    int fd = mkstemp(path);
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    if (fd < 0 || write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1) {
        return -1;
    }
    close(fd);
    conf = tkt_conf_load(path, &err);
    unlink(path);
    if (!conf) {
        print_error("%s\n", err.text);
    }
    return conf ? tkt_token_keys_add(&keys, "a secret of the tests", 21, &err) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tkt_conf_free(&conf);
    return 0;
}

static void only_people_are_answered(void **state)
{
    static const struct {
        struct tkt_mail_asked asked;
        enum tkt_mail_answer answer;
    } rows[] = {
        {{.sender = "ann@x.org", .from = "ann@x.org"}, TKT_MAIL_ANSWER},
        {{.sender = "", .is_null_sender = true, .from = "ann@x.org"},
         TKT_MAIL_NO_NULL_SENDER},
        {{.sender = "x@x.org", .from = "ann@x.org", .class = TKT_CLASS_BOUNCE},
         TKT_MAIL_NO_NULL_SENDER},
        {{.sender = "x@x.org", .from = "ann@x.org", .class = TKT_CLASS_AUTO_REPLY},
         TKT_MAIL_NO_CLASS},
        {{.sender = "x@x.org", .from = "ann@x.org", .class = TKT_CLASS_AUTO_GENERATED},
         TKT_MAIL_NO_CLASS},
        {{.sender = "x@x.org", .from = "ann@x.org", .class = TKT_CLASS_BULK},
         TKT_MAIL_NO_CLASS},
        {{.sender = "x@x.org", .from = "ann@x.org", .class = TKT_CLASS_LIST},
         TKT_MAIL_NO_CLASS},
        {{.sender = "x@x.org", .from = "ann@x.org", .class = TKT_CLASS_OWN},
         TKT_MAIL_NO_CLASS},
        {{.sender = "x@x.org", .from = "ann@x.org", .assurance = TKT_ASSURANCE_FAIL},
         TKT_MAIL_NO_FORGED},
        {{.sender = "x@x.org", .from = "ann@x.org", .is_unverified = true},
         TKT_MAIL_NO_UNVERIFIED},
        {{.sender = "ann@x.org", .from = ""}, TKT_MAIL_NO_ADDRESS},
        {{.sender = "ann@x.org", .from = "ann"}, TKT_MAIL_NO_ADDRESS},
        {{.sender = "ann@x.org", .from = "a@b\r\nBcc: c@d"}, TKT_MAIL_NO_ADDRESS},
        {{.sender = "ann@x.org", .from = "IT@Desk.Example"}, TKT_MAIL_NO_OWN},
        {{.sender = "ann@x.org", .from = "it+x@desk.example"}, TKT_MAIL_NO_OWN},
        {{.sender = "ann@x.org", .from = "any@whole.example"}, TKT_MAIL_NO_OWN},
        {{.sender = "ann@x.org", .from = "hr@xn--gre-6ka8l.example"}, TKT_MAIL_NO_OWN},
        {{.sender = "ann@x.org", .from = "hr@grüße.example"}, TKT_MAIL_NO_OWN},
        {{.sender = "it+b-x@desk.example", .from = "ann@x.org"}, TKT_MAIL_NO_OWN},
        {{.sender = "ann@x.org", .from = "it@other.example"}, TKT_MAIL_ANSWER},
        {{.sender = "ann@x.org", .from = "No-Reply@x.org"}, TKT_MAIL_NO_ROBOT},
        {{.sender = "ann@x.org", .from = "MAILER-DAEMON@x.org"}, TKT_MAIL_NO_ROBOT},
        {{.sender = "ann@x.org", .from = "list-request@x.org"}, TKT_MAIL_NO_ROBOT},
        {{.sender = "owner-list@x.org", .from = "ann@x.org"}, TKT_MAIL_NO_ROBOT},
        {{.sender = "bounces+1=a@x.org", .from = "ann@x.org"}, TKT_MAIL_NO_ROBOT},
        {{.sender = "srs0=a=b=c=ann@x.org", .from = "ann@c.org"}, TKT_MAIL_ANSWER},
        {{.sender = "prvs=1=ann@x.org", .from = "ann@x.org"}, TKT_MAIL_ANSWER},
        {{.sender = "ann@x.org", .from = "request@x.org"}, TKT_MAIL_ANSWER},
        {{.sender = "ann@x.org", .from = "homeowner@x.org"}, TKT_MAIL_ANSWER}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        enum tkt_mail_answer got =
            tkt_mail_may_answer(conf, &conf->desks[0], &rows[i].asked);

        if (got != rows[i].answer) {
            fail_msg("row %zu: %s", i, tkt_mail_answer_names[got]);
        }
    }
}

static void no_setting_lets_a_null_sender_or_a_bounce_be_answered(void **state)
{
    struct tkt_conf_desk desk = conf->desks[0];
    char *all[TKT_CLASS_COUNT];

    (void)state;
    for (size_t i = 0; i < TKT_CLASS_COUNT; i++) {
        all[i] = strdup(tkt_class_names[i]);
    }
    desk.acknowledges = (struct tkt_conf_list){all, TKT_CLASS_COUNT};
    for (int i = 0; i < TKT_CLASS_COUNT; i++) {
        struct tkt_mail_asked a = {
            .sender = "", .is_null_sender = true, .from = "a@x.org", .class = i};

        assert_int_not_equal(tkt_mail_may_answer(conf, &desk, &a), TKT_MAIL_ANSWER);
        a.is_null_sender = false;
        a.sender = "a@x.org";
        bool never = i == TKT_CLASS_BOUNCE || i == TKT_CLASS_DELAY || i == TKT_CLASS_OWN;
        assert_int_equal(tkt_mail_may_answer(conf, &desk, &a) != TKT_MAIL_ANSWER, never);
    }
    for (size_t i = 0; i < TKT_CLASS_COUNT; i++) {
        free(all[i]);
    }
}

static void a_tag_is_read_as_it_was_written(void **state)
{
    static const char token[] = "cbcdefghijklmnopqrstuvwxyz234567";
    char room[200], back[TKT_TOKEN_LEN + 1];

    (void)state;
    for (int tag = TKT_MAIL_TAG_BOUNCE; tag <= TKT_MAIL_TAG_LEAVE; tag++) {
        for (const char *s = "+-="; *s; s++) {
            assert_int_equal(
                tkt_mail_tagged("it@x.org", *s, tag, token, room, sizeof(room)), 0);
            assert_int_equal(tkt_mail_tag_of(room, *s, back), tag);
            assert_string_equal(back, token);
        }
    }
    assert_string_equal(room, "it=d-cbcdefghijklmnopqrstuvwxyz234567@x.org");
    assert_int_equal(
        tkt_mail_tag_of("it+u-cbcdefghijklmnopqrstuvwxyz234567@x", '+', back),
        TKT_MAIL_TAG_UNSUBSCRIBE); /* of older mails */
    assert_int_equal(tkt_mail_tag_of("it+cbcdefghijklmnopqrstuvwxyz234567@x", '+', back),
                     TKT_MAIL_TAG_NONE);
    assert_int_equal(
        tkt_mail_tag_of("it+c-cbcdefghijklmnopqrstuvwxyz234567@x", '+', back),
        TKT_MAIL_TAG_NONE);
    assert_int_equal(tkt_mail_tag_of("b-cbcdefghijklmnopqrstuvwxyz234567@x", '+', back),
                     TKT_MAIL_TAG_NONE);
    assert_int_equal(tkt_mail_tag_of("", '+', back), TKT_MAIL_TAG_NONE);
    assert_int_equal(tkt_mail_tagged("a-local-part-that-has-thirty-x@x.org", '+',
                                     TKT_MAIL_TAG_BOUNCE, token, room, sizeof(room)),
                     -1);
}

struct filled {
    struct tkt_notice notice;
    struct tkt_wire_arena arena;
};

static void fill(struct filled *f, struct tkt_noticemail in)
{
    struct tkt_err err = TKT_ERR_INIT;

    f->notice = (struct tkt_notice){.id = "n-17",
                                    .to = "ann@x.org",
                                    .at_ms = INT64_C(1795341600000),
                                    .from = "",
                                    .from_name = "",
                                    .thread = ""};
    in.conf = conf;
    in.keys = &keys;
    in.channel = in.channel ? in.channel : &channel;
    in.desk = &conf->desks[0];
    in.ticket = 17;
    in.answered = in.answered ? in.answered : "";
    in.references = in.references ? in.references : "";
    in.unsubscribe = in.unsubscribe ? in.unsubscribe : "";
    if (tkt_noticemail_fill(&in, &f->notice, &f->arena, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

static const char *header(const struct filled *f, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; f->notice.headers[i]; i++) {
        if (strncmp(f->notice.headers[i], name, n) == 0 &&
            f->notice.headers[i][n] == ':') {
            return f->notice.headers[i] + n + 2;
        }
    }
    return "";
}

static void an_answer_says_what_it_is_and_what_it_answers(void **state)
{
    struct filled f = {0}, again = {0};
    const struct tkt_noticemail in = {
        .answered = "m1@x.org", .references = "<m0@x.org>", .is_answer = true};
    char token[TKT_TOKEN_LEN + 1], base[100];
    struct tkt_token t;

    (void)state;
    fill(&f, in);
    fill(&again, in);
    assert_string_equal(f.notice.message_id, again.notice.message_id);
    assert_string_equal(f.notice.from, "it@desk.example");
    assert_string_equal(f.notice.from_name, "IT Desk");
    assert_string_equal(f.notice.in_reply_to, "m1@x.org");
    assert_string_equal(f.notice.references, "<m0@x.org> <m1@x.org>");
    assert_string_equal(header(&f, "Auto-Submitted"), "auto-replied");
    assert_string_equal(header(&f, "X-Auto-Response-Suppress"), "All");
    assert_string_equal(header(&f, "List-Unsubscribe"), "");
    /* Its answers thread by each of the three. */
    assert_true(tkt_token_split(f.notice.reply_to, '+', token, base, sizeof(base)));
    assert_string_equal(base, "it@desk.example");
    assert_int_equal(
        tkt_token_verify(&keys, token, strlen(token), f.notice.at_ms / 1000 + 86400, &t),
        TKT_TOKEN_VALID);
    assert_int_equal(t.ticket, 17);
    assert_true(tkt_token_is_for(&keys, &t, "Ann@X.org"));
    assert_false(tkt_token_is_for(&keys, &t, "bob@x.org"));
    assert_true(tkt_token_from_message_id(f.notice.message_id, "mx.example.org", base));
    assert_string_equal(base, token);
    tkt_wire_arena_release(&f.arena);
    tkt_wire_arena_release(&again.arena);
}

/* That of the thread is known to all who ever stood in a Cc. */
static void each_tag_has_a_token_of_its_own(void **state)
{
    struct filled f = {0};
    char token[TKT_TOKEN_LEN + 1], base[100], room[200];
    struct tkt_token t;

    (void)state;
    fill(&f, (struct tkt_noticemail){.may_unsubscribe = true});
    int64_t now_s = f.notice.at_ms / 1000;
    assert_true(tkt_token_split(f.notice.reply_to, '+', token, base, sizeof(base)));
    for (int seen = TKT_MAIL_TAG_NONE; seen <= TKT_MAIL_TAG_LEAVE; seen++) {
        if (seen == TKT_MAIL_TAG_UNSUBSCRIBE) {
            continue; /* in older mails alone */
        }
        if (seen == TKT_MAIL_TAG_BOUNCE) {
            assert_int_equal(tkt_mail_tag_of(f.notice.return_path, '+', token), seen);
        } else if (seen == TKT_MAIL_TAG_LEAVE) {
            const char *at = strstr(header(&f, "List-Unsubscribe"), "mailto:") + 7;
            snprintf(room, sizeof(room), "%.*s", (int)strcspn(at, "?>"), at);
            assert_int_equal(tkt_mail_tag_of(room, '+', token), seen);
        }
        assert_int_equal(tkt_token_verify(&keys, token, strlen(token), now_s, &t),
                         TKT_TOKEN_VALID);
        assert_int_equal(t.ticket, 17);
        for (int tag = TKT_MAIL_TAG_NONE; tag <= TKT_MAIL_TAG_LEAVE; tag++) {
            assert_int_equal(
                tkt_mail_tag_is_for(&keys, &t, (enum tkt_mail_tag)tag, "Ann@X.org"),
                tag == seen);
        }
        assert_false(
            tkt_mail_tag_is_for(&keys, &t, (enum tkt_mail_tag)seen, "bob@x.org"));
    }
    tkt_wire_arena_release(&f.arena);
}

static void other_notices_are_generated_and_a_persons_answer_is_neither(void **state)
{
    struct filled f = {0};

    (void)state;
    fill(&f, (struct tkt_noticemail){.may_unsubscribe = true});
    assert_string_equal(header(&f, "Auto-Submitted"), "auto-generated");
    assert_non_null(strstr(header(&f, "List-Unsubscribe"), "<mailto:it+d-"));
    assert_string_equal(header(&f, "List-Unsubscribe-Post"), "");
    fill(&f, (struct tkt_noticemail){.may_unsubscribe = true,
                                     .unsubscribe = "https://x.org/u?1"});
    assert_int_equal(
        strncmp(header(&f, "List-Unsubscribe"), "<https://x.org/u?1>, <mailto:it+d-", 34),
        0);
    assert_string_equal(header(&f, "List-Unsubscribe-Post"),
                        "List-Unsubscribe=One-Click");
    fill(&f, (struct tkt_noticemail){.is_person = true});
    assert_string_equal(header(&f, "Auto-Submitted"), "");
    tkt_wire_arena_release(&f.arena);
}

static void the_return_path_may_be_null(void **state)
{
    char option[] = "return_path=null";
    char *options[] = {option};
    const struct tkt_conf_channel null = {.from = channel.from, .options = {options, 1}};
    struct filled f = {0};

    (void)state;
    fill(&f, (struct tkt_noticemail){.channel = &null});
    assert_string_equal(f.notice.return_path, "");
    tkt_wire_arena_release(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_people_are_answered),
        cmocka_unit_test(no_setting_lets_a_null_sender_or_a_bounce_be_answered),
        cmocka_unit_test(a_tag_is_read_as_it_was_written),
        cmocka_unit_test(an_answer_says_what_it_is_and_what_it_answers),
        cmocka_unit_test(each_tag_has_a_token_of_its_own),
        cmocka_unit_test(other_notices_are_generated_and_a_persons_answer_is_neither),
        cmocka_unit_test(the_return_path_may_be_null),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
