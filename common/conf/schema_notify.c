/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the section notify.
 */
#include "conf/rows.h"
#include "conf/text.h"

/* tkt_notice_names of common/notify, but for those that are no event. */
static const struct tkt_conf_word what_words[] = {
    {"created", 0},      {"assigned", 0},  {"follow_up", 0},       {"state", 0},
    {"comment", 0},      {"resolved", 0},  {"action_required", 0}, {"sla_warning", 0},
    {"sla_breached", 0}, {"escalated", 0}, {"parked", 0},          {"alarm", 0},
    {"reply", 0},        {NULL, 0}};
static const struct tkt_conf_word class_words[] = {
    {"human", 0},     {"auto-reply", 0}, {"auto-generated", 0}, {"bounce", 0},
    {"delay", 0},     {"feedback", 0},   {"list", 0},           {"bulk", 0},
    {"challenge", 0}, {"own", 0},        {"system", 0},         {NULL, 0}};
static const struct tkt_conf_word priority_words[] = {{"1", 1}, {"2", 2}, {"3", 3},
                                                      {"4", 4}, {"5", 5}, {NULL, 0}};
static const struct tkt_conf_word outside_words[] = {
    {"hold", false}, {"drop", true}, {NULL, 0}};

const struct tkt_conf_row tkt_conf_notify_rows[TKT_CONF_NOTIFY_ROWS] = {
    {LIST_ROW(tkt_conf_notify, on, "on", "", 1, 13), .words = what_words, .reload = true,
     .help =
         "What happened. created: a ticket was opened; assigned: somebody got it; "
         "follow_up: its requester wrote again; state: it changed; comment: a public "
         "one; resolved; action_required: the requester is asked for something; "
         "sla_warning, sla_breached, escalated: it takes too long; parked: a job "
         "waits for a person; alarm: a desk told too much; reply: an agent answered by "
         "mail: his words, in the desk's name."},
    {LIST_ROW(tkt_conf_notify, to, "to", "", 1, 64), .reload = true, .item_max = 320,
     .help = "Who: requester, cc (if the sender is proved), group, assignee, manager (of "
             "the requester), room (of the channel), or an address, a number or a room "
             "as the channel takes it."},
    {STRING_ROW(tkt_conf_notify, channel, "channel", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title, .help = "Title of the channel section."},
    {LIST_ROW(tkt_conf_notify, if_desk, "if_desk", "", 0, 64), .reload = true,
     .check = tkt_conf_is_title, .help = "Only of these desks; empty: of all."},
    {LIST_ROW(tkt_conf_notify, if_group, "if_group", "", 0, 64), .reload = true,
     .help = "Only while the ticket is in one of these groups."},
    {LIST_ROW(tkt_conf_notify, if_priority, "if_priority", "", 0, 5),
     .words = priority_words, .reload = true, .help = "Only of these priorities."},
    {LIST_ROW(tkt_conf_notify, if_class, "if_class", "", 0, 11), .words = class_words,
     .reload = true,
     .help = "Only of mail of these classes, for created and follow_up. Empty: of all "
             "for created, of people's mail for follow_up."},
    {LIST_ROW(tkt_conf_notify, if_company, "if_company", "", 0, 256), .reload = true,
     .help = "Only of requesters of these companies (directory), with * and ?, if the "
             "ticket's first mail was proved to be theirs."},
    {STRING_ROW(tkt_conf_notify, template_name, "template", ""), .max = 64,
     .reload = true, .check = tkt_conf_is_title_or_empty,
     .help = "Name of the text; empty: the name of what happened."},
    {STRING_ROW(tkt_conf_notify, hours, "hours", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of a calendar section: outside of its hours it is quiet."},
    {BOOL_ROW(tkt_conf_notify, own_hours, "own_hours", "no"), .reload = true,
     .help = "A colleague is told within the hours of his own calendar, or his group's; "
             "hours are for all others."},
    {.key = "outside_hours",
     .type = TKT_CONF_ENUM,
     .def = "hold",
     .unit = "",
     .words = outside_words,
     AT_TYPE(struct tkt_conf_notify, drop_outside, bool),
     .reload = true,
     .help = "What becomes of a notice then: hold tells it when the hours begin, drop "
             "never."},
    {INT_ROW(tkt_conf_notify, urgent, "urgent", "0", 0, 5), .reload = true,
     .help = "Tickets of this priority and above (1 is the highest) are told of at any "
             "time and in no digest; 0: none."},
    {TIME_ROW(tkt_conf_notify, digest_ms, "digest", "0", 0, 7 * DAY), .reload = true,
     .help = "All for one recipient within this time go as one notice; 0: each by "
             "itself."},
    {TIME_ROW(tkt_conf_notify, repeat_ms, "repeat", "10m", 0, 30 * DAY), .reload = true,
     .help = "Of a ticket a recipient is told follow_up, parked, sla_warning and "
             "sla_breached once within this time."},
    {INT_ROW(tkt_conf_notify, per_recipient, "per_recipient", "20", 0, 100000),
     .reload = true,
     .help = "Notices an hour to one recipient; more are left out. 0: any "
             "number."},
    {INT_ROW(tkt_conf_notify, per_hour, "per_hour", "0", 0, 1000000), .reload = true,
     .help = "Notices an hour by this section; more are left out. 0: any number."},
    {BOOL_ROW(tkt_conf_notify, opt_out, "opt_out", "yes"), .reload = true,
     .help = "Who asked to be told no more is not told."},
    {TIME_ROW(tkt_conf_notify, remind_ms, "remind", "0", 0, 365 * DAY), .reload = true,
     .help = "On action_required: how long after that it is said again while nobody "
             "answers; 0: never."},
    {INT_ROW(tkt_conf_notify, reminders, "reminders", "2", 0, 100), .reload = true,
     .help = "How often."},
    {TIME_ROW(tkt_conf_notify, close_after_ms, "close_after", "0", 0, 365 * DAY),
     .reload = true,
     .help = "On action_required: the ticket is closed so long after the last word to "
             "the requester; 0: never."},
};
