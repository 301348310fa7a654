# SPDX-License-Identifier: BSD-2-Clause
"""Long tests of the promise: crashes and power cuts by the thousand."""
