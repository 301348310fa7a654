/* SPDX-License-Identifier: BSD-2-Clause
 * What itsmjob.c (the way of a job) and itsmjob_load.c (what it needs) share.
 */
#ifndef TKT_TICKETD_ITSMJOB_PRIVATE_H
#define TKT_TICKETD_ITSMJOB_PRIVATE_H
#include "itsm/run.h"
#include "secret/secret.h"
#include "store/back.h"
#include "store/external.h"
#include "ticketd/itsm/itsmjob.h"

struct tkt_itsmjob {
    struct tkt_running *r;
    struct tkt_settings *set;
    const struct tkt_conf_itsm *conf;
    const struct tkt_itsm_ops *ops;
    struct tkt_err err; /* of loading */
    struct tkt_secret secret;
    struct tkt_secret client_secret;
    struct tkt_buf token; /* OAuth; wiped */
    bool renewed;         /* one token was refused already */
    bool site_failed;     /* err is of what all jobs of the target need */
    struct tkt_reader_full full;
    struct tkt_strings tags;
    struct tkt_itsm_site site;
    struct tkt_itsm_ticket ticket;
    struct tkt_itsm_comment comment;
    struct tkt_itsm_file file;
    bool nothing_to_do; /* why says why */
    struct tkt_analysis analysis;
    bool analysed;
    struct tkt_wire_arena arena;
    struct tkt_itsm_call call;
    int64_t asked_ms;               /* a look: when it began ... */
    int64_t find_ms;                /* when the call under way began */
    struct tkt_store_back_out back; /* ... and what it brought */
    char key[24];                   /* names the job towards the ITSM */
    bool looks;          /* the FETCH under way looks for a lost comment or file ... */
    enum tkt_itsm_op op; /* ... that this makes */
    struct tkt_itsm_result result;
    char why[200];
};

/* For a job of r; takes a reference of set. NULL: no memory. */
struct tkt_itsmjob *tkt_itsmjob_new(struct tkt_running *r, struct tkt_settings *set);
void tkt_itsmjob_free(struct tkt_itsmjob *job);
/* In a thread that may block: the secrets and the token; -1 with job->err. */
int tkt_itsmjob_load_site(struct tkt_itsmjob *job);
/* In a thread that may block: fills all of it; -1 with job->err. */
int tkt_itsmjob_load(struct tkt_itsmjob *job, struct tkt_tools *tools);
/* Also there: another token than the one that was refused; -1 with job->err. */
int tkt_itsmjob_renew(struct tkt_itsmjob *job);

#endif
