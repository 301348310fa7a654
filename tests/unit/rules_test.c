/* SPDX-License-Identifier: BSD-2-Clause
 * common/decide/rules: each condition, each way to write an item.
 */
#include "rules_fixture.h"

#include "base/util.h"
#include "decide/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define S(text) ((char *)(uintptr_t)(text))

/* Whether a rule of this body matches. */
static bool matches(const char *body, struct rules_case *c)
{
    char conf[8192];
    struct tkt_decisions d;

    snprintf(conf, sizeof(conf), "rule \"r\" {\n%s\n set_category = \"hit\"\n}\n", body);
    struct tkt_policy *policy = rules_policy(conf);
    rules_decide(c, policy, &d);
    bool hit = strcmp(d.items[0].category, "hit") == 0;
    tkt_decisions_release(&d);
    tkt_policy_free(&policy);
    return hit;
}

struct text_case {
    const char *body;
    const char *subject;
    const char *reply;
    bool hit;
};

static const struct text_case text_cases[] = {
    /* words */
    {"if_says = {\"vpn\"}", "VPN broken", "", true},
    {"if_says = {\"vpn\"}", "", "my Vpn, again", true},
    {"if_says = {\"vpn\"}", "vpns", "openvpn vpn2", false},
    {"if_says = {\"vpn\"}", "", "(vpn)", true},
    {"if_says = {\"vpn\"}", "", "site_vpn_profile", true},
    {"if_says = {\"VPN\"}", "", "\xef\xbd\x96\xef\xbd\x90\xef\xbd\x8e", true},
    {"if_says = {\"stra\xc3\x9f"
     "e\"}",
     "", "STRASSE", true},
    {"if_says = {\"caf\xc3\xa9\"}", "", "cafe\xcc\x81", true},
    {"if_says = {\"cafe\"}", "", "caf\xc3\xa9", false},
    {"if_says = {\"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\"}", "",
     "\xd0\x9f\xd0\x90\xd0\xa0\xd0\x9e\xd0\x9b\xd0\xac!", true},
    {"if_says = {\"\xe5\xaf\x86\xe7\xa0\x81\"}", "",
     "\xe6\x88\x91\xe7\x9a\x84\xe5\xaf\x86\xe7\xa0\x81\xe5\xbf\x98\xe4\xba\x86", true},
    {"if_says = {\"don't work\"}", "", "they don\xe2\x80\x99t\n   work", true},
    {"if_says = {\"out of office\"}", "", "out of\r\noffice", true},
    {"if_says = {\"out of office\"}", "out of", "office", false},
    {"if_says = {\"c++\"}", "", "a c++ question", true},
    /* open ends */
    {"if_says = {\"passw*\"}", "", "Passwort", true},
    {"if_says = {\"passw*\"}", "", "mypassword", false},
    {"if_says = {\"*fehler\"}", "", "Netzwerkfehler.", true},
    {"if_says = {\"*fehler\"}", "", "fehlerhaft", false},
    {"if_says = {\"*druck*\"}", "", "Etikettendrucker", true},
    /* gaps */
    {"if_says = {\"cannot <3> connect\"}", "", "I cannot for now connect", true},
    {"if_says = {\"cannot <3> connect\"}", "", "I cannot connect", true},
    {"if_says = {\"cannot <3> connect\"}", "", "cannot a b c d connect", false},
    {"if_says = {\"cannot <3> connect\"}", "", "connect cannot", false},
    {"if_says = {\"cannot <3> connect\"}", "", "cannot a connected", false},
    {"if_says = {\"cannot <3> connect*\"}", "", "cannot a connected", true},
    {"if_says = {\"a <2> b <2> c\"}", "", "a x a b y c", true},
    {"if_says = {\"a <1> b <1> c\"}", "", "a x b y y c", false},
    {"if_says = {\"a <2> b <0> c\"}", "", "a b x b c", true},
    /* exclusion */
    {"if_says = {\"vpn\", \"!newsletter\"}", "vpn newsletter", "", false},
    {"if_says = {\"vpn\", \"!newsletter\"}", "vpn", "", true},
    {"if_says = {\"!newsletter\"}", "anything", "", true},
    {"if_says = {\"!newsletter\"}", "the newsletter", "", false},
    /* expressions and globs */
    {"if_says = {'regex:\\bcode\\s+\\d{4}\\b'}", "", "my CODE 1234.", true},
    {"if_says = {'regex:\\bcode\\s+\\d{4}\\b'}", "", "my code 12345", false},
    {"if_says = {'regex:(?-i)VPN'}", "", "vpn", false},
    {"if_says = {'regex:^\\w+$'}", "word", "", true},
    {"if_says = {'regex:stra\xc3\x9f"
     "e'}",
     "",
     "Die Stra\xc3\x9f"
     "e",
     true},
    {"if_says = {'regex:\xc3\x84nderung'}", "", "\xc3\xa4nderung", true},
    {"if_says = {'regex:caf\xc3\xa9'}", "", "CAF\xc3\x89", true},
    {"if_says = {'!regex:\\d{4}', \"pin\"}", "", "pin 1234", false},
    {"if_subject = {\"glob:re: *ticket*\"}", "Re: my TICKETS", "", true},
    {"if_subject = {\"glob:ticket\"}", "my ticket", "", false},
    {"if_subject = {\"glob:[!a-f]?c\"}", "xbc", "", true},
    {"if_subject = {\"glob:[!a-f]?c\"}", "abc", "", false},
    /* zones */
    {"if_subject = {\"vpn\"}", "", "vpn", false},
    {"if_reply = {\"vpn\"}", "vpn", "", false},
    {"if_reply = {\"vpn\"}", "", "vpn", true},
    /* several conditions */
    {"if_says = {\"reset\"}\n and_says = {\"password\"}", "password reset", "", true},
    {"if_says = {\"reset\"}\n and_says = {\"password\"}", "reset", "", false},
    {"match = any\n if_says = {\"reset\"}\n and_says = {\"password\"}", "reset", "",
     true},
    {"match = any\n if_says = {\"a1\"}\n if_reply = {'regex:\\d\\d'}", "", "77", true},
    {"match = any\n if_says = {\"a1\"}\n if_reply = {'regex:\\d\\d'}", "", "x", false},
    {"at_least = 2\n if_says = {\"a1\", \"b1\", \"c1\"}", "a1 a1", "", false},
    {"at_least = 2\n if_says = {\"a1\", \"b1\", \"c1\"}", "a1", "c1", true},
    {"", "anything", "", true},
    {"if_says = {'regex:x+y'}\n literals = {\"y\"}", "", "xxy", true},
};

static void words_globs_and_expressions_match_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(text_cases); i++) {
        const struct text_case *t = &text_cases[i];
        struct rules_case c;
        rules_case_init(&c);
        c.msg.subject = S(t->subject);
        c.msg.reply_text = S(t->reply);
        c.msg.text = S(t->reply);
        if (matches(t->body, &c) != t->hit) {
            fail_msg("%s on \"%s\" / \"%s\": not %d", t->body, t->subject, t->reply,
                     t->hit);
        }
    }
}

static void quoted_text_counts_for_if_text_alone(void **state)
{
    struct rules_case c;

    (void)state;
    rules_case_init(&c);
    c.msg.reply_text = S("thanks");
    c.msg.text = S("thanks\n> my vpn is down");
    assert_false(matches("if_says = {\"vpn\"}", &c));
    assert_true(matches("if_text = {\"vpn\"}", &c));
    c.msg.subject = S("vpn");
    c.msg.text = S("thanks");
    assert_true(matches("if_text = {\"vpn\"}", &c));
}

static void what_is_forwarded_counts_as_said(void **state)
{
    struct rules_case c;

    (void)state;
    rules_case_init(&c);
    c.msg.reply_text = S("please see below");
    c.msg.forwarded.is_present = true;
    c.msg.forwarded.subject = S("printer");
    c.msg.forwarded.text = S("it jams");
    assert_true(matches("if_says = {\"printer\"}\n and_reply = {\"jams\"}", &c));
    assert_false(matches("if_says = {\"printer it jams\"}", &c));
}

static void fill(struct rules_case *c)
{
    static struct tkt_address to[] = {{S(""), S("it@example.org")},
                                      {S(""), S("boss@example.com")}};
    static struct tkt_attachment files[] = {
        {.name = S("Rechnung 12.PDF"), .type = S("application/pdf")},
        {.name = S("shot.png"), .type = S("image/png")}};
    static struct tkt_kept_field kept[] = {{S("X-Spam-Flag"), S("YES, it is")},
                                           {S("List-Id"), S("dev <dev.example.org>")}};
    static char *groups[] = {S("CN=VPN-Users,DC=example"), S("staff")};

    rules_case_init(c);
    c->msg.from =
        (struct tkt_address){S("Anna M\xc3\xbcller"), S("Anna.M@Sub.Example.ORG")};
    c->msg.to = (struct tkt_addresses){to, 2};
    c->msg.attachments = files;
    c->msg.attachment_count = 2;
    c->msg.kept = kept;
    c->msg.kept_count = 2;
    c->msg.size = 20000;
    c->msg.class = TKT_CLASS_HUMAN;
    c->msg.language = S("de");
    c->msg.importance = TKT_IMPORTANCE_HIGH;
    c->msg.security = TKT_SECURITY_SIGNED;
    c->msg.auth_aligned = true;
    c->facts.client = S("192.0.2.17");
    c->facts.affected = 7;
    c->facts.minute = 1440 + 9 * 60; /* Tuesday, 9:00 */
    c->facts.person = (struct tkt_person){.is_known = true,
                                          .is_vip = true,
                                          .name = S("Anna"),
                                          .department = S("Human Resources"),
                                          .company = S("ACME 4711"),
                                          .title = S("Head of HR"),
                                          .location = S("Berlin, Haus 3"),
                                          .manager = S("ceo@example.org"),
                                          .language = S("de"),
                                          .groups = {groups, 2}};
}

static const struct {
    const char *body;
    bool hit;
} fact_cases[] = {
    {"if_sender = {\"anna.m@*\"}", true},
    {"if_sender = {\"anna.m\"}", false},
    {"if_sender = {\"word:anna\"}", true},
    {"if_sender = {'regex:^anna\\.\\w@'}", true},
    {"if_sender_name = {\"m\xc3\xbcller\"}", true},
    {"if_sender_name = {\"muller\"}", false},
    {"if_domain = {\"sub.example.org\"}", true},
    {"if_domain = {\"example.org\"}", false},
    {"if_domain = {\".example.org\"}", true},
    {"if_domain = {\".sub.example.org\"}", true},
    {"if_domain = {\"*.example.org\"}", true},
    {"if_domain = {\"*.sub.example.org\"}", false},
    {"if_domain = {\".ample.org\"}", false},
    {"if_recipient = {\"boss@*\"}", true},
    {"if_recipient = {\"boss@example.org\"}", false},
    {"if_header = {\"x-spam-flag: yes*\"}", true},
    {"if_header = {\"X-Spam-Flag: no\"}", false},
    {"if_header = {\"X-Spam-Flag: word:it\"}", true},
    {"if_header = {'List-Id: regex:<dev\\.'}", true},
    {"if_header = {\"List-Id: yes*\"}", false},
    {"if_header = {\"List-Id\"}", true},
    {"if_header = {\"X-Other\"}", false},
    {"if_header = {\"!X-Other\"}", true},
    {"if_header = {\"!list-id\"}", false},
    {"if_attachment = {\"*.pdf\"}", true},
    {"if_attachment = {\"*.exe\", \"*.js\"}", false},
    {"if_attachment = {\"word:rechnung\"}", true},
    {"if_attachment_type = {\"image/*\"}", true},
    {"if_attachment_type = {\"video/*\"}", false},
    {"if_client = {\"192.0.2.*\"}", true},
    {"if_client = {\"10.*\"}", false},
    {"if_class = {human}", true},
    {"if_class = {bounce, list}", false},
    {"if_language = {\"de\", \"at\"}", true},
    {"if_language = {\"en\"}", false},
    {"if_importance = {high}", true},
    {"if_importance = {low, normal}", false},
    {"if_security = {signed}", true},
    {"if_security = {none}", false},
    {"if_assurance = {aligned}", true},
    {"if_assurance = {login, fail}", false},
    {"if_desk = {\"it\"}", true},
    {"if_desk = {\"hr\"}", false},
    {"if_time = {\"mon-fri 08:00-18:00\"}", true},
    {"if_time = {\"tue\"}", true},
    {"if_time = {\"mon,wed-sun\"}", false},
    {"if_time = {\"fri-tue 09:00-09:01\"}", true},
    {"if_time = {\"18:00-08:00\"}", false},
    {"if_time = {\"mon 10:00-09:30\"}", true},
    {"if_time = {\"tue 10:00-09:30\"}", false},
    {"if_size = \"10k..\"", true},
    {"if_size = \"..10k\"", false},
    {"if_size = \"19k..20k\"", true},
    {"if_size = \"20000\"", true},
    {"if_attachments = \"2..\"", true},
    {"if_attachments = \"..1\"", false},
    {"if_affected = \"5..10\"", true},
    {"if_affected = \"8..\"", false},
    {"if_vip = yes", true},
    {"if_vip = no", false},
    {"if_known = yes", true},
    {"if_known = no", false},
    {"if_agent = no", true},
    {"if_agent = yes", false},
    {"if_department = {\"human resources\"}", true},
    {"if_department = {\"human\"}", true},
    {"if_department = {\"finance\"}", false},
    {"if_company = {\"acme*\"}", true},
    {"if_company = {\"acme\"}", false},
    {"if_title = {\"head\"}", true},
    {"if_location = {\"berlin\"}", true},
    {"if_location = {\"hamburg\"}", false},
    {"if_manager = {\"ceo@*\"}", true},
    {"if_member_of = {\"cn=vpn-users,*\"}", true},
    {"if_member_of = {\"vpn-users\"}", false},
    {"if_type = {incident}", true},
    {"if_type = {request}", false},
    {"if_group = {\"!net*\"}", true},
};

static void facts_and_fields_match_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(fact_cases); i++) {
        struct rules_case c;
        fill(&c);
        if (matches(fact_cases[i].body, &c) != fact_cases[i].hit) {
            fail_msg("%s: not %d", fact_cases[i].body, fact_cases[i].hit);
        }
    }
}

static void a_forged_vip_is_none(void **state)
{
    struct rules_case c;

    (void)state;
    fill(&c);
    c.msg.auth_aligned = false;
    assert_false(matches("if_vip = yes", &c));
    c.facts.login_is_from = true;
    assert_true(matches("if_vip = yes", &c));
}

static void a_known_forger_has_no_entry_in_the_directory(void **state)
{
    static const char *const bodies[] = {
        "if_known = yes",           "if_department = {\"human\"}",
        "if_title = {\"head\"}",    "if_location = {\"berlin\"}",
        "if_manager = {\"ceo@*\"}", "if_agent = yes",
        "if_member_of = {\"cn=*\"}"};
    struct rules_case c;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bodies); i++) {
        fill(&c);
        c.facts.is_agent = true;
        assert_true(matches(bodies[i], &c));
        fill(&c);
        c.facts.is_agent = true;
        c.msg.dmarc = TKT_AUTH_FAIL;
        assert_false(matches(bodies[i], &c));
    }
}

static void mood_and_urgency_as_said_can_be_asked_for(void **state)
{
    static const struct {
        const char *body;
        const char *text;
        bool hit;
    } rows[] = {
        {"if_said_urgency = {high}", "this is urgent, we cannot work", true},
        {"if_said_urgency = {high}", "this is not urgent", false},
        {"if_said_urgency = {low}", "this is not urgent, no hurry", true},
        {"if_said_urgency = {medium}", "the key of the door", true},
        {"if_said_urgency = {high, low}", "the key of the door", false},
        {"if_mood = {neutral}", "the key of the door", true},
        {"if_mood = {negative}", "I am very disappointed, this is unacceptable", true},
        {"if_mood = {angry}", "I am very disappointed, this is UNACCEPTABLE!!", true},
        {"if_mood = {neutral, positive}", "this is unacceptable, I am disappointed",
         false},
        {"if_mood = {positive}", "thank you so much, great work", true},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct rules_case c;
        rules_case_init(&c);
        c.msg.reply_text = (char *)(uintptr_t)rows[i].text;
        if (matches(rows[i].body, &c) != rows[i].hit) {
            fail_msg("%s: %s: not %d", rows[i].body, rows[i].text, rows[i].hit);
        }
    }
}

static void an_unknown_time_is_in_no_span(void **state)
{
    struct rules_case c;

    (void)state;
    rules_case_init(&c);
    assert_false(matches("if_time = {\"mon-sun\"}", &c));
}

/* ---- wrong ones ---- */

static const struct {
    const char *conf;
    const char *says; /* in the error */
} wrong[] = {
    {"rule \"a\" {\n if_says = {\"ok\"}\n\n and_says = {'regex:(ab'}\n}",
     "test.conf:4: rule a: and_says: \"regex:(ab\": missing closing parenthesis"},
    {"rule \"a\" {\n if_says = {'regex:[z-a]'}\n}", "test.conf:2: rule a"},
    {"rule \"a\" {\n if_says = {\"a*b\"}\n}", "a * within words"},
    {"rule \"a\" {\n if_says = {\"*\"}\n}", "no word"},
    {"rule \"a\" {\n if_says = {\"a <12> b\"}\n}", "gaps"},
    {"rule \"a\" {\n if_says = {\"a <1> b <1> c <1> d\"}\n}", "gaps"},
    {"rule \"a\" {\n if_subject = {\"glob:[ab\"}\n}", "[ without ]"},
    {"rule \"a\" {\n if_header = {\": x\"}\n}", "no name"},
    {"rule \"a\" {\n if_header = {\"A B: x\"}\n}", "no name of a header field"},
    {"rule \"a\" {\n if_header = {\"A:\"}\n}", "nothing behind the name"},
    {"rule \"a\" {\n if_size = \"big\"\n}", "test.conf:2: rule a: if_size"},
    {"rule \"a\" {\n if_size = \"5..1\"\n}", "no range"},
    {"rule \"a\" {\n if_time = {\"25:00-26:00\"}\n}", "no time"},
    {"rule \"a\" {\n if_time = {\"noon\"}\n}", "no time"},
    {"rule \"a\" {\n in = nowhere\n}", "no section rules \"nowhere\""},
    {"extract \"e\" {\n}", "has no pattern"},
    {"extract \"e\" {\n pattern = 'a(b)'\n}", "field names none"},
    {"extract \"e\" {\n pattern = '(?<Order>b)'\n}", "a letter first"},
    {"extract \"e\" {\n\n pattern = '(?<a>b'\n}", "test.conf:3: extract e: pattern"},
    {"require \"2x\" {\n}", "the title is a field"},
};

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(wrong); i++) {
        struct tkt_err err;
        const char *text = rules_policy_error(wrong[i].conf, &err);
        if (err.class != TKT_ERR_CONF || strstr(text, wrong[i].says) == NULL) {
            fail_msg("%s: \"%s\"", wrong[i].conf, text);
        }
    }
}

static void an_expression_without_a_literal_is_warned_of(void **state)
{
    (void)state;
    TKT_AUTO_FREE char *one =
        rules_policy_warnings("rule \"a\" {\n if_says = {\"x\"}\n}\nrule \"b\" {\n "
                              "if_says = {'regex:\\d+'}\n}");
    assert_non_null(strstr(one, "test.conf:4: rule b"));
    assert_null(strstr(one, "rule a"));
    TKT_AUTO_FREE char *none = rules_policy_warnings(
        "rule \"b\" {\n if_says = {'regex:\\d+'}\n literals = {\"nr\"}\n}");
    assert_string_equal(none, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_globs_and_expressions_match_what_they_say),
        cmocka_unit_test(quoted_text_counts_for_if_text_alone),
        cmocka_unit_test(what_is_forwarded_counts_as_said),
        cmocka_unit_test(facts_and_fields_match_what_they_say),
        cmocka_unit_test(a_forged_vip_is_none),
        cmocka_unit_test(a_known_forger_has_no_entry_in_the_directory),
        cmocka_unit_test(mood_and_urgency_as_said_can_be_asked_for),
        cmocka_unit_test(an_unknown_time_is_in_no_span),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(an_expression_without_a_literal_is_warned_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
