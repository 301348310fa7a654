/* SPDX-License-Identifier: BSD-2-Clause
 * A configuration's rules and model, loaded in a process of ticketctl's own. */
#include "decide/policy.h"
#include "base/util.h"
#include "decide/model.h"
#include "ticketctl/explain.h"

int tkt_ctl_policy_load(const struct tkt_conf *conf, const char *model,
                        struct tkt_policy **out, struct tkt_err *err)
{
    const char *path = model != NULL ? model : conf->model.file;

    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (path[0] != '\0') {
        (*out)->model = tkt_model_open(path, err);
        if ((*out)->model == NULL) {
            return -1;
        }
        tkt_model_set_threshold((*out)->model, (double)conf->model.threshold / 100);
    }
    return 0;
}
