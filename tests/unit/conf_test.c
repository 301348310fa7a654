/* SPDX-License-Identifier: BSD-2-Clause
 * common/conf: reading, what is refused and how it is said, dump and load again.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "conf/conf.h"

#include "conf/read.h"
#include "conf/schema.h"
#include "conf/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define DUMP_MAX (1024 * 1024)
#define DESK "desk \"it\" { addresses = {\"support@example.test\"} }\n"

static struct tkt_conf *load(const char *text, struct tkt_err *err)
{
    return tkt_conf_load_text("f", text, strlen(text), err);
}

static void defaults_stand_where_nothing_is_written(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = load(DESK, &err);
    assert_string_equal(err.text, "");
    assert_non_null(conf);
    assert_int_equal(conf->milter.deadline_ms, 8000);
    assert_int_equal(conf->milter.umask, 7);
    assert_int_equal(conf->limits.header_block_max, 256 * 1024);
    assert_int_equal(conf->store.dedupe_keep_ms, INT64_C(30) * 86400000);
    assert_int_equal(conf->desk_count, 1);
    const struct tkt_conf_desk *desk = tkt_conf_desk(conf, "it");
    assert_non_null(desk);
    assert_string_equal(desk->prefix, "IT");
    assert_string_equal(desk->itsm, "local");
    assert_int_equal(desk->on_failure, TKT_ON_FAILURE_TEMPFAIL);
    assert_int_equal(desk->headers.count, 1);
    assert_int_equal(conf->itsm_count, 1);
    assert_string_equal(conf->itsms[0].name, "local");
    assert_null(tkt_conf_desk(conf, "other"));
    assert_true(conf->generation > 0 && conf->generation <= INT64_MAX);
    tkt_conf_free(&conf);
    assert_null(conf);
}

struct broken {
    const char *text;
    const char *message;
};

/* What libconfuse alone would take in silence is marked "silent". */
static const struct broken syntax[] = {
    /* silent */
    {"desk \"it\" {\n  prefix = \"IT\"\n",
     "f:1: section desk it is never closed; write } at its end"},
    {"milter {\n  umask = 007\n",
     "f:1: section milter is never closed; write } at its end"},
    /* silent */
    {"log_level = info\nlog_level = debug\n",
     "f:2: log_level stands twice, first at f:1; remove one"},
    /* silent: the first section is lost */
    {"milter { drain = 1s }\nmilter { progress = 2s }\n",
     "f:2: section milter stands twice, first at f:1; put them together"},
    {"group \"a\" { }\ngroup \"a\" { }\n",
     "f:2: section group a stands twice, first at f:1; put them together"},
    {"desk \"it\" { addresses = {\"a@b.test\"}\n addresses = {\"c@b.test\"} }\n",
     "f:2: addresses stands twice, first at f:1; remove one"},
    /* silent: HOME or nothing */
    {"hostname = \"${HOME}\"\n", "f:1: ${...} would come from the environment, which "
                                 "differs between programs; write the "
                                 "value, or use single quotes"},
    {"hostname = ${HOME}\n", "f:1: unexpected $; put the text in quotes"},
    /* silent: everything up to the next quote, lines away, is the value */
    {"hostname = \"mx\nuser = \"x\"\n",
     "f:1: this text is not closed on its line; put \" at its end"},
    {"hostname = 'mx", "f:1: this text is not closed; put ' at its end"},
    {"/* all\n of it\n", "f:1: this comment never ends; write */ behind it"},
    /* silent: ; and bytes that libconfuse does not know are eaten */
    {"log_level = info;\n", "f:1: unexpected ;; put the text in quotes"},
    {"log_level = a+b\n", "f:1: unexpected +; put the text in quotes"},
    {"log_level = a//b\n", "f:1: unexpected //; put the text in quotes"},
    {"log_level = \x01\n", "f:1: unexpected byte 0x01; put the text in quotes"},
    {"hostname = \"a\x02\"\n", "f:1: a control character (0x02); remove it"},
    {"hostname = \"a\\tb\"\n", "f:1: the escape \\t is not taken; write the text as it "
                               "is, in single quotes if it has a "
                               "backslash"},
    {"hostname = \"a\tb\"\n",
     "f:1: hostname: a control character in the value; remove it"},
    {"}\n", "f:1: } without an open section; remove it"},
    {"milter { drain = 1s } }\n", "f:1: } without an open section; remove it"},
    {"milter {\n milter {\n",
     "f:2: section milter within section milter of line 1; write } "
     "to close that one first"},
    {"user\n", "f:2: the file ends after user; write = and a value"},
    {"user \"x\"\nlog_json = no\n",
     "f:1: unexpected \"x\" after user; write = before a value"},
    {"user = \n", "f:2: the file ends after user; write a value"},
    {"user = = x\n", "f:1: unexpected = after user; write a value"},
    {"user = {\"a\"}\n", "f:1: user takes one value; write it without { }"},
    {"user += a\n", "f:1: user is no list; write = for +="},
    {"authserv_ids = {a b}\n", "f:1: unexpected b after authserv_ids; write , or } here"},
    {"authserv_ids = {,}\n",
     "f:1: unexpected , after authserv_ids; write an item or } here"},
    {"authserv_ids = {a,,b}\n",
     "f:1: unexpected , after authserv_ids; write an item or } here"},
    {"authserv_ids = {a\n", "f:2: the file ends after authserv_ids; write , or } here"},
    {"= 1\n", "f:1: unexpected =; write a key or a section here"},
    {"\"user\" = a\n", "f:1: unexpected \"user\"; write a key or a section here"},
    {"desk { }\n", "f:1: section desk has no title; write desk \"name\" {"},
    {"milter \"a\" { }\n", "f:1: section milter takes no title; write milter {"},
    {"desk \"It\" { }\n",
     "f:1: \"It\" is no title; write a name of 1 to 32 of a-z, 0-9, _ and -"},
    {"include(\"x\")\n", "f:1: include() is not taken here; write the text itself"},
    {"includes(\"x\")\n", "f:1: includes() is not known; only include(\"file\") is"},
    {"milter { include(\"x\") }\n",
     "f:1: include() within section milter; move it outside"},
    {"include x\n", "f:1: unexpected x after include; write = before a value"},
};

static const struct broken names[] = {
    {"log_leve = info\n", "f:1: log_leve is not known here; did you mean log_level?"},
    {"milter { sockt = \"unix:/x\" }\n",
     "f:1: sockt is not known in section milter; did you mean socket?"},
    {"deadline = 8s\n", "f:1: deadline is not known here; it belongs in section milter"},
    {"milter { log_level = info }\n",
     "f:1: log_level is not known in section milter; it belongs "
     "outside of all sections"},
    {"zebra = 1\n",
     "f:1: zebra is not known here; see ticket-milter.conf(5) for what is"},
    {"dask \"it\" { }\n", "f:1: section dask is not known; did you mean desk?"},
    {"zebra { }\n",
     "f:1: section zebra is not known; see ticket-milter.conf(5) for what is"},
};

static const struct broken values[] = {
    {"milter {\n deadline = 8\n}\n",
     "f:2: deadline: \"8\" is not a time; write a number with "
     "ms, s, m, h, d or w behind it, such as 8s"},
    {"milter { deadline = 8M }\n",
     "f:1: deadline: \"8M\" is not a time; write a number with "
     "ms, s, m, h, d or w behind it, such as 8s"},
    {"milter { deadline = 0 }\n",
     "f:1: deadline: 0 is out of range; write a value of 1s to 2m"},
    {"milter { deadline = 99999999999999999999s }\n",
     "f:1: deadline: \"99999999999999999999s\" is not a time; write a number with ms, s, "
     "m, h, "
     "d or w behind it, such as 8s"},
    {"milter { deadline = 9223372036854775807w }\n",
     "f:1: deadline: \"9223372036854775807w\" is not a time; write a number with ms, s, "
     "m, h, "
     "d or w behind it, such as 8s"},
    {"milter { memory_max = 1T }\n",
     "f:1: memory_max: \"1T\" is not a size; write a number "
     "with nothing, k, M or G behind it, such as 64k"},
    {"milter { memory_max = 65M }\n",
     "f:1: memory_max: 65M is out of range; write a value of 0 to 64M"},
    {"milter { umask = 8 }\n",
     "f:1: umask: \"8\" is not a umask; write octal digits such as 007"},
    {"milter { umask = 1777 }\n",
     "f:1: umask: 1777 is out of range; write octal 000 to 777"},
    {"milter { in_reserve_max = many }\n",
     "f:1: in_reserve_max: \"many\" is not a number; write a whole number"},
    {"milter { in_reserve_max = -1 }\n",
     "f:1: in_reserve_max: -1 is out of range; write a value of 1 to 10000"},
    {"milter { socket = \"/run/x.sock\" }\n",
     "f:1: socket: \"/run/x.sock\" does not fit; write unix:/path, local:/path, "
     "inet:port@host or inet6:port@host (a port without a host would listen on all "
     "addresses)"},
    {"milter { socket = \"inet:8891\" }\n",
     "f:1: socket: \"inet:8891\" does not fit; write unix:/path, local:/path, "
     "inet:port@host or inet6:port@host (a port without a host would listen on all "
     "addresses)"},
    {"log_json = maybe\n", "f:1: log_json: \"maybe\" is not yes or no; write yes or no"},
    {"log_level = loud\n",
     "f:1: log_level: \"loud\" is not known here; write error, warning, "
     "notice, info or debug"},
    {"pid_file = \"x\"\n",
     "f:1: pid_file: \"x\" does not fit; write a path that begins with /"},
    {"hostname = \"r\xe9s\"\n", "f:1: hostname: not valid UTF-8; save the file as UTF-8"},
    {"recipient_delimiter = \"x\"\n",
     "f:1: recipient_delimiter: \"x\" does not fit; write some of + - = _ . #"},
    {"token { keys = {\"hunter2\"} }\n",
     "f:1: keys: what stands here does not fit; write a reference to a secret such as "
     "file:/etc/ticket-milter/token.key, never the secret itself"},
    {"token { keys = {\"file:/a\", \"file:/b\", \"file:/c\"} }\n",
     "f:1: keys: more than 2 items; write at most 2"},
    {"store { dedupe_keep = 4d }\n",
     "f:1: dedupe_keep: 4d is out of range; write a value of 5d to 3660d"},
    {"authserv_ids = {\"a\", \"a\"}\n",
     "f:1: authserv_ids: \"a\" stands twice; remove one"},
    {"authserv_ids = {\"\"}\n", "f:1: authserv_ids: an empty item; remove it"},
    {"access { admins = {\"a b\"} }\n",
     "f:1: admins: \"a b\" does not fit; write a user name, or a group as @group"},
    {"itsm \"x\" { proxy = \"http://me:pw@proxy:3128\" }\n",
     "f:1: proxy: \"http://me:pw@proxy:3128\" does not fit; write http://host:port, "
     "https://host:port or socks5h://host:port, without a user or a password (they would "
     "stand here in clear)"},
    {"desk \"it\" { addresses = \"support\" }\n",
     "f:1: addresses: \"support\" does not fit; write an address such as "
     "support@example.org, or @example.org for a whole domain"},
    {"desk \"it\" { prefix = \"it\" }\n",
     "f:1: prefix: \"it\" does not fit; write 1 to 10 of A-Z and 0-9 that begin with a "
     "letter, such as IT"},
    {"desk \"it\" { priority = 6 }\n",
     "f:1: priority: 6 is out of range; write a value of 1 to 5"},
    {"desk \"it\" { priority = soon }\n", "f:1: priority: \"soon\" is not known here; "
                                          "write urgent, high, normal, low or planning"},
    {"desk \"it\" { type = problem }\n", "f:1: type: \"problem\" is not known here; "
                                         "write incident, request, question or change"},
    {"desk \"it\" { headers = {\"id\", \"subject\"} }\n",
     "f:1: headers: \"subject\" is not known here; write id, desk, group or priority"},
};

#define PAGE(type)                                                                       \
    "channel \"c\" { type = " type " }\nescalation \"e\" { }\n"                          \
    "step \"s\" { in = \"e\" page = \"c\" "
#define A "desk \"a\" { addresses = {\"a@x.test\"}"
static const struct broken relations[] = {
    {"desk \"it\" { }\n", "f:1: desk it has no addresses; write addresses = "
                          "{\"support@example.org\"}"},
    {A " }\ndesk \"b\" {\n prefix = \"B\"\n addresses = {\"A@X.test\"} }\n",
     "f:4: a@x.test belongs to desk a too (f:1); keep it in one"},
    {"desk \"a\" { addresses = {\"a@gr\xc3\xbc\xc3\x9f"
     "e.test\"} }\n"
     "desk \"b\" { prefix = \"B\" addresses = {\"a@xn--gre-6ka8l.test\"} }\n",
     "f:2: a@xn--gre-6ka8l.test belongs to desk a too (f:1); keep it in one"},
    {"desk \"a\" { addresses = {\"a@x.test\", \"A@x.test\"} }\n",
     "f:1: a@x.test stands twice, in two spellings; remove one"},
    {A " }\ndesk \"b\" { addresses = {\"b@x.test\"} }\n",
     "f:2: desk b has the prefix IT of desk a (f:1); give each its own"},
    {A "\n group = \"net\" }\n",
     "f:2: group: there is no section group \"net\"; add it or name another"},
    {A "\n itsm = \"snow\" }\n",
     "f:2: itsm: there is no section itsm \"snow\"; add it or name another"},
    {A " replace_recipient = yes }\n",
     "f:1: replace_recipient without add_group_recipient would deliver the mail nowhere; "
     "set "
     "both"},
    {A " add_group_recipient = yes }\n",
     "f:1: add_group_recipient: desk a has no group with a mailbox; give it one"},
    {"group \"g\" { }\n" A " group = \"g\" add_group_recipient = yes }\n",
     "f:2: add_group_recipient: desk a has no group with a mailbox; give it one"},
    {"limits { message_max = 64k\n inline_max = 65k }\n",
     "f:2: inline_max is above message_max; lower it"},
    {"limits { header_block_max = 16k }\n",
     "f:1: header_max is above header_block_max; lower it"},
    {"limits { requests_max = 10 }\n",
     "f:1: requests_per_peer is above requests_max; lower it"},
    {"milter { deadline = 1s }\n", "f:1: deadline leaves no time to commit after parser "
                                   "queue_wait and budget; raise it to "
                                   "1750 ms or more"},
    {"token { separator = \"\" }\n",
     "f:1: separator: empty; write one byte such as \"+\""},
    {"token { separator = \"=\"\n keys = {\"file:/k\"} }\n",
     "f:1: separator = is not in recipient_delimiter, so no reply would reach its desk; "
     "add "
     "it there"},
    {"intake_socket = \"/c/i\"\nmilter { socket = \"unix:/c/m\"\n chroot = \"/c/\" "
     "state_dir = \"/cc/s\" }\n",
     "f:3: chroot: state_dir /cc/s lies outside of it; move it into it"},
    {"milter { chroot = \"/var/empty\" socket = \"inet:1@h\" }\nintake_socket = "
     "\"/run/i\"\n",
     "f:1: chroot: intake_socket /run/i lies outside of it; move it into it"},
    {"intake_socket = \"/s\"\ncontrol_socket = \"/s\"\n",
     "f:2: control_socket and intake_socket are the same; name two files"},
    {PAGE("twilio") "notify = {\"manager\"} }\n",
     "f:3: step s: notify names nobody whom channel c can tell; write a number such as "
     "+491701234567"},
    {PAGE("mail") "}\n",
     "f:3: step s: notify names nobody whom channel c can tell; write "
     "manager or an address"},
    {PAGE("sendgrid") "notify = {\"room\", \"+491701234567\"} }\n",
     "f:3: step s: notify names nobody whom channel c can tell; write manager or an "
     "address"},
};

static void refuse_all(const struct broken *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tkt_err err = TKT_ERR_INIT;
        struct tkt_conf *conf = load(cases[i].text, &err);
        if (conf != NULL || strcmp(err.text, cases[i].message) != 0) {
            tkt_conf_free(&conf);
            fail_msg("for: %s\nwant: %s\ngot:  %s", cases[i].text, cases[i].message,
                     err.text);
        }
        assert_int_equal(err.class, TKT_ERR_CONF);
    }
}

static void broken_syntax_is_named_by_line(void **state)
{
    (void)state;
    refuse_all(syntax, TKT_ARRAY_LEN(syntax));
}

static void unknown_names_get_a_hint(void **state)
{
    (void)state;
    refuse_all(names, TKT_ARRAY_LEN(names));
}

static void values_out_of_range_say_what_fits(void **state)
{
    (void)state;
    refuse_all(values, TKT_ARRAY_LEN(values));
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    refuse_all(relations, TKT_ARRAY_LEN(relations));
}

/* libconfuse's scanner keeps its state after an error; a reload must not care. */
static void a_broken_file_does_not_spoil_the_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(syntax); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        assert_null(load(syntax[i].text, &err));
        struct tkt_conf *conf = load(DESK, &err);
        assert_non_null(conf);
        tkt_conf_free(&conf);
    }
}

static const char full[] =
    "\xef\xbb\xbf# all forms\r\n"
    "log_level = debug // word\n"
    "log_json = TRUE /* two\n lines */ intake_umask = 0\n"
    "authserv_ids = { 'mx.example.test', }\n"
    "authserv_ids += \"mx2.example.test\"\n"
    "authserv_ids += {mx3.example.test}\n"
    "milter { socket = inet:8891@127.0.0.1 deadline = 90s memory_max = 1000 }\n"
    "store { dedupe_keep = 5w dedupe_blind = 90m batch_bytes = 100000 }\n"
    "group \"net\" { mailbox = \"net@example.test\" members = {\"anna@example.test\"} }\n"
    "itsm \"local\" { }\n"
    "desk \"it\" {\n"
    "  addresses = {\"Support@Gr\xc3\x9c\xc3\x9f"
    "e.Test\", \"@all.test\"}\n"
    "  prefix = \"NET1\" display_name = 'Say \"hi\" \\\\ it\\'s ${HOME} \\d'\n"
    "  group = net priority = high mode = shadow on_failure = accept subject = header\n"
    "  delivery = relay closed = new headers = {id, group} reply_to = add\n"
    "  add_group_recipient = on replace_recipient = yes tag_signed = yes retain = 52w\n"
    "}\n"
    "desk \"hr\" { addresses = \"hr@example.test\" prefix = HR headers += {} }\n";

static void every_form_of_value_is_read(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = load(full, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(conf->log_level, TKT_LOG_DEBUG);
    assert_true(conf->log_json);
    assert_int_equal(conf->intake_umask, 0);
    assert_int_equal(conf->authserv_ids.count, 3);
    assert_string_equal(conf->authserv_ids.items[2], "mx3.example.test");
    assert_string_equal(conf->milter.socket, "inet:8891@127.0.0.1");
    assert_int_equal(conf->milter.deadline_ms, 90000);
    assert_int_equal(conf->milter.memory_max, 1000);
    assert_int_equal(conf->store.dedupe_blind_ms, 90 * 60000);
    assert_string_equal(conf->groups[0].members.items[0], "anna@example.test");
    assert_int_equal(conf->itsm_count, 1);
    assert_int_equal(conf->desk_count, 2);
    const struct tkt_conf_desk *desk = &conf->desks[0];
    assert_string_equal(desk->addresses.items[0], "Support@Gr\xc3\x9c\xc3\x9f"
                                                  "e.Test");
    assert_string_equal(desk->matches.items[0], "support@xn--gre-6ka8l.test");
    assert_string_equal(desk->matches.items[1], "@all.test");
    assert_string_equal(desk->display_name, "Say \"hi\" \\ it's ${HOME} \\d");
    assert_int_equal(desk->priority, 2);
    assert_int_equal(desk->mode, TKT_MODE_SHADOW);
    assert_int_equal(desk->on_failure, TKT_ON_FAILURE_ACCEPT);
    assert_int_equal(desk->subject, TKT_SUBJECT_HEADER);
    assert_int_equal(desk->delivery, TKT_DELIVERY_RELAY);
    assert_int_equal(desk->closed, TKT_CLOSED_NEW);
    assert_int_equal(desk->headers.count, 2);
    assert_true(desk->reply_to_add);
    assert_true(desk->add_group_recipient);
    assert_string_equal(conf->desks[1].display_name, "hr");
    assert_int_equal(conf->desks[1].headers.count, 1);
    tkt_conf_free(&conf);
}

static void check_round_trip(const char *text, bool only_changed)
{
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_BUF struct tkt_buf one = TKT_BUF_INIT(DUMP_MAX);
    TKT_AUTO_BUF struct tkt_buf two = TKT_BUF_INIT(DUMP_MAX);
    struct tkt_conf *conf = load(text, &err);
    assert_non_null(conf);
    assert_int_equal(tkt_conf_dump(conf, only_changed, &one), 0);
    struct tkt_conf *again = load(tkt_buf_str(&one), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(tkt_conf_dump(again, only_changed, &two), 0);
    assert_string_equal(tkt_buf_str(&one), tkt_buf_str(&two));
    assert_int_equal(conf->generation, again->generation);
    tkt_conf_free(&conf);
    tkt_conf_free(&again);
}

static void a_dump_loads_to_the_same(void **state)
{
    (void)state;
    check_round_trip(full, false);
    check_round_trip(full, true);
    check_round_trip("", false);
    check_round_trip(DESK, true);
}

static void only_what_was_changed_is_dumped(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(DUMP_MAX);
    struct tkt_conf *conf = load("milter { drain = 1s deadline = 8000ms }\n" DESK, &err);
    assert_int_equal(tkt_conf_dump(conf, true, &b), 0);
    assert_string_equal(tkt_buf_str(&b),
                        "milter {\n    drain = 1s\n}\n"
                        "desk \"it\" {\n"
                        "    addresses = {\"support@example.test\"}\n}\n");
    tkt_conf_free(&conf);
    conf = tkt_conf_defaults();
    tkt_buf_reset(&b);
    assert_int_equal(tkt_conf_dump(conf, true, &b), 0);
    assert_string_equal(tkt_buf_str(&b), "");
    tkt_conf_free(&conf);
}

static uint64_t generation_of(const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = load(text, &err);
    assert_string_equal(err.text, "");
    uint64_t generation = conf->generation;
    tkt_conf_free(&conf);
    return generation;
}

static void the_generation_follows_the_values_alone(void **state)
{
    (void)state;
    assert_int_equal(generation_of(DESK), generation_of("# other text\n\n" DESK));
    assert_int_equal(generation_of("milter { drain = 1m }"),
                     generation_of("milter { drain = 60s }"));
    assert_int_not_equal(generation_of(DESK), generation_of("log_json = yes\n" DESK));
    assert_true(generation_of("") > 0);
}

static void check_warnings(const char *text, const char *line, bool there)
{
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(DUMP_MAX);
    struct tkt_conf *conf = load(text, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(tkt_conf_warnings(conf, &b), 0);
    if ((strstr(tkt_buf_str(&b), line) != NULL) != there) {
        fail_msg("%s: %s\nhas: %s", there ? "lacks" : "should lack", line,
                 tkt_buf_str(&b));
    }
    tkt_conf_free(&conf);
}

static void warn_of(const char *text, const char *line)
{
    check_warnings(text, line, true);
}

static void no_warning(const char *text, const char *line)
{
    check_warnings(text, line, false);
}

static void what_is_hardly_meant_is_warned_of(void **state)
{
    (void)state;
    warn_of("", "f:1: there is no desk: no mail becomes a ticket\n");
    warn_of("desk \"it\" { addresses = \"a@x.test\"\n display_name = \"\\d\" }",
            "f:2: the backslash before d is lost in double quotes; use single quotes\n");
    warn_of("desk \"it\" { addresses = \"a@x.test\"\n mode = off }",
            "f:2: desk it is off: its mail passes without a ticket\n");
    warn_of(
        "desk \"it\" { addresses = \"a+b@x.test\" }",
        "f:1: a+b@x.test has a recipient_delimiter in its local part: only exactly this "
        "address is meant, not sub-addresses of a\n");
    warn_of("milter { socket = \"inet:8891@0.0.0.0\" }",
            "may be reached from other hosts");
    warn_of("store { path = \"/nonexistent\" }",
            "f:1: path: the folder /nonexistent does not exist\n");
    warn_of("milter { socket = \"inet:mx.example.test:8891\" }", "from other hosts");
    no_warning("milter { socket = \"inet:127.0.0.1:8891\" }", "from other hosts");
    warn_of("webhook { public_url = \"https://n.example\" }", "nobody answers there");
    no_warning(
        "webhook { public_url = \"https://n.example/x\" listen = \"127.0.0.1:1\" }",
        "nobody answers there");
    no_warning("milter { socket = \"inet6:8891@::1\" }", "from other hosts");
    warn_of("store { path = \"/tmp\" }",
            "f:1: path: anybody may write in the folder /tmp\n");
    warn_of("\nrecipient_delimiter = \"\"",
            "f:2: recipient_delimiter lacks token separator +: no tokens in addresses");
    warn_of("access {\n agents = {nobody-here} }",
            "f:2: agents: there is no user nobody-here on this host\n");
}

/* ---- files ---- */

static char dir[] = "/tmp/tkt-conf-XXXXXX";

static const char *at(const char *name)
{
    static char paths[4][128];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(paths[next], sizeof(paths[next]), "%s/%s", dir, name);
    return paths[next];
}

static void put(const char *name, const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_replace_file(at(name), text, strlen(text), 0640, &err), 0);
}

static void expect_file_error(const char *name, const char *message)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = tkt_conf_load(at(name), &err);
    char want[600];
    size_t n = 0;

    assert_null(conf);
    for (const char *p = message; *p != '\0'; p++) { /* @ stands for the folder */
        n += (size_t)snprintf(want + n, sizeof(want) - n, *p == '@' ? "%s" : "%.1s",
                              *p == '@' ? dir : p);
    }
    assert_string_equal(err.text, want);
    assert_int_equal(err.class, TKT_ERR_CONF);
}

static void included_files_are_read_in_order_and_named(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(mkdir(at("conf.d"), 0750), 0);
    put("main.conf",
        "include(\"conf.d/*.conf\")\ninclude('none.d/*')\nlog_level = debug\n");
    for (int i = 0; i < 12; i++) { /* libconfuse itself stops at ten */
        char name[32];
        char text[128];
        snprintf(name, sizeof(name), "conf.d/%02d.conf", i);
        snprintf(text, sizeof(text),
                 "desk \"d%d\" { addresses = {\"d%d@x.test\"} prefix = D%d }", i, i, i);
        put(name, text);
    }
    struct tkt_conf *conf = tkt_conf_load(at("main.conf"), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(conf->desk_count, 12);
    assert_string_equal(conf->desks[11].name, "d11");
    assert_int_equal(conf->log_level, TKT_LOG_DEBUG);
    assert_string_equal(conf->path, at("main.conf"));
    tkt_conf_free(&conf);
    put("conf.d/05.conf", "\nlog_level = info\n");
    expect_file_error("main.conf", "@/main.conf:3: log_level stands twice, first at "
                                   "@/conf.d/05.conf:2; remove one");
    put("conf.d/05.conf", "\ndesk \"x\" {\n");
    expect_file_error("main.conf",
                      "@/conf.d/05.conf:2: section desk x is never closed; write "
                      "} at its end");
    for (int i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof(name), "conf.d/%02d.conf", i);
        unlink(at(name));
    }
    rmdir(at("conf.d"));
    unlink(at("main.conf"));
}

static void a_part_is_read_without_the_rest(void **state)
{
    static const char text[] =
        "control_socket = \"/run/x.sock\"\n"
        "desk \"it\" { prefix = 7 wrong = {\"}\", x} }\n"
        "rule \"r\" { nobody_knows = yes } no_section { a = { b } }\n"
        "model { threshold = 80 }\n"
        "intake_socket = \"/run/y.sock\"\n";
    struct tkt_err err = TKT_ERR_INIT;
    char name[sizeof(dir) + 8];

    (void)state;
    snprintf(name, sizeof(name), "%s/part", dir);
    for (int known = 0; known < 2; known++) {
        FILE *f = fopen(name, "w");

        /* A section that does not exist is an error anywhere. */
        fprintf(f, "%.*s%s", known ? (int)(strstr(text, "no_section") - text) : 10000,
                text, known ? strstr(text, "\nmodel") : "");
        fclose(f);
        struct tkt_conf *conf = tkt_conf_load_part(name, 0, &err);
        assert_int_equal(conf != NULL, known);
        if (conf == NULL) {
            continue;
        }
        assert_string_equal(conf->control_socket, "/run/x.sock");
        assert_string_equal(conf->intake_socket, "/run/y.sock");
        assert_int_equal(conf->desk_count + conf->rule_count, 0);
        assert_int_not_equal(conf->model.threshold, 80);
        tkt_conf_free(&conf);
        conf = tkt_conf_load_part(name, UINT64_C(1) << TKT_CONF_MODEL, &err);
        assert_non_null(conf);
        assert_int_equal(conf->model.threshold, 80);
        tkt_conf_free(&conf);
        assert_null(tkt_conf_load_part(name, UINT64_C(1) << TKT_CONF_DESK, &err));
        assert_null(tkt_conf_load(name, &err));
    }
    unlink(name);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    expect_file_error("none",
                      "@/none: No such file or directory; create it or name another "
                      "file");
    expect_file_error("", "@/: not a regular file; name one");
    put("main.conf", "\ninclude(\"other.conf\")\n");
    expect_file_error("main.conf",
                      "@/main.conf:2: there is no file @/other.conf; create it "
                      "or remove the line");
    put("main.conf", "include(\"main.conf\")\n");
    expect_file_error("main.conf",
                      "@/main.conf:1: includes go more than 8 deep or make more "
                      "than 256 files; does a file include itself?");
    char *big = malloc(1024 * 1024 + 2);
    assert_non_null(big);
    memset(big, ' ', 1024 * 1024 + 1);
    big[1024 * 1024 + 1] = '\0';
    put("main.conf", big);
    free(big);
    expect_file_error("main.conf", "@/main.conf: larger than 1 MiB; split it");
    unlink(at("main.conf"));
}

static void more_desk_addresses_than_the_table_holds_are_refused(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(DUMP_MAX);
    for (int d = 0; d < 5; d++) {
        tkt_buf_addf(&b, "desk \"d%d\" { prefix = D%d addresses = {", d, d);
        for (int i = 0; i < (d == 4 ? 1 : 256); i++) {
            tkt_buf_addf(&b, "a%d@d%d.test,", i, d);
        }
        tkt_buf_adds(&b, "} }\n");
    }
    struct tkt_err err = TKT_ERR_INIT;
    assert_null(load(tkt_buf_str(&b), &err));
    assert_string_equal(err.text,
                        "f:5: more than 1024 desk addresses in all; use @domain");
}

/* ---- rows ---- */

static void every_row_is_whole_and_its_default_is_in_range(void **state)
{
    (void)state;
    struct tkt_conf *conf = tkt_conf_new();
    assert_non_null(conf);
    for (size_t i = 0; i < TKT_CONF_SECTIONS; i++) {
        const struct tkt_conf_section *s = &tkt_conf_sections[i];
        assert_true(s->help[0] != '\0');
        for (size_t k = 0; k < s->row_count; k++) {
            const struct tkt_conf_row *row = &s->rows[k];
            assert_ptr_equal(tkt_conf_row_find(s, row->key), row);
            assert_true(row->help[0] != '\0' && row->help[strlen(row->help) - 1] == '.');
            assert_true(row->size > 0 && row->offset + row->size <= s->size);
            assert_true(row->type == TKT_CONF_ENUM ? row->words != NULL : true);
            struct tkt_err err = TKT_ERR_INIT;
            if (!s->titled && row->type != TKT_CONF_LIST &&
                tkt_conf_value_set(row, (char *)conf + s->offset, row->def, &err) < 0) {
                fail_msg("%s: %s", row->key, err.text);
            }
        }
    }
    tkt_conf_free(&conf);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_where_nothing_is_written),
        cmocka_unit_test(broken_syntax_is_named_by_line),
        cmocka_unit_test(unknown_names_get_a_hint),
        cmocka_unit_test(values_out_of_range_say_what_fits),
        cmocka_unit_test(settings_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_broken_file_does_not_spoil_the_next),
        cmocka_unit_test(every_form_of_value_is_read),
        cmocka_unit_test(a_dump_loads_to_the_same),
        cmocka_unit_test(only_what_was_changed_is_dumped),
        cmocka_unit_test(the_generation_follows_the_values_alone),
        cmocka_unit_test(what_is_hardly_meant_is_warned_of),
        cmocka_unit_test(included_files_are_read_in_order_and_named),
        cmocka_unit_test(a_part_is_read_without_the_rest),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(more_desk_addresses_than_the_table_holds_are_refused),
        cmocka_unit_test(every_row_is_whole_and_its_default_is_in_range),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
