/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/proto.h"

#include "base/enc.h"
#include "base/util.h"
#include "milter/filter.h"

#include <arpa/inet.h>
#include <string.h>

#define VERSION_MIN 2
#define VERSION_MAX 6
#define OUT_MAX (TKT_PROTO_OUT_FLUSH + TKT_PROTO_LENGTH_BYTES + TKT_PROTO_PACKET_MAX)
#define REPLY_MAX 980 /* libmilter's limit */
#define KEEP_MAX 4096 /* what a buffer keeps between messages */

/* A packet's data. */
struct args {
    const char *at;
    const char *end;
};

enum step_result {
    STEP_OK,
    STEP_OVER /* the connection ends */
};

/* ---- out ---- */

static uint32_t get32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return ntohl(v);
}

static void add32(struct tkt_buf *b, uint32_t v)
{
    v = htonl(v);
    (void)tkt_buf_add(b, &v, sizeof(v)); /* the buffer remembers a failure */
}

static int flush(struct tkt_proto *p)
{
    if (p->out.failed || (p->out.len > 0 && p->send(p) < 0)) {
        p->broken = true;
    }
    tkt_buf_reset(&p->out);
    return p->broken ? -1 : 0;
}

/* Starts a packet with n bytes of data to come. */
static int begin_packet(struct tkt_proto *p, char command, size_t n)
{
    if (n > TKT_PROTO_DATA_MAX || p->broken) {
        return -1;
    }
    if (p->out.len >= TKT_PROTO_OUT_FLUSH && flush(p) < 0) {
        return -1;
    }
    add32(&p->out, (uint32_t)n + 1);
    return tkt_buf_addc(&p->out, command);
}

static int add_string(struct tkt_proto *p, const char *s)
{
    return tkt_buf_add(&p->out, s, strlen(s) + 1);
}

static void send_code(struct tkt_proto *p, char command)
{
    (void)begin_packet(p, command, 0); /* broken is seen when the batch ends */
}

static void send_reply(struct tkt_proto *p)
{
    if (begin_packet(p, SMFIR_REPLYCODE, p->reply.len + 1) == 0) {
        (void)add_string(p, tkt_buf_str(&p->reply)); /* as above */
    }
}

static void send_answer(struct tkt_proto *p, enum tkt_answer answer)
{
    const char *reply = tkt_buf_str(&p->reply);

    switch (answer) {
    case TKT_ANSWER_NONE:
        break;
    case TKT_ANSWER_CONTINUE:
        send_code(p, SMFIR_CONTINUE);
        break;
    case TKT_ANSWER_ACCEPT:
        send_code(p, SMFIR_ACCEPT);
        break;
    case TKT_ANSWER_REJECT:
        if (reply[0] == '5') {
            send_reply(p);
        } else {
            send_code(p, SMFIR_REJECT);
        }
        break;
    case TKT_ANSWER_TEMPFAIL:
        if (reply[0] == '4') {
            send_reply(p);
        } else {
            send_code(p, SMFIR_TEMPFAIL);
        }
        break;
    }
    tkt_buf_reset(&p->reply);
}

/* ---- what the filter asks for ---- */

/* "{i}" and "i" are the same macro. */
static bool is_named(const char *have, const char *name)
{
    if (strcmp(have, name) == 0) {
        return true;
    }
    return name[0] != '\0' && name[1] == '\0' && have[0] == '{' && have[1] == name[0] &&
           have[2] == '}' && have[3] == '\0';
}

static const char *find_macro(const struct tkt_buf *list, const char *name)
{
    const char *at = list->data;
    const char *end = list->data + list->len;

    while (at < end) { /* whole pairs: take_macros() saw to it */
        const char *value = at + strlen(at) + 1;
        if (is_named(at, name)) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

/* The latest word counts. */
static const char *do_macro(void *host, const char *name)
{
    static const int order[TKT_PROTO_STAGES] = {SMFIM_EOM,     SMFIM_EOH,     SMFIM_DATA,
                                                SMFIM_ENVRCPT, SMFIM_ENVFROM, SMFIM_HELO,
                                                SMFIM_CONNECT};
    const struct tkt_proto *p = host;

    for (size_t i = 0; i < TKT_PROTO_STAGES; i++) {
        const struct tkt_buf *list = &p->macros[order[i]];
        const char *value = list->len > 0 ? find_macro(list, name) : NULL;
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

/* "4.3.0", of the class of code. */
static bool is_xcode(const char *xcode, char class)
{
    size_t subject = strspn(xcode + (xcode[0] != '\0' ? 1 : 0), ".");

    if (xcode[0] != class || subject != 1) {
        return false;
    }
    size_t n = strspn(xcode + 2, "0123456789");
    size_t m = n > 0 && xcode[2 + n] == '.' ? strspn(xcode + 3 + n, "0123456789") : 0;
    return n >= 1 && n <= 3 && m >= 1 && m <= 3 && xcode[3 + n + m] == '\0';
}

static int do_set_reply(void *host, const char *code, const char *xcode, const char *text)
{
    struct tkt_proto *p = host;
    struct tkt_buf *b = &p->reply;

    tkt_buf_reset(b);
    if ((code[0] != '4' && code[0] != '5') || strspn(code, "0123456789") != 3 ||
        code[3] != '\0' || (xcode != NULL && !is_xcode(xcode, code[0])) ||
        (text != NULL && strpbrk(text, "\r\n") != NULL)) {
        return -1;
    }
    const char *const parts[] = {code, xcode, text};
    for (size_t i = 0; i < TKT_ARRAY_LEN(parts); i++) {
        if (parts[i] != NULL &&
            ((i > 0 && tkt_buf_addc(b, ' ') < 0) || tkt_buf_adds(b, parts[i]) < 0)) {
            tkt_buf_reset(b);
            return -1;
        }
    }
    return 0;
}

static void do_progress(void *host)
{
    struct tkt_proto *p = host;

    send_code(p, SMFIR_PROGRESS);
    (void)flush(p); /* if the MTA is gone, the answer finds out */
}

static void do_may_block(void *host)
{
    struct tkt_proto *p = host;

    p->may_block(p);
}

/* The packet of a field's edit; value NULL removes it. */
static int edit_field(struct tkt_proto *p, char command, unsigned long action,
                      unsigned index, const char *name, const char *value)
{
    if (value == NULL) {
        value = "";
    }
    size_t n = 4 + strlen(name) + 1 + strlen(value) + 1;
    if ((p->actions & action) == 0 || !p->at_end || name[0] == '\0' ||
        begin_packet(p, command, n) < 0) {
        return -1;
    }
    add32(&p->out, index);
    (void)add_string(p, name); /* the last call tells all */
    return add_string(p, value);
}

static int do_change(void *host, const char *name, unsigned index, const char *value)
{
    return edit_field(host, SMFIR_CHGHEADER, SMFIF_CHGHDRS, index, name, value);
}

/* Index 1 is behind the MTA's own Received field and before all that came with it. */
static int do_insert(void *host, const char *name, const char *value)
{
    return edit_field(host, SMFIR_INSHEADER, SMFIF_ADDHDRS, 1, name, value);
}

static int do_remove(void *host, const char *name, unsigned index)
{
    return edit_field(host, SMFIR_CHGHEADER, SMFIF_CHGHDRS, index, name, NULL);
}

static int edit_rcpt(struct tkt_proto *p, char command, unsigned long action,
                     const char *addr)
{
    if ((p->actions & action) == 0 || !p->at_end || addr[0] == '\0' ||
        begin_packet(p, command, strlen(addr) + 1) < 0) {
        return -1;
    }
    return add_string(p, addr);
}

static int do_addrcpt(void *host, const char *addr)
{
    return edit_rcpt(host, SMFIR_ADDRCPT, SMFIF_ADDRCPT, addr);
}

static int do_delrcpt(void *host, const char *addr)
{
    return edit_rcpt(host, SMFIR_DELRCPT, SMFIF_DELRCPT, addr);
}

static const struct tkt_host_ops ops = {
    .macro = do_macro,
    .set_reply = do_set_reply,
    .progress = do_progress,
    .may_block = do_may_block,
    .edits =
        {
            .change = do_change,
            .insert = do_insert,
            .remove = do_remove,
            .addrcpt = do_addrcpt,
            .delrcpt = do_delrcpt,
        },
};

/* ---- in ---- */

/* The next NUL-terminated string, or NULL. */
static const char *take_string(struct args *a)
{
    const char *s = a->at;
    const char *nul = s < a->end ? memchr(s, '\0', (size_t)(a->end - s)) : NULL;

    if (nul == NULL) {
        return NULL;
    }
    a->at = nul + 1;
    return s;
}

static void forget_macros(struct tkt_proto *p, int first_stage)
{
    for (int i = first_stage; i < TKT_PROTO_STAGES; i++) {
        if (p->macros[i].cap > KEEP_MAX) {
            tkt_buf_release(&p->macros[i]);
        } else {
            tkt_buf_reset(&p->macros[i]);
        }
    }
}

static void end_message(struct tkt_proto *p)
{
    forget_macros(p, SMFIM_ENVFROM);
}

/* Macros of header fields and body chunks only say again what is known. */
static int stage_of(char command)
{
    switch (command) {
    case SMFIC_CONNECT:
        return SMFIM_CONNECT;
    case SMFIC_HELO:
        return SMFIM_HELO;
    case SMFIC_MAIL:
        return SMFIM_ENVFROM;
    case SMFIC_RCPT:
        return SMFIM_ENVRCPT;
    case SMFIC_DATA:
        return SMFIM_DATA;
    case SMFIC_EOH:
        return SMFIM_EOH;
    case SMFIC_BODYEOB:
        return SMFIM_EOM;
    default:
        return -1;
    }
}

static enum step_result take_macros(struct tkt_proto *p, struct args *a)
{
    if (a->at == a->end) {
        return STEP_OVER;
    }
    int stage = stage_of(*a->at++);
    if (stage < 0) {
        return STEP_OK;
    }
    struct tkt_buf *list = &p->macros[stage];
    tkt_buf_reset(list);
    const char *first = a->at;
    const char *end = first; /* of the whole pairs */
    while (take_string(a) != NULL && take_string(a) != NULL) {
        end = a->at;
    }
    if (end > first && tkt_buf_add(list, first, (size_t)(end - first)) < 0) {
        tkt_buf_reset(list); /* no memory: as if they had not been sent */
    }
    return STEP_OK;
}

static void add_macro_lists(struct tkt_proto *p)
{
    for (size_t i = 0; i < TKT_FILTER_MACRO_LISTS; i++) {
        add32(&p->out, (uint32_t)tkt_filter_macro_lists[i].stage);
        (void)add_string(p, tkt_filter_macro_lists[i].names); /* told by out.failed */
    }
}

static size_t macro_lists_size(void)
{
    size_t n = 0;

    for (size_t i = 0; i < TKT_FILTER_MACRO_LISTS; i++) {
        n += 4 + strlen(tkt_filter_macro_lists[i].names) + 1;
    }
    return n;
}

static enum step_result negotiate(struct tkt_proto *p, struct args *a)
{
    if (p->session != NULL || a->end - a->at < 12) {
        return STEP_OVER;
    }
    uint32_t version = get32(a->at);
    unsigned long actions = get32(a->at + 4);
    unsigned long steps = get32(a->at + 8);
    if (version < VERSION_MIN) {
        return STEP_OVER;
    }
    const struct tkt_host host = {&ops, p};
    p->session = tkt_filter_open(p->milter, host, &actions, &steps);
    if (p->session == NULL) {
        return STEP_OVER;
    }
    p->actions = actions;
    p->body_in_pieces = (steps & SMFIP_NR_BODY) != 0;
    bool lists = (actions & SMFIF_SETSYMLIST) != 0;
    size_t n = 12 + (lists ? macro_lists_size() : 0);
    if (begin_packet(p, SMFIC_OPTNEG, n) < 0) {
        return STEP_OVER;
    }
    add32(&p->out, TKT_MIN(version, (uint32_t)VERSION_MAX));
    add32(&p->out, (uint32_t)actions);
    add32(&p->out, (uint32_t)steps);
    if (lists) {
        add_macro_lists(p);
    }
    return STEP_OK;
}

/* An address as the system writes it, or "" when it is none. */
static void tidy_address(char family, const char *text, char out[INET6_ADDRSTRLEN])
{
    unsigned char raw[sizeof(struct in6_addr)];
    int af = family == SMFIA_INET6 ? AF_INET6 : AF_INET;

    out[0] = '\0';
    if (af == AF_INET6 && tkt_ascii_ieqn(text, "IPv6:", 5)) {
        text += 5;
    }
    if (inet_pton(af, text, raw) == 1 &&
        inet_ntop(af, raw, out, INET6_ADDRSTRLEN) == NULL) {
        out[0] = '\0';
    }
}

static enum step_result on_connect(struct tkt_proto *p, struct args *a)
{
    char addr[INET6_ADDRSTRLEN] = "";
    const char *name = take_string(a);

    if (name == NULL || a->at == a->end) {
        return STEP_OVER;
    }
    char family = *a->at++;
    if (family == SMFIA_INET || family == SMFIA_INET6) {
        const char *text = NULL;
        if (a->end - a->at > 2) { /* the port */
            a->at += 2;
            text = take_string(a);
        }
        if (text == NULL) {
            return STEP_OVER;
        }
        tidy_address(family, text, addr);
    }
    send_answer(p, tkt_filter_connect(p->session, name, addr));
    return STEP_OK;
}

static enum step_result on_helo(struct tkt_proto *p, struct args *a)
{
    const char *name = take_string(a);

    if (name == NULL) {
        return STEP_OVER;
    }
    send_answer(p, tkt_filter_helo(p->session, name));
    return STEP_OK;
}

/* The first argument is the address, the rest ESMTP's. */
static enum step_result on_mail(struct tkt_proto *p, struct args *a)
{
    const char *arg = take_string(a);

    if (arg == NULL) {
        return STEP_OVER;
    }
    forget_macros(p, SMFIM_ENVRCPT); /* of a message that was accepted before its end */
    send_answer(p, tkt_filter_mail(p->session, arg));
    return STEP_OK;
}

static enum step_result on_rcpt(struct tkt_proto *p, struct args *a)
{
    const char *arg = take_string(a);

    if (arg == NULL) {
        return STEP_OVER;
    }
    send_answer(p, tkt_filter_rcpt(p->session, arg));
    return STEP_OK;
}

static enum step_result on_data(struct tkt_proto *p, struct args *a)
{
    (void)a;
    send_answer(p, tkt_filter_data(p->session));
    return STEP_OK;
}

static enum step_result on_header(struct tkt_proto *p, struct args *a)
{
    const char *name = take_string(a);
    const char *value = take_string(a);

    if (name == NULL || value == NULL) {
        return STEP_OVER;
    }
    send_answer(p, tkt_filter_header(p->session, name, value));
    return STEP_OK;
}

static enum step_result on_eoh(struct tkt_proto *p, struct args *a)
{
    (void)a;
    send_answer(p, tkt_filter_eoh(p->session));
    return STEP_OK;
}

static enum step_result on_body(struct tkt_proto *p, struct args *a)
{
    send_answer(p, tkt_filter_body(p->session, a->at, (size_t)(a->end - a->at)));
    return STEP_OK;
}

static enum step_result on_eom(struct tkt_proto *p, struct args *a)
{
    if (a->at < a->end) { /* the last chunk may come along: it gets no answer */
        (void)tkt_filter_body(p->session, a->at, (size_t)(a->end - a->at));
    }
    p->at_end = true;
    send_answer(p, tkt_filter_eom(p->session));
    p->at_end = false;
    end_message(p);
    return STEP_OK;
}

static enum step_result on_abort(struct tkt_proto *p, struct args *a)
{
    (void)a;
    tkt_filter_abort(p->session);
    end_message(p);
    return STEP_OK;
}

static enum step_result on_unknown(struct tkt_proto *p, struct args *a)
{
    (void)a;
    send_code(p, SMFIR_CONTINUE);
    return STEP_OK;
}

/* Another client's connection follows, negotiated as this one. */
static enum step_result on_next_client(struct tkt_proto *p, struct args *a)
{
    (void)a;
    tkt_filter_abort(p->session);
    forget_macros(p, SMFIM_CONNECT);
    return STEP_OK;
}

static enum step_result on_command(struct tkt_proto *p, char command, struct args *a)
{
    static const struct {
        char command;
        enum step_result (*run)(struct tkt_proto *p, struct args *a);
    } steps[] = {
        {SMFIC_MACRO, take_macros},
        {SMFIC_HEADER, on_header},
        {SMFIC_BODY, on_body},
        {SMFIC_RCPT, on_rcpt},
        {SMFIC_MAIL, on_mail},
        {SMFIC_CONNECT, on_connect},
        {SMFIC_HELO, on_helo},
        {SMFIC_DATA, on_data},
        {SMFIC_EOH, on_eoh},
        {SMFIC_BODYEOB, on_eom},
        {SMFIC_ABORT, on_abort},
        {SMFIC_UNKNOWN, on_unknown},
        {SMFIC_QUIT_NC, on_next_client},
    };

    if (command == SMFIC_OPTNEG) {
        return negotiate(p, a);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(steps) && p->session != NULL; i++) {
        if (steps[i].command == command) {
            return steps[i].run(p, a);
        }
    }
    return STEP_OVER; /* SMFIC_QUIT, and what nobody knows */
}

/* ---- the caller's ---- */

void tkt_proto_init(struct tkt_proto *p, struct tkt_milter *milter)
{
    memset(p, 0, sizeof(*p));
    p->milter = milter;
    tkt_buf_init(&p->out, OUT_MAX);
    tkt_buf_init(&p->reply, REPLY_MAX);
    for (size_t i = 0; i < TKT_PROTO_STAGES; i++) {
        tkt_buf_init(&p->macros[i], TKT_PROTO_DATA_MAX);
    }
}

void tkt_proto_release(struct tkt_proto *p)
{
    tkt_filter_close(&p->session);
    tkt_buf_release(&p->out);
    tkt_buf_release(&p->reply);
    for (size_t i = 0; i < TKT_PROTO_STAGES; i++) {
        tkt_buf_release(&p->macros[i]);
    }
}

/* A chunk of the body begins, but is not all there. */
static bool is_piece(const struct tkt_proto *p, const char *packet, size_t n)
{
    return p->body_in_pieces && n > 0 && packet[0] == SMFIC_BODY;
}

static size_t take_piece(struct tkt_proto *p, const char *data, size_t n)
{
    size_t k = TKT_MIN(n, p->body_left);

    (void)tkt_filter_body(p->session, data, k); /* it gets no answer */
    p->body_left -= k;
    return k;
}

ssize_t tkt_proto_feed(struct tkt_proto *p, const char *data, size_t n)
{
    size_t at = p->body_left > 0 ? take_piece(p, data, n) : 0;

    while (n - at >= TKT_PROTO_LENGTH_BYTES) {
        uint32_t len = get32(data + at);
        if (len == 0 || len > TKT_PROTO_PACKET_MAX) {
            return -1;
        }
        const char *packet = data + at + TKT_PROTO_LENGTH_BYTES;
        size_t there = n - at - TKT_PROTO_LENGTH_BYTES;
        if (there < len) {
            if (is_piece(p, packet, there)) {
                p->body_left = len - 1;
                at = n - there + 1;
                at += take_piece(p, packet + 1, there - 1);
            }
            break;
        }
        struct args args = {packet + 1, packet + len};
        if (on_command(p, packet[0], &args) == STEP_OVER || p->broken || p->out.failed) {
            return -1;
        }
        at += TKT_PROTO_LENGTH_BYTES + len;
    }
    return (ssize_t)at;
}

size_t tkt_proto_missing(const char *data, size_t n)
{
    if (n < TKT_PROTO_LENGTH_BYTES) {
        return TKT_PROTO_LENGTH_BYTES - n;
    }
    size_t len = get32(data);
    if (len == 0 || len > TKT_PROTO_PACKET_MAX || n >= TKT_PROTO_LENGTH_BYTES + len) {
        return 0;
    }
    return TKT_PROTO_LENGTH_BYTES + len - n;
}
