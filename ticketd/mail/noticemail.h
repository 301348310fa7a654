/* SPDX-License-Identifier: BSD-2-Clause
 * What makes a notice well-behaved mail (RFC 3834): who may be answered at all, and the
 * envelope and the fields by which other programs know it for what it is.
 *
 * tkt_mail_may_answer is asked by whoever plans an answer to a mail, before a job is
 * written; tkt_noticemail_fill when the job is carried out. Both are pure: the same in,
 * the same out, so that a mail that is sent again is the same mail. Any thread; memory is
 * the arena's. Errors: TEMP (memory), PERM (an address that is none).
 */
#ifndef TKT_TICKETD_NOTICEMAIL_H
#define TKT_TICKETD_NOTICEMAIL_H
#include "conf/conf.h"
#include "decide/decide.h"
#include "notify/notify.h"
#include "ticketd/mail/token.h"

/* A mail that somebody wants to answer; strings "" = not known. */
struct tkt_mail_asked {
    const char *sender; /* envelope; is_null_sender where that was <> */
    bool is_null_sender;
    const char *from; /* of the header: who would get the answer */
    enum tkt_class class;
    enum tkt_assurance assurance;
    bool is_unverified; /* it was taken as a stranger's note only */
};
enum tkt_mail_answer {
    TKT_MAIL_ANSWER, /* yes */
    TKT_MAIL_NO_ADDRESS,
    TKT_MAIL_NO_NULL_SENDER,
    TKT_MAIL_NO_CLASS, /* the desk's policy for this class of mail says no */
    TKT_MAIL_NO_OWN,   /* the address is a desk's, or a sub-address of one */
    TKT_MAIL_NO_ROBOT, /* no-reply@, mailer-daemon@, owner-x@, x-request@ ... */
    TKT_MAIL_NO_FORGED,
    TKT_MAIL_NO_UNVERIFIED,
    TKT_MAIL_ANSWERS
};
extern const char *const tkt_mail_answer_names[]; /* "yes", "no-address", ... */
enum tkt_mail_answer tkt_mail_may_answer(const struct tkt_conf *conf,
                                         const struct tkt_conf_desk *desk,
                                         const struct tkt_mail_asked *asked);
/* May a notice go to this address at all, whatever it is about? Not to a desk of ours, nor
 * to what is no address. ANSWER or NO_ADDRESS, NO_OWN. */
enum tkt_mail_answer tkt_mail_may_tell(const struct tkt_conf *conf, const char *to);

struct tkt_noticemail {
    const struct tkt_conf *conf;
    const struct tkt_token_keys *keys;
    const struct tkt_conf_channel *channel;
    const struct tkt_conf_desk *desk;
    int64_t ticket;          /* row */
    const char *answered;    /* Message-ID of the mail that is answered, or "" */
    const char *references;  /* of that mail, "<a> <b>", or "" */
    bool is_answer;          /* to one mail of this recipient: auto-replied */
    bool is_person;          /* written by a person (TKT_NOTICE_REPLY): not automatic */
    bool may_unsubscribe;    /* List-Unsubscribe by mail */
    const char *unsubscribe; /* a page for it, https://..., or "" */
};
/* Sets from, from_name (where they are ""), reply_to, return_path, message_id,
 * in_reply_to, references and headers of *notice by its id, to, ticket and at_ms; all in
 * the arena. */
int tkt_noticemail_fill(const struct tkt_noticemail *in, struct tkt_notice *notice,
                        struct tkt_wire_arena *arena, struct tkt_err *err);

/* What a recipient of ours says beyond its token: */
enum tkt_mail_tag {
    TKT_MAIL_TAG_NONE,        /* it+TOKEN@: a thread's */
    TKT_MAIL_TAG_BOUNCE,      /* it+b-TOKEN@: a mail of ours came back */
    TKT_MAIL_TAG_UNSUBSCRIBE, /* it+u-TOKEN@: of older mails, with the thread's token */
    TKT_MAIL_TAG_LEAVE,       /* it+d-TOKEN@: of this desk */
};
/* "it@x", tag, TOKEN -> "it+b-TOKEN@x"; -1 when it does not fit. */
int tkt_mail_tagged(const char *addr, char separator, enum tkt_mail_tag tag,
                    const char *token, char *out, size_t max);
/* Whether the token of a tagged address is address's. Each tag has tokens of its own: that of
 * Reply-To and Message-ID stands in the thread for all to see, and whoever has it can neither
 * report a failure nor opt anybody out. */
bool tkt_mail_tag_is_for(const struct tkt_token_keys *keys, const struct tkt_token *token,
                         enum tkt_mail_tag tag, const char *address);
/* The tag of rcpt and its token; NONE when it has none. */
enum tkt_mail_tag tkt_mail_tag_of(const char *rcpt, char separator,
                                  char token[TKT_TOKEN_LEN + 1]);

#endif
