/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/edit and ticketd/subject: which edits a hook is told, byte for byte.
 */
#include "base/util.h"
#include "recode.h"
#include "ticketd/mail/edit.h"
#include "ticketd/mail/keyscan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

static const char *const own_items[] = {"IT", "HR"};
static const struct tkt_prefixes own = {own_items, 2};

/* ---- one Subject ---------------------------------------------------------------------- */

#define SUBJECT_LEN 8

static const struct {
    const char *value;
    enum tkt_edit_subject done;
    const char *want;
} subject_rows[] = {
    {" hello", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] hello"},
    {"hello", TKT_EDIT_SUBJECT_TAGGED, "[IT-12] hello"},
    {"\thello", TKT_EDIT_SUBJECT_TAGGED, "\t[IT-12] hello"},
    {"", TKT_EDIT_SUBJECT_TAGGED, "[IT-12]"},
    {" ", TKT_EDIT_SUBJECT_TAGGED, " [IT-12]"},
    {" Re: x", TKT_EDIT_SUBJECT_TAGGED, " Re: [IT-12] x"},
    {" AW: WG: x", TKT_EDIT_SUBJECT_TAGGED, " AW: WG: [IT-12] x"},
    {" RE : x", TKT_EDIT_SUBJECT_TAGGED, " RE : [IT-12] x"},
    {" Re[2]: SV(3): x", TKT_EDIT_SUBJECT_TAGGED, " Re[2]: SV(3): [IT-12] x"},
    {" Re:", TKT_EDIT_SUBJECT_TAGGED, " Re:[IT-12]"},
    {" Report: x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] Report: x"},
    {" Re x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] Re x"},
    {" \xe5\x9b\x9e\xe5\xa4\x8d\xef\xbc\x9ax", TKT_EDIT_SUBJECT_TAGGED,
     " \xe5\x9b\x9e\xe5\xa4\x8d\xef\xbc\x9a[IT-12] x"},
    {" [EXTERN] x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] [EXTERN] x"},
    {" [JIRA-5] x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] [JIRA-5] x"},
    {" gr\xfc\xdf", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] gr\xfc\xdf"},
    {" =?utf-8?q?Gr=C3=BC=C3=9Fe?=", TKT_EDIT_SUBJECT_TAGGED,
     " [IT-12] =?utf-8?q?Gr=C3=BC=C3=9Fe?="},
    {" Re: =?iso-2022-jp?B?GyRC?=\n =?iso-2022-jp?B?GyhC?=", TKT_EDIT_SUBJECT_TAGGED,
     " Re: [IT-12] =?iso-2022-jp?B?GyRC?=\n =?iso-2022-jp?B?GyhC?="},
    {" one\n two\n\tthree", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] one\n two\n\tthree"},
    {"\n one", TKT_EDIT_SUBJECT_TAGGED, "\n [IT-12] one"},
    {" Re:\n one", TKT_EDIT_SUBJECT_TAGGED, " Re:\n [IT-12] one"},
    /* tags that are there */
    {" [IT-12] x", TKT_EDIT_SUBJECT_KEPT, NULL},
    {" Re: [it-12] x", TKT_EDIT_SUBJECT_KEPT, NULL},
    {" x [IT-12]", TKT_EDIT_SUBJECT_KEPT, NULL},
    {" [IT-5] x", TKT_EDIT_SUBJECT_REPLACED, " [IT-12] x"},
    {" Re: [HR-5] x", TKT_EDIT_SUBJECT_REPLACED, " Re: [IT-12] x"},
    {" [EXTERN] Re: [IT-5]\n x", TKT_EDIT_SUBJECT_REPLACED, " [EXTERN] Re: [IT-12]\n x"},
    {" [IT-5] [IT-12] x", TKT_EDIT_SUBJECT_REPLACED, " [IT-12] x"},
    {" [IT-12] Re: [IT-12] x", TKT_EDIT_SUBJECT_REPLACED, " [IT-12] Re: x"},
    {" Re: [IT-5] AW: [HR-6] x", TKT_EDIT_SUBJECT_REPLACED, " Re: [IT-12] AW: x"},
    {" [IT-012] x", TKT_EDIT_SUBJECT_REPLACED, " [IT-12] x"},
    /* no tags */
    {" [IT-] x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] [IT-] x"},
    {" [IT-5 x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] [IT-5 x"},
    {" [IT-12345678901234567890] x", TKT_EDIT_SUBJECT_TAGGED,
     " [IT-12] [IT-12345678901234567890] x"},
    {" IT-12 x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] IT-12 x"},
    {" [ IT-5] x", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] [ IT-5] x"},
    /* in encoded-words */
    {" Re: =?utf-8?Q?=5BIT-12=5D_Dr=C3=BCcker?=", TKT_EDIT_SUBJECT_KEPT, NULL},
    {" =?utf-8?q?[IT-12]_x?=", TKT_EDIT_SUBJECT_KEPT, NULL},
    {" =?utf-8?B?W0lULTEyXSB4?=", TKT_EDIT_SUBJECT_KEPT, NULL},
    {" =?utf-8?q?[IT-?=\n =?utf-8?q?12]_x?=", TKT_EDIT_SUBJECT_KEPT, NULL},
    {" =?utf-8?q?[IT-?= y =?utf-8?q?12]_x?=", TKT_EDIT_SUBJECT_TAGGED,
     " [IT-12] =?utf-8?q?[IT-?= y =?utf-8?q?12]_x?="},
    {" =?utf-8?q?[IT-5]_x?=", TKT_EDIT_SUBJECT_TAGGED, " [IT-12] =?utf-8?q?[IT-5]_x?="},
    {" =?utf-8?q?broken [IT-5] x?=", TKT_EDIT_SUBJECT_REPLACED,
     " =?utf-8?q?broken [IT-12] x?="},
    {" =? =?x =?x?q =?x?q? [IT-5]", TKT_EDIT_SUBJECT_REPLACED,
     " =? =?x =?x?q =?x?q? [IT-12]"},
};

static void the_tag_goes_where_it_belongs(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(subject_rows); i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1000);
        const char *value = subject_rows[i].value;
        enum tkt_edit_subject done =
            tkt_edit_tag_subject(&own, "IT-12", value, strlen(value), SUBJECT_LEN, &out);

        if (done != subject_rows[i].done) {
            print_message("%s: %s\n", value, tkt_edit_subject_names[done]);
        }
        assert_int_equal(done, subject_rows[i].done);
        if (subject_rows[i].want != NULL) {
            assert_string_equal(tkt_buf_str(&out), subject_rows[i].want);
        }
    }
}

static void fill(struct tkt_buf *b, const char *lead, char c, size_t n)
{
    tkt_buf_adds(b, lead);
    for (size_t i = 0; i < n; i++) {
        tkt_buf_addc(b, c);
    }
}

static enum tkt_edit_subject tag(const struct tkt_buf *value, struct tkt_buf *out)
{
    return tkt_edit_tag_subject(&own, "IT-12", value->data, value->len, SUBJECT_LEN, out);
}

static void a_line_that_would_grow_too_long_is_folded_behind_the_tag(void **state)
{
    TKT_AUTO_BUF struct tkt_buf fits = TKT_BUF_INIT(4000);
    TKT_AUTO_BUF struct tkt_buf over = TKT_BUF_INIT(4000);
    TKT_AUTO_BUF struct tkt_buf full = TKT_BUF_INIT(4000);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4000);

    (void)state;
    fill(&fits, " ", 'x', 998 - 8 - 1 - 8);
    assert_int_equal(tag(&fits, &out), TKT_EDIT_SUBJECT_TAGGED);
    assert_memory_equal(out.data, " [IT-12] xx", 11);
    tkt_buf_reset(&out);
    fill(&over, " ", 'x', 998 - 8 - 1 - 7);
    assert_int_equal(tag(&over, &out), TKT_EDIT_SUBJECT_TAGGED);
    assert_memory_equal(out.data, " [IT-12]\n xx", 12);
    tkt_buf_reset(&out);
    fill(&full, " Re: ", 'x', 998 - 8 - 5);
    assert_int_equal(tag(&full, &out), TKT_EDIT_SUBJECT_TAGGED);
    assert_memory_equal(out.data, " Re: [IT-12]\n xx", 16);
    assert_int_equal(out.len, full.len + 9);
}

static void what_an_mta_would_cut_is_left_alone(void **state)
{
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(100000);
    TKT_AUTO_BUF struct tkt_buf many = TKT_BUF_INIT(100000);
    TKT_AUTO_BUF struct tkt_buf fits = TKT_BUF_INIT(100000);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);

    (void)state;
    fill(&line, " ", 'x', 998);
    assert_int_equal(tag(&line, &out), TKT_EDIT_SUBJECT_LIMIT);
    while (many.len < TKT_EDIT_SUBJECT_MAX - 12) {
        fill(&many, "\n ", 'x', many.len < TKT_EDIT_SUBJECT_MAX - 110 ? 76 : 1);
    }
    tkt_buf_add(&fits, many.data, many.len - 20);
    assert_int_equal(tag(&many, &out), TKT_EDIT_SUBJECT_LIMIT);
    tkt_buf_reset(&out);
    assert_int_equal(tag(&fits, &out), TKT_EDIT_SUBJECT_TAGGED);
    assert_true(out.len + SUBJECT_LEN < TKT_EDIT_SUBJECT_MAX);
}

static void random_subject(struct tkt_buf *out)
{
    static const char *const bits[] = {" ",
                                       "x",
                                       "Re: ",
                                       "AW:",
                                       "[EXT] ",
                                       "\n ",
                                       "\t",
                                       "word",
                                       "\xfc",
                                       "[IT-9] ",
                                       "[HR-3]",
                                       "[IT-12] ",
                                       "[",
                                       "]",
                                       "=?utf-8?q?=5BIT-12=5D_=C3=BC?=",
                                       "=?utf-8?b?w7w=?=",
                                       "=?",
                                       "?=",
                                       "-",
                                       "IT-12",
                                       "longer text that says something "};
    unsigned n = recode_random(12);

    for (unsigned i = 0; i < n; i++) {
        tkt_buf_adds(out, bits[recode_random(TKT_ARRAY_LEN(bits))]);
    }
    if (recode_random(8) == 0) {
        fill(out, "", 'y', recode_random(1100));
    }
}

static void key_with_subject(const struct tkt_buf *value,
                             unsigned char out[TKT_SHA256_LEN])
{
    struct tkt_keyscan *scan = tkt_keyscan_new(&own, NULL);

    assert_non_null(scan);
    tkt_keyscan_add(scan, "From: a@b\nSubject:", 18);
    tkt_keyscan_add(scan, tkt_buf_str(value), value->len);
    tkt_keyscan_add(scan, "\n\nbody\n", 7);
    memcpy(out, tkt_keyscan_final(scan)->key, TKT_SHA256_LEN);
    tkt_keyscan_free(&scan);
}

static void an_edit_can_be_undone_repeated_and_changes_no_key(void **state)
{
    unsigned counts[5] = {0};

    (void)state;
    recode_seed();
    for (int round = 0; round < 3000; round++) {
        TKT_AUTO_BUF struct tkt_buf value = TKT_BUF_INIT(10000);
        TKT_AUTO_BUF struct tkt_buf once = TKT_BUF_INIT(10000);
        TKT_AUTO_BUF struct tkt_buf again = TKT_BUF_INIT(10000);
        TKT_AUTO_BUF struct tkt_buf bare = TKT_BUF_INIT(10000);
        unsigned char before[TKT_SHA256_LEN];
        unsigned char behind[TKT_SHA256_LEN];
        enum tkt_edit_subject done;
        size_t at;
        size_t n;

        tkt_buf_adds(&value, " ");
        random_subject(&value);
        done = tag(&value, &once);
        counts[done]++;
        if (done == TKT_EDIT_SUBJECT_KEPT || done == TKT_EDIT_SUBJECT_LIMIT) {
            continue;
        }
        enum tkt_edit_subject second = tag(&once, &again);
        if (second != TKT_EDIT_SUBJECT_KEPT) {
            print_message("<%s> -> <%s> -> <%s>\n", value.data, once.data,
                          tkt_buf_str(&again));
        }
        assert_int_equal(second, TKT_EDIT_SUBJECT_KEPT);
        assert_true(tkt_subject_find_tag(&own, once.data, once.len, 0, &at, &n));
        assert_memory_equal(once.data + at, "[IT-12]", 7);
        assert_false(tkt_subject_find_tag(&own, once.data, once.len, at + n, &at, &n));
        if (done == TKT_EDIT_SUBJECT_TAGGED) {
            assert_int_equal(tkt_subject_strip(&own, once.data, once.len, &bare), 0);
            assert_string_equal(tkt_buf_str(&bare), value.data);
        }
        key_with_subject(&value, before);
        key_with_subject(&once, behind);
        if (memcmp(before, behind, sizeof(before)) != 0) {
            print_message("<%s> -> <%s>\n", value.data, once.data);
        }
        assert_memory_equal(before, behind, sizeof(before));
    }
    assert_true(counts[TKT_EDIT_SUBJECT_TAGGED] > 100);
    assert_true(counts[TKT_EDIT_SUBJECT_REPLACED] > 100);
}

/* ---- the list of edits ----------------------------------------------------------------- */

static char *id_word[] = {(char *)"id"};
static char *all_words[] = {(char *)"id", (char *)"desk", (char *)"group",
                            (char *)"priority"};

/* Two desks with room for what a test changes. */
struct set_up {
    struct tkt_conf_desk conf[2];
    struct tkt_edit_desk desk[2];
    struct tkt_wire_rcpt rcpt[4];
    struct tkt_wire_field field[8];
    bool valid[8];
    struct tkt_address author[2];
    struct tkt_addresses reply_to;
    struct tkt_wire_request req;
    struct tkt_edit_in in;
    struct tkt_wire_arena arena;
    enum tkt_edit_subject subject;
    char text[8192]; /* the edits, a line each */
};

static void add_desk(struct set_up *s, const char *name, const char *id, const char *xid,
                     const char *rcpt)
{
    size_t i = s->in.desk_count++;

    s->conf[i] = (struct tkt_conf_desk){
        .name = (char *)name, .headers = {id_word, 1}, .mode = TKT_MODE_LIVE};
    s->desk[i] = (struct tkt_edit_desk){.conf = &s->conf[i],
                                        .rcpt = rcpt,
                                        .status = "created",
                                        .id = id,
                                        .xid = xid,
                                        .group = "net",
                                        .priority = 2,
                                        .group_mailbox = "",
                                        .reply_address = "",
                                        .in_to_cc = true};
    s->rcpt[s->req.rcpt_count++].addr = (char *)rcpt;
}

static void set_up(struct set_up *s)
{
    memset(s, 0, sizeof(*s));
    s->req.leadspc = true;
    s->req.rcpts = s->rcpt;
    s->req.fields = s->field;
    s->in = (struct tkt_edit_in){.req = &s->req,
                                 .field_is_valid = s->valid,
                                 .own = own,
                                 .desks = s->desk,
                                 .class = TKT_CLASS_HUMAN,
                                 .from = "ann@b.example",
                                 .reply_to = &s->reply_to};
    s->reply_to.items = s->author;
    add_desk(s, "it", "IT-12", "IT-12; k=1; h=aa", "it@example.test");
}

static void second_desk(struct set_up *s)
{
    add_desk(s, "hr", "HR-3", "HR-3; k=1; h=bb", "hr@example.test");
}

static void add_field(struct set_up *s, const char *name, unsigned index,
                      const char *value)
{
    s->field[s->req.field_count++] =
        (struct tkt_wire_field){(char *)name, index, (char *)value};
}

static const char *build(struct set_up *s)
{
    static const char *const kinds[] = {"chg", "ins", "del", "addrcpt", "delrcpt"};
    struct tkt_wire_edit *edits = NULL;
    size_t count = 0;
    size_t n = 0;

    assert_int_equal(tkt_edit_build(&s->in, &s->arena, &edits, &count, &s->subject, NULL),
                     0);
    s->text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, "%s %s %u|%s\n",
                              kinds[edits[i].kind], edits[i].name, edits[i].index,
                              edits[i].value);
    }
    tkt_wire_arena_release(&s->arena);
    return s->text;
}

#define INS_IT "ins X-Ticket-ID 0| IT-12; k=1; h=aa\n"
#define INS_HR "ins X-Ticket-ID 0| HR-3; k=1; h=bb\n"

static void a_desk_alone_gets_tag_and_id(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    add_field(&s, "Subject", 1, " hello");
    assert_string_equal(build(&s), "chg Subject 1| [IT-12] hello\n" INS_IT);
    assert_int_equal(s.subject, TKT_EDIT_SUBJECT_TAGGED);
    s.desk[0].in_to_cc = false; /* every copy is the desk's own: nobody else is told */
    assert_string_equal(build(&s), "chg Subject 1| [IT-12] hello\n" INS_IT);
}

static void values_follow_the_hosts_leading_blank(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    s.req.leadspc = false;
    add_field(&s, "Subject", 1, "hello");
    assert_string_equal(build(&s), "chg Subject 1|[IT-12] hello\n"
                                   "ins X-Ticket-ID 0|IT-12; k=1; h=aa\n");
}

static void a_missing_subject_is_inserted(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    assert_string_equal(build(&s), "ins Subject 0| [IT-12]\n" INS_IT);
}

static void of_two_subjects_the_first_is_edited(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    add_field(&s, "subject", 2, " second");
    add_field(&s, "SUBJECT", 1, " first");
    assert_string_equal(build(&s), "chg Subject 1| [IT-12] first\n" INS_IT);
}

static void another_recipient_means_the_header_alone(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    add_field(&s, "Subject", 1, " hello");
    s.req.other_rcpts = 1;
    assert_string_equal(build(&s), INS_IT);
    assert_int_equal(s.subject, TKT_EDIT_SUBJECT_POLICY);
}

static void a_bcc_desk_is_never_disclosed(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    add_field(&s, "Subject", 1, " hello");
    s.req.other_rcpts = 1;
    s.desk[0].in_to_cc = false;
    assert_string_equal(build(&s), "");
    second_desk(&s); /* nor to another desk, nor by its tag */
    assert_string_equal(build(&s), INS_HR);
    s.req.other_rcpts = 0;
    assert_string_equal(build(&s), "chg Subject 1| [HR-3] hello\n" INS_HR);
}

static void a_relayed_copy_means_the_header_alone(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    add_field(&s, "Subject", 1, " hello");
    s.rcpt[0].relayed = true;
    assert_string_equal(build(&s), INS_IT);
    s.rcpt[0].relayed = false;
    s.conf[0].delivery = TKT_DELIVERY_RELAY;
    assert_string_equal(build(&s), INS_IT);
}

static void the_first_desk_of_the_configuration_gives_the_tag(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    second_desk(&s);
    add_field(&s, "Subject", 1, " hello");
    assert_string_equal(build(&s), "chg Subject 1| [IT-12] hello\n" INS_HR INS_IT);
    s.conf[1].delivery = TKT_DELIVERY_RELAY; /* one edit serves every copy */
    assert_string_equal(build(&s), INS_HR INS_IT);
}

static void one_ticket_of_several_desks_is_named_once(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    second_desk(&s);
    s.desk[1].id = "IT-12";
    assert_string_equal(build(&s), "ins Subject 0| [IT-12]\n" INS_IT);
}

static void modes_say_what_may_be_written(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    add_field(&s, "Subject", 1, " hello");
    s.conf[0].subject = TKT_SUBJECT_HEADER;
    assert_string_equal(build(&s), INS_IT);
    s.conf[0].subject = TKT_SUBJECT_OFF;
    assert_string_equal(build(&s), "");
    s.conf[0].subject = TKT_SUBJECT_REWRITE;
    s.conf[0].headers.count = 0;
    assert_string_equal(build(&s), "chg Subject 1| [IT-12] hello\n");
    s.conf[0].headers = (struct tkt_conf_list){all_words, 4};
    assert_string_equal(build(&s),
                        "chg Subject 1| [IT-12] hello\n"
                        "ins X-Ticket-Priority 0| 2\nins X-Ticket-Group 0| net\n"
                        "ins X-Ticket-Desk 0| it\n" INS_IT);
    s.desk[0].group = "";
    s.desk[0].priority = 0;
    assert_string_equal(build(&s), "chg Subject 1| [IT-12] hello\n"
                                   "ins X-Ticket-Desk 0| it\n" INS_IT);
}

static void only_tickets_are_written(void **state)
{
    static const struct {
        const char *status;
        enum tkt_desk_mode mode;
        bool writes;
    } rows[] = {
        {"created", TKT_MODE_LIVE, true},    {"existing", TKT_MODE_LIVE, true},
        {"appended", TKT_MODE_LIVE, true},   {"pending", TKT_MODE_LIVE, true},
        {"refused", TKT_MODE_LIVE, false},   {"unavailable", TKT_MODE_LIVE, false},
        {"created", TKT_MODE_SHADOW, false}, {"created", TKT_MODE_OFF, false},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct set_up s;

        set_up(&s);
        s.desk[0].status = rows[i].status;
        s.conf[0].mode = rows[i].mode;
        assert_int_equal(build(&s)[0] != '\0', rows[i].writes);
    }
}

static void lists_bounces_and_signed_mail_follow_policy(void **state)
{
    static const enum tkt_class machine[] = {TKT_CLASS_BOUNCE, TKT_CLASS_DELAY,
                                             TKT_CLASS_FEEDBACK};
    static const enum tkt_class list[] = {TKT_CLASS_LIST, TKT_CLASS_BULK};
    struct set_up s;

    (void)state;
    set_up(&s);
    s.in.security = TKT_SECURITY_SIGNED;
    assert_string_equal(build(&s), INS_IT);
    s.conf[0].tag_signed = true;
    assert_string_equal(build(&s), "ins Subject 0| [IT-12]\n" INS_IT);
    for (size_t i = 0; i < TKT_ARRAY_LEN(machine); i++) {
        s.in.class = machine[i];
        assert_string_equal(build(&s), INS_IT);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(list); i++) {
        s.in.class = list[i];
        s.conf[0].tag_lists = false;
        assert_string_equal(build(&s), INS_IT);
        s.conf[0].tag_lists = true;
        assert_string_equal(build(&s), "ins Subject 0| [IT-12]\n" INS_IT);
    }
    s.in.class = TKT_CLASS_HUMAN;
    s.in.is_list = true;
    s.conf[0].tag_lists = false;
    assert_string_equal(build(&s), INS_IT);
}

static void inbound_fields_go_highest_index_first(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    add_field(&s, "X-Ticket-ID", 1, " IT-1");
    add_field(&s, "Subject", 1, " hello");
    add_field(&s, "x-ticket-id", 2, " IT-12; k=1; h=aa"); /* not verified: goes */
    add_field(&s, "X-Ticket-Evil", 1, " y");
    s.conf[0].subject = TKT_SUBJECT_OFF;
    assert_string_equal(build(&s), "del X-Ticket-Evil 1|\ndel x-ticket-id 2|\n"
                                   "del X-Ticket-ID 1|\n");
    s.desk[0].status = "refused";
    assert_string_equal(build(&s), "del X-Ticket-Evil 1|\ndel x-ticket-id 2|\n"
                                   "del X-Ticket-ID 1|\n");
    s.conf[0].mode = TKT_MODE_SHADOW;
    assert_string_equal(build(&s), "");
}

static void what_a_second_hook_finds_right_stays(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    s.conf[0].headers = (struct tkt_conf_list){all_words, 4};
    add_field(&s, "X-Ticket-ID", 1, " IT-12; k=1; h=aa");
    add_field(&s, "X-Ticket-ID", 2, " IT-12; k=1; h=aa");
    add_field(&s, "X-Ticket-Desk", 1, " it");
    add_field(&s, "X-Ticket-Group", 1, " old");
    add_field(&s, "X-Ticket-Priority", 1, " 2");
    add_field(&s, "Subject", 1, " Re: [IT-12] hello");
    s.valid[0] = true;
    s.valid[1] = true;
    assert_string_equal(build(&s), "del X-Ticket-Group 1|\ndel X-Ticket-ID 2|\n"
                                   "ins X-Ticket-Group 0| net\n");
    assert_int_equal(s.subject, TKT_EDIT_SUBJECT_KEPT);
    s.desk[0].id = "IT-1"; /* a prefix of the field's ID is not the ID */
    s.desk[0].xid = "IT-1; k=1; h=cc";
    assert_non_null(strstr(build(&s), "del X-Ticket-ID 1|\n"));
}

static void reply_to_keeps_the_author_first(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    s.conf[0].subject = TKT_SUBJECT_HEADER;
    s.conf[0].headers.count = 0;
    s.conf[0].reply_to_add = true;
    s.desk[0].reply_address = "it+tok@example.test";
    assert_string_equal(build(&s),
                        "ins Reply-To 0| ann@b.example, it+tok@example.test\n");
    s.author[0].address = (char *)"boss@b.example";
    s.author[1].address = (char *)"ann@b.example";
    s.reply_to.count = 2;
    assert_string_equal(
        build(&s),
        "chg Reply-To 1| boss@b.example, ann@b.example, it+tok@example.test\n");
    s.author[1].address = (char *)"IT+tok@example.test";
    assert_string_equal(build(&s), "");
    s.author[1].address = (char *)"\"a b\"@b.example";
    assert_string_equal(build(&s), ""); /* never left out, never guessed */
    s.reply_to.count = 0;
    s.req.other_rcpts = 1;
    assert_string_equal(build(&s), "");
    s.req.other_rcpts = 0;
    s.in.from = "";
    assert_string_equal(build(&s), "");
}

static void the_groups_mailbox_is_added_and_replaces_where_told(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    s.conf[0].subject = TKT_SUBJECT_OFF;
    s.conf[0].add_group_recipient = true;
    s.desk[0].group_mailbox = "net@example.test";
    assert_string_equal(build(&s), "addrcpt  0|net@example.test\n");
    s.conf[0].replace_recipient = true;
    assert_string_equal(build(&s),
                        "addrcpt  0|net@example.test\ndelrcpt  0|it@example.test\n");
    s.desk[0].group_mailbox = "IT@example.test"; /* is the recipient: stays */
    assert_string_equal(build(&s), "");
    s.desk[0].group_mailbox = "";
    assert_string_equal(build(&s), "");
    s.desk[0].group_mailbox = "net@example.test";
    second_desk(&s);
    s.conf[1].subject = TKT_SUBJECT_OFF;
    s.conf[1].add_group_recipient = true;
    s.desk[1].group_mailbox = "NET@example.test";
    assert_string_equal(build(&s),
                        "addrcpt  0|net@example.test\ndelrcpt  0|it@example.test\n");
}

static void no_value_carries_a_line_of_its_own(void **state)
{
    struct set_up s;

    (void)state;
    set_up(&s);
    s.conf[0].headers = (struct tkt_conf_list){all_words, 4};
    s.desk[0].group = "net\nBcc: x@y";
    assert_null(strstr(build(&s), "Bcc"));
}

static void the_number_of_edits_is_bounded(void **state)
{
    enum {
        DESKS = 1000,
        FIELDS = TKT_WIRE_FIELDS_MAX
    };
    struct set_up s;
    struct tkt_wire_edit *edits;
    size_t count;
    TKT_AUTO_FREE struct tkt_edit_desk *desks = calloc(DESKS, sizeof(*desks));
    TKT_AUTO_FREE struct tkt_wire_field *fields = calloc(FIELDS, sizeof(*fields));
    TKT_AUTO_FREE char *ids = calloc(DESKS, 16);

    (void)state;
    set_up(&s);
    s.conf[0].add_group_recipient = true;
    s.conf[0].replace_recipient = true;
    s.desk[0].group_mailbox = "net@example.test";
    for (size_t i = 0; i < DESKS; i++) {
        desks[i] = s.desk[0];
        snprintf(ids + 16 * i, 16, "IT-%zu", i);
        desks[i].id = ids + 16 * i;
    }
    for (unsigned i = 0; i < FIELDS; i++) {
        fields[i] = (struct tkt_wire_field){(char *)"X-Ticket-ID", i + 1, (char *)" x"};
    }
    s.in.desks = desks;
    s.in.desk_count = DESKS;
    s.in.field_is_valid = NULL;
    s.req.fields = fields;
    s.req.field_count = FIELDS;
    assert_int_equal(tkt_edit_build(&s.in, &s.arena, &edits, &count, &s.subject, NULL),
                     0);
    assert_true(count <= TKT_WIRE_EDITS_MAX);
    assert_int_equal(edits[0].index, FIELDS);
    tkt_wire_arena_release(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tag_goes_where_it_belongs),
        cmocka_unit_test(a_line_that_would_grow_too_long_is_folded_behind_the_tag),
        cmocka_unit_test(what_an_mta_would_cut_is_left_alone),
        cmocka_unit_test(an_edit_can_be_undone_repeated_and_changes_no_key),
        cmocka_unit_test(a_desk_alone_gets_tag_and_id),
        cmocka_unit_test(values_follow_the_hosts_leading_blank),
        cmocka_unit_test(a_missing_subject_is_inserted),
        cmocka_unit_test(of_two_subjects_the_first_is_edited),
        cmocka_unit_test(another_recipient_means_the_header_alone),
        cmocka_unit_test(a_bcc_desk_is_never_disclosed),
        cmocka_unit_test(a_relayed_copy_means_the_header_alone),
        cmocka_unit_test(the_first_desk_of_the_configuration_gives_the_tag),
        cmocka_unit_test(one_ticket_of_several_desks_is_named_once),
        cmocka_unit_test(modes_say_what_may_be_written),
        cmocka_unit_test(only_tickets_are_written),
        cmocka_unit_test(lists_bounces_and_signed_mail_follow_policy),
        cmocka_unit_test(inbound_fields_go_highest_index_first),
        cmocka_unit_test(what_a_second_hook_finds_right_stays),
        cmocka_unit_test(reply_to_keeps_the_author_first),
        cmocka_unit_test(the_groups_mailbox_is_added_and_replaces_where_told),
        cmocka_unit_test(no_value_carries_a_line_of_its_own),
        cmocka_unit_test(the_number_of_edits_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
