# SPDX-License-Identifier: BSD-2-Clause
"""The short form of the crash campaign (make campaign runs the long one)."""
from campaign.crash import KINDS, Crash
from conftest import BUILD, skip_without_postfix


def test_kills_at_random_lose_and_double_nothing():
    skip_without_postfix()
    figures = Crash(BUILD, mails=400, kills=6).run()
    print(figures)
    assert all(figures["kills"][kind] >= 6 for kind in KINDS)
