/* SPDX-License-Identifier: BSD-2-Clause
 * The envelope as libmilter hands it over, made plain. Pure functions; no state.
 */
#ifndef TKT_MILTER_ENVELOPE_H
#define TKT_MILTER_ENVELOPE_H
#include <stdbool.h>
#include <stddef.h>

/* The address in argv[0] of MAIL or RCPT: without blanks around it, angle brackets and
 * source route; "" for the null sender. Returns where it begins in arg and sets *len. */
const char *tkt_envelope_address(const char *arg, size_t *len);
/* SMTP sends <a@b>; Postfix's non_smtpd path sends a@b: nothing may be refused there. */
bool tkt_envelope_is_smtp(const char *arg);
/* By {rcpt_mailer}: the copy leaves this system. Unknown mailers count as leaving, since
 * a changed Subject breaks signatures for whoever is behind us; no macro as staying. */
bool tkt_envelope_relayed(const char *rcpt_mailer);

#endif
