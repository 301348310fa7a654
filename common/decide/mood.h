/* SPDX-License-Identifier: BSD-2-Clause
 * In what mood a message was written and how urgent its writer says it is, by a lexicon of
 * our own (lexicon.txt: English and German words and phrases).
 *
 * Looked at are the Subject and the first TKT_MOOD_TEXT_MAX bytes of what the person wrote;
 * quoted lines count for nothing. A report of a fault is neutral by itself: mood is how
 * somebody speaks of it. Negation turns a word round ("not urgent"), boosters, capitals
 * and "!!" add to it, praise beside a fault ("great, down again") counts as none.
 * Pure, linear in the text, no memory; malformed UTF-8 gives other words, never a fault.
 */
#ifndef TKT_DECIDE_MOOD_H
#define TKT_DECIDE_MOOD_H
#include "message/message.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_MOOD_TEXT_MAX (16 * 1024)
#define TKT_MOOD_WORDS_MAX 8 /* that are told */

enum tkt_tone {
    TKT_TONE_NEUTRAL,
    TKT_TONE_NEGATIVE,
    TKT_TONE_POSITIVE,
    TKT_TONE_COUNT
};
extern const char *const tkt_tone_names[]; /* "neutral", "negative", "positive" */

struct tkt_mood_words {
    const char
        *items[TKT_MOOD_WORDS_MAX]; /* of the lexicon: live as long as the program */
    size_t count;
};

struct tkt_mood {
    enum tkt_tone tone;
    bool is_angry; /* NEGATIVE, and more than once or loudly */
    int urgency;   /* as said: 1 (high), 2 (normal, or nothing said), 3 (low) */
    struct tkt_mood_words tone_words;
    struct tkt_mood_words urgency_words;
};

void tkt_mood_read(const struct tkt_message *msg, struct tkt_mood *out);
/* The same of bare texts; either may be NULL. */
void tkt_mood_read_text(const char *subject, const char *text, struct tkt_mood *out);

#endif
