/* SPDX-License-Identifier: BSD-2-Clause
 * common/decide/mood: what single rules of reading do; how well the lexicon does on whole
 * mails is counted by tests/decide/score.
 */
#include "base/util.h"
#include "decide/mood.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum {
    HIGH = 1,
    NORMAL,
    LOW
};

struct row {
    const char *text;
    enum tkt_tone tone;
    int urgency;
};

static const struct row rows[] = {
    {"", TKT_TONE_NEUTRAL, NORMAL},
    /* a fault is neutral */
    {"My printer is broken and I cannot print.", TKT_TONE_NEUTRAL, NORMAL},
    {"Der Drucker ist kaputt.", TKT_TONE_NEUTRAL, NORMAL},
    /* words */
    {"This is urgent.", TKT_TONE_NEUTRAL, HIGH},
    {"Es ist dringend.", TKT_TONE_NEUTRAL, HIGH},
    {"Eine dringende Frage.", TKT_TONE_NEUTRAL, HIGH},
    {"production is down, nobody can work", TKT_TONE_NEUTRAL, HIGH},
    {"Keiner kann arbeiten.", TKT_TONE_NEUTRAL, HIGH},
    {"no rush, whenever you have time", TKT_TONE_NEUTRAL, LOW},
    {"Sobald Sie Zeit haben.", TKT_TONE_NEUTRAL, LOW},
    {"Könnten Sie das bei Gelegenheit tun?", TKT_TONE_NEUTRAL, LOW},
    {"I am very disappointed.", TKT_TONE_NEGATIVE, NORMAL},
    {"Das ist eine Frechheit, können Sie das ändern?", TKT_TONE_NEGATIVE, NORMAL},
    {"The new portal is excellent, can you add a search?", TKT_TONE_POSITIVE, NORMAL},
    /* negation */
    {"This is not urgent.", TKT_TONE_NEUTRAL, LOW},
    {"It isn't really urgent.", TKT_TONE_NEUTRAL, LOW},
    {"It isn\xE2\x80\x99t urgent.", TKT_TONE_NEUTRAL, LOW},
    {"Das ist nicht eilig.", TKT_TONE_NEUTRAL, LOW},
    {"Es hat keine Eile.", TKT_TONE_NEUTRAL, LOW},
    {"Es hat kein Eile.", TKT_TONE_NEUTRAL, LOW},
    {"I am not satisfied, can you look?", TKT_TONE_NEGATIVE, NORMAL},
    {"The service is not bad.", TKT_TONE_NEUTRAL, NORMAL},
    /* what is polite means nothing */
    {"Thanks in advance. Best regards", TKT_TONE_NEUTRAL, NORMAL},
    {"Vielen Dank im Voraus und beste Grüße", TKT_TONE_NEUTRAL, NORMAL},
    {"Ich freue mich auf Ihre Antwort.", TKT_TONE_NEUTRAL, NORMAL},
    {"I would be happy to show you.", TKT_TONE_NEUTRAL, NORMAL},
    /* praise beside a fault is none; behind "but" it is */
    {"Great, the network is down again.", TKT_TONE_NEGATIVE, HIGH},
    {"Super, the lamp is broken again.", TKT_TONE_NEGATIVE, NORMAL},
    /* what lies behind is not soon */
    {"Since today the lamp needs a new bulb, please come.", TKT_TONE_NEUTRAL, NORMAL},
    {"Seit heute Morgen brauche ich zwei Anläufe.", TKT_TONE_NEUTRAL, NORMAL},
    {"Na toll. Wieder kaputt.", TKT_TONE_NEGATIVE, NORMAL},
    {"Thanks for nothing.", TKT_TONE_NEGATIVE, NORMAL},
    {"The screen was broken, but your team was excellent. Please keep it up.",
     TKT_TONE_POSITIVE, NORMAL},
    {"Thank you for the quick help, the problem is solved.", TKT_TONE_POSITIVE, LOW},
    /* thanks alone ask for nothing */
    {"Herzlichen Dank für die schnelle Reparatur!", TKT_TONE_POSITIVE, LOW},
    /* a need and a near time; many people and a fault */
    {"The report must be submitted today.", TKT_TONE_NEUTRAL, HIGH},
    {"Everyone on our floor gets an error.", TKT_TONE_NEUTRAL, HIGH},
    {"Die ganze Abteilung hat eine Störung.", TKT_TONE_NEUTRAL, HIGH},
    /* loud */
    {"THE SYSTEM FAILS AND NOBODY ANSWERS", TKT_TONE_NEGATIVE, NORMAL},
    /* other mail is not what the writer says */
    {"Fine for me.\n> this is urgent\n> and a scandal\n", TKT_TONE_NEUTRAL, NORMAL},
    {"> this is urgent", TKT_TONE_NEUTRAL, NORMAL},
};

static void each_text_is_read_as_written_in_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_mood m;
        tkt_mood_read_text(NULL, rows[i].text, &m);
        if (m.tone != rows[i].tone || m.urgency != rows[i].urgency) {
            fail_msg("%s: %s, urgency %d", rows[i].text, tkt_tone_names[m.tone],
                     m.urgency);
        }
    }
}

static void the_subject_counts_as_the_text_does(void **state)
{
    (void)state;
    struct tkt_mood m;

    tkt_mood_read_text("Dringend!", "Der Bericht fehlt.", &m);
    assert_int_equal(m.urgency, HIGH);
    assert_int_equal(m.urgency_words.count, 1);
    assert_string_equal(m.urgency_words.items[0], "dringend");
}

static void anger_is_more_than_displeasure(void **state)
{
    (void)state;
    struct tkt_mood m;

    tkt_mood_read_text(NULL, "That is annoying, can you look?", &m);
    assert_int_equal(m.tone, TKT_TONE_NEGATIVE);
    assert_false(m.is_angry);
    tkt_mood_read_text(NULL, "This is outrageous! I am furious!!", &m);
    assert_true(m.is_angry);
}

static void what_is_told_is_what_counted(void **state)
{
    (void)state;
    struct tkt_mood m;

    tkt_mood_read_text(NULL, "The door is open again.", &m);
    assert_int_equal(m.tone, TKT_TONE_NEUTRAL);
    assert_int_equal(m.tone_words.count, 0);
    assert_int_equal(m.urgency_words.count, 0);
}

static void only_the_head_of_a_text_is_read(void **state)
{
    (void)state;
    struct tkt_mood m;
    char *text = malloc(TKT_MOOD_TEXT_MAX + 64);

    assert_non_null(text);
    memset(text, ' ', TKT_MOOD_TEXT_MAX);
    strcpy(text + TKT_MOOD_TEXT_MAX, "urgent");
    tkt_mood_read_text(NULL, text, &m);
    assert_int_equal(m.urgency, NORMAL);
    strcpy(text + TKT_MOOD_TEXT_MAX - 6, "urgent");
    tkt_mood_read_text(NULL, text, &m);
    assert_int_equal(m.urgency, HIGH);
    free(text);
}

static int64_t cpu_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Words that begin many phrases, long words, broken UTF-8, no end of a sentence. */
static void hostile_texts_end_soon(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "thank you for ", "nicht so sehr ", "a",     "\xC3", "!?", "\n>",
        "vielen dank ",   "\xE2\x80\x99",   "no no "};
    char *text = malloc(TKT_MOOD_TEXT_MAX + 32);
    int64_t start = cpu_ms();

    assert_non_null(text);
    for (size_t i = 0; i < TKT_ARRAY_LEN(pieces); i++) {
        size_t n = strlen(pieces[i]);
        size_t len = 0;
        while (len < TKT_MOOD_TEXT_MAX) {
            memcpy(text + len, pieces[i], n);
            len += n;
        }
        text[len] = '\0';
        struct tkt_mood m;
        tkt_mood_read_text(text, text, &m);
        assert_true(m.tone_words.count <= TKT_MOOD_WORDS_MAX);
    }
    free(text);
    assert_true(cpu_ms() - start < 2000); /* a hundred times of what it takes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_is_read_as_written_in_the_table),
        cmocka_unit_test(the_subject_counts_as_the_text_does),
        cmocka_unit_test(anger_is_more_than_displeasure),
        cmocka_unit_test(what_is_told_is_what_counted),
        cmocka_unit_test(only_the_head_of_a_text_is_read),
        cmocka_unit_test(hostile_texts_end_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
