/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the sections sla, escalation and step.
 */
#include "conf/rows.h"
#include "conf/text.h"

static const struct tkt_conf_word vip_words[] = {
    {"any", 0}, {"yes", 0}, {"no", 0}, {NULL, 0}};

static const struct tkt_conf_word of_words[] = {
    {"created", 0}, {"unassigned", 0}, {"untouched", 0}, {"absent", 0},
    {"warning", 0}, {"breach", 0},     {NULL, 0}};

const struct tkt_conf_row tkt_conf_sla_rows[TKT_CONF_SLA_ROWS] = {
    {LIST_ROW(tkt_conf_sla, if_desk, "if_desk", "", 0, 64), .reload = true,
     .help = "Tickets of these desks; empty: of all."},
    {LIST_ROW(tkt_conf_sla, if_group, "if_group", "", 0, 64), .reload = true,
     .help = "Tickets that these groups have; empty: any."},
    {LIST_ROW(tkt_conf_sla, if_priority, "if_priority", "", 0, 5), .reload = true,
     .check = tkt_conf_is_priority,
     .help =
         "Tickets of these priorities: 1 to 5, or urgent, high, normal, low, planning; "
         "empty: any."},
    {LIST_ROW(tkt_conf_sla, if_type, "if_type", "", 0, 8), .reload = true,
     .help = "Tickets of these types; empty: any."},
    {LIST_ROW(tkt_conf_sla, if_category, "if_category", "", 0, 256), .reload = true,
     .help = "Tickets of these categories; empty: any."},
    {LIST_ROW(tkt_conf_sla, if_requester, "if_requester", "", 0, 1000), .reload = true,
     .help = "Tickets of requesters whose address is one of these; * and ? stand for any "
             "characters; empty: any."},
    {LIST_ROW(tkt_conf_sla, if_domain, "if_domain", "", 0, 1000), .reload = true,
     .help = "Tickets of requesters of these domains or below them: customers; empty: "
             "any."},
    {LIST_ROW(tkt_conf_sla, if_department, "if_department", "", 0, 256), .reload = true,
     .help =
         "Tickets of requesters of these departments (directory), if their first mail "
         "was proved to be theirs; empty: any."},
    {LIST_ROW(tkt_conf_sla, if_company, "if_company", "", 0, 256), .reload = true,
     .help = "Tickets of requesters of these companies (directory), with * and ?, proved "
             "as for if_department: customers; empty: any."},
    {LIST_ROW(tkt_conf_sla, if_member_of, "if_member_of", "", 0, 256), .reload = true,
     .help = "Tickets of members of these groups of the directory, with * and ?, proved "
             "as for if_department; empty: any."},
    {STRING_ROW(tkt_conf_sla, if_vip, "if_vip", "any"), .reload = true,
     .words = vip_words,
     .help =
         "Tickets of very important people, proved as for if_department, or of others."},
    {LIST_ROW(tkt_conf_sla, first_response, "first_response", "", 0, 6), .reload = true,
     .check = tkt_conf_is_sla_target,
     .help = "Time until an agent's first public word, of business time: 4h for all "
             "priorities, urgent=15m or 1=15m for one; empty: none is agreed."},
    {LIST_ROW(tkt_conf_sla, next_response, "next_response", "", 0, 6), .reload = true,
     .check = tkt_conf_is_sla_target,
     .help = "The same from a later message of the requester to the next answer."},
    {LIST_ROW(tkt_conf_sla, resolution, "resolution", "", 0, 6), .reload = true,
     .check = tkt_conf_is_sla_target,
     .help = "The same from the first mail until the ticket is resolved."},
    {STRING_ROW(tkt_conf_sla, calendar, "calendar", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the calendar section that counts the time; empty: that of the "
             "ticket's group, or day and night."},
    {BOOL_ROW(tkt_conf_sla, pause, "pause", "yes"), .reload = true,
     .help = "No time passes while the ticket is pending."},
    {INT_ROW(tkt_conf_sla, warn, "warn", "75", 0, 99), .reload = true,
     .help = "Percent of a target after which there is a warning; 0: never."},
};

const struct tkt_conf_row tkt_conf_escalation_rows[TKT_CONF_ESCALATION_ROWS] = {
    {LIST_ROW(tkt_conf_escalation, if_desk, "if_desk", "", 0, 64), .reload = true,
     .help = "Tickets of these desks; empty: of all."},
    {LIST_ROW(tkt_conf_escalation, if_group, "if_group", "", 0, 64), .reload = true,
     .help = "Tickets that these groups have; empty: any."},
    {LIST_ROW(tkt_conf_escalation, if_priority, "if_priority", "", 0, 5), .reload = true,
     .check = tkt_conf_is_priority,
     .help =
         "Tickets of these priorities: 1 to 5, or urgent, high, normal, low, planning; "
         "empty: any."},
    {LIST_ROW(tkt_conf_escalation, if_type, "if_type", "", 0, 8), .reload = true,
     .help = "Tickets of these types; empty: any."},
    {LIST_ROW(tkt_conf_escalation, if_category, "if_category", "", 0, 256),
     .reload = true, .help = "Tickets of these categories; empty: any."},
    {LIST_ROW(tkt_conf_escalation, if_requester, "if_requester", "", 0, 1000),
     .reload = true,
     .help = "Tickets of requesters whose address is one of these; * and ? stand for any "
             "characters; empty: any."},
    {LIST_ROW(tkt_conf_escalation, if_domain, "if_domain", "", 0, 1000), .reload = true,
     .help = "Tickets of requesters of these domains or below them: customers; empty: "
             "any."},
    {LIST_ROW(tkt_conf_escalation, if_department, "if_department", "", 0, 256),
     .reload = true,
     .help =
         "Tickets of requesters of these departments (directory), if their first mail "
         "was proved to be theirs; empty: any."},
    {LIST_ROW(tkt_conf_escalation, if_company, "if_company", "", 0, 256), .reload = true,
     .help = "Tickets of requesters of these companies (directory), with * and ?, proved "
             "as for if_department: customers; empty: any."},
    {LIST_ROW(tkt_conf_escalation, if_member_of, "if_member_of", "", 0, 256),
     .reload = true,
     .help = "Tickets of members of these groups of the directory, with * and ?, proved "
             "as for if_department; empty: any."},
    {STRING_ROW(tkt_conf_escalation, if_vip, "if_vip", "any"), .reload = true,
     .words = vip_words,
     .help =
         "Tickets of very important people, proved as for if_department, or of others."},
    {STRING_ROW(tkt_conf_escalation, calendar, "calendar", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the calendar section that counts the time of its steps; empty: "
             "that of the ticket's sla, else of its group, or day and night."},
};

const struct tkt_conf_row tkt_conf_step_rows[TKT_CONF_STEP_ROWS] = {
    {STRING_ROW(tkt_conf_step, in, "in", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title,
     .help = "Title of the escalation section whose step this is. Steps of one time are "
             "done in the order of the file."},
    {TIME_ROW(tkt_conf_step, after_ms, "after", "0", 0, 365 * DAY), .reload = true,
     .help = "Business time from its cause on."},
    {BOOL_ROW(tkt_conf_step, pause, "pause", "yes"), .reload = true,
     .help = "No time passes while the ticket is pending."},
    {STRING_ROW(tkt_conf_step, of, "of", "breach"), .reload = true, .words = of_words,
     .help = "Its cause: the ticket was created; nobody has it (unassigned); whoever has "
             "it did not accept it, by a word or a change (untouched); he is away "
             "(absent); a target is near (warning) or missed (breach)."},
    {INT_ROW(tkt_conf_step, raise_priority, "raise_priority", "0", 0, 4), .reload = true,
     .help = "By so many the ticket becomes more urgent."},
    {BOOL_ROW(tkt_conf_step, assign, "assign", "no"), .reload = true,
     .help = "Another one of the group gets it, by the group's strategy."},
    {STRING_ROW(tkt_conf_step, group, "group", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the group section that gets it; empty: it stays."},
    {LIST_ROW(tkt_conf_step, notify, "notify", "", 0, 16), .reload = true,
     .check = tkt_conf_is_notify,
     .help = "Who is told: manager (of the group), assignee, group, room (of the "
             "channel), addresses, or numbers (+491701234567)."},
    {STRING_ROW(tkt_conf_step, page, "page", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Channel by which they are told; empty: that of the subscription. One "
             "with a room (slack, teams, pagerduty) tells that, also if nobody is "
             "named."},
};
