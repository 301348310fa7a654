/* SPDX-License-Identifier: BSD-2-Clause
 * A configuration's rules and model, loaded in a process of ticketctl's own. */
#include "decide/policy.h"
#include "base/util.h"
#include "conf/policy.h"
#include "ticketctl/explain.h"

#include <fcntl.h>

int tkt_ctl_policy_compile(const struct tkt_conf *conf, const char *model,
                           struct tkt_policy **out, struct tkt_buf *warnings,
                           struct tkt_err *err)
{
    const char *path = model != NULL ? model : conf->model.file;
    TKT_AUTO_BUF struct tkt_buf settings = TKT_BUF_INIT(TKT_CONF_POLICY_MAX);
    TKT_AUTO_FD int fd = -1;

    if (tkt_conf_policy_encode(conf, &settings) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "the rules are too long");
    }
    if (path[0] != '\0') {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0) {
            return tkt_err_errno(err, TKT_ERR_CONF, "model %s", path);
        }
    }
    return tkt_policy_load(settings.data, settings.len, fd, out, warnings, err);
}

int tkt_ctl_policy_load(const struct tkt_conf *conf, const char *model,
                        struct tkt_policy **out, struct tkt_err *err)
{
    return tkt_ctl_policy_compile(conf, model, out, NULL, err);
}
