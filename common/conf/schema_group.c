/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the sections calendar, agent and group: who gets a ticket.
 */
#include "conf/rows.h"
#include "conf/text.h"

static const struct tkt_conf_word strategy_words[] = {
    {"none", TKT_STRATEGY_NONE},
    {"round_robin", TKT_STRATEGY_ROUND_ROBIN},
    {"least_open", TKT_STRATEGY_LEAST_OPEN},
    {"skills", TKT_STRATEGY_SKILLS},
    {"sticky", TKT_STRATEGY_STICKY},
    {NULL, 0}};

const struct tkt_conf_row tkt_conf_calendar_rows[TKT_CONF_CALENDAR_ROWS] = {
    {STRING_ROW(tkt_conf_calendar, time_zone, "time_zone", "UTC"), .max = 64,
     .reload = true, .check = tkt_conf_is_time_zone,
     .help = "Name in the time zone database, such as Europe/Berlin."},
    {LIST_ROW(tkt_conf_calendar, hours, "hours", "", 0, 64), .reload = true,
     .check = tkt_conf_is_hours,
     .help = "Times of work on the clock there, such as \"mon-fri 08:00-17:00\", "
             "\"sat,sun 10:00-12:00,13:00-15:00\", \"daily 22:00-06:00\"; empty: day and "
             "night."},
    {LIST_ROW(tkt_conf_calendar, holidays, "holidays", "", 0, 512), .reload = true,
     .check = tkt_conf_is_holiday,
     .help = "Days without work: 2026-12-24, or 12-24 for every year."},
    {LIST_ROW(tkt_conf_calendar, holiday_files, "holiday_files", "", 0, 16),
     .reload = true, .check = tkt_conf_is_path,
     .help = "iCalendar files whose all-day events are days without work."},
};

const struct tkt_conf_row tkt_conf_agent_rows[TKT_CONF_AGENT_ROWS] = {
    {STRING_ROW(tkt_conf_agent, display_name, "name", ""), .reload = true,
     .help = "Name for people; empty: the address."},
    {LIST_ROW(tkt_conf_agent, skills, "skills", "", 0, 64), .reload = true,
     .help = "Categories, subcategories, services, types, tags and languages that he "
             "knows; for strategy = skills."},
    {INT_ROW(tkt_conf_agent, weight, "weight", "1", 1, 100), .reload = true,
     .help = "His share of the tickets beside the others'."},
    {INT_ROW(tkt_conf_agent, cap, "cap", "0", 0, 100000), .reload = true,
     .help = "Open tickets beyond which he gets no more; 0: the group's cap."},
    {STRING_ROW(tkt_conf_agent, calendar, "calendar", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the calendar section with his hours; empty: the group's."},
    {LIST_ROW(tkt_conf_agent, absent, "absent", "", 0, 256), .reload = true,
     .check = tkt_conf_is_absence,
     .help = "Days of absence in the time zone of his calendar: 2026-12-24, or "
             "2026-12-20..2026-12-31 with both. ticketctl agent away adds to them."},
};

const struct tkt_conf_row tkt_conf_group_rows[TKT_CONF_GROUP_ROWS] = {
    {STRING_ROW(tkt_conf_group, mailbox, "mailbox", ""), .reload = true,
     .check = tkt_conf_is_mailbox_or_empty,
     .help = "Address of the group, for add_group_recipient; empty: none."},
    {LIST_ROW(tkt_conf_group, members, "members", "", 0, 1000), .reload = true,
     .check = tkt_conf_is_mailbox, .help = "Addresses of its agents."},
    {ENUM_ROW(tkt_conf_group, strategy, "strategy", "none", strategy_words),
     .reload = true,
     .help = "Who gets a new ticket. none: nobody, people take them; round_robin: each "
             "in turn; least_open: who has the fewest open tickets; skills: who knows "
             "most of what it is about; sticky: who had this requester last."},
    {STRING_ROW(tkt_conf_group, calendar, "calendar", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the calendar section with its hours; empty: day and night."},
    {STRING_ROW(tkt_conf_group, fallback, "fallback", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the group that gets a ticket while nobody here can take it; "
             "empty: it waits here until somebody can."},
    {INT_ROW(tkt_conf_group, cap, "cap", "0", 0, 100000), .reload = true,
     .help = "Open tickets beyond which a member gets no more; 0: no limit."},
    {BOOL_ROW(tkt_conf_group, take_on_reply, "take_on_reply", "no"), .reload = true,
     .help = "A member who answers a ticket of the group that nobody has takes it. The "
             "mail must be proved to be his by a login or an aligned pass."},
    {STRING_ROW(tkt_conf_group, manager, "manager", ""), .reload = true,
     .check = tkt_conf_is_mailbox_or_empty,
     .help = "Address that an escalation's notify = manager means; empty: nobody."},
    {LIST_ROW(tkt_conf_group, categories, "categories", "", 0, 256), .reload = true,
     .help = "Tickets of these categories go to the group, unless a rule says where."},
    {LIST_ROW(tkt_conf_group, departments, "departments", "", 0, 256), .reload = true,
     .help = "Tickets of senders of these departments go to the group, unless a rule or "
             "a category says where."},
};
