/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_fixture.h"

#include "base/log.h"
#include "milter/filter.h"

#include <stdlib.h>

struct tkt_milter *tkt_fixture_milter(void)
{
    char *address = (char *)(uintptr_t) "desk@example.test";
    struct tkt_conf_desk desk = {.name = (char *)(uintptr_t) "desk",
                                 .addresses = {.items = &address, .count = 1}};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = tkt_conf_defaults();
    struct tkt_milter *m = calloc(1, sizeof(*m));

    if (conf == NULL || m == NULL) {
        return NULL;
    }
    tkt_log_open("fixture", TKT_LOG_STDERR, false, TKT_LOG_ERROR);
    conf->desks = &desk;
    conf->desk_count = 1;
    conf->limits.message_max = 65536;
    m->hostname = (char *)(uintptr_t) "mx.example.test";
    m->state_dir = (char *)(uintptr_t) "/tmp";
    m->missed_dir = (char *)(uintptr_t) "/nonexistent/missed";
    m->client = tkt_wire_client_new("/nonexistent/intake.sock", 1);
    m->tables = tkt_tables_new("/nonexistent");
    atomic_store(&m->memory_max, 4096);
    atomic_store(&m->recipients_max, 100);
    atomic_store(&m->progress_ms, 3000);
    atomic_store(&m->actions, TKT_FILTER_ACTIONS & ~SMFIF_SETSYMLIST);
    int rc = m->client != NULL && m->tables != NULL
                 ? tkt_tables_from_conf(m->tables, conf, &err)
                 : -1;
    conf->desks = NULL; /* they are ours */
    conf->desk_count = 0;
    tkt_conf_free(&conf);
    return rc == 0 ? m : NULL;
}

void tkt_fixture_milter_free(struct tkt_milter **milter)
{
    struct tkt_milter *m = *milter;

    tkt_wire_client_free(&m->client);
    tkt_tables_free(&m->tables);
    free(m);
    *milter = NULL;
}
