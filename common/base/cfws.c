/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cfws.h"

const char *tkt_comment_end(const char *at, const char *end)
{
    unsigned long depth = 0;

    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end) {
            at++;
        } else if (*at == '(') {
            depth++;
        } else if (*at == ')' && --depth == 0) {
            return at + 1;
        }
    }
    return end;
}

const char *tkt_cfws_end(const char *at, const char *end)
{
    while (at < end) {
        if (*at == '(') {
            at = tkt_comment_end(at, end);
        } else if (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') {
            at++;
        } else {
            break;
        }
    }
    return at;
}
