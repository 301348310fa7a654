/* SPDX-License-Identifier: BSD-2-Clause
 * Phrases by which mail programs give themselves away, in the languages they speak.
 *
 * A phrase proves little by itself: people write about bounces and absences to their help
 * desk. class.c asks for phrases only where something else points the same way, or where
 * no person would write them so. Pure constant tables, ASCII case does not matter, no
 * locale; linear in the text times the number of phrases of one kind, so callers hand in
 * the head of a text.
 */
#ifndef TKT_MESSAGE_PHRASE_H
#define TKT_MESSAGE_PHRASE_H
#include <stdbool.h>
#include <stddef.h>

enum tkt_phrase {
    TKT_PHRASE_AUTO_REPLY,     /* Subject begins: a program's own "Automatic reply:" */
    TKT_PHRASE_AUTO_NOUN,      /* Subject begins: "Auto-reply:", also people's word */
    TKT_PHRASE_AWAY,           /* Subject begins: "Out of office", also people's word */
    TKT_PHRASE_AWAY_TEXT,      /* text: "I am out of the office until" */
    TKT_PHRASE_READ,           /* Subject begins: a read receipt's */
    TKT_PHRASE_READ_TEXT,      /* text: "was read on" */
    TKT_PHRASE_BOUNCE,         /* Subject begins: "Undeliverable:" */
    TKT_PHRASE_BOUNCE_TEXT,    /* text: "could not be delivered" */
    TKT_PHRASE_REFUSAL,        /* Subject or text of a list server: "are not member" */
    TKT_PHRASE_DELAY,          /* Subject has: "delayed" */
    TKT_PHRASE_DELAY_TEXT,     /* text: "has not yet been delivered" */
    TKT_PHRASE_FINAL_TEXT,     /* text: "This is a permanent error" */
    TKT_PHRASE_COMPLAINT,      /* Subject begins: a feedback loop's */
    TKT_PHRASE_CHALLENGE,      /* Subject begins: "Please confirm your message" */
    TKT_PHRASE_CHALLENGE_TEXT, /* text: "to release your message" */
    TKT_PHRASE_COUNT
};

/* Whether the Subject begins with (behind tags in brackets), for DELAY has, a phrase. */
bool tkt_phrase_in_subject(enum tkt_phrase kind, const char *subject);
/* Whether a phrase stands in the text; blanks and line ends count alike. */
bool tkt_phrase_in_text(enum tkt_phrase kind, const char *text, size_t n);

/* The phrases of each kind, NULL at their end. */
extern const char *const *const tkt_phrase_tables[TKT_PHRASE_COUNT];

/* The first place of needle (ASCII case does not matter) in n bytes, or NULL. */
const char *tkt_phrase_find(const char *text, size_t n, const char *needle);

#endif
