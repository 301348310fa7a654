#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes entity_table.h: the named character references of HTML 5, as Python knows them.

One string of "name=text" ("name:text" where the name counts without its semicolon too),
sorted by name, and where each begins. Run: entity_table.py >entity_table.h
"""
import html.entities

def literal(raw):
    return "".join(chr(c) if 0x20 <= c < 0x7F and c not in b'"\\?' else f"\\{c:03o}"
                   for c in raw)

def main():
    table = html.entities.html5
    rows, at, pos = [], [], 0
    for name in sorted(n[:-1] for n in table if n.endswith(";")):
        raw = name.encode() + (b":" if name in table else b"=") + table[name + ";"].encode()
        at.append(pos)
        pos += len(raw)
        rows.append(literal(raw))
    at.append(pos)
    print("/* SPDX-License-Identifier: BSD-2-Clause")
    print(" * Made by entity_table.py: do not edit. */")
    print("/* clang-format off */")
    print(f"#define ENTITY_COUNT {len(rows)}")
    print("static const char entity_text[] =")
    line = ""
    for row in rows:
        if len(line) + len(row) > 84:
            print(f'    "{line}"')
            line = ""
        line += row
    print(f'    "{line}";')
    print("static const unsigned short entity_at[ENTITY_COUNT + 1] = {")
    line = ""
    for n in at:
        if len(line) + len(str(n)) > 84:
            print("   " + line)
            line = ""
        line += f" {n},"
    print("   " + line + "\n};")
    print("/* clang-format on */")

main()
