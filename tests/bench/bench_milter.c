/* SPDX-License-Identifier: BSD-2-Clause
 * The anchors of the Postfix benchmark: bench_milter pass|noop SOCKET.
 *
 * pass accepts at the first step. noop adds X-Ticket and changes Subject at the end of
 * the message, wants no body and negotiates every reply away that it can: the least that
 * a filter with these two edits can cost.
 */
#include <libmilter/mfapi.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool noop;
static atomic_ulong counter;

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1,
                             unsigned long f2, unsigned long f3, unsigned long *pf0,
                             unsigned long *pf1, unsigned long *pf2, unsigned long *pf3)
{
    (void)ctx;
    (void)f2;
    (void)f3;
    *pf0 = noop ? f0 & (SMFIF_ADDHDRS | SMFIF_CHGHDRS) : 0;
    *pf1 = f1 & (noop ? SMFIP_NOHELO | SMFIP_NOUNKNOWN | SMFIP_NOBODY | SMFIP_NOEOH |
                            SMFIP_NODATA | SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT |
                            SMFIP_NR_HDR
                      : SMFIP_NOHELO | SMFIP_NOUNKNOWN);
    *pf2 = 0;
    *pf3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *addr)
{
    (void)ctx;
    (void)host;
    (void)addr;
    return noop ? SMFIS_CONTINUE : SMFIS_ACCEPT;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return SMFIS_CONTINUE;
}

static sfsistat on_eom(SMFICTX *ctx)
{
    if (noop) {
        char text[64];
        snprintf(text, sizeof(text), "[IT-%lu] hello", ++counter);
        if (smfi_chgheader(ctx, (char *)"Subject", 1, text) != MI_SUCCESS ||
            smfi_addheader(ctx, (char *)"X-Ticket", text) != MI_SUCCESS) {
            return SMFIS_TEMPFAIL;
        }
    }
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "pass") != 0 && strcmp(argv[1], "noop") != 0)) {
        fprintf(stderr, "usage: bench_milter pass|noop SOCKET\n");
        return 64;
    }
    noop = argv[1][0] == 'n';
    struct smfiDesc desc = {
        .xxfi_name = argv[1],
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = noop ? SMFIF_ADDHDRS | SMFIF_CHGHDRS : 0,
        .xxfi_connect = on_connect,
        .xxfi_header = on_header,
        .xxfi_eom = on_eom,
        .xxfi_negotiate = on_negotiate,
    };
    umask(0);
    if (smfi_setconn(argv[2]) != MI_SUCCESS || smfi_register(desc) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS) {
        fprintf(stderr, "bench_milter: cannot listen on %s\n", argv[2]);
        return 69;
    }
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
