# SPDX-License-Identifier: BSD-2-Clause
"""Private servers for tests, demo and benchmarks: Postfix, Sendmail, our own programs.

Everything lives in one folder of its own, listens on loopback only, and is stopped by the
process id that started it.
"""
