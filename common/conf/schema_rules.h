/* SPDX-License-Identifier: BSD-2-Clause
 * The rows of rules, rule, extract and require. Part of schema.c, which alone includes it.
 * What conditions and actions mean is told by decide/rule_keys.c, which knows each key.
 */
#ifndef TKT_CONF_SCHEMA_RULES_H
#define TKT_CONF_SCHEMA_RULES_H
#include "conf/rows.h"

static const struct tkt_conf_word rules_mode_words[] = {{"first", TKT_RULES_FIRST},
                                                        {"all", TKT_RULES_ALL},
                                                        {"best", TKT_RULES_BEST},
                                                        {NULL, 0}};
static const struct tkt_conf_word match_words[] = {{"all", 0}, {"any", 1}, {NULL, 0}};
static const struct tkt_conf_word yes_no_words[] = {{"yes", 0}, {"no", 0}, {NULL, 0}};
static const struct tkt_conf_word urgency_words[] = {
    {"high", 1}, {"medium", 2}, {"low", 3}, {NULL, 0}};
static const struct tkt_conf_word priority_only_words[] = {
    {"urgent", 1}, {"high", 2}, {"normal", 3}, {"low", 4}, {"planning", 5}, {NULL, 0}};
static const struct tkt_conf_word importance_words[] = {
    {"high", 0}, {"normal", 0}, {"low", 0}, {NULL, 0}};
static const struct tkt_conf_word mood_words[] = {
    {"neutral", 0}, {"negative", 0}, {"positive", 0}, {"angry", 0}, {NULL, 0}};
static const struct tkt_conf_word security_words[] = {
    {"none", 0}, {"signed", 0}, {"encrypted", 0}, {NULL, 0}};
static const struct tkt_conf_word assurance_words[] = {
    {"login", 0}, {"aligned", 0}, {"none", 0}, {"fail", 0}, {NULL, 0}};
static const struct tkt_conf_word from_words[] = {
    {"says", 0}, {"subject", 0}, {"reply", 0}, {"text", 0}, {"sender", 0}, {NULL, 0}};

static const struct tkt_conf_row rule_set_rows[] = {
    {ENUM_ROW(tkt_conf_rule_set, mode, "mode", "all", rules_mode_words), .reload = true,
     .help = "first: the first rule that matches acts; all: all that match act, and the "
             "earlier wins where two set the same; best: all are weighed, what speaks "
             "for one group is summed, and of the group with the highest sum the best "
             "outcome's rules act."},
    {LIST_ROW(tkt_conf_rule_set, if_desk, "if_desk", "", 0, 64), .reload = true,
     .help = "Only at these desks; empty: at all."},
    {INT_ROW(tkt_conf_rule_set, min_score, "min_score", "10", 0, 1000000), .reload = true,
     .help = "mode = best: a group whose rules sum up to less is none."},
    {INT_ROW(tkt_conf_rule_set, min_lead, "min_lead", "1", 0, 1000000), .reload = true,
     .help = "mode = best: by how much the best group must be ahead of the next."},
    {INT_ROW(tkt_conf_rule_set, min_ratio, "min_ratio", "100", 100, 10000),
     .reload = true,
     .help = "mode = best: the sum of the best group in percent of the next one's, at "
             "least."},
};

static const struct tkt_conf_row rule_rows[] = {
    {STRING_ROW(tkt_conf_rule, in, "in", "main"), .reload = true,
     .check = tkt_conf_is_title, .max = 32,
     .help = "The set that the rule belongs to; main is there without being "
             "written."},
    {ENUM_ROW(tkt_conf_rule, match_any, "match", "all", match_words), .reload = true,
     .help = "Whether all conditions must hold or any one. A rule without conditions "
             "always matches."},
    {LIST_ROW(tkt_conf_rule, if_says, "if_says", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "Words in the Subject or in what the person wrote today; one of "
             "them must be there, and none that begins with !. See RULES."},
    {LIST_ROW(tkt_conf_rule, and_says, "and_says", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "As if_says: one of these too."},
    {LIST_ROW(tkt_conf_rule, if_subject, "if_subject", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Words in the Subject."},
    {LIST_ROW(tkt_conf_rule, and_subject, "and_subject", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "One of these too."},
    {LIST_ROW(tkt_conf_rule, if_reply, "if_reply", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "Words in what the person wrote today, without quotes and "
             "signature; what is forwarded counts as written."},
    {LIST_ROW(tkt_conf_rule, and_reply, "and_reply", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "One of these too."},
    {LIST_ROW(tkt_conf_rule, if_text, "if_text", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "Words in the Subject or the whole text, with quotes and "
             "signatures."},
    {LIST_ROW(tkt_conf_rule, and_text, "and_text", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "One of these too."},
    {INT_ROW(tkt_conf_rule, at_least, "at_least", "0", 0, 500), .reload = true,
     .help = "So many different items of the eight lists above must be there."},
    {LIST_ROW(tkt_conf_rule, literals, "literals", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "Words of which one must be there before a regex of this rule is "
             "tried; without them they are taken from the pattern."},
    {LIST_ROW(tkt_conf_rule, if_sender, "if_sender", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the address in From."},
    {LIST_ROW(tkt_conf_rule, if_sender_name, "if_sender_name", "", 0, 500),
     .reload = true, .item_max = 1000, .help = "Words in the name of From."},
    {LIST_ROW(tkt_conf_rule, if_domain, "if_domain", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "Globs on the domain of From; .example.org is the domain and all "
             "below it."},
    {LIST_ROW(tkt_conf_rule, if_recipient, "if_recipient", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the addresses in To and Cc."},
    {LIST_ROW(tkt_conf_rule, if_header, "if_header", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "A header field as \"Name: glob\"; a name alone asks whether it is "
             "there."},
    {LIST_ROW(tkt_conf_rule, if_attachment, "if_attachment", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the names of attachments."},
    {LIST_ROW(tkt_conf_rule, if_attachment_type, "if_attachment_type", "", 0, 500),
     .reload = true, .item_max = 1000,
     .help = "Globs on the types of attachments, such as image/*."},
    {LIST_ROW(tkt_conf_rule, if_client, "if_client", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the IP address of the SMTP client."},
    {LIST_ROW(tkt_conf_rule, if_class, "if_class", "", 0, 64), .reload = true,
     .item_max = 100, .words = class_words, .help = "What wrote the mail."},
    {LIST_ROW(tkt_conf_rule, if_language, "if_language", "", 0, 64), .reload = true,
     .item_max = 100, .help = "Languages of the text as ISO 639-1 has them, such as de."},
    {LIST_ROW(tkt_conf_rule, if_importance, "if_importance", "", 0, 64), .reload = true,
     .item_max = 100, .words = importance_words, .help = "What the sender marked it as."},
    {LIST_ROW(tkt_conf_rule, if_mood, "if_mood", "", 0, 64), .reload = true,
     .item_max = 100, .words = mood_words,
     .help = "How it is written, by the lexicon; who is angry is negative as well."},
    {LIST_ROW(tkt_conf_rule, if_said_urgency, "if_said_urgency", "", 0, 64),
     .reload = true, .item_max = 100, .words = urgency_words,
     .help = "How urgent the writer says it is, by the lexicon; medium where nothing is "
             "said."},
    {LIST_ROW(tkt_conf_rule, if_security, "if_security", "", 0, 64), .reload = true,
     .item_max = 100, .words = security_words, .help = "Signed, encrypted, or neither."},
    {LIST_ROW(tkt_conf_rule, if_assurance, "if_assurance", "", 0, 64), .reload = true,
     .item_max = 100, .words = assurance_words,
     .help = "What is known of who really sent it."},
    {LIST_ROW(tkt_conf_rule, if_desk, "if_desk", "", 0, 64), .reload = true,
     .item_max = 100, .help = "Names of desks."},
    {LIST_ROW(tkt_conf_rule, if_time, "if_time", "", 0, 64), .reload = true,
     .item_max = 100,
     .help = "When it came: days, hours or both, such as \"mon-fri 08:00-18:00\" "
             "or \"22:00-06:00\", in the zone of this host."},
    {LIST_ROW(tkt_conf_rule, if_department, "if_department", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "Words in the department that the directory has for the sender."},
    {LIST_ROW(tkt_conf_rule, if_company, "if_company", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the company that the directory has for him."},
    {LIST_ROW(tkt_conf_rule, if_title, "if_title", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Words in the title."},
    {LIST_ROW(tkt_conf_rule, if_location, "if_location", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Words in the location."},
    {LIST_ROW(tkt_conf_rule, if_manager, "if_manager", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the address of the manager."},
    {LIST_ROW(tkt_conf_rule, if_member_of, "if_member_of", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the names of the directory groups."},
    {LIST_ROW(tkt_conf_rule, if_type, "if_type", "", 0, 500), .reload = true,
     .item_max = 1000, .words = type_words, .help = "The type as decided so far."},
    {LIST_ROW(tkt_conf_rule, if_category, "if_category", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the category as decided so far."},
    {LIST_ROW(tkt_conf_rule, if_service, "if_service", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the service as decided so far."},
    {LIST_ROW(tkt_conf_rule, if_group, "if_group", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the group as decided so far."},
    {LIST_ROW(tkt_conf_rule, if_tag, "if_tag", "", 0, 500), .reload = true,
     .item_max = 1000, .help = "Globs on the tags so far."},
    {STRING_ROW(tkt_conf_rule, if_size, "if_size", ""), .reload = true, .max = 40,
     .help = "Bytes of the mail, as a range: \"10M..\", \"..10k\" or \"1k..1M\"."},
    {STRING_ROW(tkt_conf_rule, if_attachments, "if_attachments", ""), .reload = true,
     .max = 40, .help = "How many attachments, as a range: \"1..\"."},
    {STRING_ROW(tkt_conf_rule, if_affected, "if_affected", ""), .reload = true, .max = 40,
     .help = "How many people said nearly the same, as a range: \"5..\"."},
    {STRING_ROW(tkt_conf_rule, if_vip, "if_vip", ""), .reload = true,
     .words = yes_no_words, .help = "Whether the directory knows the sender as a VIP."},
    {STRING_ROW(tkt_conf_rule, if_known, "if_known", ""), .reload = true,
     .words = yes_no_words, .help = "Whether the directory knows the sender."},
    {STRING_ROW(tkt_conf_rule, if_agent, "if_agent", ""), .reload = true,
     .words = yes_no_words, .help = "Whether the sender is a member of a group."},
    {INT_ROW(tkt_conf_rule, weight, "weight", "10", -1000, 1000), .reload = true,
     .help = "In a set of mode best: what each item that is there counts."},
    {STRING_ROW(tkt_conf_rule, set_type, "set_type", ""), .reload = true,
     .words = type_words, .help = "The type of the ticket."},
    {STRING_ROW(tkt_conf_rule, set_category, "set_category", ""), .reload = true,
     .max = 100, .help = "Its category."},
    {STRING_ROW(tkt_conf_rule, set_subcategory, "set_subcategory", ""), .reload = true,
     .max = 100, .help = "Its subcategory."},
    {STRING_ROW(tkt_conf_rule, set_service, "set_service", ""), .reload = true,
     .max = 100, .help = "Its service."},
    {STRING_ROW(tkt_conf_rule, set_group, "set_group", ""), .reload = true, .max = 100,
     .help = "Its group."},
    {STRING_ROW(tkt_conf_rule, set_assignee, "set_assignee", ""), .reload = true,
     .max = 254, .help = "The address of the person who gets it."},
    {STRING_ROW(tkt_conf_rule, set_urgency, "set_urgency", ""), .reload = true,
     .words = urgency_words, .help = "How soon it is needed."},
    {STRING_ROW(tkt_conf_rule, set_impact, "set_impact", ""), .reload = true,
     .words = urgency_words, .help = "How many it touches."},
    {STRING_ROW(tkt_conf_rule, set_priority, "set_priority", ""), .reload = true,
     .words = priority_only_words,
     .help = "Its priority, whatever urgency and impact say."},
    {LIST_ROW(tkt_conf_rule, set_tags, "set_tags", "", 0, 64), .reload = true,
     .item_max = 100, .help = "Tags that are added."},
    {LIST_ROW(tkt_conf_rule, set_fields, "set_fields", "", 0, 64), .reload = true,
     .item_max = 400, .help = "Fields that are added, each as \"name=value\"."},
    {STRING_ROW(tkt_conf_rule, set_requester, "set_requester", ""), .reload = true,
     .max = 254, .help = "The address in whose name it is opened."},
    {STRING_ROW(tkt_conf_rule, set_itsm, "set_itsm", ""), .reload = true, .max = 32,
     .help = "The itsm section that gets it instead of the desk's."},
    {STRING_ROW(tkt_conf_rule, refuse, "refuse", ""), .reload = true, .max = 400,
     .help = "The mail is refused in the session with this text, where that "
             "reaches its author alone; else it is kept as a refused ticket."},
    {STRING_ROW(tkt_conf_rule, refuse_url, "refuse_url", ""), .reload = true, .max = 400,
     .help = "Where the author may go instead; it stands behind the text."},
    {BOOL_ROW(tkt_conf_rule, ignore, "ignore", "no"), .reload = true,
     .help = "The mail is kept as a refused ticket and nobody is told."},
    {BOOL_ROW(tkt_conf_rule, stop, "stop", "no"), .reload = true,
     .help = "No further rule is looked at, in this set or another."},
    {BOOL_ROW(tkt_conf_rule, ask_llm, "ask_llm", "no"), .reload = true,
     .help = "The language model is asked about it, where one is configured."},
};

static const struct tkt_conf_row extract_rows[] = {
    {STRING_ROW(tkt_conf_extract, pattern, "pattern", ""), .reload = true, .max = 2000,
     .help = "A regular expression (PCRE2, in single quotes); each named group "
             "becomes a field, once."},
    {STRING_ROW(tkt_conf_extract, from, "from", "says"), .reload = true,
     .words = from_words,
     .help = "Where it is looked for; see the conditions of a rule."},
    {STRING_ROW(tkt_conf_extract, field, "field", ""), .reload = true, .max = 40,
     .help = "The field that group 1 becomes, or the whole match, when no group "
             "has a name."},
    {LIST_ROW(tkt_conf_extract, if_desk, "if_desk", "", 0, 64), .reload = true,
     .help = "Only at these desks; empty: at all."},
    {LIST_ROW(tkt_conf_extract, literals, "literals", "", 0, 500), .reload = true,
     .item_max = 1000,
     .help = "Words of which one must be there before the pattern is tried; "
             "without them they are taken from the pattern."},
};

static const struct tkt_conf_row require_rows[] = {
    {LIST_ROW(tkt_conf_require, if_desk, "if_desk", "", 0, 64), .reload = true,
     .help = "Only at these desks; empty: at all."},
    {LIST_ROW(tkt_conf_require, if_type, "if_type", "", 0, 8), .reload = true,
     .words = type_words, .help = "Only for tickets of these types; empty: of all."},
    {LIST_ROW(tkt_conf_require, if_category, "if_category", "", 0, 500), .reload = true,
     .item_max = 100, .help = "Only in these categories (globs); empty: in all."},
    {STRING_ROW(tkt_conf_require, question, "question", ""), .reload = true, .max = 1000,
     .help = "What the requester is asked."},
    {STRING_ROW(tkt_conf_require, question_de, "question_de", ""), .reload = true,
     .max = 1000, .help = "The same in German, for who writes German."},
};

#endif
