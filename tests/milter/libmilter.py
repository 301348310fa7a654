#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The dialogues of run.py with milter.engine = libmilter."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
os.environ["TKT_MILTER_ENGINE"] = "libmilter"
from run import *  # noqa: E402,F401,F403 pylint: disable=wrong-import-position

if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
