#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes lexicon_table.h of lexicon.txt: phrases in the order of their first words, longest
first, and a hash table of the first words. Run: lexicon.py lexicon.txt >lexicon_table.h
"""
import re
import sys

KINDS = ["problem", "scope", "soon", "later", "need", "request", "not", "very", "but", "solved"]
SLOTS = 2048
WORDS_MAX = 7


def fnv(word):
    h = 2166136261
    for c in word.encode():
        h = ((h ^ c) * 16777619) & 0xFFFFFFFF
    return h


def read(path):
    entries, head = {}, (0, 0, 0)
    for number, line in enumerate(open(path, encoding="ascii"), 1):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            words = line.strip("[]").split()
            facts = dict(w.split("=") for w in words if "=" in w)
            kinds = sum(1 << KINDS.index(w) for w in words if "=" not in w)
            head = (int(facts.get("mood", 0)), int(facts.get("urgency", 0)), kinds)
            continue
        for phrase in filter(None, (p.strip() for p in line.split(","))):
            words = phrase.split()
            if len(words) > WORDS_MAX or not re.fullmatch(r"[a-z0-9 *]+", phrase) \
                    or "*" in words[0]:
                sys.exit(f"{path}:{number}: {phrase}: not a phrase")
            old = entries.get(phrase, (0, 0, 0))
            if (old[0] and head[0]) or (old[1] and head[1]):
                sys.exit(f"{path}:{number}: {phrase}: stands twice")
            entries[phrase] = (old[0] + head[0], old[1] + head[1], old[2] | head[2])
    return entries


def row(phrase, mood, urgency, kinds):
    return f'{{"{phrase}",{mood},{urgency},{kinds}}}'


def rows(name, kind, values):
    print(f"static const {kind} {name}[] = {{")
    line = ""
    for value in values:
        if len(line) + len(value) > 84:
            print("   " + line)
            line = ""
        line += f" {value},"
    print("   " + line + "\n};")


def main():
    entries = read(sys.argv[1])
    order = sorted(entries, key=lambda p: (p.split()[0], -len(p.split()), p))
    slots = [0] * SLOTS
    for i, phrase in enumerate(order):
        first = phrase.split()[0]
        if i > 0 and order[i - 1].split()[0] == first:
            continue
        at = fnv(first) % SLOTS
        while slots[at]:
            at = (at + 1) % SLOTS
        slots[at] = i + 1
    print("/* SPDX-License-Identifier: BSD-2-Clause")
    print(" * Made of lexicon.txt by lexicon.py: do not edit. */")
    print("/* clang-format off */")
    for i, kind in enumerate(KINDS):
        print(f"#define LEXICON_{kind.upper()} {1 << i}u")
    print(f"#define LEXICON_SLOTS {SLOTS}u")
    print(f"#define LEXICON_WORDS_MAX {WORDS_MAX}")
    rows("lexicon_phrases", "struct lexicon_phrase",
         [row(p, *entries[p]) for p in order])
    rows("lexicon_slots", "unsigned short", [str(s) for s in slots])
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
