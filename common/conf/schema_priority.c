/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the section priority.
 */
#include "conf/rows.h"
#include "conf/text.h"

static const struct tkt_conf_word priority_words[] = {
    {"urgent", 1}, {"high", 2}, {"normal", 3}, {"low", 4}, {"planning", 5}, {NULL, 0}};
static const struct tkt_conf_word level_words[] = {
    {"high", 1}, {"medium", 2}, {"low", 3}, {NULL, 0}};

const struct tkt_conf_row tkt_conf_priority_rows[TKT_CONF_PRIORITY_ROWS] = {
    {LIST_ROW(tkt_conf_priority, urgency_high, "urgency_high", "urgent high normal", 3,
              3),
     .reload = true, .words = priority_words,
     .help = "The matrix: priority of what is urgent, at impact high, medium and low."},
    {LIST_ROW(tkt_conf_priority, urgency_medium, "urgency_medium", "high normal low", 3,
              3),
     .reload = true, .words = priority_words, .help = "The same at medium urgency."},
    {LIST_ROW(tkt_conf_priority, urgency_low, "urgency_low", "normal low planning", 3, 3),
     .reload = true, .words = priority_words, .help = "The same at low urgency."},
    {STRING_ROW(tkt_conf_priority, urgency, "urgency", "medium"), .reload = true,
     .words = level_words,
     .help = "Urgency that the matrix takes where only the impact is known."},
    {STRING_ROW(tkt_conf_priority, impact, "impact", "medium"), .reload = true,
     .words = level_words,
     .help = "Impact that the matrix takes where only the urgency is known."},
    {INT_ROW(tkt_conf_priority, vip, "vip", "1", 0, 2), .reload = true,
     .help = "Steps by which a VIP raises the impact; only one whose login or whose "
             "domain's pass proves it. 0: none."},
    {LIST_ROW(tkt_conf_priority, affected, "affected", "5 25", 0, 2), .reload = true,
     .check = tkt_conf_is_people,
     .help = "From how many people who say the same the impact rises by a step, and by "
             "another. Empty: it does not."},
    {BOOL_ROW(tkt_conf_priority, words, "words", "yes"), .reload = true,
     .help = "Words such as urgent or no rush say how urgent it is."},
    {BOOL_ROW(tkt_conf_priority, mood, "mood", "yes"), .reload = true,
     .help = "An angry sender raises the urgency by a step where nothing else is said of "
             "it."},
    {BOOL_ROW(tkt_conf_priority, importance, "importance", "yes"), .reload = true,
     .help = "The fields Importance, Priority and X-Priority say how urgent it is."},
};
