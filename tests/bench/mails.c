/* SPDX-License-Identifier: BSD-2-Clause */
#include "mails.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 1024
#define WORD_BYTES 8
#define MAILS_MAX 4096
#define SENTENCES_MAX 65536
#define SENDERS 200
#define OWN_MAX 8 /* sentences of a mail */

struct mail {
    const char *subject;
    size_t first; /* of its sentences */
    size_t count;
};

static struct {
    char words[WORDS][WORD_BYTES];
    struct mail mails[MAILS_MAX];
    size_t mail_count;
    const char *sentences[SENTENCES_MAX];
    size_t sentence_count;
    int64_t run_id;
} all;

/* Made once: whoever hands a mail over did not write it. */
static void make_words(void)
{
    for (size_t i = 0; i < WORDS; i++) {
        unsigned char random[WORD_BYTES];
        tkt_random(random, sizeof(random));
        for (size_t k = 0; k < WORD_BYTES - 1; k++) {
            all.words[i][k] = (char)('a' + random[k] % 26);
        }
        all.words[i][WORD_BYTES - 1] = ' ';
    }
}

/* The line is kept for good. */
static void take_line(char *line)
{
    struct mail *m = &all.mails[all.mail_count++];
    char *rest = line;

    *m = (struct mail){.subject = strsep(&rest, "\t\n"), .first = all.sentence_count};
    for (char *s; (s = strsep(&rest, "\t\n")) != NULL;) {
        if (*s != '\0' && m->count < OWN_MAX && all.sentence_count < SENTENCES_MAX) {
            all.sentences[all.sentence_count++] = s;
            m->count++;
        }
    }
}

void bench_mails_load(const char *file)
{
    all.run_id = tkt_clock_wall_ms();
    if (file == NULL) {
        make_words();
        return;
    }
    FILE *f = fopen(file, "re");
    char *line = NULL;
    size_t cap = 0;
    while (f != NULL && all.mail_count < MAILS_MAX && getline(&line, &cap, f) > 0) {
        take_line(line);
        line = NULL;
        cap = 0;
    }
    free(line);
    if (f == NULL || all.sentence_count == 0) {
        fprintf(stderr, "%s: no mails\n", file);
        exit(66);
    }
    (void)fclose(f); /* only read: nothing to lose */
}

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void add_words(char *out, size_t n, uint64_t x)
{
    for (size_t at = 0; at < n; at += WORD_BYTES) {
        memcpy(out + at, all.words[next(&x) % WORDS],
               TKT_MIN(n - at, (size_t)WORD_BYTES));
        if (at % 64 == 0 && at > 0) {
            memcpy(out + at - 2, "\r\n", 2);
        }
    }
}

static size_t add_line(char *out, size_t n, const char *before, const char *line)
{
    size_t skip = strlen(before);
    size_t len = strlen(line);

    if (skip + len + 2 > n) { /* the rest of the mail */
        memset(out, '-', n);  /* no dot: alone it ends the mail */
        return n;
    }
    memcpy(out, before, skip);
    memcpy(out + skip, line, len);
    memcpy(out + skip + len, "\r\n", 2);
    return skip + len + 2;
}

static void add_sentences(char *out, size_t n, const struct mail *m, uint64_t x)
{
    size_t at = 0;

    for (size_t i = 0; i < m->count; i++) {
        at += add_line(out + at, n - at, "", all.sentences[m->first + i]);
    }
    for (size_t i = 0; i < m->count; i++) { /* else it is like an earlier one */
        at +=
            add_line(out + at, n - at, "", all.sentences[next(&x) % all.sentence_count]);
    }
    at += add_line(out + at, n - at, "\r\n",
                   "On Fri, 20 Nov 2026 at 10:14, Ann Lee <ann@example.org> wrote:");
    while (at < n) {
        at += add_line(out + at, n - at, "> ",
                       all.sentences[next(&x) % all.sentence_count]);
    }
}

size_t bench_mail_make(char out[BENCH_MAIL_BYTES + 64], char subject[BENCH_SUBJECT_MAX],
                       const char *rcpt, unsigned long serial)
{
    uint64_t x = (serial + 1 + (uint64_t)all.run_id) * UINT64_C(0x9e3779b97f4a7c15);
    const struct mail *m =
        all.mail_count > 0 ? &all.mails[serial % all.mail_count] : NULL;

    if (m) {
        snprintf(subject, BENCH_SUBJECT_MAX, " %.100s %lu", m->subject, serial);
    } else {
        snprintf(subject, BENCH_SUBJECT_MAX, " Printer %lu does not print", serial);
    }
    int len = snprintf(out, BENCH_MAIL_BYTES,
                       "Received: from client by mx.example.test (Postfix) id %lu\r\n"
                       "From: Customer <customer%lu@example.org>\r\nTo: <%s>\r\n"
                       "Subject:%s\r\n"
                       "Date: Sun, 22 Nov 2026 11:47:16 +0000\r\n"
                       "Message-ID: <%lld.%lu@client.example.org>\r\n"
                       "MIME-Version: 1.0\r\nContent-Type: text/plain; "
                       "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                       "Hello,\r\nthis is %lu\r\n",
                       serial, serial % SENDERS, rcpt, subject, (long long)all.run_id,
                       serial, serial);
    size_t room = (size_t)(BENCH_MAIL_BYTES - 2 - len);
    if (m) {
        add_sentences(out + len, room, m, x);
    } else {
        add_words(out + len, room, x);
    }
    memcpy(out + BENCH_MAIL_BYTES - 2, "\r\n", 3);
    return BENCH_MAIL_BYTES;
}
