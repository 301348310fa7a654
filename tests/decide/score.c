/* SPDX-License-Identifier: BSD-2-Clause
 * How well the shipped rules and the lexicon do on mails of which a person said what they
 * are: tests/decide/mails (written by somebody who had not seen the rules) and
 * tests/decide/dev (by whom the rules were made).
 *
 *   score                        asserts the floors of the table below
 *   score [-v] CONF FILE.jsonl   counts; -v: shows each mail that went wrong
 *
 * A line of a file is a JSON object with subject, body and either group, or mood and
 * urgency. The mails are read as mail: quotes, signatures and forwards are cut as ever.
 */
#include "mails.h"

#include "base/buf.h"
#include "base/util.h"
#include "conf/conf.h"
#include "conf/policy.h"
#include "decide/decide.h"
#include "decide/mood.h"
#include "decide/policy.h"
#include "message/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALL_CLASSES (TKT_CLASS_BIT(TKT_CLASS_COUNT) - 1)

struct floors {
    const char *file;
    unsigned right;   /* percent of the groups, at least */
    unsigned wrong;   /* ... at most; the rest is left to the desk */
    unsigned mood;    /* percent, at least */
    unsigned urgency; /* ... */
};

static const struct floors floors[] = {
    {"tests/decide/mails/group.jsonl", 78, 8, 0, 0},
    {"tests/decide/mails/mood.jsonl", 0, 0, 80, 78},
    {"tests/decide/dev/group.jsonl", 94, 2, 0, 0},
    {"tests/decide/dev/mood.jsonl", 0, 0, 90, 90},
    {"tests/decide/dev/fresh-a.jsonl", 94, 3, 0, 0},
    {"tests/decide/dev/fresh-b.jsonl", 93, 3, 0, 0},
    {"tests/decide/dev/fresh-c.jsonl", 88, 4, 0, 0},
    {"tests/decide/dev/fresh-mood.jsonl", 0, 0, 92, 92},
};

struct tally {
    unsigned groups, right, wrong;
    unsigned moods, mood_right, urgency_right;
    int64_t decide_ns;
};

static bool verbose;

#define TEXT(s) ((char *)(uintptr_t)(s))

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void show_reasons(const struct tkt_decision *d)
{
    for (size_t i = 0; i < d->reason_count; i++) {
        const struct tkt_reason *r = &d->reasons[i];
        if (r->source != TKT_SOURCE_RULE || strcmp(r->field, "group") != 0) {
            continue;
        }
        printf("      %s:", r->by);
        for (size_t w = 0; w < r->words.count; w++) {
            printf(" %s;", r->words.items[w]);
        }
        printf("\n");
    }
}

static int score_group(const struct tkt_test_mail *mail, const struct tkt_message *msg,
                       struct tkt_policy *policy, struct tally *t)
{
    struct tkt_desk_facts desk = {.name = TEXT("it"),
                                  .group = TEXT(""),
                                  .type = TEXT("incident"),
                                  .priority = 3,
                                  .opens = ALL_CLASSES,
                                  .acknowledges = ALL_CLASSES};
    struct tkt_facts facts = {.auth_login = TEXT(""),
                              .client = TEXT(""),
                              .minute = -1,
                              .person = {.name = TEXT(""),
                                         .department = TEXT(""),
                                         .company = TEXT(""),
                                         .title = TEXT(""),
                                         .location = TEXT(""),
                                         .manager = TEXT(""),
                                         .language = TEXT("")},
                              .desks = &desk,
                              .desk_count = 1};
    struct tkt_decisions out;
    const char *want = tkt_buf_str(&mail->group);

    int64_t start = now_ns();
    if (tkt_decide(msg, &facts, policy, &out, NULL) < 0) {
        return -1;
    }
    t->decide_ns += now_ns() - start;
    const char *got = out.items[0].group;
    t->groups++;
    t->right += strcmp(got, want) == 0;
    t->wrong += got[0] != '\0' && strcmp(got, want) != 0;
    if (verbose && strcmp(got, want) != 0) {
        printf("%s: %s, not %s: %s\n", tkt_buf_str(&mail->id),
               got[0] == '\0' ? "none" : got, want, msg->subject);
        show_reasons(&out.items[0]);
    }
    tkt_decisions_release(&out);
    return 0;
}

static void score_mood(const struct tkt_test_mail *mail, const struct tkt_message *msg,
                       struct tally *t)
{
    static const char *const urgencies[] = {"", "high", "normal", "low"};
    struct tkt_mood mood;

    tkt_mood_read(msg, &mood);
    bool tone = strcmp(tkt_tone_names[mood.tone], tkt_buf_str(&mail->mood)) == 0;
    bool urgency = strcmp(urgencies[mood.urgency], tkt_buf_str(&mail->urgency)) == 0;
    t->moods++;
    t->mood_right += tone;
    t->urgency_right += urgency;
    if (verbose && (!tone || !urgency)) {
        printf("%s: %s %s, not %s %s: %s:", tkt_buf_str(&mail->id),
               tkt_tone_names[mood.tone], urgencies[mood.urgency],
               tkt_buf_str(&mail->mood), tkt_buf_str(&mail->urgency), msg->subject);
        for (size_t i = 0; i < mood.tone_words.count; i++) {
            printf(" %s;", mood.tone_words.items[i]);
        }
        printf(" |");
        for (size_t i = 0; i < mood.urgency_words.count; i++) {
            printf(" %s;", mood.urgency_words.items[i]);
        }
        printf("\n");
    }
}

struct scoring {
    struct tkt_policy *policy;
    struct tally *tally;
};

static int score_mail(void *arg, const struct tkt_test_mail *mail,
                      const struct tkt_message *msg)
{
    struct scoring *s = arg;
    int rc = mail->group.len > 0 ? score_group(mail, msg, s->policy, s->tally) : 0;

    if (mail->mood.len > 0) {
        score_mood(mail, msg, s->tally);
    }
    return rc;
}

/* ---- files ---------------------------------------------------------------------------- */

static int score_file(const char *path, struct tkt_policy *policy, struct tally *t)
{
    struct scoring scoring = {policy, t};

    memset(t, 0, sizeof(*t));
    if (tkt_test_mails(path, score_mail, &scoring) < 0) {
        return -1;
    }
    if (t->groups > 0) {
        printf("%s: %u mails, group right %.1f %%, wrong %.1f %%, left open %.1f %%, "
               "%.0f us each\n",
               path, t->groups, 100.0 * t->right / t->groups,
               100.0 * t->wrong / t->groups,
               100.0 * (t->groups - t->right - t->wrong) / t->groups,
               (double)t->decide_ns / t->groups / 1000);
    }
    if (t->moods > 0) {
        printf("%s: %u mails, mood right %.1f %%, urgency right %.1f %%\n", path,
               t->moods, 100.0 * t->mood_right / t->moods,
               100.0 * t->urgency_right / t->moods);
    }
    return 0;
}

static struct tkt_policy *load_policy(const char *path)
{
    TKT_AUTO_BUF struct tkt_buf blob = TKT_BUF_INIT(TKT_CONF_POLICY_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_policy *policy = NULL;
    struct tkt_conf *conf = tkt_conf_load(path, &err);

    if (conf != NULL && tkt_conf_policy_encode(conf, &blob) == 0) {
        (void)tkt_policy_load(blob.data, blob.len, -1, &policy, NULL, &err); /* err */
    }
    tkt_conf_free(&conf);
    if (policy == NULL) {
        printf("%s: %s\n", path, err.text);
    }
    return policy;
}

static bool keeps(const struct floors *f, const struct tally *t)
{
    return 100 * t->right >= f->right * t->groups &&
           100 * t->wrong <= f->wrong * t->groups &&
           100 * t->mood_right >= f->mood * t->moods &&
           100 * t->urgency_right >= f->urgency * t->moods && t->groups + t->moods > 0;
}

static int assert_floors(void)
{
    const char *src = getenv("TKT_SRCDIR");
    char path[4096];
    int failed = 0;

    src = src == NULL ? "." : src;
    (void)snprintf(path, sizeof(path), "%s/conf/ticket-milter.conf", src);
    struct tkt_policy *policy = load_policy(path);
    for (size_t i = 0; policy != NULL && i < TKT_ARRAY_LEN(floors); i++) {
        struct tally t;
        (void)snprintf(path, sizeof(path), "%s/%s", src, floors[i].file);
        if (score_file(path, policy, &t) < 0 || !keeps(&floors[i], &t)) {
            printf("%s: below its floor\n", floors[i].file);
            failed = 1;
        }
    }
    failed = policy == NULL ? 1 : failed;
    tkt_policy_free(&policy);
    return failed;
}

int main(int argc, char **argv)
{
    struct tkt_err err = TKT_ERR_INIT;
    int at = 1;

    if (tkt_message_parser_init(&err) < 0) {
        printf("%s\n", err.text);
        return 1;
    }
    verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    at += verbose;
    if (at == argc) {
        return assert_floors();
    }
    struct tkt_policy *policy = load_policy(argv[at]);
    int rc = policy == NULL ? 1 : 0;
    for (int i = at + 1; rc == 0 && i < argc; i++) {
        struct tally t;
        rc = score_file(argv[i], policy, &t) < 0 ? 1 : 0;
    }
    tkt_policy_free(&policy);
    return rc;
}
