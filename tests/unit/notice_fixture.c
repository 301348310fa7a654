/* SPDX-License-Identifier: BSD-2-Clause */
#include "notice_fixture.h"

#include <stdlib.h>

void open_world(struct world *w, struct fixture *f, const char *notify)
{
    char path[] = "/tmp/tkt-notice-XXXXXX";
    int fd = mkstemp(path);
    struct tkt_err err = TKT_ERR_INIT;
    FILE *out = fdopen(fd, "w");

    memset(w, 0, sizeof(*w));
    fprintf(out,
            "desk \"it\" { addresses = {\"it@x.example\"} prefix = \"IT\""
            " notices_per_hour = 50 }\n"
            "desk \"hr\" { addresses = {\"hr@x.example\"} prefix = \"HR\" }\n"
            "group \"servicedesk\" { mailbox = \"sd@x.example\" }\n"
            "channel \"hook\" { type = \"webhook\" url = \"https://h.example/\" }\n%s",
            notify);
    fclose(out);
    w->set.conf = tkt_conf_load(path, &err);
    unlink(path);
    if (w->set.conf == NULL) {
        fail_msg("%s", err.text);
    }
    w->set.texts = tkt_notice_texts_load(w->set.conf, &err);
    if (w->set.texts == NULL) {
        fail_msg("%s", err.text);
    }
    w->set.roster = tkt_roster_new(w->set.conf, NULL, &err);
    if (w->set.roster == NULL) {
        fail_msg("%s", err.text);
    }
    w->f = f;
    w->now_ms = NOW;
    w->tools.store_dir = f->dir;
    w->tools.reader = tkt_reader_open(f->dir, &err);
    assert_non_null(w->tools.reader);
}

void close_world(struct world *w)
{
    tkt_notice_texts_free(&w->set.texts);
    tkt_roster_free(&w->set.roster);
    tkt_conf_free(&w->set.conf);
    tkt_tools_release(&w->tools);
}

/* As the follower's thread does it; what was killed between plan and apply comes again. */
void follow(struct world *w, bool killed)
{
    struct tkt_wire_arena arena = {0};
    struct tkt_store_event events[TKT_FOLLOW_BATCH];
    struct tkt_err err = TKT_ERR_INIT;
    int n;

    while ((n = tkt_reader_events_after(w->tools.reader, w->place, TKT_FOLLOW_BATCH,
                                        &arena, events, &err)) > 0) {
        const struct tkt_follow_round round = {.set = &w->set,
                                               .tools = &w->tools,
                                               .events = events,
                                               .count = (size_t)n,
                                               .now_ms = w->now_ms};
        void *plan = NULL;

        if (tkt_follow_notify.plan(&round, &plan, &err) < 0) {
            fail_msg("%s", err.text);
        }
        if (killed && plan != NULL) {
            tkt_follow_notify.release(plan);
            tkt_wire_arena_release(&arena);
            return;
        }
        if (plan != NULL) {
            if (tkt_follow_notify.apply(w->f->store, plan, &err) < 0) {
                fail_msg("%s", err.text);
            }
            tkt_follow_notify.release(plan);
        }
        w->place = events[n - 1].id;
    }
    assert_int_equal(n, 0);
    tkt_wire_arena_release(&arena);
}

int64_t jobs(struct world *w)
{
    return number(w->f, "SELECT count(*) FROM jobs WHERE kind = 'notify'");
}

int64_t events(struct world *w, const char *kind)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM events WHERE kind = '%s'", kind);
    return number(w->f, sql);
}

/* A mail from that address; may_answer as the decision says. */
void mail(struct world *w, struct sample *m, const char *text, const char *from,
          bool may_answer)
{
    sample_init(m, text);
    sample_decide(m, TKT_ACTION_NEW, 0);
    m->decision.acknowledge = may_answer;
    m->in.requester = from;
    m->in.now_ms = w->now_ms;
    reserve_ok(w->f, m);
}
