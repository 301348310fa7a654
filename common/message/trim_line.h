/* SPDX-License-Identifier: BSD-2-Clause
 * Inside of message/trim.h: lines, their kinds, and the questions that the files of
 * trim*.c ask about them. Not for other modules.
 *
 * A folded line is what the tables are compared with: lower case, Latin letters without
 * their accents, one space for any white space, plain quotes and dashes, no emphasis
 * stars, no invisible characters. So "Ursprüngliche", "URSPRUNGLICHE" and a decomposed
 * "ü" are one word, and each table is written folded (trim_test checks it).
 */
#ifndef TKT_MESSAGE_TRIM_LINE_H
#define TKT_MESSAGE_TRIM_LINE_H
#include "message/mark.h"
#include "message/trim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tkt_line_kind {
    TKT_LINE_BLANK,
    TKT_LINE_TEXT,
    TKT_LINE_QUOTE,
    TKT_LINE_ATTRIBUTION, /* "On DATE, NAME wrote:" */
    TKT_LINE_ORIGINAL,    /* "-----Original Message-----" */
    TKT_LINE_FORWARD,     /* "Begin forwarded message:" */
    TKT_LINE_FIELD,       /* From:, Sent:, ... of a block of them, with what leads it */
    TKT_LINE_SIGNATURE,   /* "-- " */
    TKT_LINE_DEVICE,      /* "Sent from my iPhone" */
    TKT_LINE_RULE,        /* "________" */
    TKT_LINE_MARKER,      /* "##- Please type your reply above this line -##" */
};

enum tkt_line_goes {
    TKT_GOES_REPLY,
    TKT_GOES_SIGNATURE,
    TKT_GOES_QUOTED
};

struct tkt_line {
    uint32_t at;
    uint32_t len;       /* without the line end */
    uint8_t kind;       /* enum tkt_line_kind */
    uint8_t goes;       /* enum tkt_line_goes */
    uint8_t skip;       /* bytes of "> > " before the text */
    uint8_t depth;      /* of quoting, by marks */
    bool in_signature;  /* by marks */
    bool after_divider; /* a border of the markup stands above it */
    bool fenced;        /* between ``` and ```: never structure */
};

struct tkt_lines {
    const char *text;
    struct tkt_line *items;
    size_t count;
    unsigned looks; /* that are left, of TKT_TRIM_LOOKS_MAX */
};

/* ---- trim_fold.c ---- */

struct tkt_folded {
    char s[TKT_TRIM_LINE_MAX + 8];
    size_t n;
    bool cut; /* there was more */
};

/* Appends, behind a space when something is there. */
void tkt_fold_add(struct tkt_folded *f, const char *p, size_t n);
/* The line's text, without quote prefix; appended. */
void tkt_fold_line(struct tkt_folded *f, const struct tkt_lines *l, size_t i);
/* Walks "one|two|three". */
bool tkt_fold_next(const char **list, const char **item, size_t *n);
/* The lists of the next three are literals: each is indexed once, by its address, which
 * is for one thread at a time. */
bool tkt_fold_is_one_of(const char *s, size_t n, const char *list);
/* Starts with one of the list, as a whole word; its length or 0. */
size_t tkt_fold_starts(const char *s, size_t n, const char *list);
size_t tkt_fold_longest_start(const char *s, size_t n, const char *list);
/* True: none of the list is what the folded text of p, which begins with a letter, starts
 * with. False says nothing. */
bool tkt_fold_begins_none(const char *p, size_t n, const char *list);
/* Whether the last two bytes of s are those of an item. */
bool tkt_fold_may_end(const char *s, size_t n, const char *list);
/* Ends with one of the list, as whole words. */
bool tkt_fold_ends(const char *s, size_t n, const char *list);
/* Many lists as one, to ask all of them at once. Static: is_full when they did not fit. */
struct tkt_fold_union {
    char list[24 * 1024];
    size_t n;
    bool is_full;
    bool is_done; /* all were added */
};
void tkt_fold_union_add(struct tkt_fold_union *u, const char *list);
/* Contains one of the list as whole words: where, or NULL; *len its length. */
const char *tkt_fold_finds(const char *s, size_t n, const char *list, size_t *len);
size_t tkt_fold_words(const char *s, size_t n);
/* Without any of the bytes of `set` at both ends. */
void tkt_fold_strip(const char **s, size_t *n, const char *set);

/* False when the budget of looks is spent. */
bool tkt_lines_may_look(struct tkt_lines *l, unsigned cost);

/* What hints at a sender in a line. */
struct tkt_evidence {
    bool date;       /* day, month and year, or a year and a number */
    bool time;       /* 10:05 */
    bool address;    /* name@domain */
    bool enclosed;   /* in <>, () or [] */
    size_t date_at;  /* of the first number */
    size_t date_end; /* behind the last number outside of addresses */
    size_t address_at;
    size_t address_end; /* behind the last one and its bracket */
};
void tkt_evidence_read(const char *s, size_t n, struct tkt_evidence *e);

/* ---- trim_plain.c ---- */

/* True: line i, unquoted and with no divider above it, is no marker, divider, field or
 * rule, ends no text, is of no device, and no header begins there. False says nothing. */
bool tkt_line_is_plain(const struct tkt_lines *l, size_t i);

/* ---- trim_attribution.c ---- */

/* The number of lines that a quote header takes from i on; 0: none begins there. */
size_t tkt_line_attribution(struct tkt_lines *l, size_t i, const struct tkt_folded *first,
                            const char **language);

/* What stands before the date of a header, in any language; NULL: see the rows. */
const char *tkt_attribution_starts(void);

/* Without the words that stand before the name in [s, end). */
const char *tkt_attribution_name(const char *s, const char *end);

/* ---- trim_block.c ---- */

enum tkt_label {
    TKT_LABEL_NONE,
    TKT_LABEL_FROM,
    TKT_LABEL_DATE,
    TKT_LABEL_TO,
    TKT_LABEL_CC,
    TKT_LABEL_SUBJECT,
    TKT_LABEL_OTHER,
};
/* The label of a line "Subject: text"; *value_at: behind the colon, in the raw text. */
enum tkt_label tkt_line_label(struct tkt_lines *l, size_t i, uint64_t *languages,
                              size_t *value_at);
/* The number of lines of a block of header fields from i on, or 0. led: a divider stands
 * above, so less is enough. */
size_t tkt_line_block(struct tkt_lines *l, size_t i, bool led, const char **language);
/* TKT_LINE_ORIGINAL, _FORWARD, or _TEXT. *sure: no block of fields has to follow. */
enum tkt_line_kind tkt_line_divider(const struct tkt_folded *f, bool *sure);
/* led: a rule stands above it. */
bool tkt_line_is_marker(const struct tkt_folded *f, bool led);

/* ---- trim_signature.c ---- */

/* "-- ", a rule, a device's line, or TKT_LINE_TEXT. */
enum tkt_line_kind tkt_line_signature(const struct tkt_lines *l, size_t i,
                                      const struct tkt_folded *f);
/* Sends what is a signature in a run of text [from, to) there. */
void tkt_run_signature(struct tkt_lines *l, size_t from, size_t to);

/* ---- trim_forward.c ---- */

/* A prefix that means a forward in that language only. */
bool tkt_forward_subject_in(const char *subject, const char *language);
/* Reads the fields and the text of the forwarded message at line i. */
int tkt_forward_fields(struct tkt_lines *l, size_t i, struct tkt_trim *out);

/* What a device's line in English may end with. */
#define TKT_DEVICE_ENDS "from mobile|from phone|from iphone|from ipad"

/* The k-th word list, NULL past the last; the tests look whether each is folded. */
enum {
    TKT_BLOCK_ORIGINALS = 1,
    TKT_BLOCK_FORWARDS = 2,
    TKT_BLOCK_BEGINS = 3,
    TKT_SIGNATURE_LEADS = 1,
    TKT_SIGNATURE_TAILS = 2,
    TKT_SIGNATURE_EXCUSES = 4,
};
const char *tkt_attribution_list(size_t k);
const char *tkt_block_list(size_t k);
const char *tkt_signature_list(size_t k);
const char *tkt_date_list(size_t k);

#endif
