/* SPDX-License-Identifier: BSD-2-Clause
 * The page behind List-Unsubscribe: who is told says that he does not want to be, and that
 * he does again. Only a POST changes anything: programs that look at mail follow links.
 */
#include "ticketd/mail/optout.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "store/external.h"
#include "store/notice.h"
#include "ticketd/hook/guest.h"
#include "ticketd/hook/page.h"

#include <stdio.h>
#include <string.h>

#define LANGUAGE_MAX 16

static const char *const page_fields[] = {"Cache-Control",
                                          "no-store",
                                          "Referrer-Policy",
                                          "no-referrer",
                                          "Content-Security-Policy",
                                          tkt_page_policy,
                                          "X-Frame-Options",
                                          "DENY",
                                          "X-Robots-Tag",
                                          "noindex, nofollow",
                                          "Vary",
                                          "Accept-Language",
                                          NULL};

struct where { /* what the page is about */
    struct tkt_optout link;
    int64_t ticket; /* 0: it is not there (any more) */
    char name[64];  /* of the desk's section that the link is about; "": of all */
    char desk[128]; /* how it is called */
    char language[LANGUAGE_MAX];
};

static int show(struct tkt_hook_visit *v, enum tkt_page_kind kind, const struct where *w,
                int status)
{
    const char *language =
        tkt_page_language(v->field(v->arg, "Accept-Language"), w->language);

    tkt_page_write(kind, language, w->desk, w->link.address, v->set->conf->desk_count > 1,
                   &v->answer);
    v->type = "text/html; charset=utf-8";
    v->language = language;
    v->fields = page_fields;
    return status;
}

static bool open_link(const struct tkt_hook_visit *v, struct where *w)
{
    *w = (struct where){.language = "en"};
    return tkt_optout_open(&v->set->keys, v->rest, strlen(v->rest), &w->link);
}

static int head(struct tkt_hook_visit *v)
{
    struct where w;

    if (v->set->conf->webhook.public_url[0] == '\0') {
        return 404;
    }
    return open_link(v, &w) ? 0 : show(v, TKT_PAGE_UNKNOWN, &w, 404);
}

/* The bits of the contact, or -1. */
static int look(struct tkt_hook_visit *v, struct where *w, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(v->tools, err);
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_full full;
    int n = reader == NULL
                ? -1
                : tkt_reader_full(reader, w->link.ticket, "", &arena, &full, err);

    if (n == 1) {
        const struct tkt_conf_desk *desk = tkt_conf_desk(v->set->conf, full.desk);

        w->ticket = w->link.ticket;
        if (w->link.is_desks) {
            (void)snprintf(w->name, sizeof(w->name), "%.63s", full.desk);
        }
        if (desk != NULL) {
            (void)snprintf(w->desk, sizeof(w->desk), "%.127s", desk->display_name);
            (void)snprintf(w->language, sizeof(w->language), "%.15s", desk->language);
        }
    }
    tkt_wire_arena_release(&arena);
    tkt_ascii_lower(w->link.address); /* as contacts are kept */
    return n < 0 ? -1 : tkt_reader_contact(reader, w->link.address, w->name, err);
}

static enum tkt_page_kind kind_of(const struct where *w, int marks)
{
    return marks & TKT_CONTACT_OPTED_OUT   ? TKT_PAGE_STOPPED
           : marks & TKT_CONTACT_LEFT_DESK ? TKT_PAGE_STOPPED_DESK
           : w->name[0] != '\0'            ? TKT_PAGE_ASK_DESK
                                           : TKT_PAGE_ASK;
}

struct change {
    const struct where *w;
    enum tkt_page_wish wish;
};

/* What the page showed as ended begins again, whatever ended it. */
static int begin_again(struct tkt_store *store, const struct where *w, int64_t now_ms,
                       struct tkt_err *err)
{
    bool was;

    if (w->name[0] != '\0' && tkt_store_contact_rejoin(store, w->link.address, w->name,
                                                       "link", &was, now_ms, err) < 0) {
        return -1;
    }
    return tkt_store_contact_clear(store, w->link.address, TKT_CONTACT_OPTED_OUT, "link",
                                   &was, now_ms, err);
}

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct change *c = arg;
    const struct where *w = c->w;
    int64_t now_ms = tkt_clock_wall_ms();

    if (c->wish == TKT_PAGE_AGAIN) {
        return begin_again(store, w, now_ms, err);
    }
    return c->wish == TKT_PAGE_STOP && w->name[0] != '\0'
               ? tkt_store_contact_leave(store, w->link.address, w->name, "by link",
                                         w->ticket, now_ms, err)
               : tkt_store_contact_mark(store, w->link.address, TKT_CONTACT_OPTED_OUT,
                                        "by link", w->ticket, now_ms, err);
}

static int change(struct tkt_hook_visit *v, const struct where *w, int marks,
                  enum tkt_page_wish wish)
{
    struct change c = {.w = w, .wish = wish};
    struct tkt_err err = TKT_ERR_INIT;
    bool stops = wish != TKT_PAGE_AGAIN;
    int added = wish == TKT_PAGE_STOP && w->name[0] != '\0' ? TKT_CONTACT_LEFT_DESK
                                                            : TKT_CONTACT_OPTED_OUT;

    if (tkt_commit_call(v->d->commit, apply, &c, false, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "optout.failed", "error", err.text, NULL);
        return show(v, TKT_PAGE_BUSY, w, 503);
    }
    tkt_log(TKT_LOG_INFO, NULL, "optout.changed", "status", stops ? "stopped" : "again",
            NULL);
    return show(v, kind_of(w, stops ? marks | added : 0), w, 200);
}

static int take(struct tkt_hook_visit *v)
{
    struct where w;
    struct tkt_err err = TKT_ERR_INIT;
    int marks = open_link(v, &w) ? look(v, &w, &err) : -1;
    enum tkt_page_wish wish;

    if (marks < 0) {
        (void)snprintf(v->why, sizeof(v->why), "%.255s", err.text);
        return show(v, TKT_PAGE_BUSY, &w, 503);
    }
    if (strcmp(v->method, "POST") != 0) {
        return show(v, kind_of(&w, marks), &w, 200);
    }
    wish = tkt_page_wish(v->field(v->arg, "Content-Type"), v->body.data, v->body.len);
    return wish == TKT_PAGE_NOTHING ? show(v, TKT_PAGE_UNASKED, &w, 400)
                                    : change(v, &w, marks, wish);
}

const struct tkt_hook_guest tkt_hook_optout = {.path = TKT_OPTOUT_PATH,
                                               .methods = "GET, HEAD, POST",
                                               .body_max = TKT_PAGE_POST_MAX,
                                               .head = head,
                                               .take = take};
