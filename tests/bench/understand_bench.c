/* SPDX-License-Identifier: BSD-2-Clause
 * What it costs to understand a message: understand_bench [ROUNDS] [FILE...].
 *
 * Each case is read by tkt_message_parse() and, in alternating rounds of the same run, by
 * plain GMime: parse, subject, addresses, date, and all parts decoded, text to UTF-8.
 * Processor time; the median of the rounds. One JSON object a line. The hostile set is
 * read by GMime only where it survives that.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/parse.h"

#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define ROUNDS 15
#define ROUNDS_MAX 101
#define ROUND_US 30000 /* each repeats the message until so much time is gone */
#define MESSAGE_MAX (64U * 1024 * 1024)

static double cpu_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* cannot fail for this clock */
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* ---- the two readers ---- */

static void read_ours(const struct tkt_buf *raw)
{
    static const char *const ids[] = {"mx.example.test"};
    static const char *const prefixes[] = {"IT"};
    struct tkt_message_options opt = {.authserv_ids = ids,
                                      .authserv_id_count = 1,
                                      .prefixes = prefixes,
                                      .prefix_count = 1};
    struct tkt_message_source src = {.data = raw->data, .fd = -1, .size = raw->len};
    struct tkt_message msg;

    tkt_message_limits_default(&opt.limits);
    if (tkt_message_parse(&src, &opt, &msg, NULL) < 0) {
        abort();
    }
    tkt_message_release(&msg);
}

static void decode_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
    (void)parent;
    (void)data;
    if (!GMIME_IS_PART(part)) {
        return;
    }
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
    if (content == NULL) {
        return;
    }
    GMimeStream *out = g_mime_stream_null_new();
    if (GMIME_IS_TEXT_PART(part)) {
        char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
        g_free(text);
    } else {
        (void)g_mime_data_wrapper_write_to_stream(content, out); /* null takes all */
    }
    g_object_unref(out);
}

static void read_gmime(const struct tkt_buf *raw)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(raw->data, raw->len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *msg = g_mime_parser_construct_message(parser, NULL);

    if (msg != NULL) {
        (void)g_mime_message_get_subject(msg);
        (void)g_mime_message_get_date(msg);
        (void)internet_address_list_length(g_mime_message_get_from(msg));
        (void)internet_address_list_length(g_mime_message_get_to(msg));
        (void)internet_address_list_length(g_mime_message_get_cc(msg));
        g_mime_message_foreach(msg, decode_part, NULL);
        g_object_unref(msg);
    }
    g_object_unref(parser);
    g_object_unref(stream);
}

/* ---- measuring ---- */

typedef void reader_fn(const struct tkt_buf *raw);

static double round_us(reader_fn *reader, const struct tkt_buf *raw)
{
    double start = cpu_us();
    unsigned n = 0;
    double took = 0;

    do {
        reader(raw);
        n++;
        took = cpu_us() - start;
    } while (took < ROUND_US);
    return took / n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

static void measure(const char *name, const struct tkt_buf *raw, bool with_gmime,
                    unsigned rounds)
{
    double ours[ROUNDS_MAX];
    double theirs[ROUNDS_MAX];

    if (raw->failed || raw->len == 0) {
        abort();
    }
    for (unsigned i = 0; i < rounds; i++) {
        ours[i] = round_us(read_ours, raw);
        theirs[i] = with_gmime ? round_us(read_gmime, raw) : 0;
    }
    double us = median(ours, rounds);
    double gmime_us = median(theirs, rounds);
    printf("{\"bench\":\"understand\",\"case\":\"%s\",\"bytes\":%zu,\"us\":%.1f,"
           "\"mb_s\":%.1f,\"gmime_us\":",
           name, raw->len, us, (double)raw->len / us);
    if (with_gmime) {
        printf("%.1f,\"ratio_gmime\":%.2f}\n", gmime_us, us / gmime_us);
    } else {
        printf("null,\"ratio_gmime\":null}\n");
    }
    (void)fflush(stdout); /* a line that is late is no loss */
}

/* ---- the cases ---- */

static const char head[] =
    "Return-Path: <customer@example.org>\r\n"
    "Received: from client.example.org (client.example.org [192.0.2.7])\r\n"
    "\tby mx.example.test (Postfix) with ESMTPS id 4bX2k1\r\n"
    "\tfor <support@example.test>; Sun, 22 Nov 2026 11:47:16 +0000 (UTC)\r\n"
    "Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=example.org;\r\n"
    "\tdkim=pass header.d=example.org; dmarc=pass header.from=example.org\r\n"
    "From: =?utf-8?Q?J=C3=BCrgen_Kunde?= <customer@example.org>\r\n"
    "To: Support <support@example.test>, \"Desk, IT\" <it@example.test>\r\n"
    "Cc: Ann <ann@example.org>\r\n"
    "Subject: Re: [IT-12] =?utf-8?Q?Drucker_im_3=2E_Stock_l=C3=A4uft_nicht?=\r\n"
    "Date: Sun, 22 Nov 2026 11:47:16 +0000\r\n"
    "Message-ID: <1.2@client.example.org>\r\n"
    "In-Reply-To: <IT-12.abcdef@example.test>\r\n"
    "References: <0.1@client.example.org> <IT-12.abcdef@example.test>\r\n"
    "MIME-Version: 1.0\r\n";

/* Prose in lines of its own length, as people and their programs wrap it. */
static const char prose[] =
    "since Monday the printer on the third floor refuses to take letter paper; =\r\n"
    "it says =E2=80=9Cload A4=E2=80=9D although both trays are full.\r\n"
    "\r\n"
    "What we tried so far:\r\n"
    " - switched it off and on again, twice\r\n"
    " - took the driver from your page (version 4.2.1, 64 bit)\r\n"
    " - printed from another computer: the same\r\n"
    "\r\n"
    "My colleague J=C3=BCrgen remembers that you changed something in its menu =\r\n"
    "last spring, when the paper jammed all the time. Could somebody have a look \r\n"
    "today? We have to send out 300 letters before 5 pm, and the small printer in \r\n"
    "room 214 takes ten minutes for twenty pages.\r\n"
    "\r\n"
    "If you need access, call me: +49 30 555 0123, or ask at the reception.\r\n"
    "\r\n";
static const char html_prose[] =
    "<div class=3D\"row\"><p style=3D\"margin:0cm\">since Monday the printer on the =\r\n"
    "<b>third floor</b> refuses to take letter paper; it says &ldquo;load =\r\n"
    "A4&rdquo; although both trays are full.</p>\r\n"
    "<ul><li>switched it off and on again, twice</li><li>took the driver from =\r\n"
    "<a href=3D\"https://example.org/x?a=3D1&amp;b=3D2\">your page</a></li></ul>\r\n"
    "<p style=3D\"margin:0cm\">My colleague J=C3=BCrgen remembers that you changed =\r\n"
    "something in its menu last spring, when the paper jammed all the "
    "time.</p></div>\r\n";
static const char base64_line[] =
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";

static void fill(struct tkt_buf *b, const char *text, size_t up_to)
{
    while (!b->failed && b->len < up_to) {
        tkt_buf_adds(b, text);
    }
}

static void make_small(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    tkt_buf_adds(b, "Hello,\r\n\r\n");
    fill(b, prose, 4096 - sizeof(prose) / 2);
    tkt_buf_adds(b, "Kind regards\r\nAnn Customer\r\n");
}

static void make_alternative(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    fill(b, prose, 16 * 1024);
    tkt_buf_adds(b,
                 "\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n"
                 "Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body>\r\n");
    fill(b, html_prose, 50 * 1024);
    tkt_buf_adds(b, "</body></html>\r\n--b1--\r\n");
}

/* The same without the plain text: what it costs to read the HTML. */
static void make_html(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b,
                 "Content-Type: text/html; charset=utf-8\r\n"
                 "Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body>\r\n");
    fill(b, html_prose, 50 * 1024);
}

static void make_attachment(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n\r\nSee the file.\r\n"
                    "--b1\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\n"
                    "Content-Disposition: attachment; filename=\"report.pdf\"\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\n");
    fill(b, base64_line, 5 * 1024 * 1024);
    tkt_buf_adds(b, "\r\n--b1--\r\n");
}

static void make_colons(struct tkt_buf *b)
{
    tkt_buf_adds(b, "From: a@example.org\r\nTo: ");
    fill(b, "a:", 90 * 1024);
    tkt_buf_adds(b, "\r\n\r\ntext\r\n");
}

static void make_nested(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    for (unsigned i = 0; i < 10000; i++) {
        tkt_buf_addf(b, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i,
                     i);
    }
}

static void make_messages(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    for (unsigned i = 0; i < 1000; i++) {
        tkt_buf_adds(b, "Content-Type: message/rfc822\r\n\r\nSubject: inside\r\n");
    }
}

static void make_parts(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    fill(b, "--b\r\n\r\n\r\n", 50000 * 9);
}

static void make_fields(struct tkt_buf *b)
{
    fill(b, "X-Field: value\r\n", 100000 * 16);
    tkt_buf_adds(b, "\r\ntext\r\n");
}

static void make_words(struct tkt_buf *b)
{
    tkt_buf_adds(b, "From: a@example.org\r\nSubject: ");
    fill(b, "=?utf-8?Q?=C3=A4?= ", 1024 * 1024);
    tkt_buf_adds(b, "\r\n\r\ntext\r\n");
}

static void make_tags(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "Content-Type: text/html; charset=utf-8\r\n\r\n");
    fill(b, "<div style=\"display:none\"><b><table><a href=", 2 * 1024 * 1024);
}

static void make_quotes(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "\r\n");
    fill(b, "> > > On Mon, Ann wrote:\r\nFrom: a\r\n-- \r\n", 1024 * 1024);
}

static void make_uu(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "\r\n");
    fill(b, "begin 644 x\r\n#86)C\r\n`\r\nend\r\n", 100000 * 30);
}

static void make_unclosed_uu(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "\r\n");
    fill(b, "begin 644 x\r\n#86)C\r\n", 100000 * 21);
}

static void make_padding(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b,
                 "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    fill(b, "QQ==", 4 * 1024 * 1024);
}

static void make_escapes(struct tkt_buf *b)
{
    tkt_buf_adds(b, head);
    tkt_buf_adds(b, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    fill(b, "= =  ==\r=", 4 * 1024 * 1024);
}

static const struct {
    const char *name;
    void (*make)(struct tkt_buf *b);
    bool kills_gmime; /* or keeps it for minutes */
} cases[] = {
    {"4k", make_small, false},
    {"50k-alternative", make_alternative, false},
    {"5m-attachment", make_attachment, false},
    {"50k-html", make_html, false},
    {"hostile-colons", make_colons, true},
    {"hostile-multiparts-nested", make_nested, true},
    {"hostile-messages-nested", make_messages, true},
    {"hostile-parts", make_parts, false},
    {"hostile-fields", make_fields, false},
    {"hostile-encoded-words", make_words, false},
    {"hostile-tags", make_tags, false},
    {"hostile-quotes", make_quotes, false},
    {"hostile-uu-blocks", make_uu, false},
    {"hostile-uu-unclosed", make_unclosed_uu, false},
    {"hostile-base64-padding", make_padding, false},
    {"hostile-qp-escapes", make_escapes, false},
};

static int run_files(int argc, char **argv, unsigned rounds)
{
    for (int i = 2; i < argc; i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(MESSAGE_MAX);
        struct tkt_err err = TKT_ERR_INIT;
        if (tkt_read_file(argv[i], &raw, &err) < 0) {
            (void)fprintf(stderr, "understand_bench: %s\n", err.text);
            return 66;
        }
        measure(argv[i], &raw, true, rounds);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct tkt_err err = TKT_ERR_INIT;
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS;

    if (rounds < 1 || rounds > ROUNDS_MAX) {
        (void)fprintf(stderr, "usage: understand_bench [ROUNDS 1..%d] [FILE...]\n",
                      ROUNDS_MAX);
        return 64;
    }
    g_mime_init();
    if (tkt_message_parser_init(&err) < 0) {
        (void)fprintf(stderr, "understand_bench: %s\n", err.text);
        return 70;
    }
    g_mime_init();
    if (argc > 2) {
        return run_files(argc, argv, rounds);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(MESSAGE_MAX);
        bool is_hostile = strncmp(cases[i].name, "hostile-", 8) == 0;
        cases[i].make(&raw);
        measure(cases[i].name, &raw, !cases[i].kills_gmime,
                is_hostile ? TKT_MIN(rounds, 3U) : rounds);
    }
    return 0;
}
