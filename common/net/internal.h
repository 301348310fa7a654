/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of the HTTP client share. Private to common/net.
 */
#ifndef TKT_NET_INTERNAL_H
#define TKT_NET_INTERNAL_H
#include "net/http.h"
#include "net/smtp.h"

#include <curl/curl.h>

struct net_host { /* scheme://host:port of requests under way */
    struct net_host *next;
    char key[300];
    size_t calls; /* all of its calls, waiting ones too */
    int in_flight;
};

struct tkt_http {
    CURLM *multi;
    CURLSH *share;
    CURL *idle[16]; /* easy handles to use again */
    size_t idle_count;
    struct tkt_http_call *waiting; /* for their host's turn, oldest first */
    struct tkt_http_call **waiting_end;
    struct tkt_http_call *running;
    struct net_host *hosts;
    size_t count;
    size_t waiting_count;
    unsigned ended; /* calls, ever */
    struct tkt_http_watch *watches;
    size_t watch_count;
    struct curl_waitfd *waitfds; /* room for all of them */
};

struct tkt_smtp_call { /* what a mail has besides; NULL = there is none */
    char *url;         /* with the name for EHLO */
    char *from;
    char *user, *password, *bearer;
    char *mechanisms; /* as curl wants them */
    bool needs_utf8;  /* an address is not ASCII: the server has to know SMTPUTF8, ... */
    bool says_utf8;   /* ... which curl then asks for */
};

/* watch.c: what to wait for beside requests, and for how long at most; who is called. */
unsigned net_watch_gather(struct tkt_http *h, int64_t *wait_ms);
void net_watch_tell(struct tkt_http *h);
void net_watch_end(struct tkt_http *h);

struct tkt_http_call {
    struct tkt_http_call *next; /* in waiting or running */
    struct tkt_http_call **prev;
    struct tkt_http *http;
    struct net_host *host;
    CURL *easy; /* NULL while it waits */
    struct curl_slist *headers;
    char *method;
    char *url;
    char *accept_type;
    char *ca_file, *client_cert, *client_key, *proxy;
    void *body;
    size_t body_len;
    int body_fd;
    int64_t body_offset;
    int64_t body_size; /* of all of it */
    int64_t file_size; /* of what body_fd gives */
    char *body_head, *body_tail;
    int64_t sent;
    size_t answer_max;
    int64_t timeout_ms;
    int64_t stall_ms;
    int64_t started_ms;
    bool repeatable;
    bool is_plain;
    bool allow_plain;
    bool public_only;
    int in_flight_max;
    bool too_long;              /* the answer */
    bool refused;               /* an address that may not be reached */
    bool lost;                  /* it was sent, and may not be sent again */
    struct tkt_smtp_call *smtp; /* it is a mail: headers has its recipient */
    enum tkt_smtp_stage smtp_stage;
    bool reply_ended, reply_over;
    struct tkt_http_response response;
    void (*done)(struct tkt_http_call *call, struct tkt_http_response *response);
    void *arg;
};

/* Neither NULL nor "". */
bool tkt_http_is_given(const char *text);
/* Files and proxy of peer into the call; one that is not given stays NULL. false: no
 * memory. */
bool tkt_http_copy_peer(struct tkt_http_call *call, const struct tkt_http_peer *peer);
/* Sets all options of call->easy. 0 or -1. */
int tkt_http_setup(struct tkt_http_call *call, struct tkt_err *err);
/* Fills call->response from what curl says. */
void tkt_http_judge(struct tkt_http_call *call, CURLcode code);
/* key gets scheme://host:port; *is_plain: http. */
int tkt_http_split_url(const char *url, char *key, size_t size, bool *is_plain,
                       bool *is_here, struct tkt_err *err);

/* The same for mails (smtp.c). */
int tkt_smtp_setup(struct tkt_http_call *call, struct tkt_err *err);
void tkt_smtp_judge(struct tkt_http_call *call, CURLcode code);
int tkt_smtp_fill(struct tkt_http_call *call, const struct tkt_smtp_request *request,
                  char *key, size_t size, struct tkt_err *err);
void tkt_smtp_release(struct tkt_smtp_call **smtp);
int tkt_smtp_split_url(const char *url, char *key, size_t size, bool *is_tls,
                       bool *is_here, struct tkt_err *err);

/* out becomes what response is, with its buffers; response is empty. */
void tkt_http_response_move(struct tkt_http_response *out,
                            struct tkt_http_response *response);

#endif
