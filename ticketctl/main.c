/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fs.h"
#include "ticketctl/ctl.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A full disk or a closed pipe must not look like success. */
static int close_stdout(int rc)
{
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) != 0 || failed) {
        return rc != 0 ? rc : tkt_ctl_fail(EX_IOERR, "cannot write: %s", strerror(errno));
    }
    return rc;
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_TIME, "");   /* without the locale: English */
    (void)signal(SIGPIPE, SIG_IGN); /* an error of write(2) instead */
    struct tkt_ctl ctl = {0};
    bool done;
    int rc = tkt_ctl_parse(&ctl, argc, argv, &done);
    if (rc == 0 && !done) {
        rc = tkt_ctl_opt(&ctl, "help") != NULL ? tkt_ctl_help(&ctl) : ctl.cmd->run(&ctl);
    }
    tkt_conf_free(&ctl.conf);
    tkt_conf_free(&ctl.top);
    free(ctl.values);
    return close_stdout(rc);
}
