/* SPDX-License-Identifier: BSD-2-Clause
 * HTTP requests over one curl multi loop.
 *
 * Promise: each started request ends in exactly one call of its done(), never from within
 * start; what came back is bounded; a server is proved by TLS unless it is on this host or
 * the caller says otherwise; redirects are never followed; a request whose body left this
 * host is never sent a second time behind the caller's back.
 * Owner: start copies what the request points at (a body descriptor is duplicated); the
 * response is the loop's and ends with done().
 * Threads: a loop belongs to the thread that polls it; tkt_http_wake is for all others.
 * Limits: the caps below; in_flight_max requests of a host at once, the others wait their
 * turn in order (their timeout runs from their turn on).
 * Errors: struct tkt_http_response says how it ended; its err never holds a path, a query,
 * a header or a body, any of which may be a secret.
 */
#ifndef TKT_NET_HTTP_H
#define TKT_NET_HTTP_H
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_HTTP_URL_MAX 4096
#define TKT_HTTP_HEADERS_MAX 32               /* of a request */
#define TKT_HTTP_ANSWER_HEAD_MAX (32 * 1024)  /* header fields that are kept */
#define TKT_HTTP_ANSWER_MAX (4 * 1024 * 1024) /* default cap of a response's body */
#define TKT_HTTP_TIMEOUT_MS 30000
#define TKT_HTTP_CONNECT_MS 8000
#define TKT_HTTP_IN_FLIGHT_MAX 8        /* default, of a host */
#define TKT_HTTP_RETRY_AFTER_MAX_S 3600 /* longer ones are cut to this */

struct tkt_http;      /* the loop */
struct tkt_http_call; /* one request under way */

/* How it ended, as far as sending it again goes. */
enum tkt_http_outcome {
    TKT_HTTP_DONE,
    TKT_HTTP_REJECTED, /* it will be refused again */
    TKT_HTTP_RETRY,    /* it was not carried out; later it may be */
    TKT_HTTP_UNKNOWN,  /* it may have been carried out: look before sending it again */
    TKT_HTTP_OUTCOME_COUNT
};
extern const char *const tkt_http_outcome_names[]; /* "done", ... */

/* How a server is reached; the same for all requests to it. NULL, "" or 0: the default. */
struct tkt_http_peer {
    const char *ca_file;     /* PEM bundle instead of the system's */
    const char *client_cert; /* PEM */
    const char *client_key;  /* PEM */
    const char *proxy;       /* http://host:port; the environment is not asked */
    bool allow_plain;        /* http to others than this host */
    /* The URL comes from somebody else: no address of a private network, of this host or
     * of none, looked at behind the name service; no connection of others is used. */
    bool public_only;
    int in_flight_max;
};

struct tkt_http_response {
    enum tkt_http_outcome outcome;
    int status;         /* 0: no answer */
    struct tkt_err err; /* class NONE when DONE; retry_after_s as the server asked */
    struct tkt_buf body;
    struct tkt_buf head; /* "name: value\n" lines, names in lower case */
    int64_t took_ms;     /* from its turn to its end */
};

struct tkt_http_request {
    const char *method; /* "POST" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
    const void *body;
    size_t body_len;
    int body_fd;         /* used when body is NULL and body_size is not 0: streamed ... */
    int64_t body_offset; /* ... by pread from here */
    int64_t body_size;
    const char *body_head; /* texts before and behind a streamed body (multipart), ... */
    const char *body_tail; /* ... or NULL */
    const char *accept_type; /* media type that a 2xx body must have; NULL: any */
    size_t answer_max;
    int64_t timeout_ms;
    /* Instead of timeout_ms for uploads: no byte for so long; all of it may take twice as
     * long, and what the body takes at 4 kB/s. */
    int64_t stall_ms;
    bool repeatable; /* carried out twice it does no harm (a GET is so by itself) */
    struct tkt_http_peer peer;
    void (*done)(struct tkt_http_call *call, struct tkt_http_response *response);
    void *arg; /* tkt_http_arg() */
};

/* NULL: TEMP. */
struct tkt_http *tkt_http_new(struct tkt_err *err);
/* Ends what is under way without its done(). */
void tkt_http_free(struct tkt_http **http);
/* NULL with *err: CONF for an illegal URL or a file that is not there, else TEMP. */
struct tkt_http_call *tkt_http_start(struct tkt_http *http,
                                     const struct tkt_http_request *request,
                                     struct tkt_err *err);
/* Ends it without its done(). */
void tkt_http_cancel(struct tkt_http_call **call);
void *tkt_http_arg(const struct tkt_http_call *call);
/* Moves all requests on; waits at most wait_ms for something to happen (an event, a wake,
 * one's timeout), and not at all when a request ended before that. */
void tkt_http_poll(struct tkt_http *http, int64_t wait_ms);
size_t tkt_http_in_flight(const struct tkt_http *http); /* waiting ones too */
/* Ends the poll of another thread, or its next. */
void tkt_http_wake(struct tkt_http *http);
/* Runs one request to its end with a loop of its own; release the response. Returns -1
 * when it could not be started. The request's done and arg are not used. */
int tkt_http_perform(const struct tkt_http_request *request,
                     struct tkt_http_response *out, struct tkt_err *err);
void tkt_http_response_release(struct tkt_http_response *response);

/* The value of a header field, the first of its name (lower case); NULL when absent.
 * Valid until the next call with the same room. */
const char *tkt_http_header(const struct tkt_http_response *response, const char *name,
                            char *room, size_t size);
/* "https://host" of a URL for messages: no path, no query, no user. */
const char *tkt_http_origin(const char *url, char *room, size_t size);
/* "scheme://host:port" of a URL, the port written out: two URLs lead to the same server
 * when these are the same. -1 CONF. */
int tkt_http_server(const char *url, char *room, size_t size, struct tkt_err *err);
/* 0, or -1 CONF: what start would say of the URL. */
int tkt_http_check_url(const char *url, const struct tkt_http_peer *peer,
                       struct tkt_err *err);

#endif
