/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/policy.h"

#include "base/enc.h"
#include "decide/correlate.h"
#include "decide/model.h"
#include "decide/model_route.h"
#include "decide/priority.h"
#include "decide/rules.h"

#include <stdlib.h>
#include <string.h>

static int load_settings(struct tkt_policy *p, const void *settings, size_t n,
                         struct tkt_err *err)
{
    if (settings == NULL) {
        return 0;
    }
    p->data = malloc(n + 1);
    if (p->data == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "policy: no memory");
    }
    memcpy(p->data, settings, n);
    return tkt_sections_decode(p->data, n, &p->settings, err);
}

static int load_matrix(struct tkt_policy *p, struct tkt_err *err)
{
    p->matrix = calloc(1, sizeof(*p->matrix));
    return p->matrix == NULL ? tkt_err_set(err, TKT_ERR_TEMP, "policy: no memory")
                             : tkt_matrix_compile(&p->settings, p->matrix, err);
}

static int load_model(struct tkt_policy *p, int fd, struct tkt_err *err)
{
    if (fd < 0) {
        return 0;
    }
    p->model = tkt_model_open_fd(fd, err);
    if (p->model == NULL) {
        return -1;
    }
    p->memo = tkt_model_memo_new();
    if (p->memo == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "policy: no memory");
    }
    for (size_t i = 0; i < p->settings.count; i++) {
        const struct tkt_section *s = &p->settings.items[i];
        int64_t percent;
        if (strcmp(s->name, "model") == 0 &&
            tkt_parse_int(tkt_section_value(s, "threshold", ""), 0, 100, &percent) == 0) {
            tkt_model_set_threshold(p->model, (double)percent / 100);
        }
    }
    return 0;
}

int tkt_policy_load(const void *settings, size_t n, int model_fd, struct tkt_policy **out,
                    struct tkt_buf *warnings, struct tkt_err *err)
{
    struct tkt_policy *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "policy: no memory");
    }
    if (load_settings(p, settings, n, err) < 0 ||
        tkt_rules_compile(&p->settings, &p->rules, warnings, err) < 0 ||
        tkt_correlates_compile(&p->settings, &p->correlates, err) < 0 ||
        load_matrix(p, err) < 0 || load_model(p, model_fd, err) < 0) {
        tkt_policy_free(&p);
        return -1;
    }
    *out = p;
    return 0;
}

void tkt_policy_free(struct tkt_policy **policy)
{
    struct tkt_policy *p = *policy;

    if (p == NULL) {
        return;
    }
    tkt_rules_free(&p->rules);
    tkt_correlates_free(&p->correlates);
    tkt_model_memo_free(&p->memo);
    tkt_model_close(&p->model);
    free(p->matrix);
    tkt_sections_release(&p->settings);
    free(p->data);
    free(p);
    *policy = NULL;
}
