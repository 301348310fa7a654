/* SPDX-License-Identifier: BSD-2-Clause
 * A mail as a call of the loop. What curl says when it is over does not tell how far it
 * came, so the commands that leave and the replies that come are followed one by one.
 */
#include "net/smtp.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "net/guard.h"
#include "net/internal.h"

#include <stdio.h>
#include <string.h>

#define WHOLE_TIMES 8 /* of timeout_ms: no mail takes longer, however slowly it drips */

const char *const tkt_smtp_stage_names[] = {"connect", "hello", "starttls", "auth",
                                            "mail",    "rcpt",  "data",     "end"};
_Static_assert(TKT_ARRAY_LEN(tkt_smtp_stage_names) == TKT_SMTP_STAGES, "a name each");

/* ---- replies ------------------------------------------------------------------------------ */

void tkt_smtp_enhanced(const char *reply, char out[16])
{
    size_t n = strspn(reply, "0123456789.");
    int dots = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        dots += reply[i] == '.';
    }
    if (dots == 2 && n >= 5 && n < 12 && strchr("245", reply[0]) && reply[1] == '.' &&
        reply[n - 1] != '.' && (reply[n] == ' ' || reply[n] == '\0')) {
        memcpy(out, reply, n);
        out[n] = '\0';
    }
}

/* What is wrong with us rather than with the mail or its recipient. */
static bool is_about_us(int code, const char *enhanced, enum tkt_smtp_stage stage)
{
    if (stage < TKT_SMTP_MAIL) {
        return true;
    }
    return code == 530 || code == 503 || code == 502 || code == 500 ||
           (stage <= TKT_SMTP_RCPT && strncmp(enhanced, "5.7.", 4) == 0);
}

enum tkt_http_outcome tkt_smtp_outcome(int code, const char *enhanced,
                                       enum tkt_smtp_stage stage,
                                       enum tkt_err_class *class)
{
    *class = TKT_ERR_NONE;
    if (code >= 200 && code < 300 && stage == TKT_SMTP_END) {
        return TKT_HTTP_DONE;
    }
    if (code >= 500 && code < 600) {
        *class = is_about_us(code, enhanced, stage) ? TKT_ERR_CONF : TKT_ERR_PERM;
        return TKT_HTTP_REJECTED;
    }
    *class = TKT_ERR_TEMP;
    return TKT_HTTP_RETRY;
}

enum tkt_failure tkt_smtp_failure(int code, const char *enhanced,
                                  enum tkt_smtp_stage stage)
{
    if (stage != TKT_SMTP_RCPT || code < 500 || code >= 600 ||
        is_about_us(code, enhanced, stage)) {
        return TKT_FAILURE_NONE;
    }
    if (enhanced[0] == '\0') {
        return code == 550 || code == 551 || code == 553 ? TKT_FAILURE_LASTING
                                                         : TKT_FAILURE_PASSING;
    }
    return tkt_mailstatus_failure(enhanced);
}

/* ---- what curl tells while it runs -------------------------------------------------------- */

static void see_command(struct tkt_http_call *c, const char *line, size_t n)
{
    static const struct {
        const char *verb;
        enum tkt_smtp_stage stage;
    } verbs[] = {{"EHLO", TKT_SMTP_HELLO},        {"HELO", TKT_SMTP_HELLO},
                 {"STARTTLS", TKT_SMTP_STARTTLS}, {"AUTH", TKT_SMTP_AUTH},
                 {"MAIL", TKT_SMTP_MAIL},         {"RCPT", TKT_SMTP_RCPT},
                 {"DATA", TKT_SMTP_DATA}};

    c->reply_over = c->reply_over || (n >= 4 && memcmp(line, "QUIT", 4) == 0);
    for (size_t i = 0; i < TKT_ARRAY_LEN(verbs); i++) {
        size_t v = strlen(verbs[i].verb);

        if (n > v && memcmp(line, verbs[i].verb, v) == 0 &&
            (line[v] == ' ' || line[v] == '\r')) { /* a log-in's line may begin so */
            c->smtp_stage = verbs[i].stage;
            if (verbs[i].stage == TKT_SMTP_MAIL) {
                c->smtp->says_utf8 = memmem(line, n, " SMTPUTF8", 9) != NULL;
            }
            return;
        }
    }
}

static int see(CURL *easy, curl_infotype type, char *data, size_t n, void *arg)
{
    struct tkt_http_call *c = arg;

    (void)easy;
    if (type == CURLINFO_HEADER_OUT) { /* log-ins, too: only the verb is looked at */
        see_command(c, data, n);
    }
    return 0;
}

/* RFC 6531: to a server that does not know them no such address may be sent. */
static bool lacks_utf8(const struct tkt_http_call *c)
{
    return c->smtp_stage == TKT_SMTP_MAIL && c->smtp->needs_utf8 && !c->smtp->says_utf8;
}

/* Lines of a reply; those of the last one are kept. */
static size_t take_reply(char *data, size_t size, size_t n, void *arg)
{
    struct tkt_http_call *c = arg;
    struct tkt_buf *head = &c->response.head;
    size_t len = n;

    (void)size;
    while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n')) {
        len--;
    }
    if (c->reply_over) { /* to a farewell */
        return n;
    }
    if (c->reply_ended) {
        tkt_buf_reset(head);
    }
    c->reply_ended = len < 4 || data[3] != '-';
    if (head->len + len + 1 <= head->max && tkt_buf_add(head, data, len) == 0) {
        (void)tkt_buf_addc(head, '\n'); /* it fits */
    }
    return lacks_utf8(c) && data[0] == '2' ? 0 : n; /* 0: it ends here */
}

static size_t give_mail(char *out, size_t size, size_t n, void *arg)
{
    struct tkt_http_call *c = arg;
    size_t want = (size_t)TKT_MIN((int64_t)(size * n), c->body_size - c->sent);

    memcpy(out, (char *)c->body + c->sent, want);
    c->sent += (int64_t)want;
    if (c->sent == c->body_size) {
        c->smtp_stage = TKT_SMTP_END; /* the dot follows by itself */
    }
    return want;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct tkt_http_call *c = arg;

    (void)purpose;
    if (c->is_plain && !c->allow_plain &&
        !tkt_address_is_loopback(&address->addr, address->addrlen)) {
        c->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- options ------------------------------------------------------------------------------ */

static bool set_tls(CURL *e, const struct tkt_http_call *c)
{
    /* Where plain would do, TLS that proves nothing does no harm. */
    bool lax = c->allow_plain && !c->ca_file;
    long level = c->is_plain      ? CURLUSESSL_NONE
                 : c->allow_plain ? CURLUSESSL_TRY
                                  : CURLUSESSL_ALL;
    bool ok =
        curl_easy_setopt(e, CURLOPT_USE_SSL, level) == CURLE_OK &&
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, lax ? 0L : 1L) == CURLE_OK &&
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, lax ? 0L : 2L) == CURLE_OK &&
        curl_easy_setopt(e, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) == CURLE_OK;

    if (c->ca_file) {
        ok = ok && curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    }
    if (c->client_cert) {
        ok = ok && curl_easy_setopt(e, CURLOPT_SSLCERT, c->client_cert) == CURLE_OK;
    }
    if (c->client_key) {
        ok = ok && curl_easy_setopt(e, CURLOPT_SSLKEY, c->client_key) == CURLE_OK;
    }
    return ok;
}

static bool set_login(CURL *e, const struct tkt_smtp_call *m)
{
    bool ok = true;

    if (m->user) {
        ok = curl_easy_setopt(e, CURLOPT_USERNAME, m->user) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_SASL_IR, 1L) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_LOGIN_OPTIONS, m->mechanisms) == CURLE_OK;
    }
    if (m->password) {
        ok = ok && curl_easy_setopt(e, CURLOPT_PASSWORD, m->password) == CURLE_OK;
    }
    if (m->bearer) {
        ok = ok && curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, m->bearer) == CURLE_OK;
    }
    return ok;
}

static bool set_times(CURL *e, const struct tkt_http_call *c)
{
    long reply_s = (long)((c->timeout_ms + 999) / 1000);

    return curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)TKT_MIN((int64_t)TKT_HTTP_CONNECT_MS, c->timeout_ms)) ==
               CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, reply_s) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, reply_s) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(c->timeout_ms * WHOLE_TIMES)) ==
               CURLE_OK;
}

int tkt_smtp_setup(struct tkt_http_call *c, struct tkt_err *err)
{
    const struct tkt_smtp_call *m = c->smtp;
    CURL *e = c->easy;
    /* A session that one mail failed in is not trusted with the next; a kept one may be at
     * its end. Both cost a connection at worst, as a rule to a host nearby. */
    bool ok = curl_easy_setopt(e, CURLOPT_URL, m->url) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
              (!m->from || curl_easy_setopt(e, CURLOPT_MAIL_FROM, m->from) == CURLE_OK) &&
              curl_easy_setopt(e, CURLOPT_MAIL_RCPT, c->headers) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_READFUNCTION, give_mail) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_READDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body_size) ==
                  CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_reply) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HEADERDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_VERBOSE, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, see) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_DEBUGDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PRIVATE, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SHARE, c->http->share) == CURLE_OK &&
              set_tls(e, c) && set_login(e, m) && set_times(e, c);

    return ok ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "smtp: the mail cannot be set up");
}

/* ---- how it ended ------------------------------------------------------------------------- */

/* The last line of a reply as one line of UTF-8. */
static void show_reply(const struct tkt_http_response *r, char *out, size_t max)
{
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(4 * TKT_HTTP_ANSWER_HEAD_MAX);
    const char *p = tkt_buf_str(&r->head);
    size_t len = strlen(p);

    while (len > 0 && p[len - 1] == '\n') {
        len--;
    }
    (void)tkt_utf8_add_clean(&clean, p, len); /* what does not fit is not shown */
    size_t n = tkt_utf8_cut(tkt_buf_str(&clean), clean.len, max - 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)clean.data[i];

        out[i] = byte < 0x20 || byte == 0x7f ? ' ' : clean.data[i];
    }
    out[n] = '\0';
}

static void judge_reply(struct tkt_http_call *c)
{
    struct tkt_http_response *r = &c->response;
    char shown[TKT_SMTP_REPLY_SHOWN];
    char enhanced[16];
    enum tkt_err_class class;
    const char *text = tkt_buf_str(&r->head);

    tkt_smtp_enhanced(strlen(text) > 4 ? text + 4 : "", enhanced);
    r->outcome = tkt_smtp_outcome(r->status, enhanced, c->smtp_stage, &class);
    if (r->outcome != TKT_HTTP_DONE) {
        show_reply(r, shown, sizeof(shown));
        tkt_err_set(&r->err, class, "%s: %s", tkt_smtp_stage_names[c->smtp_stage], shown);
    }
}

/* Why a token is refused comes as a challenge (XOAUTH2), which libcurl leaves unanswered:
 * the 535 behind it is never read. */
static void judge_token(struct tkt_http_response *r)
{
    r->status = 535;
    r->outcome = TKT_HTTP_REJECTED;
    tkt_err_set(&r->err, TKT_ERR_CONF, "%s: the token is refused",
                tkt_smtp_stage_names[TKT_SMTP_AUTH]);
}

/* What a server says that looks at it itself (RFC 6531, 3.5). */
static void judge_utf8(struct tkt_http_call *c)
{
    static const char said[] = "553 5.6.7 it does not take addresses beyond ASCII "
                               "(SMTPUTF8)";

    c->smtp_stage = TKT_SMTP_RCPT;
    c->response.status = 553;
    tkt_buf_reset(&c->response.head);
    (void)tkt_buf_adds(&c->response.head, said); /* it fits */
    judge_reply(c);
}

/* curl's own code may be that of a farewell. */
static int reply_code(const struct tkt_http_response *r)
{
    const char *p = tkt_buf_str(&r->head);
    bool is_code = strspn(p, "0123456789") == 3;

    return is_code ? (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0') : 0;
}

void tkt_smtp_judge(struct tkt_http_call *c, CURLcode code)
{
    struct tkt_http_response *r = &c->response;
    int status = reply_code(r);

    r->took_ms = tkt_clock_mono_ms() - c->started_ms;
    r->status = status;
    if (c->refused) {
        r->outcome = TKT_HTTP_REJECTED;
        tkt_err_set(&r->err, TKT_ERR_CONF, "without TLS to this host alone");
        return;
    }
    if (code == CURLE_OK && status >= 200 && status < 300) {
        c->smtp_stage = TKT_SMTP_END;
        r->outcome = TKT_HTTP_DONE;
        return;
    }
    switch (code) {
    case CURLE_USE_SSL_FAILED:
        r->outcome = TKT_HTTP_REJECTED;
        tkt_err_set(&r->err, TKT_ERR_CONF,
                    "it has no STARTTLS, and plain is not allowed");
        return;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        r->outcome = TKT_HTTP_REJECTED;
        tkt_err_set(&r->err, TKT_ERR_CONF, "%s", curl_easy_strerror(code));
        return;
    case CURLE_WRITE_ERROR:
        if (lacks_utf8(c) && status >= 200 && status < 300) {
            judge_utf8(c);
            return;
        }
        break;
    case CURLE_LOGIN_DENIED:
        if (status == 334 && c->smtp_stage == TKT_SMTP_AUTH && c->smtp->bearer) {
            judge_token(r);
            return;
        }
        break;
    default:
        break;
    }
    /* 4xx and 5xx are replies; 3xx and 2xx say that the reply that matters never came. */
    if (status >= 400) {
        judge_reply(c);
        return;
    }
    r->outcome = c->smtp_stage == TKT_SMTP_END ? TKT_HTTP_UNKNOWN : TKT_HTTP_RETRY;
    tkt_err_set(&r->err, TKT_ERR_TEMP, "%s: %s", tkt_smtp_stage_names[c->smtp_stage],
                curl_easy_strerror(code));
}

/* ---- starting ------------------------------------------------------------------------------ */

/* What would end the command, or stand outside of its brackets. */
static bool is_illegal(const char *address)
{
    for (const char *p = address; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '<' || *p == '>') {
            return true;
        }
    }
    return strlen(address) > 1000 || (address[0] == '"' && !strrchr(address, '@'));
}

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80) {
        text++;
    }
    return *text == '\0';
}

static bool copy(char **to, const char *from)
{
    return !tkt_http_is_given(from) || (*to = strdup(from)) != NULL;
}

static bool copy_mechanisms(struct tkt_smtp_call *m, const char *names)
{
    char text[200] = "";
    size_t n = 0;

    if (m->bearer) {
        return (m->mechanisms = strdup("AUTH=XOAUTH2")) != NULL;
    }
    names = tkt_http_is_given(names) ? names : "PLAIN LOGIN";
    for (const char *p = names + strspn(names, " "); *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");

        n += (size_t)snprintf(text + n, sizeof(text) - n, "%sAUTH=%.*s", n > 0 ? ";" : "",
                              (int)TKT_MIN(len, (size_t)40), p);
        if (n >= sizeof(text)) {
            return false;
        }
        p += len;
    }
    return (m->mechanisms = strdup(text)) != NULL;
}

static int copy_all(struct tkt_http_call *c, const struct tkt_smtp_request *q,
                    struct tkt_err *err)
{
    struct tkt_smtp_call *m = calloc(1, sizeof(*m));
    bool ok = m != NULL;

    c->smtp = m;
    /* curl takes the name for EHLO from the path. */
    ok = ok && asprintf(&m->url, "%s%s%s", q->url, tkt_http_is_given(q->helo) ? "/" : "",
                        tkt_http_is_given(q->helo) ? q->helo : "") > 0;
    ok = ok && copy(&m->from, q->from) && copy(&m->user, q->user) &&
         copy(&m->password, q->password) && copy(&m->bearer, q->bearer) &&
         copy_mechanisms(m, q->mechanisms) && (c->url = strdup(q->url)) != NULL &&
         tkt_http_copy_peer(c, &q->peer) &&
         (c->headers = curl_slist_append(NULL, q->to)) != NULL &&
         (c->body = malloc(q->mail_len)) != NULL;
    if (!ok) {
        return tkt_err_set(err, TKT_ERR_TEMP, "smtp: no memory");
    }
    m->needs_utf8 =
        !is_ascii(q->to) || (tkt_http_is_given(q->from) && !is_ascii(q->from));
    memcpy(c->body, q->mail, q->mail_len);
    c->body_len = q->mail_len;
    c->body_size = (int64_t)q->mail_len;
    return 0;
}

int tkt_smtp_fill(struct tkt_http_call *c, const struct tkt_smtp_request *q, char *key,
                  size_t size, struct tkt_err *err)
{
    bool is_tls = false;
    bool is_here = false;

    if (tkt_smtp_split_url(q->url, key, size, &is_tls, &is_here, err) < 0) {
        return -1;
    }
    if (!tkt_http_is_given(q->to) || is_illegal(q->to) ||
        (q->from && is_illegal(q->from)) ||
        (tkt_http_is_given(q->helo) && strpbrk(q->helo, " /?#%\r\n"))) {
        return tkt_err_set(err, TKT_ERR_PERM, "smtp: not an address");
    }
    if (q->mail_len == 0 || q->mail_len > TKT_SMTP_MAIL_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "smtp: a mail of %zu bytes", q->mail_len);
    }
    c->is_plain = !is_tls && is_here && !q->starttls;
    c->allow_plain = q->peer.allow_plain && !q->starttls;
    c->in_flight_max =
        q->peer.in_flight_max > 0 ? q->peer.in_flight_max : TKT_HTTP_IN_FLIGHT_MAX;
    c->timeout_ms = q->timeout_ms > 0 ? q->timeout_ms : TKT_HTTP_TIMEOUT_MS;
    c->done = q->done;
    c->arg = q->arg;
    c->reply_ended = true;
    tkt_buf_init(&c->response.body, 1);
    tkt_buf_init(&c->response.head, TKT_HTTP_ANSWER_HEAD_MAX);
    return copy_all(c, q, err);
}

void tkt_smtp_release(struct tkt_smtp_call **smtp)
{
    struct tkt_smtp_call *m = *smtp;

    if (m) {
        char *all[] = {m->url, m->from, m->user, m->password, m->bearer, m->mechanisms};

        for (size_t i = 0; i < TKT_ARRAY_LEN(all); i++) {
            if (all[i]) {
                tkt_wipe(all[i], strlen(all[i]));
                free(all[i]);
            }
        }
        free(m);
    }
    *smtp = NULL;
}

enum tkt_smtp_stage tkt_smtp_stage(const struct tkt_http_call *call)
{
    return call->smtp_stage;
}

int tkt_smtp_check_url(const char *url, struct tkt_err *err)
{
    char key[300];
    bool is_tls = false;
    bool is_here = false;

    return tkt_smtp_split_url(url, key, sizeof(key), &is_tls, &is_here, err);
}

/* ---- one by itself ------------------------------------------------------------------------ */

struct alone {
    struct tkt_http_response *out;
    enum tkt_smtp_stage *stage;
    bool ended;
};

static void alone_done(struct tkt_http_call *call, struct tkt_http_response *response)
{
    struct alone *a = tkt_http_arg(call);

    tkt_http_response_move(a->out, response);
    *a->stage = call->smtp_stage;
    a->ended = true;
}

int tkt_smtp_perform(const struct tkt_smtp_request *request,
                     struct tkt_http_response *out, enum tkt_smtp_stage *stage,
                     struct tkt_err *err)
{
    struct alone a = {.out = out, .stage = stage};
    struct tkt_smtp_request q = *request;
    struct tkt_http *h = tkt_http_new(err);

    if (!h) {
        return -1;
    }
    q.done = alone_done;
    q.arg = &a;
    if (tkt_smtp_start(h, &q, err)) {
        while (!a.ended) {
            tkt_http_poll(h, 1000);
        }
    }
    tkt_http_free(&h);
    return a.ended ? 0 : -1;
}
