divert(-1)
dnl SPDX-License-Identifier: BSD-2-Clause
dnl Example for sendmail.mc:  include(`/etc/mail/m4/ticket-milter.m4')dnl
dnl behind the INPUT_MAIL_FILTER lines of what verifies DKIM, SPF and DMARC. See
dnl ticket-milter(7).
dnl F=T: 4xx while the milter is away, so that no support mail passes without a ticket.
dnl R is above milter { deadline }.
divert(0)dnl
INPUT_MAIL_FILTER(`ticket-milter', `S=unix:/run/ticket-milter/milter.sock, F=T, T=C:30s;S:10s;R:30s;E:5m')dnl
