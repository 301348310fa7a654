/* SPDX-License-Identifier: BSD-2-Clause
 * A message as understood: what a parser child tells about it. Data and codec only; the
 * code that reads MIME (message/parse.h) runs in the parser children, never in ticketd.
 *
 * The codec turns the struct into bytes and back. The decoder's input comes from a
 * sandboxed child that may have been taken over: every length, count and string (valid
 * UTF-8, no NUL; no control bytes but TAB in any string except text) is checked, all
 * memory is bounded by TKT_MESSAGE_WIRE_MAX and the caps below. Strings live in the
 * struct's arena, are never NULL in a decoded or parsed struct ("" = absent; the encoder
 * takes NULL for ""), and are freed by release. out is written only on success.
 * The wire's arena is used; else libc only. A struct belongs to one thread.
 */
#ifndef TKT_MESSAGE_MESSAGE_H
#define TKT_MESSAGE_MESSAGE_H
#include "base/buf.h"
#include "base/err.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_MESSAGE_WIRE_MAX (20 * 1024 * 1024)
#define TKT_MESSAGE_REFS_MAX 64
#define TKT_MESSAGE_ADDRS_MAX 512
#define TKT_MESSAGE_PARTS_MAX 500
#define TKT_MESSAGE_NOTES_MAX 64  /* class_evidence, problems */
#define TKT_MESSAGE_KEPT_MAX 256  /* header fields for rules */
#define TKT_MESSAGE_IDS_MAX 16    /* subject_ids, foreign_ids, tail_hashes */
#define TKT_MESSAGE_NAME_MAX 4096 /* of a person or a file */
#define TKT_MESSAGE_STRING_MAX (64 * 1024)
#define TKT_MESSAGE_TEXT_MAX (4 * 1024 * 1024)

enum tkt_class { /* what wrote it; exactly these words in this order */
    TKT_CLASS_HUMAN,
    TKT_CLASS_AUTO_REPLY,
    TKT_CLASS_AUTO_GENERATED,
    TKT_CLASS_BOUNCE,
    TKT_CLASS_DELAY,
    TKT_CLASS_FEEDBACK,
    TKT_CLASS_LIST,
    TKT_CLASS_BULK,
    TKT_CLASS_CHALLENGE,
    TKT_CLASS_OWN,
    TKT_CLASS_SYSTEM,
    TKT_CLASS_COUNT
};
extern const char *const tkt_class_names[]; /* "human", "auto-reply", ... */

enum tkt_security {
    TKT_SECURITY_NONE,
    TKT_SECURITY_SIGNED,
    TKT_SECURITY_ENCRYPTED,
    TKT_SECURITY_COUNT
};
extern const char *const tkt_security_names[];   /* "none", "signed", "encrypted" */
extern const char *const tkt_importance_names[]; /* "", "high", "normal", "low" */

/* Of a trusted Authentication-Results field (RFC 8601), else NONE. */
enum tkt_auth {
    TKT_AUTH_NONE,
    TKT_AUTH_PASS,
    TKT_AUTH_FAIL,
    TKT_AUTH_ERROR,
    TKT_AUTH_COUNT
};
extern const char *const tkt_auth_names[]; /* "none", "pass", "fail", "error" */

struct tkt_address {
    char *name;    /* decoded, UTF-8 */
    char *address; /* addr-spec; domain lower-cased, local part as written */
};
struct tkt_addresses {
    struct tkt_address *items;
    size_t count;
};
struct tkt_strings {
    char **items;
    size_t count;
};

struct tkt_attachment {
    char *name;
    char *type;       /* lower case "image/png" */
    char *part;       /* "1.2": for EXTRACT; inside a container "3/tnef/1", "1/uu/2" */
    char *sha256;     /* of the decoded content, 64 hex digits; "" = not computed */
    char *content_id; /* without <> */
    uint64_t size;    /* decoded bytes; encoded ones when sha256 is "" */
    bool is_inline;
};

/* What a delivery report tells about the first recipient it names (RFC 3464, or read from
 * the text of the many that are not). */
struct tkt_bounce {
    bool is_present;
    char *recipient;
    char *status;     /* RFC 3463 "5.1.1"; "" = not told */
    char *action;     /* failed, delayed, delivered, relayed, expanded */
    char *diagnostic; /* one line */
    char *original_message_id;
};

/* The original message inside a forwarded one. */
struct tkt_forwarded {
    bool is_present;
    struct tkt_address from;
    char *subject;
    int64_t date_s; /* 0 = absent or unreadable */
    char *text;
};

enum tkt_importance { /* what Importance, X-Priority and their like ask for */
    TKT_IMPORTANCE_NONE,
    TKT_IMPORTANCE_HIGH,
    TKT_IMPORTANCE_NORMAL,
    TKT_IMPORTANCE_LOW,
    TKT_IMPORTANCE_COUNT
};

/* A header field as rules ask for it: unfolded, decoded to UTF-8. */
struct tkt_kept_field {
    char *name;
    char *value;
};

struct tkt_message {
    char *subject; /* decoded, UTF-8, unfolded */
    struct tkt_address from;
    struct tkt_address sender; /* Sender; "" where it is From's own */
    struct tkt_addresses reply_to;
    struct tkt_addresses to;
    struct tkt_addresses cc;
    char *message_id;        /* without <> */
    bool message_id_derived; /* the message had none: made from its key fields */
    struct tkt_strings in_reply_to;
    struct tkt_strings references;
    int64_t date_s; /* 0 = absent or unreadable */
    char *text;     /* decoded whole text, at most limits.text_max */
    bool text_cut;
    char *reply_text; /* what the person wrote today, with the lines it answers */
    char *signature;  /* cut from reply_text */
    char *quoted;     /* cut from reply_text: earlier messages */
    char *language;   /* ISO 639-1 of reply_text; "" = unknown */
    bool has_html;
    bool has_hidden_text; /* HTML hid text from its reader; it is not in text */
    struct tkt_attachment *attachments;
    size_t attachment_count;
    enum tkt_class class;
    struct tkt_strings class_evidence;
    struct tkt_bounce bounce;
    struct tkt_forwarded forwarded;
    enum tkt_importance importance;
    enum tkt_security security;
    enum tkt_auth spf;
    enum tkt_auth dkim;
    enum tkt_auth dmarc;
    bool auth_aligned;              /* a pass whose domain is From's own */
    struct tkt_strings subject_ids; /* ticket IDs in our tag form in the Subject */
    struct tkt_strings foreign_ids; /* other trackers' tags in the Subject: "JRA-9" */
    struct tkt_strings tail_hashes; /* of the last 1, 2, ... lines (message/tail.h) */
    uint64_t
        print; /* near that of a text which says the same (message/words.h); 0 = none */
    struct tkt_strings problems; /* what was broken, capped or degraded */
    /* For decisions, where it was parsed; the codec carries neither. */
    uint64_t size;               /* of the whole, in bytes */
    struct tkt_kept_field *kept; /* the fields that the options name */
    size_t kept_count;
    bool degraded; /* headers only: the body was not looked at */
    struct tkt_wire_arena arena;
};

/* Appends to out, whose max should be TKT_MESSAGE_WIRE_MAX; -1 when it does not fit or a
 * list is longer than its cap. */
int tkt_message_encode(const struct tkt_message *msg, struct tkt_buf *out);
/* PERM on anything malformed. */
int tkt_message_decode(const void *data, size_t n, struct tkt_message *out,
                       struct tkt_err *err);
void tkt_message_release(struct tkt_message *msg);

#endif
