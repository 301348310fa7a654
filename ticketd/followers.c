/* SPDX-License-Identifier: BSD-2-Clause
 * Who follows the events.
 */
#include "ticketd/follow.h"

const struct tkt_follower *const tkt_followers[] = {NULL};
