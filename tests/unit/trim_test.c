/* SPDX-License-Identifier: BSD-2-Clause
 * What the person wrote: trim_cases.txt has what clients write round it in each language,
 * trim_mails.txt whole texts with the place where each line belongs.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/trim.h"
#include "message/trim_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* Needs the headers above. */
#include <cmocka.h>

#define CASE_MAX 4096

struct mail_case {
    char name[160]; /* the line behind "== " */
    char text[CASE_MAX];
};

static struct tkt_buf cases = TKT_BUF_INIT(1024 * 1024);
static struct tkt_buf mails = TKT_BUF_INIT(1024 * 1024);

static void load(const char *name, struct tkt_buf *out)
{
    char path[512];
    const char *src = getenv("TKT_SRCDIR");

    snprintf(path, sizeof(path), "%s/tests/unit/%s", src != NULL ? src : ".", name);
    if (tkt_read_file(path, out, NULL) < 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(99);
    }
}

static int load_files(void **state)
{
    (void)state;
    load("trim_cases.txt", &cases);
    load("trim_mails.txt", &mails);
    return 0;
}

static int drop_files(void **state)
{
    (void)state;
    tkt_buf_release(&cases);
    tkt_buf_release(&mails);
    return 0;
}

/* The next case behind *p; false at the end. */
static bool next_case(const char **p, struct mail_case *c)
{
    const char *begin = strstr(*p, "\n== ");

    if (begin == NULL) {
        return false;
    }
    begin += 4;
    size_t n = strcspn(begin, "\n");
    assert_true(n < sizeof(c->name));
    memcpy(c->name, begin, n);
    c->name[n] = '\0';
    c->text[0] = '\0';
    size_t len = 0;
    for (const char *line = begin + n + 1;
         *line != '\0' && strncmp(line, "== ", 3) != 0;) {
        size_t k = strcspn(line, "\n") + 1;
        if (!(line[0] == '#' && line[1] == ' ') && k > 1) {
            assert_true(len + k < sizeof(c->text));
            memcpy(c->text + len, line, k);
            len += k;
            c->text[len] = '\0';
        }
        line += k;
        *p = line - 1;
    }
    return true;
}

static bool is_kind(const struct mail_case *c, const char *kind)
{
    return strncmp(c->name, kind, strlen(kind)) == 0 && c->name[strlen(kind)] == ' ';
}

static void trim(const char *text, const char *subject, struct tkt_trim *t)
{
    assert_int_equal(tkt_trim_text(text, strlen(text), NULL, subject, 65536, t), 0);
}

/* The lines that show something, for comparison. */
static void shown(const char *s, char *out, size_t room)
{
    size_t len = 0;

    for (; *s != '\0'; s += strcspn(s, "\n") + (s[strcspn(s, "\n")] != '\0')) {
        size_t n = strcspn(s, "\n");
        if (strspn(s, " \t") >= n) {
            continue;
        }
        assert_true(len + n + 2 < room);
        memcpy(out + len, s, n);
        len += n;
        out[len++] = '\n';
    }
    out[len] = '\0';
}

static unsigned wrong;

static void expect(const char *name, const char *what, const char *text, const char *got,
                   const char *want)
{
    char a[4 * CASE_MAX];
    char b[4 * CASE_MAX];

    shown(got, a, sizeof(a));
    shown(want, b, sizeof(b));
    if (strcmp(a, b) != 0) {
        wrong++;
        fprintf(stderr, "---- %s: %s\nof:\n%s\nis:\n%s\nnot:\n%s\n", name, what, text, a,
                b);
    }
}

static void expect_reply(const char *name, const char *text, const char *subject,
                         const char *want)
{
    struct tkt_trim t;

    trim(text, subject, &t);
    expect(name, "reply", text, tkt_buf_str(&t.reply), want);
    tkt_trim_release(&t);
}

static void expect_that(bool holds, const char *name, const char *what, const char *text)
{
    if (!holds) {
        wrong++;
        fprintf(stderr, "---- %s: %s\nof:\n%s\n", name, what, text);
    }
}

/* All dates of the cases are that day, a time with 58 minutes. */
static void expect_that_day(const char *name, const char *text, const struct tkt_trim *t)
{
    int64_t s = tkt_trim_date(tkt_buf_str(&t->forward_date), t->forward_date.len,
                              t->language_hint);
    const int64_t day = 1612137600; /* 2021-02-01 */

    expect_that(s >= day && s < day + 86400, name, tkt_buf_str(&t->forward_date), text);
    expect_that(s / 60 % 60 == 58 || s / 60 % 60 == 28, name, "minutes", text);
}

/* Runs check over the cases of a kind; at least so many languages must be there. */
static void each(const char *kind, size_t languages_min,
                 void (*check)(struct mail_case *))
{
    const char *p = tkt_buf_str(&cases);
    static struct mail_case c;
    char seen[64][8];
    size_t languages = 0;

    wrong = 0;
    while (next_case(&p, &c)) {
        if (!is_kind(&c, kind)) {
            continue;
        }
        char language[8] = "";
        assert_int_equal(sscanf(c.name + strlen(kind), " %7s", language), 1);
        size_t i = 0;
        while (i < languages && strcmp(seen[i], language) != 0) {
            i++;
        }
        if (i == languages && languages < TKT_ARRAY_LEN(seen)) {
            strcpy(seen[languages++], language);
        }
        check(&c);
    }
    assert_true(languages >= languages_min);
    assert_int_equal(wrong, 0);
}

/* ---- headers of quotes ---- */

static void check_attribution(struct mail_case *c)
{
    char text[2 * CASE_MAX];

    snprintf(text, sizeof(text), "It works.\n\nThanks\n\n%s\n> Please try.\n> Ann\n",
             c->text);
    expect_reply(c->name, text, NULL, "It works.\nThanks\n");
    snprintf(text, sizeof(text), "It works.\n%sPlease try.\n\nAnn\n", c->text);
    expect_reply(c->name, text, NULL, "It works.\n");
    snprintf(text, sizeof(text), "%s> Please try.\n>\n> Ann\n\nIt works.\n", c->text);
    expect_reply(c->name, text, NULL, "It works.\n");
    snprintf(text, sizeof(text), "%s> Which?\nThis.\n> When?\nNow.\n> Ann\n", c->text);
    expect_reply(c->name, text, NULL, "> Which?\nThis.\n> When?\nNow.\n");
}

static void attribution_is_cut_above_any_quote(void **state)
{
    (void)state;
    each("attribution", 25, check_attribution);
}

/* Breaks lines at blanks like a client that sends 60 columns. */
static void wrap(char *s, size_t width)
{
    size_t from = 0;
    size_t blank = 0;

    for (size_t i = 0; s[i] != '\0'; i++) {
        if (s[i] == '\n') {
            from = i + 1;
            blank = 0;
        } else if (s[i] == ' ') {
            blank = i;
        }
        if (i - from > width && blank > from) {
            s[blank] = '\n';
            from = blank + 1;
        }
    }
}

static void check_wrapped(struct mail_case *c)
{
    char text[2 * CASE_MAX];
    static const size_t widths[] = {60, 40};

    for (size_t i = 0; i < TKT_ARRAY_LEN(widths); i++) {
        wrap(c->text, widths[i]);
        snprintf(text, sizeof(text), "It works.\n\n%s\n> Please try.\n> Ann\n", c->text);
        expect_reply(c->name, text, NULL, "It works.\n");
        snprintf(text, sizeof(text), "It works.\n\n%s\nPlease try.\nAnn\n", c->text);
        expect_reply(c->name, text, NULL, "It works.\n");
    }
}

static void attribution_may_be_wrapped(void **state)
{
    (void)state;
    each("attribution", 25, check_wrapped);
}

static void check_attribution_date(struct mail_case *c)
{
    char text[2 * CASE_MAX];
    struct tkt_trim t;

    snprintf(text, sizeof(text), "Please\n\n%s\n> It burns.\n", c->text);
    trim(text, "Fwd: Printer", &t);
    expect_that(t.is_forward, c->name, "forward", text);
    expect("forwarded text", c->name, text, tkt_buf_str(&t.forward_text), "It burns.\n");
    expect_that_day(c->name, text, &t);
    tkt_trim_release(&t);
}

static void attribution_tells_the_date(void **state)
{
    (void)state;
    each("attribution", 25, check_attribution_date);
}

static void check_bare(struct mail_case *c)
{
    char text[2 * CASE_MAX];
    char want[2 * CASE_MAX];

    snprintf(text, sizeof(text), "It works.\n\n%s> Please try.\n> Ann\n", c->text);
    expect_reply(c->name, text, NULL, "It works.\n");
    snprintf(text, sizeof(text), "It works.\n\n%s\nPlease try.\n", c->text);
    snprintf(want, sizeof(want), "It works.\n%sPlease try.\n", c->text);
    expect_reply(c->name, text, NULL, want);
}

static void bare_header_needs_a_quote_under_it(void **state)
{
    (void)state;
    each("bare", 5, check_bare);
}

/* ---- blocks and dividers ---- */

static void check_block(struct mail_case *c)
{
    char text[2 * CASE_MAX];
    static const char *const leads[] = {"\n", "\n________________________________\n",
                                        "\n-----Original Message-----\n", "\n\n\n"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(leads); i++) {
        snprintf(text, sizeof(text), "It works.\n%s%s\nPlease try.\n\nAnn\n", leads[i],
                 c->text);
        expect_reply(c->name, text, "Re: Printer", "It works.\n");
    }
}

static void block_of_fields_is_cut(void **state)
{
    (void)state;
    each("block", 25, check_block);
}

static void check_block_forward(struct mail_case *c)
{
    char text[2 * CASE_MAX];
    struct tkt_trim t;

    snprintf(text, sizeof(text), "Please\n\n%s\nIt burns.\n\nAnn\n", c->text);
    trim(text, "FW: Printer", &t);
    expect(c->name, "note", text, tkt_buf_str(&t.reply), "Please\n");
    expect(c->name, "forwarded text", text, tkt_buf_str(&t.forward_text),
           "It burns.\nAnn\n");
    expect(c->name, "forwarded subject", text, tkt_buf_str(&t.forward_subject),
           "Printer");
    expect_that(t.is_forward, c->name, "forward", text);
    expect_that(strstr(tkt_buf_str(&t.forward_from), "ann@example.test") != NULL, c->name,
                "sender", text);
    expect_that_day(c->name, text, &t);
    tkt_trim_release(&t);
}

static void block_under_a_forwarding_subject_is_read(void **state)
{
    (void)state;
    each("block", 25, check_block_forward);
}

static void check_original(struct mail_case *c)
{
    char text[2 * CASE_MAX];

    snprintf(text, sizeof(text), "It works.\n\n%sPlease try.\n", c->text);
    expect_reply(c->name, text, NULL, "It works.\n");
}

static void divider_of_a_reply_is_cut(void **state)
{
    (void)state;
    each("original", 22, check_original);
}

static void check_forward(struct mail_case *c)
{
    static const char *const prefixes[] = {"", "> "};
    char text[2 * CASE_MAX];
    struct tkt_trim t;

    for (size_t i = 0; i < TKT_ARRAY_LEN(prefixes); i++) {
        const char *q = prefixes[i];
        snprintf(text, sizeof(text),
                 "Please\n\n%s\n%sFrom: Ann Example <ann@example.test>\n"
                 "%sDate: Mon, 1 Feb 2021 16:58:00 +0000\n%sSubject: Printer\n"
                 "%sTo: desk@desk.test\n%s\n%sIt burns.\n",
                 c->text, q, q, q, q, q, q);
        trim(text, "Re: the old subject", &t);
        expect(c->name, "note", text, tkt_buf_str(&t.reply), "Please\n");
        expect(c->name, "forwarded text", text, tkt_buf_str(&t.forward_text),
               "It burns.\n");
        expect(c->name, "forwarded subject", text, tkt_buf_str(&t.forward_subject),
               "Printer");
        expect_that(t.is_forward, c->name, "forward", text);
        expect_that_day(c->name, text, &t);
        tkt_trim_release(&t);
    }
}

static void forward_is_read_in_any_language(void **state)
{
    (void)state;
    each("forward", 22, check_forward);
}

/* ---- devices, markers ---- */

static void check_device(struct mail_case *c)
{
    char text[2 * CASE_MAX];
    struct tkt_trim t;

    snprintf(text, sizeof(text), "It works.\n\n%s", c->text);
    trim(text, NULL, &t);
    expect(c->name, "reply", text, tkt_buf_str(&t.reply), "It works.\n");
    expect(c->name, "signature", text, tkt_buf_str(&t.signature), c->text);
    tkt_trim_release(&t);
    snprintf(text, sizeof(text),
             "It works.\n\n%s\nOn 1 Feb 2021, at 16:58, Ann <ann@example.test> wrote:\n\n"
             "> Please\n",
             c->text);
    trim(text, NULL, &t);
    expect(c->name, "reply", text, tkt_buf_str(&t.reply), "It works.\n");
    expect(c->name, "signature", text, tkt_buf_str(&t.signature), c->text);
    tkt_trim_release(&t);
}

static void device_line_is_a_signature(void **state)
{
    (void)state;
    each("device", 22, check_device);
}

static void check_marker(struct mail_case *c)
{
    char text[2 * CASE_MAX];

    snprintf(text, sizeof(text), "It works.\n\n%s\nPlease try.\n\nAnn\n", c->text);
    expect_reply(c->name, text, NULL, "It works.\n");
    snprintf(text, sizeof(text),
             "It works.\nOn 1 Feb 2021, at 16:58, Ann <ann@example.test> wrote:\n> %s> "
             "Please\n",
             c->text);
    if (strchr(c->text, '\n') == c->text + strlen(c->text) - 1) {
        expect_reply(c->name, text, NULL, "It works.\n");
    }
}

static void marker_cuts_all_under_it(void **state)
{
    (void)state;
    each("marker", 10, check_marker);
}

/* ---- whole texts ---- */

static void check_forwarded(const struct mail_case *c, const char *want,
                            const struct tkt_trim *t)
{
    char from[128] = "";
    char line[512];
    char date[64] = "";
    int64_t s = tkt_trim_date(tkt_buf_str(&t->forward_date), t->forward_date.len,
                              t->language_hint);
    time_t time_s = (time_t)s;
    struct tm tm;

    assert_int_equal(sscanf(want, "%127s", from), 1);
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", gmtime_r(&time_s, &tm));
    snprintf(line, sizeof(line), "%s | %s | %s\n", from, tkt_buf_str(&t->forward_subject),
             date);
    expect(c->name, "forwarded", tkt_buf_str(&t->forward_date), line, want);
    expect_that(strstr(tkt_buf_str(&t->forward_from), from) != NULL, c->name, "sender",
                tkt_buf_str(&t->forward_from));
}

static void check_mail(struct mail_case *c)
{
    static char text[CASE_MAX];
    static char parts[3][CASE_MAX];
    static const char letters[] = "RSQ";
    char *subject = strstr(c->name, " | ");
    char forwarded[256] = "";
    struct tkt_trim t;
    size_t len = 0;
    size_t lens[3] = {0, 0, 0};

    for (const char *p = c->text; *p != '\0'; p += strcspn(p, "\n") + 1) {
        size_t n = strcspn(p, "\n");
        const char *at = strchr(letters, p[0]);
        if (p[0] == 'F') {
            snprintf(forwarded, sizeof(forwarded), "%.*s\n", (int)n - 2, p + 2);
            continue;
        }
        assert_non_null(at);
        assert_true(n >= 1);
        size_t k = (size_t)(at - letters);
        size_t skip = TKT_MIN(n, 2);
        memcpy(text + len, p + skip, n + 1 - skip);
        len += n + 1 - skip;
        memcpy(parts[k] + lens[k], p + skip, n + 1 - skip);
        lens[k] += n + 1 - skip;
    }
    text[len] = parts[0][lens[0]] = parts[1][lens[1]] = parts[2][lens[2]] = '\0';
    trim(text, subject != NULL ? subject + 3 : NULL, &t);
    expect(c->name, "reply", text, tkt_buf_str(&t.reply), parts[0]);
    expect(c->name, "signature", text, tkt_buf_str(&t.signature), parts[1]);
    expect(c->name, "quoted", text, tkt_buf_str(&t.quoted), parts[2]);
    expect_that(t.is_forward == (forwarded[0] != '\0'), c->name, "is a forward or not",
                text);
    if (t.is_forward && forwarded[0] != '\0') {
        check_forwarded(c, forwarded, &t);
    }
    tkt_trim_release(&t);
}

static void every_line_of_a_mail_goes_where_it_belongs(void **state)
{
    const char *p = tkt_buf_str(&mails);
    static struct mail_case c;
    size_t count = 0;

    (void)state;
    wrong = 0;
    while (next_case(&p, &c)) {
        check_mail(&c);
        count++;
    }
    assert_true(count >= 70);
    assert_int_equal(wrong, 0);
}

/* ---- marks ---- */

/* Text with marks in it: "{q" quote, "}q" its end, "{s" "}s" signature, "{d" divider. */
static void trim_marked(const char *source, struct tkt_trim *t)
{
    static struct tkt_marks marks;
    char text[CASE_MAX];
    size_t n = 0;

    marks.count = 0;
    for (const char *p = source; *p != '\0';) {
        if ((*p == '{' || *p == '}') && strchr("qsd", p[1]) != NULL) {
            enum tkt_mark_kind kind = p[1] == 'd'                ? TKT_MARK_DIVIDER
                                      : p[1] == 'q' && *p == '{' ? TKT_MARK_QUOTE
                                      : p[1] == 'q'              ? TKT_MARK_QUOTE_END
                                      : *p == '{'                ? TKT_MARK_SIGNATURE
                                                                 : TKT_MARK_SIGNATURE_END;
            marks.items[marks.count++] = (struct tkt_mark){(uint32_t)n, kind};
            p += 2;
        } else {
            text[n++] = *p++;
        }
    }
    assert_int_equal(tkt_trim_text(text, n, &marks, NULL, CASE_MAX, t), 0);
}

static void marks_of_html_are_obeyed(void **state)
{
    static const struct {
        const char *source, *reply, *signature, *quoted;
    } rows[] = {
        /* Gmail */
        {"It works.\n\n{qOn Mon, Feb 1, 2021 at 4:58 AM Ann <ann@example.test> wrote:\n"
         "{qPlease try.\nAnn}q}q",
         "It works.\n", "",
         "On Mon, Feb 1, 2021 at 4:58 AM Ann <ann@example.test> wrote:\nPlease "
         "try.\nAnn\n"},
        /* answers between the quotes */
        {"Ann wrote:\n{qWhich?}q\nThis.\n{qWhen?}q\nNow.\n{qAnn}q\n",
         "> Which?\nThis.\n> When?\nNow.\n", "", "Ann wrote:\nAnn\n"},
        /* a quote in a quote */
        {"Am 01.02.21 um 16:58 schrieb Ann:\n{qPlease try.\n{qolder}q\nAnn}q\nIt "
         "works.\n",
         "It works.\n", "",
         "Am 01.02.21 um 16:58 schrieb Ann:\nPlease try.\nolder\nAnn\n"},
        {"It works.\n{s-- \nAnn\nACME}s\n{qold}q", "It works.\n", "-- \nAnn\nACME\n",
         "old\n"},
        {"It works.\n{dVon: Ann <ann@example.test>\nGesendet: Montag\nBetreff: x\nold\n",
         "It works.\n", "",
         "Von: Ann <ann@example.test>\nGesendet: Montag\nBetreff: x\nold\n"},
        /* a border in a letter is no quote */
        {"First.\n{dSecond.\nThird.\n", "First.\nSecond.\nThird.\n", "", ""},
        /* a border over labels that no table has */
        {"Virkar.\n{dSendandi: Ann <ann@example.test>\nDagur: 1\nEfni: Prentari\nold\n",
         "Virkar.\n", "",
         "Sendandi: Ann <ann@example.test>\nDagur: 1\nEfni: Prentari\nold\n"},
        {"{qOnly a quote.}q", "Only a quote.\n", "", ""},
    };

    (void)state;
    wrong = 0;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_trim t;
        trim_marked(rows[i].source, &t);
        expect("marks", "reply", rows[i].source, tkt_buf_str(&t.reply), rows[i].reply);
        expect("marks", "signature", rows[i].source, tkt_buf_str(&t.signature),
               rows[i].signature);
        expect("marks", "quoted", rows[i].source, tkt_buf_str(&t.quoted), rows[i].quoted);
        tkt_trim_release(&t);
    }
    assert_int_equal(wrong, 0);
}

/* ---- subjects, dates, tables ---- */

static void subject_prefix_tells_a_forward(void **state)
{
    static const char *const yes[] = {
        "Fwd: x",  "FW: x",    "Fw: x",     "WG: x",         "TR : x",    "RV: x",
        "ENC: x",  "PD: x",    "VB: x",     "VL: x",         "İLT: x",    "転送: x",
        "转发：x", "[Fwd: x]", "Doorst: x", "[IT-7] Fwd: x", "Fwd[2]: x", "  fwd:x"};
    static const char *const no[] = {
        "Re: Fwd: x", "x",    "AW: WG: x", "Forwarding rules: x", "", "VS: x", "I: x",
        "[Fwd] x",    "Fw x", ":"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(yes); i++) {
        assert_true(tkt_trim_subject_is_forward(yes[i]));
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(no); i++) {
        assert_false(tkt_trim_subject_is_forward(no[i]));
    }
}

static void date_is_read_as_its_language_orders_it(void **state)
{
    static const struct {
        const char *text, *language;
        int64_t want;
    } rows[] = {
        {"Mon, 1 Feb 2021 16:58:10 +0100", NULL, 1612195090},
        {"Feb 1, 2021 4:58 PM", "en", 1612198680},
        {"2/1/2021 4:58 PM", "en", 1612198680},
        {"1/2/2021 16:58", "en", 1612198680},
        {"1/2/2021 16:58", "es", 1612198680},
        {"2/13/2021 16:58", "de", 1613235480},
        {"mar. 2 mars 2021 12:00", "fr", 1614686400},
        {"mar, 2 feb 2021 12:00", "es", 1612267200},
        {"Tuesday, March 2, 2021 12:00 AM", "en", 1614643200},
        {"středa 3. března 2021 0:00", "cs", 1614729600},
        {"4 липня 2021 р. 00:00", "uk", 1625356800},
        {"2021. 2. 1. 오후 4:58", "ko", 1612198680},
        {"2021年2月1日 下午4:58", "zh", 1612198680},
        {"1 Feb 2021 at 4:58:00 PM GMT-5", "en", 1612216680},
        {"29 February 2024", "en", 1709164800},
        {"31 February 2024 99:99", "en", 0},
        {"yesterday", "en", 0},
        {"", NULL, 0},
        {"1 Feb 99999 10:00", "en", 0},
        {"99999999999999999999/99999999999/9999999999", "en", 0},
    };

    (void)state;
    wrong = 0;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        int64_t s = tkt_trim_date(rows[i].text, strlen(rows[i].text), rows[i].language);
        if (s != rows[i].want) {
            fprintf(stderr, "%s: %lld, not %lld\n", rows[i].text, (long long)s,
                    (long long)rows[i].want);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void all_tables_are_folded(void **state)
{
    const char *(*const tables[])(size_t) = {tkt_attribution_list, tkt_block_list,
                                             tkt_signature_list, tkt_date_list};
    size_t entries = 0;

    (void)state;
    wrong = 0;
    for (size_t t = 0; t < TKT_ARRAY_LEN(tables); t++) {
        const char *list;
        for (size_t k = 0; (list = tables[t](k)) != NULL; k++) {
            const char *item;
            size_t n;
            while (tkt_fold_next(&list, &item, &n)) {
                struct tkt_folded f = {.n = 0};
                tkt_fold_add(&f, item, n);
                if (n == 0 || f.n != n || memcmp(f.s, item, n) != 0) {
                    fprintf(stderr, "\"%.*s\" folds to \"%s\"\n", (int)n, item, f.s);
                    wrong++;
                }
                entries++;
            }
        }
    }
    assert_true(entries > 1000);
    assert_int_equal(wrong, 0);
}

/* ---- limits ---- */

static size_t lines_of(const struct tkt_buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->len; i++) {
        n += b->data[i] == '\n';
    }
    return n;
}

static void text_past_the_line_cap_is_kept(void **state)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(1024 * 1024);
    struct tkt_trim t;

    (void)state;
    for (size_t i = 0; i < TKT_TRIM_LINES_MAX + 100; i++) {
        tkt_buf_addf(&text, "line %zu\n", i);
    }
    assert_int_equal(tkt_trim_text(text.data, text.len, NULL, NULL, text.len, &t), 0);
    assert_int_equal(lines_of(&t.reply), TKT_TRIM_LINES_MAX + 100);
    assert_int_equal(t.signature.len + t.quoted.len, 0);
    tkt_trim_release(&t);
}

static void output_past_its_maximum_fails(void **state)
{
    struct tkt_trim t;

    (void)state;
    assert_int_equal(tkt_trim_text("12345678\n", 9, NULL, NULL, 4, &t), -1);
    tkt_trim_release(&t);
}

static double cpu_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The worst lines that could be thought of, a megabyte of each; far from the budget of
 * a parse even on a slow machine under a sanitizer. */
static void hostile_text_takes_linear_time(void **state)
{
    static const char *const units[] = {"a 1 <b@c> 1.1.2021 10:00 x:\n",
                                        "get it\n",
                                        "cc: x\n",
                                        "importance: x\n",
                                        "> x\n",
                                        "On 1 Feb 2021 10:00\n",
                                        "-- \n",
                                        "------\n",
                                        "Kind regards\nA\n555 123 456\n",
                                        "@@@@@@@@",
                                        "1:1:1:1:",
                                        "-----Original Message\n",
                                        "<<<<<<<<<\n",
                                        "\n",
                                        "x",
                                        "```\n",
                                        "this message is confidential\n",
                                        "a@b c:\n\n",
                                        "&lt;",
                                        "From: a@b\nDate: 1\n",
                                        "12@a.b wrote:\n",
                                        "\xef\xbc\x9a"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(units); i++) {
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(2 * 1024 * 1024);
        struct tkt_trim t;
        while (text.len < 1024 * 1024) {
            tkt_buf_adds(&text, units[i]);
        }
        double start = cpu_s();
        assert_int_equal(tkt_trim_text(text.data, text.len, NULL, NULL, text.len, &t), 0);
        double took = cpu_s() - start;
        if (getenv("TKT_TIMES") != NULL) {
            printf("%6.1f ms  %.20s\n", took * 1000, units[i]);
        }
        assert_true(took < 2.0);
        tkt_trim_release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attribution_is_cut_above_any_quote),
        cmocka_unit_test(attribution_may_be_wrapped),
        cmocka_unit_test(attribution_tells_the_date),
        cmocka_unit_test(bare_header_needs_a_quote_under_it),
        cmocka_unit_test(block_of_fields_is_cut),
        cmocka_unit_test(block_under_a_forwarding_subject_is_read),
        cmocka_unit_test(divider_of_a_reply_is_cut),
        cmocka_unit_test(forward_is_read_in_any_language),
        cmocka_unit_test(device_line_is_a_signature),
        cmocka_unit_test(marker_cuts_all_under_it),
        cmocka_unit_test(every_line_of_a_mail_goes_where_it_belongs),
        cmocka_unit_test(marks_of_html_are_obeyed),
        cmocka_unit_test(subject_prefix_tells_a_forward),
        cmocka_unit_test(date_is_read_as_its_language_orders_it),
        cmocka_unit_test(all_tables_are_folded),
        cmocka_unit_test(text_past_the_line_cap_is_kept),
        cmocka_unit_test(output_past_its_maximum_fails),
        cmocka_unit_test(hostile_text_takes_linear_time),
    };

    return cmocka_run_group_tests(tests, load_files, drop_files);
}
