/* SPDX-License-Identifier: BSD-2-Clause
 * Rules on a text of 4 KiB: microseconds a message, beside the same expressions of PCRE2
 * with machine code, each tried on the text by itself, in alternating rounds of one run.
 * A fifth of the rules each: a word, an alternation, a phrase, words near each other, a
 * word with a number. One JSON line a row.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/sections.h"
#include "decide/policy.h"
#include "decide/rules.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_LEN 4096
#define RULES_MOST 5000
#define PIECES 40 /* timings a side */

#define S(text) ((char *)(uintptr_t)(text))

/* Of the processor: other work on the machine is no part of it. */
static int64_t cpu_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* there is one */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t seed = 12345;

static unsigned below(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

/* Words as languages have them: two or three syllables. */
static void word(unsigned number, char out[16])
{
    static const char *const parts[] = {"ba",  "den", "fil", "gor", "hus", "jem",
                                        "kar", "lon", "mit", "nor", "pel", "ros",
                                        "set", "tan", "vu",  "zim"};

    snprintf(out, 16, "%s%s%s", parts[number % 16], parts[number / 16 % 16],
             parts[number / 256 % 16]);
}

static void pattern(unsigned rule, char out[160])
{
    char a[16];
    char b[16];
    char c[16];

    word(rule * 7 + 4096 / 3, a);
    word(rule * 11 + 5, b);
    word(rule * 13 + 9, c);
    switch (rule % 5) {
    case 0:
        snprintf(out, 160, "\\b%s%u\\b", a, rule);
        break;
    case 1:
        snprintf(out, 160, "\\b(?:%s%u|%s%u|%s%u)\\b", a, rule, b, rule, c, rule);
        break;
    case 2:
        snprintf(out, 160, "\\b%s %s %s\\b", a, b, c);
        break;
    case 3:
        snprintf(out, 160, "\\b%s\\W+(?:\\w+\\W+){0,3}%s%u\\b", a, b, rule);
        break;
    default:
        snprintf(out, 160, "\\b%s-\\d{4,8}\\b", a);
        break;
    }
}

static char *make_text(void)
{
    char *text = calloc(1, TEXT_LEN + 64);
    size_t n = 0;

    for (unsigned rule = 0; text != NULL && rule < 50; rule += 10) { /* these hit */
        char w[16];
        word(rule * 7 + 4096 / 3, w);
        n += (size_t)sprintf(text + n, "%s%u ", w, rule);
    }
    while (text != NULL && n < TEXT_LEN) {
        char w[16];
        word(below(4096), w);
        n += (size_t)sprintf(text + n, "%s%s", w, below(12) == 0 ? ".\n" : " ");
    }
    if (text != NULL) {
        text[TEXT_LEN] = '\0';
    }
    return text;
}

static struct tkt_policy *make_policy(unsigned count)
{
    struct tkt_buf blob = TKT_BUF_INIT(64 * 1024 * 1024);
    struct tkt_policy *policy = NULL;
    struct tkt_err err = TKT_ERR_INIT;

    (void)tkt_sections_begin(&blob); /* blob.failed tells, here and below */
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        char one[200] = "regex:";
        snprintf(name, sizeof(name), "r%u", i);
        pattern(i, one + 6);
        const char *value = one;
        const char *group = "g";
        (void)tkt_sections_add(&blob, "rule", name, "bench", i + 1);
        (void)tkt_sections_add_key(&blob, "if_says", i + 1, &value, 1);
        (void)tkt_sections_add_key(&blob, "set_tags", i + 1, &group, 1);
    }
    (void)tkt_sections_end(&blob);
    if (blob.failed ||
        tkt_policy_load(blob.data, blob.len, -1, &policy, NULL, &err) < 0) {
        fprintf(stderr, "rules: %s\n", err.text);
        exit(1);
    }
    tkt_buf_release(&blob);
    return policy;
}

/* ---- what is measured ---- */

struct bench {
    struct tkt_message msg;
    struct tkt_facts facts;
    struct tkt_desk_facts desk;
    struct tkt_policy *policy;
    pcre2_code **codes;
    pcre2_match_data *data;
    unsigned count;
    size_t hits;
};

static void make_case(struct bench *b, char *text)
{
    char *none = S("");

    b->msg.subject = b->msg.text = b->msg.language = b->msg.from.name = none;
    b->msg.signature = b->msg.quoted = b->msg.message_id = none;
    b->msg.from.address = S("a@example.org");
    b->msg.reply_text = text;
    b->desk = (struct tkt_desk_facts){
        .name = S("it"), .group = none, .type = S("incident"), .priority = 3, .opens = 1};
    b->facts.auth_login = none;
    b->facts.desks = &b->desk;
    b->facts.desk_count = 1;
}

static double rules_once(struct bench *b, unsigned rounds)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_decisions d;
    int64_t start_us = cpu_us();

    for (unsigned i = 0; i < rounds; i++) {
        if (tkt_decide(&b->msg, &b->facts, b->policy, &d, &err) < 0) {
            exit(1);
        }
        b->hits = 0;
        for (size_t k = 0; k < d.items[0].reason_count; k++) {
            b->hits += d.items[0].reasons[k].source == TKT_SOURCE_RULE;
        }
        tkt_decisions_release(&d);
    }
    return (double)(cpu_us() - start_us) / rounds;
}

static double nothing_once(struct bench *b, unsigned rounds)
{
    struct tkt_policy *policy = b->policy;
    struct tkt_policy bare = *policy;

    size_t hits = b->hits;
    bare.rules = NULL;
    b->policy = &bare;
    double us = rules_once(b, rounds);
    b->policy = policy;
    b->hits = hits;
    return us;
}

static double pcre_once(struct bench *b, const char *text, size_t n, unsigned rounds,
                        size_t *hits)
{
    int64_t start_us = cpu_us();

    for (unsigned i = 0; i < rounds; i++) {
        *hits = 0;
        for (unsigned k = 0; k < b->count; k++) {
            *hits += pcre2_match(b->codes[k], (PCRE2_SPTR)text, n, 0, PCRE2_NO_UTF_CHECK,
                                 b->data, NULL) >= 0;
        }
    }
    return (double)(cpu_us() - start_us) / rounds;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

static void run(unsigned count, char *text)
{
    struct bench b = {.count = count, .codes = calloc(count, sizeof(*b.codes))};
    double ours[PIECES];
    double bare[PIECES];
    double theirs[PIECES];
    size_t hits = 0;
    unsigned rounds = count >= 1000 ? 5 : 40;

    make_case(&b, text);
    b.data = pcre2_match_data_create(8, NULL);
    for (unsigned i = 0; i < count; i++) {
        char one[200];
        int code;
        PCRE2_SIZE at;
        pattern(i, one);
        b.codes[i] =
            pcre2_compile((PCRE2_SPTR)one, PCRE2_ZERO_TERMINATED,
                          PCRE2_CASELESS | PCRE2_UTF | PCRE2_UCP, &code, &at, NULL);
        (void)pcre2_jit_compile(b.codes[i], PCRE2_JIT_COMPLETE); /* else it is slower */
    }
    int64_t start_us = cpu_us();
    b.policy = make_policy(count);
    double compile_ms = (double)(cpu_us() - start_us) / 1000;
    for (size_t i = 0; i < PIECES; i++) {
        ours[i] = rules_once(&b, rounds);
        theirs[i] = pcre_once(&b, text, TEXT_LEN, count >= 1000 ? 1 : 5, &hits);
        bare[i] = nothing_once(&b, rounds);
    }
    double decide_us = median(ours, PIECES);
    double rest_us = median(bare, PIECES);
    double rules_us = decide_us - rest_us;
    double pcre_us = median(theirs, PIECES);
    printf("{\"bench\": \"rules\", \"rules\": %u, \"text\": %d, \"rules_us\": %.1f, "
           "\"decide_us\": %.1f, \"pcre2_us\": %.1f, \"ratio\": %.1f, \"hits\": %zu, "
           "\"pcre2_hits\": %zu, \"compile_ms\": %.1f}\n",
           count, TEXT_LEN, rules_us, decide_us, pcre_us, pcre_us / rules_us, b.hits,
           hits, compile_ms);
    tkt_policy_free(&b.policy);
    for (unsigned i = 0; i < count; i++) {
        pcre2_code_free(b.codes[i]);
    }
    pcre2_match_data_free(b.data);
    free(b.codes);
}

int main(void)
{
    static const unsigned counts[] = {50, 200, 1000, 2000, RULES_MOST};
    char *text = make_text();

    if (text == NULL) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        run(counts[i], text);
    }
    free(text);
    return 0;
}
