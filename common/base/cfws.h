/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comments and folding white space between the tokens of a structured header field:
 * RFC 5322, section 3.2.2, and RFC 2045, section 5.1.
 *
 * Promise: comments nest to any depth without a stack, "\" quotes the next byte inside of
 * one, and a comment that is never closed reaches to the end. Bare CR and LF are blanks,
 * so that a folded value may be given as it stands in the mail. Nothing is read at or
 * behind end; a NUL is a byte like any other.
 * Threads: pure functions. Errors: none; every input has an answer.
 */
#ifndef TKT_BASE_CFWS_H
#define TKT_BASE_CFWS_H

/* Behind the comment whose "(" stands at `at`; end when it is not closed. */
const char *tkt_comment_end(const char *at, const char *end);

/* The first byte at or behind `at` that is neither blank nor of a comment, or end. */
const char *tkt_cfws_end(const char *at, const char *end);

#endif
