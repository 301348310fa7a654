/* SPDX-License-Identifier: BSD-2-Clause
 * SMTP submission over a loop of net/http.h.
 *
 * Promise: one mail to one recipient each; it ends in exactly one call of done(), as a
 * request of http.h does and with the same four outcomes: DONE (the server has it),
 * REJECTED, RETRY, UNKNOWN (the whole mail left, and no answer to it came). It takes turns
 * with others of its host, and tkt_http_cancel and tkt_http_arg are for it, too.
 * TLS by STARTTLS or smtps:// with a proved certificate is a must, but for this host
 * itself (plain, unless starttls says otherwise) and with peer.allow_plain (TLS where the
 * server has it). Credentials and mail go nowhere before that.
 * Owner, threads: as in http.h; the mail is copied. A loop of its own: curl waits for the
 * reply to a mail's last dot without moving others on.
 * Limits: TKT_SMTP_MAIL_MAX bytes; TKT_HTTP_ANSWER_HEAD_MAX bytes of replies.
 * Errors: the response's status is the code of the last reply, its head that reply's lines
 * ("550 5.1.1 ..."), its err names stage and reply. REJECTED is PERM, but CONF where log-in,
 * TLS or the sender's right to relay is what is wrong.
 */
#ifndef TKT_NET_SMTP_H
#define TKT_NET_SMTP_H
#include "base/mailstatus.h"
#include "net/http.h"

#define TKT_SMTP_MAIL_MAX (64 * 1024 * 1024)
#define TKT_SMTP_REPLY_SHOWN 300 /* bytes of a reply in an error */

enum tkt_smtp_stage { /* what the last reply answered */
    TKT_SMTP_CONNECT,
    TKT_SMTP_HELLO,
    TKT_SMTP_STARTTLS,
    TKT_SMTP_AUTH,
    TKT_SMTP_MAIL,
    TKT_SMTP_RCPT,
    TKT_SMTP_DATA,
    TKT_SMTP_END, /* the dot behind the mail */
    TKT_SMTP_STAGES
};
extern const char *const tkt_smtp_stage_names[]; /* "connect", "hello", ... */

struct tkt_smtp_request { /* strings: "" or NULL where there is none */
    const char *url;      /* smtp://host:port (25), smtps://host:port (465); no path */
    const char *helo;     /* what we call ourselves; "": the host's name */
    const char *from;     /* of the envelope; "" = the null sender */
    const char *to;
    const char *user;
    const char *password;
    const char *bearer;     /* an OAuth token: AUTH XOAUTH2 instead of a password */
    const char *mechanisms; /* "PLAIN", "LOGIN", both with a blank; "": these two */
    const void *mail;       /* CRLF lines, not stuffed */
    size_t mail_len;
    int64_t timeout_ms; /* for each answer */
    bool starttls;      /* on this host, too */
    struct tkt_http_peer peer;
    void (*done)(struct tkt_http_call *call, struct tkt_http_response *response);
    void *arg;
};

/* NULL with *err: CONF for an illegal URL or a file that is not there, PERM for an address
 * that cannot stand in a command, else TEMP. */
struct tkt_http_call *tkt_smtp_start(struct tkt_http *http,
                                     const struct tkt_smtp_request *request,
                                     struct tkt_err *err);
/* In done(): how far it came. */
enum tkt_smtp_stage tkt_smtp_stage(const struct tkt_http_call *call);
/* Runs one to its end with a loop of its own, as tkt_http_perform does. */
int tkt_smtp_perform(const struct tkt_smtp_request *request,
                     struct tkt_http_response *out, enum tkt_smtp_stage *stage,
                     struct tkt_err *err);
/* 0, or -1 CONF: what start would say of the URL. */
int tkt_smtp_check_url(const char *url, struct tkt_err *err);
/* What a reply means: code of SMTP, the enhanced status in it or "", what it answered. */
enum tkt_http_outcome tkt_smtp_outcome(int code, const char *enhanced,
                                       enum tkt_smtp_stage stage,
                                       enum tkt_err_class *class);
/* What the reply says of this recipient: NONE but for a 5xx to RCPT that is not about us
 * (5.7.x, 530, 503) or the mail. Without an enhanced status 550, 551 and 553 are lasting. */
enum tkt_failure tkt_smtp_failure(int code, const char *enhanced,
                                  enum tkt_smtp_stage stage);
/* The enhanced status (RFC 3463) of a reply's text behind its code; "" without one. */
void tkt_smtp_enhanced(const char *reply, char out[16]);

#endif
