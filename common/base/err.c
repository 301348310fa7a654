/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void fill(struct tkt_err *err, enum tkt_err_class class, const char *fmt,
                 va_list ap) __attribute__((format(printf, 3, 0)));

static void fill(struct tkt_err *err, enum tkt_err_class class, const char *fmt,
                 va_list ap)
{
    err->class = class;
    err->retry_after_s = 0;
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    for (char *p = err->text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = ' '; /* errors end up in log lines and SMTP replies */
        }
    }
}

int tkt_err_set(struct tkt_err *err, enum tkt_err_class class, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, class, fmt, ap);
        va_end(ap);
    }
    return -1;
}

int tkt_err_errno(struct tkt_err *err, enum tkt_err_class class, const char *fmt, ...)
{
    int saved = errno;

    if (err != NULL) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, class, fmt, ap);
        va_end(ap);
        size_t n = strlen(err->text);
        char reason[128];
        snprintf(err->text + n, sizeof(err->text) - n, ": %s",
                 strerror_r(saved, reason, sizeof(reason)));
    }
    errno = saved;
    return -1;
}

int tkt_err_prefix(struct tkt_err *err, const char *fmt, ...)
{
    if (err != NULL) {
        char old[sizeof(err->text)];
        memcpy(old, err->text, sizeof(old));
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        size_t n = strlen(err->text);
        snprintf(err->text + n, sizeof(err->text) - n, ": %.*s",
                 (int)(sizeof(err->text) - n - 3), old);
    }
    return -1;
}

const char *tkt_err_class_name(enum tkt_err_class class)
{
    static const char *const names[] = {
        [TKT_ERR_NONE] = "none",      [TKT_ERR_TEMP] = "temporary",
        [TKT_ERR_PERM] = "permanent", [TKT_ERR_CONF] = "configuration",
        [TKT_ERR_BUG] = "bug",
    };
    return (unsigned)class <= TKT_ERR_BUG ? names[class] : "unknown";
}
