/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "train/learn_private.h"

#include <stdlib.h>
#include <string.h>

#define ZONE_SUBJECT 0
#define ZONE_TEXT 1

static int by_hash(const void *a, const void *b)
{
    const struct tkt_feature *x = a;
    const struct tkt_feature *y = b;

    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return (int)x->at - (int)y->at;
}

/* Appends a record's features to the counts from *used on; 1: no room. */
static int add_record(struct tkt_features *f, const struct tkt_learn_record *r,
                      float subject_weight, struct tkt_learn_corpus *c, uint64_t *used,
                      uint64_t *room)
{
    tkt_features_reset(f);
    if (tkt_features_add(f, r->subject, strlen(r->subject), ZONE_SUBJECT) < 0 ||
        tkt_features_add(f, r->text, strlen(r->text), ZONE_TEXT) < 0) {
        return -1;
    }
    if (*used + f->count > TKT_LEARN_FEATURES_MAX) {
        return 1;
    }
    if (*used + f->count > *room) {
        uint64_t more = TKT_MAX(*room * 2, *used + f->count);
        void *bigger = realloc(c->counts, more * sizeof(*c->counts));
        if (bigger == NULL) {
            return -1;
        }
        c->counts = bigger;
        *room = more;
    }
    if (f->count > 0) {
        qsort(f->items, f->count, sizeof(*f->items), by_hash);
    }
    for (size_t i = 0; i < f->count;) {
        float times = 0;
        size_t k = i;
        for (; k < f->count && f->items[k].hash == f->items[i].hash; k++) {
            times += f->items[k].zone == ZONE_SUBJECT ? subject_weight : 1.0F;
        }
        c->counts[(*used)++] = (struct tkt_learn_count){
            f->items[i].hash, f->items[i].view == TKT_VIEW_PIECES ? -times : times};
        i = k;
    }
    return 0;
}

int tkt_learn_read(const struct tkt_learn_record *records, size_t count,
                   const struct tkt_learn_options *opt, struct tkt_learn_corpus *out,
                   struct tkt_err *err)
{
    struct tkt_features f = TKT_FEATURES_INIT;
    uint64_t used = 0;
    uint64_t room = 0;
    int rc = 0;

    /* From the newest on: it is the oldest that do not fit. */
    *out = (struct tkt_learn_corpus){.at = calloc(count + 1, sizeof(*out->at))};
    size_t taken = 0;
    while (out->at != NULL && taken < count && rc == 0) {
        rc = add_record(&f, &records[count - 1 - taken], (float)opt->subject_weight, out,
                        &used, &room);
        if (rc == 0) {
            out->at[++taken] = used;
        }
    }
    tkt_features_release(&f);
    if (out->at == NULL || rc < 0) {
        tkt_learn_corpus_release(out);
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    out->newest = records + count - 1;
    out->count = taken;
    out->left_out = count - taken;
    return 0;
}

void tkt_learn_corpus_release(struct tkt_learn_corpus *c)
{
    free(c->counts);
    free(c->at);
    c->counts = NULL;
    c->at = NULL;
}
