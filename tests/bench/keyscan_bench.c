/* SPDX-License-Identifier: BSD-2-Clause
 * The key scan alone: MB/s and us a message, one JSON line per row. In 64 KiB chunks, as
 * ticketd reads.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/util.h"
#include "ticketd/mail/keyscan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 65536
#define LEAST_US 300000

static const char *const prefixes[] = {"IT", "HR", "FM"};
static const struct tkt_prefixes own = {prefixes, TKT_ARRAY_LEN(prefixes)};

#define HEAD                                                                             \
    "From: Ann Example <ann@customer.example>\r\nTo: support@example.test\r\n"           \
    "Message-ID: <bench.1@customer.example>\r\nDate: Sun, 22 Nov 2026 09:00:00 "         \
    "+0000\r\n"                                                                          \
    "Subject: Re: [IT-12] The printer on the second floor\r\nMIME-Version: 1.0\r\n"

static void run(const char *what, const struct tkt_buf *mail)
{
    struct tkt_keyscan *scan = tkt_keyscan_new(&own, NULL);
    int64_t start = tkt_clock_mono_us();
    int64_t took = 0;
    uint64_t rounds = 0;

    if (scan == NULL || mail->failed) {
        exit(1);
    }
    for (; took < LEAST_US; rounds++) {
        tkt_keyscan_reset(scan, &own, NULL);
        for (size_t at = 0; at < mail->len; at += CHUNK) {
            tkt_keyscan_add(scan, mail->data + at,
                            TKT_MIN(mail->len - at, (size_t)CHUNK));
        }
        (void)tkt_keyscan_final(scan); /* the work, not the answer, is wanted */
        took = tkt_clock_mono_us() - start;
    }
    printf("{\"bench\":\"keyscan\",\"variant\":\"%s\",\"size\":%zu,\"mb_s\":%.0f,"
           "\"us\":%.2f}\n",
           what, mail->len, (double)(mail->len * rounds) / (double)took,
           (double)took / (double)rounds);
    tkt_keyscan_free(&scan);
}

static void fill(struct tkt_buf *mail, const char *line, size_t size)
{
    while (mail->len < size && !mail->failed) {
        (void)tkt_buf_adds(mail, line); /* run() looks at failed */
    }
}

static void bench(const char *what, const char *header, const char *line, size_t size)
{
    TKT_AUTO_BUF struct tkt_buf mail = TKT_BUF_INIT(64 << 20);

    (void)tkt_buf_adds(&mail, HEAD); /* run() looks at failed */
    (void)tkt_buf_adds(&mail, header);
    fill(&mail, line, size);
    run(what, &mail);
}

int main(void)
{
    static const char text[] =
        "It stopped this morning, and switching it off and on did not help at all.\r\n";
    static const char b64[] = "VGhlIHByaW50ZXIgb24gdGhlIHNlY29uZCBmbG9vciBkb2VzIG5vdCB3b3"
                              "JrLCBhbmQgbm9ib2R5\r\n";
    static const char qp[] = "Gr=C3=BC=C3=9Fe, es druckt nicht mehr, und niemand "
                             "wei=C3=9F, warum das so =\r\n";

    bench("text", "\r\n", text, 4096);
    bench("text", "\r\n", text, 1 << 20);
    bench("base64-attachment",
          "Content-Type: application/pdf\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\n",
          b64, 25 << 20);
    bench("base64-multipart",
          "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
          "Content-Type: application/pdf\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\n",
          b64, 25 << 20);
    bench("base64-text", "Content-Transfer-Encoding: base64\r\n\r\n", b64, 1 << 20);
    bench("quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", qp,
          1 << 20);
    bench("empty-lines", "\r\n", "\n", 4 << 20);
    bench("blanks", "\r\n", "          ", 4 << 20);
    bench("delimiters", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\n",
          4 << 20);
    bench("header-fields", "", "a: b\r\n", 1 << 20);
    bench("soft-breaks", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=\n",
          4 << 20);
    return 0;
}
