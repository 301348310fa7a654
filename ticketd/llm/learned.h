/* SPDX-License-Identifier: BSD-2-Clause
 * What ticketd itself wants to know of the learned model: which one it is, for the records
 * of decisions, and the categories that it knows, which a language model may choose from
 * when the configuration names none. The children alone ask it about mail.
 *
 * Reads the file whole, at start and reload; a broken one is an error (CONF), so that the
 * old settings stay.
 */
#ifndef TKT_TICKETD_LEARNED_H
#define TKT_TICKETD_LEARNED_H
#include "base/err.h"
#include "conf/conf.h"

#include <stddef.h>

#define TKT_LEARNED_CATEGORIES_MAX 200 /* as in llm.categories */

/* version: "0123456789abcdef of 2026-11-22", "" = no model is configured. Fills
 * conf->llm.categories if it is empty and a language model is configured. */
int tkt_learned_read(struct tkt_conf *conf, char *version, size_t size,
                     struct tkt_err *err);

#endif
