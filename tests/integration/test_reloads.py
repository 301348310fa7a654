# SPDX-License-Identifier: BSD-2-Clause
"""The short form of reloads beside all kinds of work (make campaign runs the long one)."""
from campaign.reloads import Reloads
from conftest import BUILD, skip_without_postfix


def test_reloads_beside_all_kinds_of_work_lose_and_double_nothing():
    skip_without_postfix()
    print(Reloads(BUILD, mails=150).run())
