/* SPDX-License-Identifier: BSD-2-Clause
 * Stored mails from ticketd, one after the other (verb `sample`, ticketd/control/control_sample.h).
 *
 * Fetched in portions; a portion is mapped while it is read. What ticketd says is checked
 * for its lengths. One thread.
 */
#ifndef TKT_TICKETCTL_SAMPLE_H
#define TKT_TICKETCTL_SAMPLE_H
#include "ticketctl/ctl.h"
#include "ticketctl/rerun.h"

struct tkt_ctl_samples {
    struct tkt_ctl *ctl;
    const char *id, *desk; /* or NULL */
    int64_t since_ms;
    int64_t until_ms; /* 0: none */
    int64_t limit;    /* mails in all */
    /* its own: */
    char *portion;
    size_t size;
    size_t at;
    char next[24]; /* row to go on behind; "" = no more */
    bool begun;
    cJSON *head;
};

struct tkt_ctl_sample {
    struct tkt_ctl_rerun_mail mail; /* points into the portion and the head */
    int64_t message;
    int64_t at_ms;
    int64_t decided_ms;  /* 0: no record */
    const cJSON *record; /* what was decided then, or NULL */
    bool is_skipped;     /* too large to be handed over */
};

/* The next mail: 1 and *out, valid until the next call; 0 no more; -1 and *code after a
 * message. */
int tkt_ctl_samples_next(struct tkt_ctl_samples *s, struct tkt_ctl_sample *out,
                         int *code);
void tkt_ctl_samples_release(struct tkt_ctl_samples *s);

#endif
