/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/text.h"

#include "base/civil.h"
#include "base/enc.h"
#include "base/network.h"
#include "base/util.h"
#include "wire/idna.h"

#include <stdint.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define PATTERN_MAX 128 /* bytes */

static bool is_made_of(const char *s, const char *bytes)
{
    return s[strspn(s, bytes)] == '\0';
}

const char *tkt_conf_is_title(const char *value)
{
    if (value[0] != '\0' && strlen(value) <= TKT_CONF_TITLE_MAX &&
        is_made_of(value, LOWER DIGITS "_-")) {
        return NULL;
    }
    return "a name of 1 to 32 of a-z, 0-9, _ and -";
}

const char *tkt_conf_is_title_or_empty(const char *value)
{
    return value[0] == '\0' ? NULL : tkt_conf_is_title(value);
}

/* Its place in the event log is "sink:" and it. */
const char *tkt_conf_is_sink_title(const char *value)
{
    return strlen(value) <= 27 && tkt_conf_is_title(value) == NULL
               ? NULL
               : "a name of 1 to 27 of a-z, 0-9, _ and -";
}

const char *tkt_conf_is_prefix(const char *value)
{
    if (value[0] >= 'A' && value[0] <= 'Z' && strlen(value) <= 10 &&
        is_made_of(value, UPPER DIGITS)) {
        return NULL;
    }
    return "1 to 10 of A-Z and 0-9 that begin with a letter, such as IT";
}

/* The form on the wire: at most 253 bytes, 63 a label. */
static bool has_ascii_form(const char *domain)
{
    char ascii[254];

    if (tkt_idna_domain(domain, strlen(domain), ascii, sizeof(ascii)) < 0) {
        return false;
    }
    for (const char *label = ascii; *label != '\0';) {
        size_t n = strcspn(label, ".");
        if (n > 63 || (unsigned char)*label >= 0x80) {
            return false;
        }
        label += n + (label[n] == '.' ? 1 : 0);
    }
    return true;
}

/* Labels of letters, digits, - and non-ASCII characters between single dots. */
static bool is_domain(const char *s)
{
    size_t label = 0;

    for (const char *p = s; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '.') {
            if (label == 0 || p[-1] == '-') {
                return false;
            }
            label = 0;
            continue;
        }
        if (c < 0x80 && strchr(LOWER UPPER DIGITS "-_", c) == NULL) {
            return false;
        }
        if (label == 0 && c == '-') {
            return false;
        }
        label++;
    }
    return label > 0 && has_ascii_form(s);
}

const char *tkt_conf_is_hostname(const char *value)
{
    return value[0] == '\0' || is_domain(value) ? NULL
                                                : "a host name such as mx.example.org";
}

const char *tkt_conf_is_path(const char *value)
{
    return value[0] == '/' ? NULL : "a path that begins with /";
}

const char *tkt_conf_is_path_or_empty(const char *value)
{
    return value[0] == '\0' ? NULL : tkt_conf_is_path(value);
}

const char *tkt_conf_is_listen_or_empty(const char *value)
{
    static const char want[] = "\"127.0.0.1:9464\", \"[::1]:9464\" or \"unix:/path\"";
    const char *colon = strrchr(value, ':');
    int64_t port = 0;

    if (value[0] == '\0') {
        return NULL;
    }
    if (strncmp(value, "unix:", 5) == 0) {
        return value[5] == '/' && strlen(value) < 5 + 108 ? NULL : want;
    }
    return colon != NULL && colon != value &&
                   tkt_parse_int(colon + 1, 1, 65535, &port) == 0
               ? NULL
               : want;
}

const char *tkt_conf_is_delimiters(const char *value)
{
    return is_made_of(value, "+-=_.#") ? NULL : "some of + - = _ . #";
}

const char *tkt_conf_is_people(const char *value)
{
    bool is_number =
        value[0] >= '1' && value[0] <= '9' && is_made_of(value, "0123456789");

    return is_number && strcmp(value, "1") != 0 && strlen(value) < 10
               ? NULL
               : "a number of people from 2 on";
}

const char *tkt_conf_is_network(const char *value)
{
    struct tkt_network network;

    return tkt_network_parse(value, &network)
               ? NULL
               : "a network such as 192.0.2.0/24 or 2001:db8::/32, or an address";
}

const char *tkt_conf_is_redact_pattern(const char *value)
{
    size_t n = strlen(value);
    size_t fixed = 0;

    if (n > PATTERN_MAX || strchr("* ", value[0]) != NULL) {
        return "a pattern of at most 128 bytes that begins with neither * nor a blank";
    }
    for (size_t i = 0; i < n; i++) {
        if (value[i] == '\\' && value[++i] == '\0') {
            return "something behind the last backslash";
        }
        fixed += strchr("*? ", value[i]) == NULL ? 1 : 0;
    }
    return fixed < 3 ? "a pattern with three characters, # or @ at least" : NULL;
}

const char *tkt_conf_is_reply_text(const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~' || *p == '%') {
            return "a line of plain ASCII without %";
        }
    }
    return value[0] != '\0' ? NULL : "some text";
}

static bool is_port(const char *s, size_t n)
{
    char port[6] = "";
    int64_t number;

    if (n == 0 || n >= sizeof(port)) {
        return false;
    }
    memcpy(port, s, n);
    return tkt_parse_int(port, 1, 65535, &number) == 0;
}

/* port@host, or host:port as Postfix writes it. */
static bool is_inet(const char *s)
{
    const char *at = strchr(s, '@');
    const char *colon = strrchr(s, ':');

    if (at != NULL) {
        return at[1] != '\0' && is_port(s, (size_t)(at - s));
    }
    return colon != NULL && colon != s && is_port(colon + 1, strlen(colon + 1));
}

const char *tkt_conf_is_milter_socket(const char *value)
{
    static const char want[] =
        "unix:/path, local:/path, inet:port@host or inet6:port@host "
        "(a port without a host would listen on all addresses)";

    if (strncmp(value, "unix:/", 6) == 0) {
        return strlen(value + 5) <= 107 ? NULL : "a socket path of at most 107 bytes";
    }
    if (strncmp(value, "local:/", 7) == 0) {
        return strlen(value + 6) <= 107 ? NULL : "a socket path of at most 107 bytes";
    }
    if ((strncmp(value, "inet:", 5) == 0 && is_inet(value + 5)) ||
        (strncmp(value, "inet6:", 6) == 0 && is_inet(value + 6))) {
        return NULL;
    }
    return want;
}

/* A dot-atom (RFC 5321), or any UTF-8 (RFC 6531): what a desk or an agent has. */
static bool is_local_part(const char *s, size_t n)
{
    if (n == 0 || n > 64 || s[0] == '.' || s[n - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= 0x20 || c == 0x7f || strchr("()<>[]:;@\\,\"", c) != NULL) {
            return false;
        }
        if (c == '.' && s[i + 1] == '.') {
            return false;
        }
    }
    return true;
}

static bool is_address(const char *value, bool may_lack_local_part)
{
    const char *at = strrchr(value, '@');

    if (at == NULL || strlen(value) > 254 || !is_domain(at + 1)) {
        return false;
    }
    if (at == value) {
        return may_lack_local_part;
    }
    return is_local_part(value, (size_t)(at - value));
}

const char *tkt_conf_is_mailbox(const char *value)
{
    return is_address(value, false) ? NULL : "an address such as anna@example.org";
}

const char *tkt_conf_is_mailbox_or_empty(const char *value)
{
    return value[0] == '\0' ? NULL : tkt_conf_is_mailbox(value);
}

const char *tkt_conf_is_desk_address(const char *value)
{
    return is_address(value, true) ? NULL
                                   : "an address such as support@example.org, or "
                                     "@example.org for a whole domain";
}

const char *tkt_conf_is_secret_ref(const char *value)
{
    const char *colon = strchr(value, ':');

    /* Which schemes there are is the business of common/secret. */
    if (colon != NULL && colon != value && colon[1] != '\0' &&
        strspn(value, LOWER DIGITS "-") == (size_t)(colon - value)) {
        return NULL;
    }
    return "a reference to a secret such as file:/etc/ticket-milter/token.key, never the "
           "secret itself";
}

const char *tkt_conf_is_url_or_empty(const char *value)
{
    bool is_http =
        strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0;
    const char *host = is_http ? strstr(value, "://") + 3 : value;
    size_t authority = strcspn(host, "/?#");

    if (value[0] == '\0') {
        return NULL;
    }
    for (const char *p = value; is_http && *p; p++) {
        is_http = *p > ' ' && *p < 0x7f && *p != '#';
    }
    if (!is_http || authority == 0 || memchr(host, '@', authority) != NULL) {
        return "a URL such as https://host/path, without a user or password in it";
    }
    return NULL;
}

/* It goes into header fields between <>, and vendors sign it letter by letter. */
const char *tkt_conf_is_public_url_or_empty(const char *value)
{
    static const char want[] =
        "a URL such as https://host or https://host/path, without anything behind it";
    size_t n = strlen(value);

    if (n == 0) {
        return NULL;
    }
    return strncmp(value, "https://", 8) == 0 &&
                   tkt_conf_is_url_or_empty(value) == NULL &&
                   strpbrk(value, "?<>\"'\\,;") == NULL && value[n - 1] != '/'
               ? NULL
               : want;
}

const char *tkt_conf_is_time_zone(const char *value)
{
    static const char want[] = "a name of the time zone database, such as Europe/Berlin";

    if (!is_made_of(value, LOWER UPPER DIGITS "/_+-") || value[0] == '\0' ||
        value[0] == '/' || strlen(value) > 64) {
        return want;
    }
    return strstr(value, "//") == NULL && value[strlen(value) - 1] != '/' ? NULL : want;
}

const char *tkt_conf_is_hours(const char *value)
{
    struct tkt_hours hours = {0};

    return tkt_hours_add(&hours, value) == 0
               ? NULL
               : "days and times such as \"mon-fri 08:00-12:00,13:00-17:00\", \"sat,sun "
                 "10:00-14:00\" or \"daily 22:00-06:00\"";
}

const char *tkt_conf_is_holiday(const char *value)
{
    int32_t day;
    int month;
    int dom;

    return tkt_civil_parse(value, &day) == 0 ||
                   tkt_civil_parse_yearly(value, &month, &dom) == 0
               ? NULL
               : "a date such as 2026-12-24 or, for every year, 12-24";
}

const char *tkt_conf_is_absence(const char *value)
{
    int32_t first;
    int32_t last;

    return tkt_civil_parse_range(value, &first, &last) == 0
               ? NULL
               : "a date, or two as in 2026-12-20..2026-12-31";
}

const char *tkt_conf_is_secret_ref_or_empty(const char *value)
{
    return value[0] == '\0' ? NULL : tkt_conf_is_secret_ref(value);
}

const char *tkt_conf_is_proxy(const char *value)
{
    static const char *const schemes[] = {"http://", "https://", "socks5h://"};
    static const char want[] = "http://host:port, https://host:port or "
                               "socks5h://host:port, without a user or a password (they "
                               "would stand here in clear)";

    for (size_t i = 0; i < TKT_ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);

        if (strncmp(value, schemes[i], n) == 0 && value[n] != '\0' &&
            strpbrk(value + n, "@ \t\"") == NULL) {
            return NULL;
        }
    }
    return value[0] == '\0' ? NULL : want;
}

const char *tkt_conf_is_ldap_uri(const char *value)
{
    static const char want[] = "ldaps://host, ldap://host or ldapi://%2Fpath, without a "
                               "base behind it";
    bool local = strncmp(value, "ldapi://", 8) == 0;

    if (!local && strncmp(value, "ldaps://", 8) != 0 &&
        strncmp(value, "ldap://", 7) != 0) {
        return want;
    }
    const char *host = strstr(value, "://") + 3;
    return host[0] != '\0' && is_made_of(host, LOWER UPPER DIGITS "._-:[]%") ? NULL
                                                                             : want;
}

const char *tkt_conf_is_assignment(const char *value)
{
    size_t n = strspn(value, LOWER UPPER DIGITS "_-;.");

    return n > 0 && value[n] == '=' && value[n + 1] != '\0' ? NULL : "name=value";
}

const char *tkt_conf_is_user_or_group(const char *value)
{
    const char *name = value[0] == '@' ? value + 1 : value;

    if (name[0] != '\0' && name[0] != '-' && strlen(name) <= 64 &&
        is_made_of(name, LOWER UPPER DIGITS "_.-$")) {
        return NULL;
    }
    return "a user name, or a group as @group";
}

const char *tkt_conf_is_language(const char *value)
{
    return value[0] >= 'a' && value[0] <= 'z' && value[1] >= 'a' && value[1] <= 'z' &&
                   value[2] == '\0'
               ? NULL
               : "two letters such as de (ISO 639-1)";
}
