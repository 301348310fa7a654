# SPDX-License-Identifier: BSD-2-Clause
"""The short form of the storm of programs that answer (make campaign runs the long one)."""
from campaign.storm import Storm
from conftest import BUILD, skip_without_postfix


def test_programs_that_answer_each_other_are_cut_and_nothing_is_lost():
    skip_without_postfix()
    print(Storm(BUILD, mails=600, kills=2).run())
