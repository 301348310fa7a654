/* SPDX-License-Identifier: BSD-2-Clause
 * The mail channel: a notice as RFC 5322 text, and its way to an MTA.
 *
 * Promise: what tkt_mail_write makes is legal whatever stands in the notice: no field can
 * be added by text, no line is longer than 998 bytes, all is ASCII but (8bit) bodies and
 * addresses whose local part is not ASCII, for which SMTPUTF8 is needed (*utf8); domains go
 * as A-labels. The same notice makes the same bytes, so that a mail that is sent again is
 * the same mail (Message-ID, Date, boundaries).
 * Two ways: SMTP by url (common/net/smtp.h) or, with url = "", the sendmail program. Both
 * block for as long as the server takes, at most some times conf->timeout_ms: curl waits for
 * the answer to a mail's last dot within its loop, so a slow mail server must not share
 * one with others (ticketd/jobs/running.h, tkt_running_aside).
 * Pure but tkt_mail_run; any thread. Memory: out's, call->arena's.
 * Limits: TKT_MAIL_MAX bytes; references beyond TKT_MAIL_REFERENCES_MAX are left out behind
 * the first.
 * Errors: PERM for what cannot be written (an address that is none), TEMP for memory.
 *
 * Options: program=/usr/sbin/sendmail, encoding=8bit, auth=PLAIN|LOGIN, tls=starttls (on
 * this host, too), helo=NAME, return_path=null|verp (read by ticketd/mail/noticemail.h).
 */
#ifndef TKT_NOTIFY_MAIL_H
#define TKT_NOTIFY_MAIL_H
#include "net/smtp.h"
#include "notify/notify.h"

#define TKT_MAIL_MAX (48 * 1024 * 1024)
#define TKT_MAIL_LINE_MAX 998
#define TKT_MAIL_REFERENCES_MAX 20
#define TKT_MAIL_SUBJECT_MAX 1000 /* bytes; cut between characters */
#define TKT_MAIL_NAME_MAX 200     /* of a person, of a file */

extern const struct tkt_channel_ops tkt_channel_mail;

/* Appends the mail to out, CRLF lines. */
int tkt_mail_write(const struct tkt_notice *notice, bool eight_bit, struct tkt_buf *out,
                   struct tkt_err *err);
/* An addr-spec that may stand in a command and in a field. */
bool tkt_mail_address_ok(const char *address);
/* The same with its domain as A-label: -1 when it is none or does not fit. */
int tkt_mail_address(const char *address, char *out, size_t max);

/* url = "": by the program. */
bool tkt_mail_is_by_program(const struct tkt_conf_channel *conf);
/* Makes request of call->notice; request->mail is mail's memory. */
int tkt_mail_build(struct tkt_channel_call *call, struct tkt_buf *mail,
                   struct tkt_smtp_request *request, struct tkt_err *err);
/* 0: told, else as ops->read; sets call->seen, undeliverable, unauthorized. */
int tkt_mail_read(struct tkt_channel_call *call, const struct tkt_http_response *response,
                  enum tkt_smtp_stage stage, struct tkt_err *err);
/* One notice to its end, by either way: 0: told, else as ops->read. *outcome UNKNOWN: it may
 * have been sent; sent again it is the same mail. */
int tkt_mail_run(struct tkt_channel_call *call, enum tkt_http_outcome *outcome,
                 struct tkt_err *err);
/* The way of the program alone. Private. */
int tkt_mail_program(struct tkt_channel_call *call, const struct tkt_buf *mail,
                     const struct tkt_smtp_request *q, enum tkt_http_outcome *outcome,
                     struct tkt_err *err);

#endif
