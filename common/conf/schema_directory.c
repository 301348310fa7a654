/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the sections people and directory.
 */
#include "conf/rows.h"
#include "conf/text.h"

static const struct tkt_conf_word type_words[] = {
    {"off", TKT_DIRECTORY_OFF},       {"ldap", TKT_DIRECTORY_LDAP},
    {"ad", TKT_DIRECTORY_AD},         {"postgresql", TKT_DIRECTORY_POSTGRESQL},
    {"sqlite", TKT_DIRECTORY_SQLITE}, {"odbc", TKT_DIRECTORY_ODBC},
    {"file", TKT_DIRECTORY_FILE},     {NULL, 0}};
static const struct tkt_conf_word bind_words[] = {
    {"simple", TKT_DIRECTORY_BIND_SIMPLE},
    {"external", TKT_DIRECTORY_BIND_EXTERNAL},
    {"anonymous", TKT_DIRECTORY_BIND_ANONYMOUS},
    {NULL, 0}};
static const struct tkt_conf_word group_words[] = {
    {"auto", TKT_DIRECTORY_GROUPS_AUTO},     {"chain", TKT_DIRECTORY_GROUPS_CHAIN},
    {"member", TKT_DIRECTORY_GROUPS_MEMBER}, {"memberof", TKT_DIRECTORY_GROUPS_MEMBEROF},
    {"off", TKT_DIRECTORY_GROUPS_OFF},       {NULL, 0}};

const struct tkt_conf_row tkt_conf_people_rows[TKT_CONF_PEOPLE_ROWS] = {
    {LIST_ROW(tkt_conf_people, domains, "domains", "", 0, 256), .reload = true,
     .check = tkt_conf_is_hostname,
     .help = "Senders of these domains are asked for; empty: all senders."},
    {LIST_ROW(tkt_conf_people, vips, "vips", "", 0, 1000), .reload = true,
     .check = tkt_conf_is_mailbox,
     .help = "Addresses of very important persons, whatever a directory says."},
    {TIME_ROW(tkt_conf_people, ttl_ms, "ttl", "8h", SECOND, 30 * DAY), .reload = true,
     .help = "How long what a directory said of a person is taken for new."},
    {TIME_ROW(tkt_conf_people, negative_ttl_ms, "negative_ttl", "1h", SECOND, 30 * DAY),
     .reload = true, .help = "The same for an address that no directory knew."},
    {TIME_ROW(tkt_conf_people, stale_ms, "stale", "1w", 0, 365 * DAY), .reload = true,
     .help = "How much longer an old answer is used while no new one can be had."},
    {INT_ROW(tkt_conf_people, cache_max, "cache_max", "100000", 100, 10000000),
     .reload = true,
     .help = "Addresses that are kept in the store; the longest unused go first."},
    {TIME_ROW(tkt_conf_people, enrich_wait_ms, "enrich_wait", "30s", 0, HOUR),
     .reload = true,
     .help = "How long the create of a ticket waits for the first answer about its "
             "sender; 0: not at all."},
    {INT_ROW(tkt_conf_people, lookups_max, "lookups_max", "50", 1, 10000), .reload = true,
     .help = "Addresses that are asked for in a second."},
};

const struct tkt_conf_row tkt_conf_directory_rows[TKT_CONF_DIRECTORY_ROWS] = {
    {ENUM_ROW(tkt_conf_directory, type, "type", "off", type_words), .reload = true,
     .help =
         "What it is: an LDAP server, Active Directory, an SQL database, a file; off: "
         "it is not asked."},
    {LIST_ROW(tkt_conf_directory, uris, "uris", "", 0, 16), .reload = true,
     .check = tkt_conf_is_ldap_uri,
     .help = "LDAP: ldaps://host, ldap://host or ldapi://path; the next one is tried "
             "when one does not answer."},
    {BOOL_ROW(tkt_conf_directory, starttls, "starttls", "yes"), .reload = true,
     .help = "LDAP: begin TLS on ldap://; without it nothing is sent in the clear."},
    {STRING_ROW(tkt_conf_directory, ca_file, "ca_file", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_path_or_empty,
     .help = "Certificates (PEM) that sign the server's; empty: those of the system."},
    {STRING_ROW(tkt_conf_directory, cert_file, "cert_file", ""), .max = 1024,
     .reload = true, .check = tkt_conf_is_path_or_empty,
     .help = "Our own certificate (PEM), for bind = external."},
    {STRING_ROW(tkt_conf_directory, key_file, "key_file", ""), .max = 1024,
     .reload = true, .check = tkt_conf_is_path_or_empty, .help = "Its key (PEM)."},
    {ENUM_ROW(tkt_conf_directory, bind, "bind", "simple", bind_words), .reload = true,
     .help = "LDAP: simple: by bind_dn and password; external: by our certificate, or "
             "by our user on ldapi://; anonymous."},
    {STRING_ROW(tkt_conf_directory, bind_dn, "bind_dn", ""), .max = 1024, .reload = true,
     .help = "LDAP: as whom; for Active Directory also user@domain."},
    {STRING_ROW(tkt_conf_directory, password, "password", ""), .max = 1024,
     .reload = true, .secret = true, .check = tkt_conf_is_secret_ref_or_empty,
     .help = "Secret reference of the password, for LDAP and SQL."},
    {STRING_ROW(tkt_conf_directory, base, "base", ""), .max = 1024, .reload = true,
     .help = "LDAP: where people are, such as ou=people,dc=example,dc=org."},
    {STRING_ROW(tkt_conf_directory, filter, "filter", ""), .max = 4096, .reload = true,
     .help = "LDAP: which entry a person is; {address} stands for the address. Empty: "
             "mail and proxyAddresses."},
    {ENUM_ROW(tkt_conf_directory, groups, "groups", "auto", group_words), .reload = true,
     .help = "LDAP: groups within groups. chain: the server follows them (Active "
             "Directory); member: groups that name the person or his groups; memberof: "
             "what entries name themselves; auto: chain or member."},
    {STRING_ROW(tkt_conf_directory, group_base, "group_base", ""), .max = 1024,
     .reload = true, .help = "LDAP: where groups are; empty: base."},
    {STRING_ROW(tkt_conf_directory, group_filter, "group_filter", ""), .max = 4096,
     .reload = true, .help = "LDAP: only groups that match; empty: all."},
    {INT_ROW(tkt_conf_directory, group_depth, "group_depth", "8", 1, 32), .reload = true,
     .help = "LDAP: how deep groups within groups are followed."},
    {INT_ROW(tkt_conf_directory, page_size, "page_size", "500", 1, 5000), .reload = true,
     .help = "LDAP: entries that are asked for at once; 1,000 is the most that Active "
             "Directory gives."},
    {STRING_ROW(tkt_conf_directory, database, "database", ""), .max = 4096,
     .reload = true,
     .help = "SQL: path of the SQLite file, or connection string without a password."},
    {STRING_ROW(tkt_conf_directory, query, "query", ""), .max = 16384, .reload = true,
     .help = "SQL: gives the person by columns name, department, company, title, "
             "location, "
             "manager, language, groups, vip; {address} stands for the address, without "
             "quotes."},
    {STRING_ROW(tkt_conf_directory, file, "file", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_path_or_empty,
     .help = "File: CSV with a header, or lines \"address: key=value; key=value\"."},
    {LIST_ROW(tkt_conf_directory, map, "map", "", 0, 64), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"department=ou\": what is called otherwise there; several names of one "
             "field are tried in turn."},
    {LIST_ROW(tkt_conf_directory, vip_groups, "vip_groups", "", 0, 256), .reload = true,
     .help = "Members of these groups are very important; * is anything."},
    {LIST_ROW(tkt_conf_directory, vip_values, "vip_values", "", 0, 64), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"employeeType=exec*\": an attribute or column that makes one very "
             "important; * is anything."},
    {TIME_ROW(tkt_conf_directory, timeout_ms, "timeout", "5s", 100, 2 * MINUTE),
     .reload = true, .help = "For the connection, and for each answer."},
};
