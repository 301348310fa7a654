/* SPDX-License-Identifier: BSD-2-Clause
 * What people read: text made safe for a terminal, tables, JSON.
 *
 * Nothing that came out of a mail reaches a terminal as it stands: control characters
 * (C0, DEL, C1), bidirectional overrides and broken UTF-8 become U+FFFD. Widths are
 * columns of the terminal (wide and combining characters count as such). Tables are cut
 * to the terminal's width, never when the output is a file or a pipe. No colours.
 */
#ifndef TKT_TICKETCTL_OUT_H
#define TKT_TICKETCTL_OUT_H
#include "base/buf.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Appends s made safe; newlines and tabs become blanks, or with lines stay. */
int tkt_ctl_clean_add(struct tkt_buf *out, const char *s, size_t n, bool lines);
void tkt_ctl_put_clean(FILE *to, const char *s);
/* Each line of s with the indentation before it, so that no line of a mail can pass for
 * one of ours. */
void tkt_ctl_put_block(FILE *to, const char *indent, const char *s);
/* Columns that s takes; s is safe text. */
int tkt_ctl_width(const char *s);
/* Bytes of the longest prefix of s that takes at most columns. */
size_t tkt_ctl_fit(const char *s, int columns);

enum tkt_ctl_kind {
    TKT_CTL_TEXT,
    TKT_CTL_NUMBER, /* to the right */
    TKT_CTL_TIME,   /* RFC 3339 in UTC, shown in local time */
    TKT_CTL_SIZE,
    TKT_CTL_SPAN /* milliseconds, shown as 250 ms, 8.0 s, 5 min, 6.0 h, 30.0 d */
};
struct tkt_ctl_col {
    const char *title;
    const char *key;
    enum tkt_ctl_kind kind;
    int max; /* columns on a terminal; 0: what is left of the line */
};
/* A row per object of the array; columns that are empty in all rows are left out. */
void tkt_ctl_put_table(FILE *to, const struct tkt_ctl_col *cols, size_t count,
                       const cJSON *array);
/* "key: value" lines of the object's scalars, nested objects below their key. */
void tkt_ctl_put_object(FILE *to, const cJSON *object, int depth);
/* One cell as text, made safe. */
void tkt_ctl_cell(const cJSON *value, enum tkt_ctl_kind kind, struct tkt_buf *out);
/* "key=value key=value" of an object's members, made safe. */
void tkt_ctl_put_members(struct tkt_buf *out, const cJSON *object);
/* JSON text as it came, with DEL and C1 characters as \u escapes, and a newline. */
void tkt_ctl_put_json(FILE *to, const char *json, size_t n);
/* ... on one line, whatever its line ends and indentation were. */
void tkt_ctl_put_json_line(FILE *to, const char *json, size_t n);
/* A member of an object as text ("" if absent). Borrowed. */
const char *tkt_ctl_str(const cJSON *object, const char *key);
/* ... as a number (0 if absent). */
double tkt_ctl_num(const cJSON *object, const char *key);

#endif
