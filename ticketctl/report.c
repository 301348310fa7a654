/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <stdarg.h>

int tkt_ctl_fail(int code, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap); /* cut at the end is fine */
    va_end(ap);
    fputs("ticketctl: ", stderr);
    tkt_ctl_put_clean(stderr, text);
    fputc('\n', stderr);
    return code;
}

int tkt_ctl_class_exit(enum tkt_err_class class)
{
    switch (class) {
    case TKT_ERR_NONE:
        return EX_OK;
    case TKT_ERR_TEMP:
        return EX_TEMPFAIL;
    case TKT_ERR_PERM:
        return EX_DATAERR;
    case TKT_ERR_CONF:
        return EX_CONFIG;
    case TKT_ERR_BUG:
        return EX_SOFTWARE;
    }
    return EX_SOFTWARE;
}

int tkt_ctl_fail_err(const struct tkt_err *err)
{
    return tkt_ctl_fail(tkt_ctl_class_exit(err->class), "%s", err->text);
}
