/* SPDX-License-Identifier: BSD-2-Clause
 * The mails that benchmarks send: no two are alike. Of random words, which mean nothing
 * to anybody, or of what people write: a file with one mail a line, its Subject and its
 * sentences parted by tabs; such a mail is one of these, with sentences of the others as
 * what it quotes. Loaded once; after that any thread may ask. Errors end the program.
 */
#ifndef TKT_BENCH_MAILS_H
#define TKT_BENCH_MAILS_H

#include <stddef.h>

#define BENCH_MAIL_BYTES 4096
#define BENCH_SUBJECT_MAX 128

/* file NULL: random words. */
void bench_mails_load(const char *file);
/* BENCH_MAIL_BYTES bytes and a NUL; subject is the field's value, with its blank. */
size_t bench_mail_make(char out[BENCH_MAIL_BYTES + 64], char subject[BENCH_SUBJECT_MAX],
                       const char *rcpt, unsigned long serial);

#endif
