/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/itsm/itsmorigin.h"

#include "itsm/itsm.h"
#include "store/origin.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_S 60

_Static_assert(TKT_ITSM_ORIGIN_MAX <= TKT_STORE_ORIGIN_MAX + 1, "each origin has room");

int tkt_itsmorigin_check(const struct tkt_conf_itsm *conf, struct tkt_reader *reader,
                         struct tkt_err *err)
{
    char now[TKT_ITSM_ORIGIN_MAX];
    char was[TKT_STORE_ORIGIN_MAX + 1];

    tkt_itsm_origin(conf, now);
    int n = now[0] == '\0' ? 0 : tkt_reader_origin(reader, conf->name, was, err);

    if (n <= 0) {
        return n;
    }
    if (strcmp(now, was) == 0) {
        return 0;
    }
    tkt_err_set(err, TKT_ERR_TEMP,
                "itsm %s was %.100s and is %.100s: give another desk another name, or "
                "confirm a new address by \"ticketctl itsm moved %s\"",
                conf->name, was, now, conf->name);
    err->retry_after_s = AGAIN_S;
    return -1;
}

int tkt_itsmorigin_used(struct tkt_store *store, const struct tkt_conf_itsm *conf,
                        int64_t now_ms, struct tkt_err *err)
{
    char now[TKT_ITSM_ORIGIN_MAX];

    tkt_itsm_origin(conf, now);
    return now[0] == '\0' ? 0
                          : tkt_store_origin_first(store, conf->name, now, now_ms, err);
}
