/* SPDX-License-Identifier: BSD-2-Clause
 * milter/proto: what is negotiated, what is read, what is written. The dialogues are in
 * tests/milter.
 */
#include "base/util.h"
#include "milter/filter.h"
#include "milter/proto.h"
#include "tests/unit/milter_fixture.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

#define ALL_ACTIONS 0x1ffUL
#define ALL_STEPS 0x1fffffUL
#define VALUE_LARGEST (TKT_PROTO_DATA_MAX - 4 - 2 - 1)

/* An MTA that keeps what it hears. */
struct mta {
    struct tkt_proto proto; /* first */
    struct tkt_milter *milter;
    struct tkt_buf heard;
    unsigned sends;
    bool gone;
};

static int hear(struct tkt_proto *p)
{
    struct mta *m = (struct mta *)(void *)p;

    assert_int_equal(tkt_buf_add(&m->heard, p->out.data, p->out.len), 0);
    tkt_buf_reset(&p->out);
    m->sends++;
    return m->gone ? -1 : 0;
}

static void no_wait(struct tkt_proto *p)
{
    (void)p;
}

static int set_up(void **state)
{
    struct mta *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    m->milter = tkt_fixture_milter();
    assert_non_null(m->milter);
    tkt_proto_init(&m->proto, m->milter);
    m->proto.send = hear;
    m->proto.may_block = no_wait;
    tkt_buf_init(&m->heard, 64 << 20);
    *state = m;
    return 0;
}

static int tear_down(void **state)
{
    struct mta *m = *state;

    tkt_proto_release(&m->proto);
    tkt_buf_release(&m->heard);
    tkt_fixture_milter_free(&m->milter);
    free(m);
    return 0;
}

static ssize_t feed(struct mta *m, char command, const void *data, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1 << 20);
    uint32_t len = htonl((uint32_t)n + 1);

    assert_int_equal(tkt_buf_add(&b, &len, 4), 0);
    assert_int_equal(tkt_buf_addc(&b, command), 0);
    assert_int_equal(tkt_buf_add(&b, data, n), 0);
    ssize_t taken = tkt_proto_feed(&m->proto, b.data, b.len);
    if (m->proto.out.len > 0) {
        (void)hear(&m->proto); /* a test looks at what it heard */
    }
    assert_true(taken == -1 || taken == (ssize_t)b.len);
    return taken;
}

#define FEED(m, command, literal) feed((m), (command), (literal), sizeof(literal) - 1)

static uint32_t word(const struct mta *m, size_t at)
{
    uint32_t v;

    assert_true(m->heard.len >= at + 4);
    memcpy(&v, m->heard.data + at, 4);
    return ntohl(v);
}

static ssize_t offer(struct mta *m, uint32_t version, unsigned long actions,
                     unsigned long steps)
{
    uint32_t words[3] = {htonl(version), htonl((uint32_t)actions),
                         htonl((uint32_t)steps)};

    return feed(m, 'O', words, sizeof(words));
}

static void negotiate(struct mta *m)
{
    assert_true(offer(m, 6, ALL_ACTIONS, ALL_STEPS) > 0);
    tkt_buf_reset(&m->heard);
    m->sends = 0;
}

/* ---- negotiation ---- */

/* Each bit is worth a packet, an answer or a wake-up a message: changing one must be
 * meant. All macro lists are set, and none is empty (that would mean the MTA's default). */
static void exactly_these_bits_are_asked_for(void **state)
{
    struct mta *m = *state;
    bool seen[TKT_PROTO_STAGES] = {false};

    assert_true(offer(m, 6, ALL_ACTIONS, ALL_STEPS) > 0);
    assert_int_equal(m->heard.data[4], 'O');
    assert_int_equal(word(m, 5), 6);
    assert_int_equal(word(m, 9), SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT |
                                     SMFIF_DELRCPT | SMFIF_SETSYMLIST);
    assert_int_equal(word(m, 13), SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |
                                      SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH |
                                      SMFIP_NR_BODY | SMFIP_NOUNKNOWN |
                                      SMFIP_HDR_LEADSPC);
    assert_int_equal(word(m, 0) + 4, m->heard.len);
    for (size_t at = 17; at < m->heard.len;) {
        uint32_t stage = word(m, at);
        const char *names = m->heard.data + at + 4;
        assert_true(stage < TKT_PROTO_STAGES && !seen[stage]);
        assert_true(strlen(names) > 0 && strlen(names) < 80);
        seen[stage] = true;
        at += 4 + strlen(names) + 1;
    }
    for (size_t i = 0; i < TKT_PROTO_STAGES; i++) {
        assert_true(seen[i]);
    }
}

static void nothing_is_asked_for_that_is_not_offered(void **state)
{
    struct mta *m = *state;

    assert_true(offer(m, 2, SMFIF_CHGHDRS, SMFIP_NOHELO) > 0);
    assert_int_equal(m->heard.len, 17);
    assert_int_equal(word(m, 5), 2);
    assert_int_equal(word(m, 9), SMFIF_CHGHDRS);
    assert_int_equal(word(m, 13), 0);
    tkt_buf_reset(&m->heard);
    FEED(m, 'H', "helo\0");
    assert_memory_equal(m->heard.data, "\0\0\0\1c", 5); /* it waits for answers */
}

static void the_answers_version_is_one_that_we_know(void **state)
{
    struct mta *m = *state;

    assert_true(offer(m, 99, 0, 0) > 0);
    assert_int_equal(word(m, 5), 6);
}

/* ---- hostile input ---- */

static void what_is_not_the_protocol_ends_the_connection(void **state)
{
    struct mta *m = *state;
    static const char *const lengths[] = {"\0\0\0\0", "\xff\xff\xff\xff", "\0\1\0\1"};

    assert_int_equal(FEED(m, 'H', "before\0"), -1);
    assert_int_equal(FEED(m, 'Q', ""), -1);
    assert_int_equal(FEED(m, 'O', "short"), -1);
    assert_int_equal(offer(m, 1, ALL_ACTIONS, ALL_STEPS), -1);
    negotiate(m);
    assert_int_equal(offer(m, 6, ALL_ACTIONS, ALL_STEPS), -1);
    for (size_t i = 0; i < TKT_ARRAY_LEN(lengths); i++) {
        assert_int_equal(tkt_proto_feed(&m->proto, lengths[i], 4), -1);
    }
    assert_int_equal(FEED(m, 'H', "no end"), -1);
    assert_int_equal(FEED(m, 'M', ""), -1);
    assert_int_equal(FEED(m, 'L', "name\0no end"), -1);
    assert_int_equal(FEED(m, 'C', "name\0"), -1);
    assert_int_equal(FEED(m, 'C', "name\0004\0\031no end"), -1);
    assert_int_equal(FEED(m, 'D', ""), -1);
    assert_int_equal(FEED(m, 'z', ""), -1);
    assert_int_equal(FEED(m, '\0', ""), -1);
}

static void the_largest_packet_is_taken_and_held_until_it_is_whole(void **state)
{
    struct mta *m = *state;
    size_t n = TKT_PROTO_LENGTH_BYTES + TKT_PROTO_PACKET_MAX;
    char *packet = calloc(1, n);
    uint32_t len = htonl(TKT_PROTO_PACKET_MAX);

    assert_non_null(packet);
    negotiate(m);
    memcpy(packet, &len, 4);
    packet[4] = 'L'; /* two empty strings, and what is behind them */
    assert_int_equal(tkt_proto_missing(packet, 1), 3);
    assert_int_equal(tkt_proto_missing(packet, 4), TKT_PROTO_PACKET_MAX);
    assert_int_equal(tkt_proto_missing(packet, n - 1), 1);
    assert_int_equal(tkt_proto_missing(packet, n), 0);
    assert_int_equal(tkt_proto_missing("\0\0\0\0", 4), 0);
    assert_int_equal(tkt_proto_missing("\xff\xff\xff\xff", 4), 0);
    assert_int_equal(tkt_proto_feed(&m->proto, packet, 3), 0);
    assert_int_equal(tkt_proto_feed(&m->proto, packet, n - 1), 0);
    assert_int_equal(tkt_proto_feed(&m->proto, packet, n), n);
    free(packet);
}

static void a_body_chunk_is_taken_in_pieces(void **state)
{
    struct mta *m = *state;
    static const char begin[] = "\0\0\0\6Bab";
    static const char rest[] = "cde\0\0\0\1N";

    negotiate(m);
    assert_true(FEED(m, 'M', "<a@b>\0") > 0);
    assert_true(FEED(m, 'R', "<desk@example.test>\0") > 0);
    assert_true(FEED(m, 'T', "") > 0);
    uint64_t before = m->proto.session->msg->spool.size;
    assert_int_equal(tkt_proto_feed(&m->proto, begin, 4), 0);
    assert_int_equal(tkt_proto_feed(&m->proto, begin, 7), 7);
    assert_int_equal(m->proto.body_left, 3);
    assert_int_equal(tkt_proto_feed(&m->proto, rest, 1), 1);
    assert_int_equal(tkt_proto_feed(&m->proto, rest + 1, 7), 7);
    assert_int_equal(m->proto.session->msg->spool.size, before + 5 + 2);
}

static void a_body_chunk_that_is_answered_is_taken_whole(void **state)
{
    struct mta *m = *state;

    assert_true(offer(m, 6, ALL_ACTIONS, ALL_STEPS & ~SMFIP_NR_BODY) > 0);
    assert_int_equal(tkt_proto_feed(&m->proto, "\0\0\0\6Babcd", 9), 0);
    tkt_buf_reset(&m->heard);
    assert_true(FEED(m, 'B', "abcde") > 0);
    assert_memory_equal(m->heard.data, "\0\0\0\1c", 5);
}

static void steps_without_a_message_keep_the_mta_going(void **state)
{
    struct mta *m = *state;

    negotiate(m);
    assert_true(FEED(m, 'R', "<desk@example.test>\0") > 0);
    assert_true(FEED(m, 'L', "a\0b\0") > 0);
    assert_true(FEED(m, 'N', "") > 0);
    assert_true(FEED(m, 'B', "x") > 0);
    assert_true(FEED(m, 'A', "") > 0);
    assert_int_equal(m->heard.len, 0);
    assert_true(FEED(m, 'T', "") > 0);
    assert_true(FEED(m, 'E', "") > 0);
    assert_true(FEED(m, 'U', "XYZZY\0") > 0);
    assert_int_equal(m->heard.len, 15);
    assert_memory_equal(m->heard.data, "\0\0\0\1t\0\0\0\1t\0\0\0\1c", 15);
}

/* ---- facts ---- */

static void addresses_are_tidied_and_bad_ones_are_none(void **state)
{
    struct mta *m = *state;
    static const struct {
        const char *data;
        size_t n;
        const char *want;
    } cases[] = {
#define CASE(literal, want) {(literal), sizeof(literal) - 1, (want)}
        CASE("a\0004\0\031192.0.2.1\0", "192.0.2.1"),
        CASE("a\0006\0\031IPv6:2001:DB8::0:1\0", "2001:db8::1"),
        CASE("a\0006\0\031::1\0", "::1"),
        CASE("a\0004\0\031192.0.2.1.5\0", ""),
        CASE("a\0004\0\031\0", ""),
        CASE("a\0U", ""),
        CASE("a\0L\0\0/socket\0", ""),
#undef CASE
    };

    negotiate(m);
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        assert_true(feed(m, 'C', cases[i].data, cases[i].n) > 0);
        assert_string_equal(m->proto.session->client_addr, cases[i].want);
        assert_string_equal(m->proto.session->client_name, "a");
    }
}

static const char *macro(const struct mta *m, const char *name)
{
    return tkt_filter_macro(m->proto.session, name);
}

static void the_latest_macro_counts_and_a_message_leaves_none_behind(void **state)
{
    struct mta *m = *state;

    negotiate(m);
    assert_null(macro(m, "i"));
    assert_true(FEED(m, 'D', "Cj\0mx\0i\0first\0") > 0);
    assert_true(FEED(m, 'D', "M{i}\0second\0{auth_authen}\0joe\0cut") > 0);
    assert_string_equal(macro(m, "i"), "second");
    assert_string_equal(macro(m, "j"), "mx");
    assert_string_equal(macro(m, "{auth_authen}"), "joe");
    assert_null(macro(m, "auth_authen"));
    assert_null(macro(m, ""));
    assert_null(macro(m, "cut"));
    assert_true(FEED(m, 'D', "Li\0ignored\0") > 0);
    assert_true(FEED(m, 'D', "Ei\0third\0") > 0);
    assert_string_equal(macro(m, "i"), "third");
    assert_true(FEED(m, 'D', "E") > 0);
    assert_string_equal(macro(m, "i"), "second");
    assert_true(FEED(m, 'A', "") > 0);
    assert_string_equal(macro(m, "i"), "first");
    assert_true(FEED(m, 'K', "") > 0);
    assert_null(macro(m, "i"));
}

/* ---- answers ---- */

static void one_write_answers_a_batch(void **state)
{
    struct mta *m = *state;
    static const char batch[] = "\0\0\0\1A\0\0\0\6M<a@b\0\0\0\0\6R<c@d\0\0\0\0\1T";

    negotiate(m);
    assert_int_equal(tkt_proto_feed(&m->proto, batch, sizeof(batch) - 1),
                     sizeof(batch) - 1);
    assert_int_equal(m->sends, 0);
    assert_int_equal(m->proto.out.len, 5);
    assert_memory_equal(m->proto.out.data, "\0\0\0\1a", 5); /* c@d is no desk */
}

static int set_reply(struct mta *m, const char *code, const char *xcode, const char *text)
{
    const struct tkt_host *h = &m->proto.session->host;

    return h->ops->set_reply(h->ctx, code, xcode, text);
}

static void replies_that_smtp_does_not_know_are_refused(void **state)
{
    struct mta *m = *state;
    char *large = calloc(1, 2000);

    assert_non_null(large);
    memset(large, 'x', 1999);
    negotiate(m);
    assert_int_equal(set_reply(m, "451", "4.3.0", "later"), 0);
    assert_string_equal(tkt_buf_str(&m->proto.reply), "451 4.3.0 later");
    assert_int_equal(set_reply(m, "550", NULL, NULL), 0);
    assert_string_equal(tkt_buf_str(&m->proto.reply), "550");
    static const char *const bad[][3] = {
        {"250", NULL, NULL},    {"45", NULL, NULL},       {"4511", NULL, NULL},
        {"45x", NULL, NULL},    {"451", "5.3.0", NULL},   {"451", "4.3", NULL},
        {"451", "4.3.0.1", ""}, {"451", "4.3000.1", ""},  {"451", "4..1", NULL},
        {"451", "", NULL},      {"451", "4", NULL},       {"451", "4.", NULL},
        {"550", NULL, "a\nb"},  {"550", "5.1.1", "a\rb"}, {"", NULL, NULL},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(set_reply(m, bad[i][0], bad[i][1], bad[i][2]), -1);
        assert_int_equal(m->proto.reply.len, 0);
    }
    assert_int_equal(set_reply(m, "550", NULL, large), -1);
    assert_int_equal(m->proto.reply.len, 0);
    free(large);
}

/* ---- edits ---- */

static const struct tkt_edit_ops *edits_of(const struct mta *m)
{
    return &m->proto.session->host.ops->edits;
}

static void edits_wait_for_the_end_and_for_an_mta_that_offers_them(void **state)
{
    struct mta *m = *state;

    assert_true(offer(m, 6, SMFIF_CHGHDRS | SMFIF_ADDRCPT, ALL_STEPS) > 0);
    const struct tkt_edit_ops *e = edits_of(m);
    assert_int_equal(e->change(&m->proto, "Subject", 1, "x"), -1);
    m->proto.at_end = true;
    assert_int_equal(e->change(&m->proto, "Subject", 1, "x"), 0);
    assert_int_equal(e->remove(&m->proto, "X-Ticket-ID", 2), 0);
    assert_int_equal(e->addrcpt(&m->proto, "a@b"), 0);
    assert_int_equal(e->insert(&m->proto, "X-Ticket-ID", "x"), -1);
    assert_int_equal(e->delrcpt(&m->proto, "a@b"), -1);
    assert_int_equal(e->addrcpt(&m->proto, ""), -1);
    assert_int_equal(e->change(&m->proto, "", 1, "x"), -1);
    static const char want[] = "\0\0\0\017m\0\0\0\1Subject\0x\0"
                               "\0\0\0\022m\0\0\0\2X-Ticket-ID\0\0"
                               "\0\0\0\5+a@b";
    assert_int_equal(m->proto.out.len, sizeof(want));
    assert_memory_equal(m->proto.out.data, want, sizeof(want));
}

static void an_edit_larger_than_a_packet_fails_and_large_ones_leave_early(void **state)
{
    struct mta *m = *state;
    char *value = malloc(VALUE_LARGEST + 2);

    assert_non_null(value);
    memset(value, 'x', VALUE_LARGEST + 1);
    value[VALUE_LARGEST + 1] = '\0';
    negotiate(m);
    m->proto.at_end = true;
    const struct tkt_edit_ops *e = edits_of(m);
    assert_int_equal(e->change(&m->proto, "S", 1, value), -1);
    assert_int_equal(m->proto.out.len, 0);
    value[VALUE_LARGEST] = '\0';
    for (unsigned i = 1; i <= 20; i++) {
        assert_int_equal(e->change(&m->proto, "S", i, value), 0);
    }
    assert_true(m->sends >= 9);
    size_t each = TKT_PROTO_LENGTH_BYTES + TKT_PROTO_PACKET_MAX;
    assert_int_equal(m->heard.len + m->proto.out.len, 20 * each);
    assert_int_equal(word(m, 0), TKT_PROTO_PACKET_MAX);
    m->gone = true;
    assert_int_equal(e->change(&m->proto, "S", 1, value), -1);
    assert_int_equal(e->insert(&m->proto, "S", "x"), -1);
    assert_int_equal(FEED(m, 'A', ""), -1);
    free(value);
}

static void progress_leaves_at_once(void **state)
{
    struct mta *m = *state;

    negotiate(m);
    const struct tkt_host *h = &m->proto.session->host;
    h->ops->progress(h->ctx);
    assert_int_equal(m->sends, 1);
    assert_memory_equal(m->heard.data, "\0\0\0\1p", 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(exactly_these_bits_are_asked_for),
        TEST(nothing_is_asked_for_that_is_not_offered),
        TEST(the_answers_version_is_one_that_we_know),
        TEST(what_is_not_the_protocol_ends_the_connection),
        TEST(the_largest_packet_is_taken_and_held_until_it_is_whole),
        TEST(a_body_chunk_is_taken_in_pieces),
        TEST(a_body_chunk_that_is_answered_is_taken_whole),
        TEST(steps_without_a_message_keep_the_mta_going),
        TEST(addresses_are_tidied_and_bad_ones_are_none),
        TEST(the_latest_macro_counts_and_a_message_leaves_none_behind),
        TEST(one_write_answers_a_batch),
        TEST(replies_that_smtp_does_not_know_are_refused),
        TEST(edits_wait_for_the_end_and_for_an_mta_that_offers_them),
        TEST(an_edit_larger_than_a_packet_fails_and_large_ones_leave_early),
        TEST(progress_leaves_at_once),
    };
    return cmocka_run_group_tests_name("proto", tests, NULL, NULL);
}
