/* SPDX-License-Identifier: BSD-2-Clause
 * A request as options of curl, and curl's answers into the response.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "net/guard.h"
#include "net/internal.h"
#include "net/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define UPLOAD_BYTES_PER_MS 4 /* the slowest way that is waited for */

/* ---- what curl asks for while it runs --------------------------------------------------- */

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
    struct tkt_http_call *c = arg;

    (void)size; /* always 1 */
    if (c->response.body.len + n > c->answer_max ||
        tkt_buf_add(&c->response.body, data, n) < 0) {
        c->too_long = true;
        return n + 1; /* anything but n ends it */
    }
    return n;
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
    struct tkt_http_call *c = arg;
    struct tkt_buf *head = &c->response.head;
    size_t len = n;
    const char *colon;

    (void)size;
    if (n >= 5 && memcmp(data, "HTTP/", 5) == 0) { /* a new answer: 100, then 200 */
        tkt_buf_reset(head);
        return n;
    }
    while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n')) {
        len--;
    }
    colon = memchr(data, ':', len);
    if (!colon || head->len + len + 2 > TKT_HTTP_ANSWER_HEAD_MAX) {
        return n; /* fields past the cap are not kept; none of them decides anything */
    }
    size_t at = head->len;

    if (tkt_buf_add(head, data, len) == 0 && tkt_buf_addc(head, '\n') == 0) {
        for (size_t i = at; head->data[i] != ':'; i++) {
            if (head->data[i] >= 'A' && head->data[i] <= 'Z') {
                head->data[i] = (char)(head->data[i] + ('a' - 'A'));
            }
        }
    }
    return n;
}

/* Of a text that stands at `at` of the body: what of [sent, sent + want) lies in it. */
static size_t give_text(const struct tkt_http_call *c, const char *text, int64_t at,
                        char *out, size_t want)
{
    int64_t left = at + (int64_t)strlen(text) - c->sent;
    size_t n = left > 0 ? (size_t)TKT_MIN((int64_t)want, left) : 0;

    memcpy(out, text + (n > 0 ? c->sent - at : 0), n);
    return n;
}

/* Less than all of it is fine; 0 is an error. */
static size_t give_streamed(const struct tkt_http_call *c, char *out, size_t want)
{
    int64_t head = (int64_t)strlen(c->body_head);
    int64_t at = c->sent - head;
    ssize_t got;

    if (at < 0) {
        return give_text(c, c->body_head, 0, out, want);
    }
    if (at >= c->file_size) {
        return give_text(c, c->body_tail, head + c->file_size, out, want);
    }
    want = (size_t)TKT_MIN((int64_t)want, c->file_size - at);
    do {
        got = pread(c->body_fd, out, want, c->body_offset + at);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? 0 : (size_t)got;
}

static size_t give_body(char *out, size_t size, size_t n, void *arg)
{
    struct tkt_http_call *c = arg;
    size_t want = (size_t)TKT_MIN((int64_t)(size * n), c->body_size - c->sent);

    if (want == 0) {
        return 0;
    }
    if (c->body) {
        memcpy(out, (char *)c->body + c->sent, want);
    } else {
        want = give_streamed(c, out, want);
        if (want == 0) { /* shorter than it was: what was announced cannot be sent */
            return CURL_READFUNC_ABORT;
        }
    }
    c->sent += (int64_t)want;
    return want;
}

/* curl sends a request again by itself when a kept connection ends without an answer: the
 * server may have carried it out. It has to rewind the body for that, and may not. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
    struct tkt_http_call *c = arg;

    if (origin != SEEK_SET || offset < 0 || offset > c->body_size ||
        (!c->repeatable && c->sent > 0)) {
        return CURL_SEEKFUNC_FAIL;
    }
    c->sent = offset;
    return CURL_SEEKFUNC_OK;
}

/* The same where curl has the body itself and asks nobody: it asks here before each try. */
static int begin_try(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
    struct tkt_http_call *c = arg;
    long sent = 0;

    (void)peer_ip;
    (void)own_ip;
    (void)peer_port;
    (void)own_port;
    (void)curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent); /* else stays 0 */
    c->lost = sent > 0 && !c->repeatable;
    return c->lost ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct tkt_http_call *c = arg;
    bool proxied = c->proxy != NULL;
    bool allowed = true;

    (void)purpose;
    if (c->public_only && !proxied) {
        allowed = tkt_address_is_public(&address->addr, address->addrlen);
    } else if (c->is_plain && !c->allow_plain && !proxied) {
        allowed = tkt_address_is_loopback(&address->addr, address->addrlen);
    }
    if (!allowed) {
        c->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- options ------------------------------------------------------------------------------ */

static bool set_tls(CURL *e, const struct tkt_http_call *c)
{
    bool ok =
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
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

static bool has_type_field(const struct tkt_http_call *c)
{
    static const char name[] = "Content-Type:";

    for (const struct curl_slist *s = c->headers; s; s = s->next) {
        if (tkt_ascii_ieqn(s->data, name, sizeof(name) - 1)) {
            return true;
        }
    }
    return false;
}

static bool set_method(CURL *e, struct tkt_http_call *c)
{
    bool ok = true;

    if (c->body && has_type_field(c)) { /* else curl would name a type of its own */
        /* Small ones leave in one piece with the header. */
        ok = curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len) ==
                 CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_POSTFIELDS, c->body) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, begin_try) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_PREREQDATA, c) == CURLE_OK;
    } else if (c->body_size > 0) {
        /* By callbacks, so that rewind_body is asked. */
        ok = curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_READFUNCTION, give_body) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_READDATA, c) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, rewind_body) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_SEEKDATA, c) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body_size) ==
                 CURLE_OK;
    } else if (!c->repeatable) {
        /* Without a body there is no rewind to refuse: only a new connection is never
         * tried twice. */
        ok = curl_easy_setopt(e, CURLOPT_POSTFIELDS, "") == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, 0L) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK;
    } else if (strcmp(c->method, "HEAD") == 0) {
        ok = curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
    }
    return ok && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, c->method) == CURLE_OK;
}

static bool set_times(CURL *e, const struct tkt_http_call *c)
{
    bool ok = curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                               (long)TKT_MIN((int64_t)TKT_HTTP_CONNECT_MS,
                                             c->stall_ms ? TKT_HTTP_CONNECT_MS
                                                         : c->timeout_ms)) == CURLE_OK;

    if (c->stall_ms > 0) {
        /* At a byte now and then an answer would take days. */
        int64_t most_ms = 2 * c->stall_ms + c->body_size / UPLOAD_BYTES_PER_MS;

        return ok && curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)most_ms) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME,
                                (long)((c->stall_ms + 999) / 1000)) == CURLE_OK;
    }
    return ok && curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms) == CURLE_OK;
}

static bool set_way(CURL *e, struct tkt_http_call *c)
{
    bool ok = curl_easy_setopt(e, CURLOPT_URL, c->url) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) ==
                  CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L) == CURLE_OK &&
              /* "" also keeps curl from asking the environment */
              curl_easy_setopt(e, CURLOPT_PROXY, c->proxy ? c->proxy : "") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c) == CURLE_OK;

    if (c->public_only) { /* kept connections were not looked at */
        ok = ok && curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK;
    }
    return ok;
}

int tkt_http_setup(struct tkt_http_call *c, struct tkt_err *err)
{
    CURL *e = c->easy;
    bool ok = set_way(e, c) && set_tls(e, c) && set_times(e, c) && set_method(e, c) &&
              curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HEADERDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PRIVATE, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SHARE, c->http->share) == CURLE_OK;

    return ok ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "http: the request cannot be set up");
}

/* ---- how it ended ------------------------------------------------------------------------- */

static bool has_type(const char *have, const char *want)
{
    size_t n = strcspn(have, "; \t");
    size_t w = strlen(want);

    if (n == w && tkt_ascii_ieqn(have, want, n)) {
        return true;
    }
    /* application/problem+json is application/json, too */
    const char *slash = strchr(want, '/');
    size_t s = slash ? strlen(slash + 1) : 0;

    return s > 0 && n > s && have[n - s - 1] == '+' &&
           tkt_ascii_ieqn(have + n - s, slash + 1, s);
}

/* Some services limit rates with a 403. */
static bool is_rate_limit(const struct tkt_http_response *r)
{
    char room[64];
    const char *left = tkt_http_header(r, "x-ratelimit-remaining", room, sizeof(room));

    return r->status == 403 && ((left && strcmp(left, "0") == 0) ||
                                tkt_http_header(r, "retry-after", room, sizeof(room)));
}

static void judge_status(struct tkt_http_call *c)
{
    struct tkt_http_response *r = &c->response;
    char room[256];
    const char *value;

    r->outcome = is_rate_limit(r) ? TKT_HTTP_RETRY
                                  : tkt_http_status_outcome(r->status, c->repeatable);
    if (r->outcome != TKT_HTTP_DONE) {
        const char *what = r->status >= 300 && r->status < 400
                               ? " (a redirect, which is not followed: is the URL right?)"
                               : "";

        tkt_err_set(&r->err, tkt_http_outcome_class(r->outcome, r->status), "HTTP %d%s",
                    r->status, what);
        value = tkt_http_header(r, "retry-after", room, sizeof(room));
        r->err.retry_after_s =
            value ? tkt_retry_after(value, tkt_clock_wall_ms() / 1000) : 0;
        return;
    }
    if (!c->accept_type || r->status == 204 || r->body.len == 0) {
        return;
    }
    value = tkt_http_header(r, "content-type", room, sizeof(room));
    if (!value || !has_type(value, c->accept_type)) {
        char why[160];

        snprintf(why, sizeof(why), "its body is not %.60s", c->accept_type);
        tkt_http_unreadable(r, c->repeatable, why);
    }
}

/* Nothing of it was carried out: it ended before a byte of the request left. */
static bool was_never_sent(const struct tkt_http_call *c, CURLcode code)
{
    long sent = 0;

    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return true;
    default:
        break;
    }
    (void)curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent); /* else stays 0 */
    return sent == 0;
}

void tkt_http_judge(struct tkt_http_call *c, CURLcode code)
{
    struct tkt_http_response *r = &c->response;
    long status = 0;

    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int)status;
    r->took_ms = tkt_clock_mono_ms() - c->started_ms;
    if (code == CURLE_OK) {
        judge_status(c);
        return;
    }
    if (c->refused) {
        r->outcome = TKT_HTTP_REJECTED;
        tkt_err_set(&r->err, TKT_ERR_PERM,
                    "its name leads to an address that may not be "
                    "reached");
        return;
    }
    /* A refusal stays one, however its text ended. */
    if (status >= 400 &&
        tkt_http_status_outcome((int)status, false) != TKT_HTTP_UNKNOWN) {
        judge_status(c);
        return;
    }
    if (c->too_long) {
        r->outcome = c->repeatable ? TKT_HTTP_REJECTED : TKT_HTTP_UNKNOWN;
        tkt_err_set(&r->err, c->repeatable ? TKT_ERR_PERM : TKT_ERR_TEMP,
                    "its answer is longer than %zu bytes", c->answer_max);
        return;
    }
    if (c->lost) {
        r->outcome = TKT_HTTP_UNKNOWN;
        tkt_err_set(&r->err, TKT_ERR_TEMP, "the connection ended without an answer");
        return;
    }
    r->outcome =
        c->repeatable || was_never_sent(c, code) ? TKT_HTTP_RETRY : TKT_HTTP_UNKNOWN;
    tkt_err_set(&r->err, TKT_ERR_TEMP, "%s", curl_easy_strerror(code));
}
