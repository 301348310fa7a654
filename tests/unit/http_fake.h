/* SPDX-License-Identifier: BSD-2-Clause
 * A server on loopback that does what a path says, well or badly; for tests. A thread for
 * each connection.
 *   /ok /echo /slow/MS /drip (a byte now and then) /drop /half /html /huge/BYTES /status/N /later/S /laterdate
 *   /notype /quota403 /reset-after/N (closes kept connections from the N-th request on)
 */
#ifndef TKT_TESTS_HTTP_FAKE_H
#define TKT_TESTS_HTTP_FAKE_H
#include <stddef.h>

struct fake;

struct fake *fake_start(void);
void fake_stop(struct fake **fake);
/* "http://127.0.0.1:PORT" + path; static room, good until the fourth next call. */
const char *fake_url(struct fake *fake, const char *path);
/* From now on this path is answered so (JSON). At most 16 paths; texts are literals. */
void fake_answer(struct fake *fake, const char *path, int status, const char *body);
int fake_requests(struct fake *fake);    /* read as a whole: what a server carries out */
int fake_connections(struct fake *fake); /* accepted so far */
int fake_most_at_once(struct fake *fake);
/* Of the last request: everything up to the empty line, and the size of its body. */
const char *fake_last_head(struct fake *fake);
size_t fake_last_body(struct fake *fake, unsigned char sha256[32]);

#endif
