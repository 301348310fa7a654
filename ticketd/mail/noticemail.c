/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/noticemail.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "notify/mail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_MAX 400
#define FIELD_MAX 1600
#define ID_DIGITS 13 /* of a Message-ID behind its token */

const char *const tkt_mail_answer_names[] = {
    "yes",    "no-address", "no-null-sender", "no-class",
    "no-own", "no-robot",   "no-forged",      "no-unverified"};
_Static_assert(TKT_ARRAY_LEN(tkt_mail_answer_names) == TKT_MAIL_ANSWERS, "a name each");

/* ---- who may be answered ----------------------------------------------------------------- */

static bool is_of(const struct tkt_conf *conf, const struct tkt_conf_desk *d,
                  const char *address)
{
    char delimiters[TKT_CONF_DELIMITERS_MAX];
    const char *at = strrchr(address, '@');
    size_t local = (size_t)(at - address);

    tkt_conf_delimiters(conf, delimiters);
    size_t bare = TKT_MIN(local, strcspn(address, delimiters));
    for (size_t i = 0; i < d->matches.count; i++) {
        const char *m = d->matches.items[i];
        const char *m_at = strrchr(m, '@');
        size_t n = m_at ? (size_t)(m_at - m) : 0;

        if (!m_at || !tkt_ascii_ieq(m_at, at)) {
            continue;
        }
        if (n == 0 || (n == local && tkt_ascii_ieqn(m, address, n)) ||
            (n == bare && tkt_ascii_ieqn(m, address, n))) {
            return true;
        }
    }
    return false;
}

enum tkt_mail_answer tkt_mail_may_tell(const struct tkt_conf *conf, const char *to)
{
    char ascii[ADDRESS_MAX];

    if (tkt_mail_address(to, ascii, sizeof(ascii)) < 0) {
        return TKT_MAIL_NO_ADDRESS;
    }
    for (size_t i = 0; i < conf->desk_count; i++) {
        if (is_of(conf, &conf->desks[i], ascii)) {
            return TKT_MAIL_NO_OWN;
        }
    }
    return TKT_MAIL_ANSWER;
}

/* Names that no person reads mail at. */
static bool is_robot(const char *address)
{
    static const char *const whole[] = {
        "mailer-daemon", "postmaster", "majordomo", "listserv",    "listproc",
        "noreply",       "no-reply",   "no_reply",  "donotreply",  "do-not-reply",
        "do_not_reply",  "bounce",     "bounces",   "auto-reply",  "autoreply",
        "owner",         "nobody",     "mdaemon",   "mail-daemon", "ne-pas-repondre"};
    static const char *const heads[] = {"owner-",    "bounce-",  "bounces-", "bounce+",
                                        "bounces+",  "noreply-", "noreply+", "no-reply-",
                                        "no-reply+", "prvs=",    "srs0=",    "srs1="};
    static const char *const tails[] = {"-request", "-owner",    "-bounces", "-bounce",
                                        "-noreply", "-no-reply", "-errors"};
    size_t n = strcspn(address, "@");

    for (size_t i = 0; i < TKT_ARRAY_LEN(whole); i++) {
        if (strlen(whole[i]) == n && tkt_ascii_ieqn(address, whole[i], n)) {
            return true;
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(heads); i++) {
        size_t h = strlen(heads[i]);

        if (n > h && tkt_ascii_ieqn(address, heads[i], h)) {
            return true;
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(tails); i++) {
        size_t t = strlen(tails[i]);

        if (n > t && tkt_ascii_ieqn(address + n - t, tails[i], t)) {
            return true;
        }
    }
    return false;
}

/* What an envelope sender tells that a From need not: SRS and BATV are how honest servers
 * forward the mail of people, so those count for the From alone. */
static bool is_robot_sender(const char *sender)
{
    return is_robot(sender) && !tkt_ascii_ieqn(sender, "prvs=", 5) &&
           !tkt_ascii_ieqn(sender, "srs0=", 5) && !tkt_ascii_ieqn(sender, "srs1=", 5);
}

enum tkt_mail_answer tkt_mail_may_answer(const struct tkt_conf *conf,
                                         const struct tkt_conf_desk *desk,
                                         const struct tkt_mail_asked *asked)
{
    uint32_t classes = tkt_class_bits(desk->acknowledges.items, desk->acknowledges.count);

    /* A mail without a sender wants no answer, whatever a desk's settings are: that alone
     * ends each loop of two programs that keep the rules. */
    if (asked->is_null_sender || asked->class == TKT_CLASS_BOUNCE ||
        asked->class == TKT_CLASS_DELAY) {
        return TKT_MAIL_NO_NULL_SENDER;
    }
    if (asked->class == TKT_CLASS_OWN || (classes & TKT_CLASS_BIT(asked->class)) == 0) {
        return TKT_MAIL_NO_CLASS;
    }
    if (asked->assurance == TKT_ASSURANCE_FAIL) {
        return TKT_MAIL_NO_FORGED;
    }
    if (asked->is_unverified) {
        return TKT_MAIL_NO_UNVERIFIED;
    }
    enum tkt_mail_answer may = tkt_mail_may_tell(conf, asked->from);
    if (may != TKT_MAIL_ANSWER) {
        return may;
    }
    if (asked->sender[0] != '\0' &&
        tkt_mail_may_tell(conf, asked->sender) == TKT_MAIL_NO_OWN) {
        return TKT_MAIL_NO_OWN;
    }
    return is_robot(asked->from) || is_robot_sender(asked->sender) ? TKT_MAIL_NO_ROBOT
                                                                   : TKT_MAIL_ANSWER;
}

/* ---- tagged addresses ------------------------------------------------------------------------ */

static const char tag_letters[] = {'\0', 'b', 'u', 'd'};

int tkt_mail_tagged(const char *addr, char separator, enum tkt_mail_tag tag,
                    const char *token, char *out, size_t max)
{
    const char *at = strrchr(addr, '@');
    size_t local = at ? (size_t)(at - addr) : 0;

    if (tag == TKT_MAIL_TAG_NONE) {
        return tkt_token_address(addr, separator, token, out, max);
    }
    if (local == 0 || local + 3 + TKT_TOKEN_LEN > TKT_TOKEN_LOCAL_MAX) {
        return -1;
    }
    int n = snprintf(out, max, "%.*s%c%c-%s%s", (int)local, addr, separator,
                     tag_letters[tag], token, at);

    return n < 0 || (size_t)n >= max ? -1 : 0;
}

enum tkt_mail_tag tkt_mail_tag_of(const char *rcpt, char separator,
                                  char token[TKT_TOKEN_LEN + 1])
{
    const char *at = strrchr(rcpt, '@');
    size_t local = at ? (size_t)(at - rcpt) : 0;
    size_t tail = 3 + TKT_TOKEN_LEN;
    char base[ADDRESS_MAX];

    if (local <= tail || rcpt[local - tail] != separator ||
        !tkt_token_split(rcpt, '-', token, base, sizeof(base))) {
        return TKT_MAIL_TAG_NONE;
    }
    char letter = rcpt[local - tail + 1];
    return letter == 'b' || letter == 'B'   ? TKT_MAIL_TAG_BOUNCE
           : letter == 'u' || letter == 'U' ? TKT_MAIL_TAG_UNSUBSCRIBE
           : letter == 'd' || letter == 'D' ? TKT_MAIL_TAG_LEAVE
                                            : TKT_MAIL_TAG_NONE;
}

/* No address begins so. */
static void party_of(enum tkt_mail_tag tag, const char *address, char out[ADDRESS_MAX])
{
    if (tag == TKT_MAIL_TAG_NONE) {
        (void)snprintf(out, ADDRESS_MAX, "%s", address); /* one cut is nobody's */
    } else {
        (void)snprintf(out, ADDRESS_MAX, "%c:%s", tag_letters[tag], address);
    }
}

bool tkt_mail_tag_is_for(const struct tkt_token_keys *keys, const struct tkt_token *token,
                         enum tkt_mail_tag tag, const char *address)
{
    char party[ADDRESS_MAX];

    party_of(tag, address, party);
    return tkt_token_is_for(keys, token, party);
}

/* ---- the fields ------------------------------------------------------------------------------ */

struct fill {
    const struct tkt_noticemail *in;
    struct tkt_notice *notice;
    struct tkt_wire_arena *arena;
    struct tkt_err *err;
    const char *base; /* the address that answers go to, without a token */
    char token[TKT_TOKEN_LEN + 1];
    const char **headers;
    size_t count;
};

static const char *keep(struct fill *f, const char *text)
{
    const char *copy = tkt_wire_arena_strdup(f->arena, text, strlen(text));

    if (!copy) {
        tkt_err_set(f->err, TKT_ERR_TEMP, "mail: no memory");
    }
    return copy;
}

static int add(struct fill *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int add(struct fill *f, const char *format, ...)
{
    char line[FIELD_MAX];
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(line) || f->count >= TKT_NOTICE_HEADERS_MAX) {
        return 0; /* each of them is a courtesy: better none than half of one */
    }
    f->headers[f->count] = keep(f, line);
    return f->headers[f->count++] ? 0 : -1;
}

static const char *desk_address(const struct tkt_conf_desk *desk)
{
    for (size_t i = 0; i < desk->addresses.count; i++) {
        if (desk->addresses.items[i][0] != '@') {
            return desk->addresses.items[i];
        }
    }
    return "";
}

static int set_from(struct fill *f)
{
    const char *own = desk_address(f->in->desk);
    const char *from = f->in->channel->from[0] ? f->in->channel->from : own;

    f->base = own[0] != '\0' ? own : from;
    if (from[0] == '\0') {
        return tkt_err_set(f->err, TKT_ERR_CONF,
                           "a desk of a whole domain needs channel { from = }");
    }
    if (f->notice->from[0] == '\0') {
        f->notice->from = from;
    }
    if (f->notice->from_name[0] == '\0') {
        f->notice->from_name = f->in->desk->display_name;
    }
    return 0;
}

/* The same for each try: what is random in other Message-IDs comes from the notice's id. */
static int set_ids(struct fill *f)
{
    unsigned char hash[TKT_SHA256_LEN];
    char digits[2 * TKT_SHA256_LEN];
    char room[ADDRESS_MAX];

    tkt_sha256(f->notice->id, strlen(f->notice->id), hash);
    tkt_base32_encode(hash, 16, digits);
    int n = snprintf(room, sizeof(room), "%s.%.*s@%s", f->token, ID_DIGITS, digits,
                     f->in->conf->hostname);
    if (n < 0 || (size_t)n >= sizeof(room)) {
        return tkt_err_set(f->err, TKT_ERR_CONF, "hostname is too long for a Message-ID");
    }
    f->notice->message_id = keep(f, room);
    f->notice->in_reply_to = keep(f, f->in->answered);
    if (!f->notice->message_id || !f->notice->in_reply_to) {
        return -1;
    }
    TKT_AUTO_BUF struct tkt_buf refs = TKT_BUF_INIT(64 * 1024);
    bool named = f->in->answered[0] && strstr(f->in->references, f->in->answered);
    int rc = tkt_buf_adds(&refs, f->in->references);
    if (f->in->answered[0] && !named) {
        rc |= tkt_buf_addf(&refs, " <%s>", f->in->answered);
    }
    if (f->notice->thread[0] != '\0' && !strstr(tkt_buf_str(&refs), f->notice->thread)) {
        rc |= tkt_buf_addf(&refs, " <%s>", f->notice->thread);
    }
    f->notice->references = keep(f, rc < 0 ? "" : tkt_buf_str(&refs));
    return f->notice->references ? 0 : -1;
}

/* The same for each try, as its time is the notice's. */
static int make_token(struct fill *f, enum tkt_mail_tag tag, char out[TKT_TOKEN_LEN + 1])
{
    char party[ADDRESS_MAX];

    party_of(tag, f->notice->to, party);
    return tkt_token_make(f->in->keys, f->in->ticket, party, f->notice->at_ms / 1000,
                          f->in->conf->token.valid_ms / 1000, out, f->err);
}

static int set_addresses(struct fill *f)
{
    const char *how = tkt_channel_option(f->in->channel, "return_path");
    char separator = f->in->conf->token.separator[0];
    char room[ADDRESS_MAX];
    char bounce[TKT_TOKEN_LEN + 1];

    if (make_token(f, TKT_MAIL_TAG_BOUNCE, bounce) < 0) {
        return -1;
    }
    f->notice->reply_to = f->base;
    if (tkt_mail_tagged(f->base, separator, TKT_MAIL_TAG_NONE, f->token, room,
                        sizeof(room)) == 0) {
        f->notice->reply_to = keep(f, room);
    }
    f->notice->return_path = "";
    if (!(how && strcmp(how, "null") == 0) &&
        tkt_mail_tagged(f->base, separator, TKT_MAIL_TAG_BOUNCE, bounce, room,
                        sizeof(room)) == 0) {
        f->notice->return_path = keep(f, room);
    }
    return f->notice->reply_to && f->notice->return_path ? 0 : -1;
}

static int add_unsubscribe(struct fill *f)
{
    const char *page = f->in->unsubscribe;
    char room[ADDRESS_MAX];
    char token[TKT_TOKEN_LEN + 1];

    if (!f->in->may_unsubscribe) {
        return 0;
    }
    if (make_token(f, TKT_MAIL_TAG_LEAVE, token) < 0) {
        return -1;
    }
    bool by_mail = tkt_mail_tagged(f->base, f->in->conf->token.separator[0],
                                   TKT_MAIL_TAG_LEAVE, token, room, sizeof(room)) == 0;
    if (!by_mail && page[0] == '\0') {
        return 0;
    }
    bool both = by_mail && page[0] != '\0';
    if (add(f, "List-Unsubscribe: %s%s%s%s%s%s%s", page[0] ? "<" : "", page,
            page[0] ? ">" : "", both ? ", " : "", by_mail ? "<mailto:" : "",
            by_mail ? room : "", by_mail ? "?subject=unsubscribe>" : "") < 0) {
        return -1;
    }
    /* RFC 8058: for pages alone. */
    return page[0] ? add(f, "List-Unsubscribe-Post: List-Unsubscribe=One-Click") : 0;
}

static int add_headers(struct fill *f)
{
    f->headers = tkt_wire_arena_alloc(f->arena,
                                      (TKT_NOTICE_HEADERS_MAX + 1) * sizeof(*f->headers));
    if (!f->headers) {
        return tkt_err_set(f->err, TKT_ERR_TEMP, "mail: no memory");
    }
    int rc = 0;
    if (f->in->is_person) {
        rc |= add(f, "X-Auto-Response-Suppress: OOF");
    } else {
        rc |= add(f, "Auto-Submitted: %s",
                  f->in->is_answer ? "auto-replied" : "auto-generated");
        rc |= add(f, "X-Auto-Response-Suppress: All");
        rc |= add(f, "Precedence: auto_reply");
        rc |= add_unsubscribe(f);
    }
    if (rc < 0) {
        return -1;
    }
    f->headers[f->count] = NULL;
    f->notice->headers = f->headers;
    return 0;
}

int tkt_noticemail_fill(const struct tkt_noticemail *in, struct tkt_notice *notice,
                        struct tkt_wire_arena *arena, struct tkt_err *err)
{
    struct fill f = {.in = in, .notice = notice, .arena = arena, .err = err};

    return make_token(&f, TKT_MAIL_TAG_NONE, f.token) < 0 || set_from(&f) < 0 ||
                   set_ids(&f) < 0 || set_addresses(&f) < 0 || add_headers(&f) < 0
               ? -1
               : 0;
}
