#!/usr/bin/env python3
"""Runs the commands of a manual and compares what they print with what stands there.

    manual.py WHERE FILE... -- PREFIX...

A block of kind "console" is checked when the line before it is <!-- checked: WHERE -->. In it, lines that begin with "$ "
are commands, given to PREFIX (sh -c) one by one; what follows is their output. A line "…" stands for any lines, and within
one it stands for any words. On a host
numbers and times are not compared, nor how many blanks are between columns. MILLRACE_UPDATE_GOLDEN=1 writes what was
printed, except into what holds a "…". Prints TAP."""
import os
import re
import subprocess
import sys


def blocks(lines, where):
    for i, line in enumerate(lines):
        if line == f"<!-- checked: {where} -->" and lines[i + 1] == "```console":
            yield i + 2, lines.index("```", i + 2)


def commands(lines, first, end):
    at = [i for i in range(first, end) if lines[i].startswith("$ ")] + [end]
    for begin, stop in zip(at, at[1:]):
        yield lines[begin][2:], lines[begin + 1:stop]


def plain(line, where):
    if where == "host":
        line = re.sub(r"\b(\d+[dhms])+\b", "TIME", line)
        line = re.sub(r"\d+", "N", line)
        line = re.sub(r" +", " ", line)
    return line.rstrip()


def matches(wanted, found):
    if not wanted:
        return not found
    if wanted[0].strip() == "…":
        return any(matches(wanted[1:], found[i:]) for i in range(len(found) + 1))
    words = ".*".join(re.escape(part) for part in wanted[0].split("…"))
    return bool(found) and re.fullmatch(words, found[0]) is not None and matches(wanted[1:], found[1:])


def run(prefix, command):
    done = subprocess.run(prefix + [command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=400)
    return done.stdout.decode().splitlines()


def main():
    where, rest = sys.argv[1], sys.argv[2:]
    files, prefix = rest[:rest.index("--")], rest[rest.index("--") + 1:]
    update = os.environ.get("MILLRACE_UPDATE_GOLDEN")
    number = bad = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        written = []
        for first, end in blocks(lines, where):
            fresh = []
            for command, wanted in commands(lines, first, end):
                found = run(prefix, command)
                number += 1
                good = matches([plain(l, where) for l in wanted], [plain(l, where) for l in found])
                keep = good or any("…" in line for line in wanted)
                fresh += ["$ " + command] + (wanted if keep else found)
                print(f"{'ok' if good else 'not ok'} {number} - {os.path.basename(path)}: {command}", flush=True)
                if not good:
                    bad += 1
                    print("\n".join(["# found:"] + ["#   " + line for line in found[:40]]), flush=True)
            written.append((first, end, fresh))
        if update:
            for first, end, fresh in reversed(written):
                lines[first:end] = fresh
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(lines))
    if number == 0:
        print("not ok 1 - there is nothing to check")
        bad = 1
    print(f"1..{max(number, 1)}")
    sys.exit(bad > 0)


main()
