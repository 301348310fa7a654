/* SPDX-License-Identifier: BSD-2-Clause
 * The end of a wait within TLS. libldap makes the socket of a connection non-blocking, and
 * over GnuTLS its handshake then asks again and again, without a rest and without an end,
 * for what a silent server never sends. So there is a layer of our own below TLS: until the
 * connection is made it waits for the socket, and at the deadline it fails for good.
 */
#include "directory/ldap.h"

#include "base/clock.h"
#include "base/util.h"

#include <errno.h>
#include <poll.h>

/* Above the socket, below TLS. */
#define LEVEL ((LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2)

static int wait_for(Sockbuf_IO_Desc *d, short events)
{
    const struct tkt_ldap *l = d->sbiod_pvt;
    ber_socket_t fd = -1;
    int rc;

    if (!l->is_connecting ||
        ber_sockbuf_ctrl(d->sbiod_sb, LBER_SB_OPT_GET_FD, &fd) != 1) {
        return 0;
    }
    do {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = l->deadline_ms - tkt_clock_mono_ms();
        rc = poll(&p, 1, (int)TKT_MAX(0, left));
    } while (rc < 0 && errno == EINTR);
    if (rc == 0) {
        errno = ETIMEDOUT;
    }
    return rc > 0 ? 0 : -1;
}

static int setup(Sockbuf_IO_Desc *d, void *arg)
{
    d->sbiod_pvt = arg;
    return 0;
}

static int remove_layer(Sockbuf_IO_Desc *d)
{
    d->sbiod_pvt = NULL;
    return 0;
}

static int control(Sockbuf_IO_Desc *d, int option, void *arg)
{
    return LBER_SBIOD_CTRL_NEXT(d, option, arg);
}

static ber_slen_t read_below(Sockbuf_IO_Desc *d, void *buf, ber_len_t n)
{
    return wait_for(d, POLLIN) < 0 ? -1 : LBER_SBIOD_READ_NEXT(d, buf, n);
}

static ber_slen_t write_below(Sockbuf_IO_Desc *d, void *buf, ber_len_t n)
{
    return wait_for(d, POLLOUT) < 0 ? -1 : LBER_SBIOD_WRITE_NEXT(d, buf, n);
}

static Sockbuf_IO layer = {.sbi_setup = setup,
                           .sbi_remove = remove_layer,
                           .sbi_ctrl = control,
                           .sbi_read = read_below,
                           .sbi_write = write_below};

static int connected(LDAP *ld, Sockbuf *sb, LDAPURLDesc *url, struct sockaddr *addr,
                     struct ldap_conncb *cb)
{
    (void)ld; /* one handle, one server */
    (void)url;
    (void)addr;
    return ber_sockbuf_add_io(sb, &layer, LEVEL, cb->lc_arg);
}

static void gone(LDAP *ld, Sockbuf *sb, struct ldap_conncb *cb)
{
    (void)ld; /* the layer goes with its socket */
    (void)sb;
    (void)cb;
}

int tkt_ldap_limit_socket(struct tkt_ldap *l)
{
    l->on_connect =
        (struct ldap_conncb){.lc_add = connected, .lc_del = gone, .lc_arg = l};
    l->deadline_ms = tkt_clock_mono_ms() + 2 * l->conf->timeout_ms; /* and handshake */
    l->is_connecting = true;
    return ldap_set_option(l->ld, LDAP_OPT_CONNECT_CB, &l->on_connect) == LDAP_OPT_SUCCESS
               ? 0
               : -1;
}
