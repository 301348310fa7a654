/* SPDX-License-Identifier: BSD-2-Clause
 * Who follows the events.
 */
#include "ticketd/follow_itsm.h"

const struct tkt_follower *const tkt_followers[] = {&tkt_follow_itsm, NULL};
