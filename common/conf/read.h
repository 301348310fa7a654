/* SPDX-License-Identifier: BSD-2-Clause
 * From a scanned source through libconfuse into the typed structs, and the structs' life.
 */
#ifndef TKT_CONF_READ_H
#define TKT_CONF_READ_H
#include "base/err.h"
#include "conf/conf.h"
#include "conf/source.h"

#include <stddef.h>

/* A struct with the defaults of all untitled sections; NULL: memory. */
struct tkt_conf *tkt_conf_new(void);
/* Adds a titled section's element with its defaults; NULL: memory. */
void *tkt_conf_element_add(struct tkt_conf *conf, enum tkt_conf_section_id section,
                           const char *title);
/* The element of that title, or of an untitled section its struct; NULL: none. */
void *tkt_conf_element(const struct tkt_conf *conf,
                       const struct tkt_conf_section *section, const char *title);
/* Parses source->text and fills conf by the source's statements; frees the text. */
int tkt_conf_read(struct tkt_conf *conf, struct tkt_conf_source *source,
                  struct tkt_err *err);
/* Fills what is taken from elsewhere when it is empty: hostname, display names. */
int tkt_conf_derive(struct tkt_conf *conf);
/* All that must hold between settings; completes desk->matches first (conf/check.c). */
int tkt_conf_check(struct tkt_conf *conf, struct tkt_err *err);
/* The part of it about directories and people (check_directory.c, check_group.c,
 * check_sla.c). */
int tkt_conf_check_people(const struct tkt_conf *conf, struct tkt_err *err);
int tkt_conf_check_notify(const struct tkt_conf *conf, struct tkt_err *err);
int tkt_conf_check_slas(const struct tkt_conf *conf, struct tkt_err *err);
int tkt_conf_check_directories(const struct tkt_conf *conf, struct tkt_err *err);
/* The load from memory, without includes: for tests. */
struct tkt_conf *tkt_conf_load_text(const char *name, const char *data, size_t n,
                                    struct tkt_err *err);

#endif
