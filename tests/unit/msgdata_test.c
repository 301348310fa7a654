/* SPDX-License-Identifier: BSD-2-Clause
 * common/message and common/decide codecs: what a child tells is bounded and checked.
 */
#include "base/util.h"
#include "decide/decide.h"
#include "decide/record.h"
#include "message/message.h"
#include "message/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static char *two_ids[] = {(char *)"a@x", (char *)"b@x"};
static struct tkt_address two_people[] = {{(char *)"Ann", (char *)"ann@example.test"},
                                          {(char *)"", (char *)"bob@example.test"}};
static struct tkt_attachment one_file[] = {
    {(char *)"caf\xc3\xa9.png", (char *)"image/png", (char *)"1.2", (char *)"ab12",
     (char *)"logo@x", 12345, true}};

static struct tkt_message sample_message(void)
{
    return (struct tkt_message){
        .subject = (char *)"[IT-12] printer on fire",
        .from = two_people[0],
        .to = {two_people, 2},
        .message_id = (char *)"a@x",
        .in_reply_to = {two_ids, 1},
        .references = {two_ids, 2},
        .date_s = -1,
        .text = (char *)"line\r\nline\n\tend \xe2\x82\xac",
        .text_cut = true,
        .reply_text = (char *)"line\n",
        .signature = (char *)"-- \nAnn",
        .quoted = (char *)"> line",
        .language = (char *)"en",
        .has_hidden_text = true,
        .message_id_derived = true,
        .sender = two_people[1],
        .bounce = {true, (char *)"ann@example.test", (char *)"5.1.1", (char *)"failed",
                   (char *)"smtp; 550", (char *)"a@x"},
        .forwarded = {true, two_people[1], (char *)"hi", 77, (char *)"orig\n"},
        .importance = TKT_IMPORTANCE_LOW,
        .foreign_ids = {two_ids, 2},
        .tail_hashes = {two_ids, 1},
        .attachments = one_file,
        .attachment_count = 1,
        .class = TKT_CLASS_SYSTEM,
        .security = TKT_SECURITY_ENCRYPTED,
        .dkim = TKT_AUTH_ERROR,
        .auth_aligned = true,
        .subject_ids = {two_ids, 1},
        .degraded = true,
    };
}

static struct tkt_facts sample_facts(void)
{
    static struct tkt_candidate candidate = {.ticket = 77,
                                             .id = (char *)"IT-12",
                                             .desk = (char *)"it",
                                             .subject = (char *)"printer",
                                             .evidence = TKT_EVIDENCE_SUBJECT,
                                             .state = TKT_STATE_MERGED,
                                             .bound_to_sender = true,
                                             .is_participant = true};
    static struct tkt_desk_facts desks[2] = {{.name = (char *)"it",
                                              .group = (char *)"ops",
                                              .type = (char *)"incident",
                                              .priority = 3,
                                              .reopen_closed = true,
                                              .forward_agents = true,
                                              .opens = 0x7ff,
                                              .changes_state = 1,
                                              .local_itsm = true},
                                             {.name = (char *)"hr",
                                              .group = (char *)"",
                                              .type = (char *)"question",
                                              .priority = 5,
                                              .refuse_closed = true,
                                              .forward_anybody = true,
                                              .changes_state = 0x400,
                                              .acknowledges = 2,
                                              .acknowledge_proved = true}};

    return (struct tkt_facts){.auth_login = (char *)"ann",
                              .login_is_from = true,
                              .candidates = &candidate,
                              .candidate_count = 1,
                              .desks = desks,
                              .desk_count = 2};
}

static struct tkt_decisions sample_decisions(void)
{
    static struct tkt_decision items[2] = {
        {.action = TKT_ACTION_APPEND,
         .ticket = 77,
         .similar = 0,
         .assurance = TKT_ASSURANCE_PASS,
         .split_suggested = true,
         .reopens = true,
         .changes_state = true,
         .why = (char *)"token of its sender",
         .type = (char *)"incident",
         .urgency = 3,
         .priority = 1,
         .tags = {two_ids, 2}},
        {.action = TKT_ACTION_IGNORE, .priority = 5},
    };

    return (struct tkt_decisions){.items = items, .count = 2};
}

/* Each decoder behind one shape, so that all three get the same treatment. */
struct codec {
    const char *name;
    int (*sample)(struct tkt_buf *out);
    int (*again)(const void *data, size_t n, struct tkt_buf *out, struct tkt_err *err);
    size_t max;
};

static int message_sample(struct tkt_buf *out)
{
    struct tkt_message m = sample_message();

    return tkt_message_encode(&m, out);
}

static int message_again(const void *data, size_t n, struct tkt_buf *out,
                         struct tkt_err *err)
{
    struct tkt_message m;

    if (tkt_message_decode(data, n, &m, err) < 0) {
        return -1;
    }
    assert_int_equal(tkt_message_encode(&m, out), 0);
    tkt_message_release(&m);
    return 0;
}

static int facts_sample(struct tkt_buf *out)
{
    struct tkt_facts f = sample_facts();

    return tkt_facts_encode(&f, out);
}

static int facts_again(const void *data, size_t n, struct tkt_buf *out,
                       struct tkt_err *err)
{
    struct tkt_facts f;

    if (tkt_facts_decode(data, n, &f, err) < 0) {
        return -1;
    }
    assert_int_equal(tkt_facts_encode(&f, out), 0);
    tkt_facts_release(&f);
    return 0;
}

static int decisions_sample(struct tkt_buf *out)
{
    struct tkt_decisions d = sample_decisions();

    return tkt_decisions_encode(&d, out);
}

static int decisions_again(const void *data, size_t n, struct tkt_buf *out,
                           struct tkt_err *err)
{
    struct tkt_decisions d;

    if (tkt_decisions_decode(data, n, &d, err) < 0) {
        return -1;
    }
    assert_int_equal(tkt_decisions_encode(&d, out), 0);
    tkt_decisions_release(&d);
    return 0;
}

static const struct codec codecs[] = {
    {"message", message_sample, message_again, TKT_MESSAGE_WIRE_MAX},
    {"facts", facts_sample, facts_again, TKT_FACTS_WIRE_MAX},
    {"decisions", decisions_sample, decisions_again, TKT_DECISIONS_WIRE_MAX},
};

static void what_is_encoded_decodes_to_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(codecs); i++) {
        TKT_AUTO_BUF struct tkt_buf a = TKT_BUF_INIT(codecs[i].max);
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(codecs[i].max);
        struct tkt_err err = TKT_ERR_INIT;
        assert_int_equal(codecs[i].sample(&a), 0);
        assert_int_equal(codecs[i].again(a.data, a.len, &b, &err), 0);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
    }
}

static void decoded_message_has_every_value_and_no_null_string(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_message in = sample_message();
    struct tkt_message m;
    assert_int_equal(tkt_message_encode(&in, &b), 0);
    assert_int_equal(tkt_message_decode(b.data, b.len, &m, NULL), 0);
    assert_string_equal(m.subject, in.subject);
    assert_string_equal(m.from.address, "ann@example.test");
    assert_string_equal(m.to.items[1].name, "");
    assert_string_equal(m.references.items[1], "b@x");
    assert_int_equal(m.date_s, -1);
    assert_string_equal(m.text, in.text);
    assert_true(m.text_cut && m.degraded && m.auth_aligned && !m.has_html);
    assert_string_equal(m.attachments[0].part, "1.2");
    assert_int_equal(m.attachments[0].size, 12345);
    assert_string_equal(tkt_class_names[m.class], "system");
    assert_string_equal(tkt_security_names[m.security], "encrypted");
    assert_int_equal(m.dkim, TKT_AUTH_ERROR);
    tkt_message_release(&m);

    memset(&in, 0, sizeof(in));
    tkt_buf_reset(&b);
    assert_int_equal(tkt_message_encode(&in, &b), 0);
    assert_int_equal(tkt_message_decode(b.data, b.len, &m, NULL), 0);
    assert_string_equal(m.subject, "");
    assert_string_equal(m.from.address, "");
    assert_string_equal(m.text, "");
    tkt_message_release(&m);
}

static void every_truncation_and_every_surplus_byte_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(codecs); i++) {
        TKT_AUTO_BUF struct tkt_buf a = TKT_BUF_INIT(codecs[i].max);
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(codecs[i].max);
        assert_int_equal(codecs[i].sample(&a), 0);
        for (size_t n = 0; n < a.len; n++) {
            struct tkt_err err = TKT_ERR_INIT;
            assert_int_equal(codecs[i].again(a.data, n, &b, &err), -1);
            assert_int_equal(err.class, TKT_ERR_PERM);
        }
        tkt_buf_addc(&a, '\0');
        assert_int_equal(codecs[i].again(a.data, a.len, &b, NULL), -1);
    }
}

static void any_changed_byte_is_refused_or_read_one_way_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(codecs); i++) {
        TKT_AUTO_BUF struct tkt_buf a = TKT_BUF_INIT(codecs[i].max);
        assert_int_equal(codecs[i].sample(&a), 0);
        for (size_t n = 0; n < a.len; n++) {
            char saved = a.data[n];
            for (unsigned bit = 0; bit < 8; bit++) {
                TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(codecs[i].max);
                a.data[n] = (char)(saved ^ (1 << bit));
                if (codecs[i].again(a.data, a.len, &b, NULL) == 0) {
                    assert_int_equal(a.len, b.len);
                    assert_memory_equal(a.data, b.data, a.len);
                }
            }
            a.data[n] = saved;
        }
    }
}

static void sizes_above_the_cap_are_refused_unread(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(codecs); i++) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(codecs[i].max);
        struct tkt_err err = TKT_ERR_INIT;
        /* The pointer is not looked at: it could not be read. */
        assert_int_equal(codecs[i].again("", codecs[i].max + 1, &b, &err), -1);
        assert_non_null(strstr(err.text, "too many"));
    }
}

static int decode_subject(const char *subject, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf a = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    TKT_AUTO_BUF struct tkt_buf rest = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_message none;
    struct tkt_message m;

    memset(&none, 0, sizeof(none));
    assert_int_equal(tkt_message_encode(&none, &rest), 0);
    tkt_buf_add(&a, rest.data, 4);
    tkt_pack_u32(&a, (uint32_t)n);
    tkt_buf_add(&a, subject, n);
    tkt_buf_add(&a, rest.data + 8, rest.len - 8);
    int rc = tkt_message_decode(a.data, a.len, &m, NULL);
    if (rc == 0) {
        tkt_message_release(&m);
    }
    return rc;
}

static void strings_with_nul_controls_or_broken_utf8_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_subject("fine\t\xc3\xa9", 7), 0);
    assert_int_equal(decode_subject("a\0b", 3), -1);
    assert_int_equal(decode_subject("a\r\nBcc: x", 9), -1);
    assert_int_equal(decode_subject("\x1b[2J", 4), -1);
    assert_int_equal(decode_subject("\x7f", 1), -1);
    assert_int_equal(decode_subject("\xff\xfe", 2), -1);
    assert_int_equal(decode_subject("\xed\xa0\x80", 3), -1);
    TKT_AUTO_FREE char *big = malloc(TKT_MESSAGE_STRING_MAX + 1);
    memset(big, 'x', TKT_MESSAGE_STRING_MAX + 1);
    assert_int_equal(decode_subject(big, TKT_MESSAGE_STRING_MAX), 0);
    assert_int_equal(decode_subject(big, TKT_MESSAGE_STRING_MAX + 1), -1);
}

static void counts_without_the_bytes_to_back_them_are_refused(void **state)
{
    (void)state;
    static const unsigned char huge[] = {'T', 'K', 'D', '1', 0xff, 0xff, 0xff, 0xff};
    static const unsigned char plausible[] = {'T', 'K', 'D', '1', 64, 0, 0, 0};
    struct tkt_decisions d;
    assert_int_equal(tkt_decisions_decode(huge, sizeof(huge), &d, NULL), -1);
    assert_int_equal(tkt_decisions_decode(plausible, sizeof(plausible), &d, NULL), -1);
}

static void lists_longer_than_their_cap_are_not_encoded(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_message m = sample_message();
    char *ids[TKT_MESSAGE_IDS_MAX + 1];
    for (size_t i = 0; i < TKT_ARRAY_LEN(ids); i++) {
        ids[i] = (char *)"IT-1";
    }
    m.subject_ids = (struct tkt_strings){ids, TKT_MESSAGE_IDS_MAX};
    assert_int_equal(tkt_message_encode(&m, &b), 0);
    m.subject_ids.count++;
    tkt_buf_reset(&b);
    assert_int_equal(tkt_message_encode(&m, &b), -1);
}

static void decisions_beyond_the_facts_are_refused(void **state)
{
    (void)state;
    struct tkt_facts f = sample_facts();
    struct tkt_decisions d = sample_decisions();
    struct tkt_decision saved = d.items[0];
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_decisions_check(&d, &f, &err), 0);
    d.items[0].ticket = 78;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
    assert_string_equal(err.text, "decision for it: names a ticket that is no candidate");
    d.items[0] = saved;
    d.items[0].public_comment = true;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
    d.items[0] = saved;
    d.items[0].action = TKT_ACTION_APPEND_UNVERIFIED;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
    d.items[0].reopens = false;
    d.items[0].changes_state = false;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), 0);
    d.items[0].acknowledge = true;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
    d.items[0] = saved;
    d.items[1].ticket = 77;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
    d.items[1].ticket = 0;
    f.candidates[0].is_participant = false; /* bound, but a subject is no token */
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
    assert_string_equal(err.text, "decision for it: appends for somebody who may not");
    f.candidates[0].evidence = TKT_EVIDENCE_TOKEN;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), 0);
    f.candidates[0].desk = (char *)"hr";
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
    f.candidates[0].desk = (char *)"it";
    d.count = 1;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), -1);
}

static void assert_refused(struct tkt_decisions *d, const struct tkt_facts *f,
                           const char *why)
{
    struct tkt_err err = TKT_ERR_INIT;
    char text[200];

    snprintf(text, sizeof(text), "decision for it: %s", why);
    assert_int_equal(tkt_decisions_check(d, f, &err), -1);
    assert_string_equal(err.text, text);
}

static void what_no_rule_does_is_not_believed(void **state)
{
    (void)state;
    struct tkt_facts f = sample_facts();
    struct tkt_desk_facts desk = f.desks[0];
    struct tkt_candidate candidate = f.candidates[0];
    struct tkt_decisions d = sample_decisions();
    struct tkt_decision own[2] = {d.items[0], d.items[1]};
    struct tkt_decision saved = d.items[0];
    struct tkt_err err = TKT_ERR_INIT;
    const char *no_rule = "refuses or ignores what no rule does";

    d.items = own;
    d.items[0].refused_by_rule = true;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), 0);
    f.desks[0].never = TKT_NEVER_REFUSE;
    assert_refused(&d, &f, no_rule);
    d.items[0] = saved;
    d.items[0].ignored_by_rule = true;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), 0);
    f.desks[0].never = TKT_NEVER_IGNORE;
    assert_refused(&d, &f, no_rule);
    d.items[0].action = TKT_ACTION_REFUSE;
    f.desks[0].never = 0;
    f.desks[0].refuse_closed = true;
    f.candidates[0].state = TKT_STATE_CLOSED;
    d.items[0].reopens = d.items[0].changes_state = d.items[0].split_suggested = false;
    assert_refused(&d, &f, "refuses or ignores what is refused already");
    f.desks[0] = desk;
    f.candidates[0] = candidate;
}

static void a_requester_is_an_address_that_somebody_may_name(void **state)
{
    (void)state;
    struct tkt_facts f = sample_facts();
    struct tkt_desk_facts desk = f.desks[0];
    struct tkt_candidate candidate = f.candidates[0];
    struct tkt_decisions d = sample_decisions();
    struct tkt_decision own[2] = {d.items[0], d.items[1]};
    struct tkt_err err = TKT_ERR_INIT;
    char much[400];

    d.items = own;
    d.items[0] = (struct tkt_decision){.action = TKT_ACTION_NEW, .priority = 3};
    d.items[0].requester = (char *)"boss@example.org";
    f.desks[0].forward_agents = f.desks[0].forward_anybody = false;
    f.desks[0].never = TKT_NEVER_REQUESTER;
    assert_refused(&d, &f, "opens in a name that its desk does not allow");
    f.desks[0].never = TKT_NEVER_REFUSE | TKT_NEVER_IGNORE; /* some rule names one */
    assert_int_equal(tkt_decisions_check(&d, &f, &err), 0);
    d.items[0].requester = (char *)"boss";
    assert_refused(&d, &f, "opens in the name of what is no address");
    memset(much, '@', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    d.items[0].requester = much;
    assert_refused(&d, &f, "opens in the name of what is no address");
    f.desks[0] = desk;
    f.candidates[0] = candidate;
}

static void fields_texts_and_numbers_are_within_their_bounds(void **state)
{
    (void)state;
    struct tkt_facts f = sample_facts();
    struct tkt_decisions d = sample_decisions();
    struct tkt_decision own[2] = {d.items[0], d.items[1]};
    struct tkt_decision saved = d.items[0];
    struct tkt_field fields[2] = {{(char *)"order", (char *)"1"},
                                  {(char *)"asset", (char *)"2"}};
    static char *bad[] = {(char *)"Order", (char *)"", (char *)"1st", (char *)"a b",
                          (char *)"a\n"};
    struct tkt_err err = TKT_ERR_INIT;
    char much[TKT_FIELD_VALUE_MAX + 2];

    d.items = own;
    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    d.items[0].fields = fields;
    d.items[0].field_count = 2;
    assert_int_equal(tkt_decisions_check(&d, &f, &err), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fields[1].name = bad[i];
        assert_refused(&d, &f, "has a field that is none");
        d.items[0].missing = (struct tkt_strings){&bad[i], 1};
        fields[1].name = (char *)"asset";
        assert_refused(&d, &f, "misses a field that is none");
        d.items[0].missing = (struct tkt_strings){NULL, 0};
    }
    fields[1].name = (char *)"order";
    assert_refused(&d, &f, "has a field twice");
    fields[1] = (struct tkt_field){(char *)"asset", much};
    assert_refused(&d, &f, "has a field that is none");
    d.items[0] = saved;
    d.items[0].refuse_text = much;
    assert_refused(&d, &f, "refuses with a text that is too long");
    d.items[0] = saved;
    d.items[0].priority = 0;
    assert_refused(&d, &f, "has a priority that there is not");
    d.items[0].priority = 6;
    assert_refused(&d, &f, "has a priority that there is not");
    d.items[0] = saved;
    d.items[0].urgency = 4;
    assert_refused(&d, &f, "has a priority that there is not");
    d.items[0].urgency = 0;
    d.items[0].impact = -1;
    assert_refused(&d, &f, "has a priority that there is not");
}

/* ---- the record -------------------------------------------------------------------- */

static struct tkt_decision recorded(void)
{
    static char *words[] = {(char *)"vpn", (char *)"tunnel"};
    static char *tags[] = {(char *)"a", (char *)"b"};
    static char *missing[] = {(char *)"asset"};
    static struct tkt_field fields[] = {{(char *)"order", (char *)"4711"}};
    static struct tkt_reason reasons[] = {{.source = TKT_SOURCE_MODEL,
                                           .by = (char *)"group",
                                           .field = (char *)"group",
                                           .value = (char *)"mail",
                                           .permille = 812,
                                           .overruled = true,
                                           .words = {words, 2}},
                                          {.source = TKT_SOURCE_RULE,
                                           .by = (char *)"vpn \"down\"",
                                           .field = (char *)"group",
                                           .value = (char *)"network"}};

    return (struct tkt_decision){.action = TKT_ACTION_NEW,
                                 .why = (char *)"no thread",
                                 .type = (char *)"incident",
                                 .group = (char *)"network",
                                 .urgency = 1,
                                 .priority = 2,
                                 .tags = {tags, 2},
                                 .fields = fields,
                                 .field_count = 1,
                                 .missing = {missing, 1},
                                 .keywords = {words, 1},
                                 .reasons = reasons,
                                 .reason_count = 2};
}

static void a_record_says_what_was_decided_by_what_and_why(void **state)
{
    (void)state;
    struct tkt_decision d = recorded();
    struct tkt_buf b = TKT_BUF_INIT(65536);

    assert_int_equal(tkt_decision_record(&d, "it", "config 1", &b), 0);
    assert_string_equal(
        tkt_buf_str(&b),
        "{\"desk\":\"it\",\"by\":\"config 1\",\"action\":\"new\",\"type\":\"incident\","
        "\"group\":\"network\",\"urgency\":1,\"priority\":2,\"tags\":[\"a\",\"b\"],"
        "\"fields\":{\"order\":\"4711\"},\"missing\":[\"asset\"],\"why\":\"no thread\","
        "\"keywords\":[\"vpn\"],\"reasons\":[{\"source\":\"model\",\"by\":\"group\","
        "\"field\":\"group\",\"value\":\"mail\",\"permille\":812,"
        "\"words\":[\"vpn\",\"tunnel\"],\"overruled\":true},{\"source\":\"rule\","
        "\"by\":\"vpn \\\"down\\\"\",\"field\":\"group\",\"value\":\"network\"}]}");
    tkt_buf_release(&b);
}

static void a_record_never_grows_past_its_maximum(void **state)
{
    (void)state;
    static struct tkt_reason many[TKT_DECISION_REASONS_MAX];
    static char *tags[TKT_DECISION_TAGS_MAX];
    struct tkt_decision d = recorded();
    struct tkt_buf b = TKT_BUF_INIT(65536);
    char much[3000];

    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    for (size_t i = 0; i < TKT_DECISION_REASONS_MAX; i++) {
        many[i] = (struct tkt_reason){
            .source = TKT_SOURCE_RULE, .by = much, .field = much, .value = much};
    }
    for (size_t i = 0; i < TKT_DECISION_TAGS_MAX; i++) {
        tags[i] = much;
    }
    d.reasons = many;
    d.reason_count = TKT_DECISION_REASONS_MAX;
    assert_int_equal(tkt_decision_record(&d, "it", "", &b), 0);
    assert_in_range(b.len, 1, TKT_DECISION_RECORD_MAX);
    assert_non_null(strstr(b.data, "],\"left_out\":"));
    d.tags = (struct tkt_strings){tags, TKT_DECISION_TAGS_MAX};
    d.why = d.type = d.category = d.group = much;
    tkt_buf_reset(&b);
    assert_int_equal(tkt_decision_record(&d, much, much, &b), 0);
    assert_in_range(b.len, 1, TKT_DECISION_RECORD_MAX);
    assert_int_equal(b.data[b.len - 1], '}');
    assert_null(strstr(b.data, "\"tags\""));
    tkt_buf_release(&b);
}

static void decisions_differ_by_part(void **state)
{
    (void)state;
    static struct tkt_field other = {(char *)"order", (char *)"4712"};
    struct tkt_decision a = recorded();
    struct tkt_decision b = recorded();
    struct tkt_buf text = TKT_BUF_INIT(TKT_DECISION_PART_MAX);

    assert_int_equal(tkt_decision_diff(&a, &b), 0);
    b.reason_count = 0; /* another way to the same */
    assert_int_equal(tkt_decision_diff(&a, &b), 0);
    b.group = NULL;
    b.urgency = 3;
    b.tags.count = 1;
    b.fields = &other;
    b.ignored_by_rule = true;
    assert_int_equal(tkt_decision_diff(&a, &b),
                     1u << TKT_PART_GROUP | 1u << TKT_PART_URGENCY | 1u << TKT_PART_TAGS |
                         1u << TKT_PART_FIELDS | 1u << TKT_PART_POLICY);
    tkt_decision_part_text(&a, TKT_PART_TAGS, &text);
    assert_string_equal(tkt_buf_str(&text), "a, b");
    tkt_buf_reset(&text);
    tkt_decision_part_text(&b, TKT_PART_FIELDS, &text);
    assert_string_equal(tkt_buf_str(&text), "order=4712");
    tkt_buf_reset(&text);
    tkt_decision_part_text(&b, TKT_PART_URGENCY, &text);
    assert_string_equal(tkt_buf_str(&text), "3");
    tkt_buf_reset(&text);
    tkt_decision_part_text(&b, TKT_PART_GROUP, &text);
    assert_string_equal(tkt_buf_str(&text), "");
    tkt_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_rule_does_is_not_believed),
        cmocka_unit_test(a_requester_is_an_address_that_somebody_may_name),
        cmocka_unit_test(fields_texts_and_numbers_are_within_their_bounds),
        cmocka_unit_test(a_record_says_what_was_decided_by_what_and_why),
        cmocka_unit_test(a_record_never_grows_past_its_maximum),
        cmocka_unit_test(decisions_differ_by_part),
        cmocka_unit_test(what_is_encoded_decodes_to_the_same_bytes),
        cmocka_unit_test(decoded_message_has_every_value_and_no_null_string),
        cmocka_unit_test(every_truncation_and_every_surplus_byte_is_refused),
        cmocka_unit_test(any_changed_byte_is_refused_or_read_one_way_only),
        cmocka_unit_test(sizes_above_the_cap_are_refused_unread),
        cmocka_unit_test(strings_with_nul_controls_or_broken_utf8_are_refused),
        cmocka_unit_test(counts_without_the_bytes_to_back_them_are_refused),
        cmocka_unit_test(lists_longer_than_their_cap_are_not_encoded),
        cmocka_unit_test(decisions_beyond_the_facts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
