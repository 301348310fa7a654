/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the section correlate.
 */
#include "conf/rows.h"
#include "conf/text.h"

static const struct tkt_conf_word recovery_words[] = {{"resolve", TKT_RECOVERY_RESOLVE},
                                                      {"comment", TKT_RECOVERY_COMMENT},
                                                      {"none", TKT_RECOVERY_NONE},
                                                      {NULL, 0}};

const struct tkt_conf_row tkt_conf_correlate_rows[TKT_CONF_CORRELATE_ROWS] = {
    {LIST_ROW(tkt_conf_correlate, if_desk, "if_desk", "", 0, 64), .reload = true,
     .help = "Only at these desks; empty: at all."},
    {LIST_ROW(tkt_conf_correlate, if_sender, "if_sender", "", 0, 100), .reload = true,
     .help = "From's address is one of these, * and ? stand for any characters; empty: "
             "any."},
    {LIST_ROW(tkt_conf_correlate, if_domain, "if_domain", "", 0, 100), .reload = true,
     .help = "From's domain is one of these or below it; empty: any."},
    {LIST_ROW(tkt_conf_correlate, if_class, "if_class", "", 0, 16), .reload = true,
     .help = "Mail of these classes (see opens); empty: any."},
    {LIST_ROW(tkt_conf_correlate, key, "key", "", 1, 8), .reload = true, .item_max = 1000,
     .help = "Regular expressions over the Subject, or over the text where text: stands "
             "before it. All of them must match; what their groups catch is the key. "
             "Mail of one key joins one ticket."},
    {LIST_ROW(tkt_conf_correlate, recovery, "recovery", "", 0, 8), .reload = true,
     .item_max = 1000,
     .help = "Regular expressions as for key; mail that one of them matches says that "
             "it is over."},
    {ENUM_ROW(tkt_conf_correlate, on_recovery, "on_recovery", "resolve", recovery_words),
     .reload = true,
     .help = "What such mail does: resolve the ticket, stand in it as a comment that "
             "the ITSM gets too, or no more than be counted."},
    {BOOL_ROW(tkt_conf_correlate, recovery_verified, "recovery_verified", "yes"),
     .reload = true,
     .help = "Only a sender whose login or whose domain's pass proves it, or a client "
             "in own_networks, resolves a ticket."},
    {TIME_ROW(tkt_conf_correlate, window_ms, "window", "4h", SECOND, 30 * DAY),
     .reload = true,
     .help = "How long after the last mail of its key another one joins the ticket."},
};
