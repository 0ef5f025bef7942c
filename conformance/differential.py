#!/usr/bin/env python3
"""Asks two servers of the InfluxDB 1.x API the same random questions and compares the answers.

The data and the questions come from a seed (see generator/): a round is one data set, written to both servers, and some hundred
statements, of which a few change the data. A difference is made smaller, clause by clause, as long as the servers differ.
A question that the left server answers in two ways is not counted. Databases named diff_SEED_ROUND are made and dropped.
Exit status: 0 no difference, 1 differences, 2 a server cannot be used. Python 3.9 or later, standard library only.
"""
import argparse
import http.client
import json
import random
import sys
import time

import conformance
from generator.data import Dataset
from generator.statements import request
from generator.tree import smaller

ROUND_QUERIES = 300
# After so many differences in a round the servers hold different data, and what follows says nothing new.
ROUND_DIFFERENCES = 10
MOST_DIFFERENCES = 100
MOST_ATTEMPTS = 400
START_SECONDS = 20
# An answer of the right server that takes longer is told.
SLOW_SECONDS = 2
TROUBLE = (OSError, http.client.HTTPException)


class Unusable(Exception):
    """A server does not take the data or does not answer at all."""


class Pair:
    """The two servers and one database on both."""

    def __init__(self, left_url, right_url, timeout):
        self.sides = [conformance.Client(left_url, timeout), conformance.Client(right_url, timeout)]
        self.database = None

    def wait(self):
        """Waits until both servers take questions."""
        deadline = time.monotonic() + START_SECONDS
        for side in self.sides:
            while side.query("SHOW DATABASES")[0] != 200:
                if time.monotonic() > deadline:
                    raise Unusable("SHOW DATABASES does not work")
                time.sleep(0.1)

    def load(self, data):
        """Makes the database of a round and fills it."""
        self.database = data.database
        for side in self.sides:
            expect(side.query(f'DROP DATABASE "{data.database}"'))
            expect(side.query(f'CREATE DATABASE "{data.database}"'))
            for batch in data.batches:
                expect(side.write({"db": data.database}, batch.encode()))

    def drop(self):
        """Removes the database of the round."""
        for side in self.sides:
            expect(side.query(f'DROP DATABASE "{self.database}"'))

    def ask(self, side, asked):
        """(status, body) of one server; a broken connection is an answer too."""
        try:
            status, _, body = self.sides[side].query(asked.text, {"db": self.database, **asked.params}, asked.method)
        except TROUBLE as trouble:
            return 0, {"@raw": f"{type(trouble).__name__}: {trouble}"}
        return status, conformance.parse_json(body)


def expect(answer):
    """Raises unless the answer is a success."""
    status, _, body = answer
    if status >= 300 or b'"error"' in body:
        raise Unusable(f"{status} {body[:300]!r}")


def options(text):
    """What InfluxQL leaves open for this statement, in the words of conformance.py."""
    open_points = {}
    if "distinct(" in text or text.startswith("SHOW"):
        open_points["rows"] = "any"
    if "integral(" in text:
        open_points["series"] = "any"
    if "percentile(" in text and "time(" not in text:
        open_points["time"] = "any"
    return open_points


def difference(left, right, text):
    """What differs, in words, or None."""
    step = {"status": left[0], "expect": left[1], "opts": options(text)}
    same, message, _ = conformance.check(step, right[0], {}, right[1], 0)
    return None if same else message


class Run:
    """Rounds until the queries, the time or the patience are used up."""

    def __init__(self, pair, settings):
        self.pair, self.settings = pair, settings
        self.deadline = time.monotonic() + settings.minutes * 60
        self.asked = self.rounds = self.differences = self.unstable = self.unusable = self.errors = self.empty = 0

    def go(self):
        """All rounds."""
        self.pair.wait()
        number = self.settings.round
        while not self.finished():
            self.round(number)
            self.rounds += 1
            number += 1

    def finished(self):
        return (self.asked >= self.settings.queries or self.differences >= MOST_DIFFERENCES or time.monotonic() > self.deadline)

    def round(self, number):
        """One data set and its questions."""
        rng = random.Random(f"{self.settings.seed}/{number}")
        data = Dataset(rng, f"diff_{self.settings.seed}_{number}")
        self.pair.load(data)
        changes, before = [], self.differences
        for at in range(ROUND_QUERIES):
            if self.finished() or self.differences - before >= ROUND_DIFFERENCES:
                break
            asked = request(rng, data)
            if asked.changes and self.settings.reads_only:
                continue
            if self.settings.verbose:
                print(asked.text, asked.params or "")
            if asked.changes:
                changes.append(asked.text)
            self.compare(asked, f"--seed {self.settings.seed} --round {number}, query {at}", changes)
        if not self.settings.keep:
            self.pair.drop()

    def compare(self, asked, place, changes):
        """One question."""
        self.asked += 1
        left = self.pair.ask(0, asked)
        begin = time.monotonic()
        right = self.pair.ask(1, asked)
        if (seconds := time.monotonic() - begin) > SLOW_SECONDS:
            print(f"SLOW, {seconds:.1f} s ({place}): {asked.text}")
        self.count(left[1])
        if left[0] == 0 or "@raw" in left[1]:
            self.unusable += 1  # for instance an infinite number, which 1.6.7 cannot write as JSON
            return
        if not difference(left, right, asked.text):
            return
        if not asked.changes and difference(left, self.pair.ask(0, asked), asked.text):
            self.unstable += 1
            return
        self.differences += 1
        if self.differences <= self.settings.show:
            report(place, asked, asked if asked.changes else self.smallest(asked), changes, self.pair)

    def count(self, body):
        """Errors and empty answers, to see whether the questions are worth asking."""
        failed = "error" in body or any("error" in result for result in body.get("results", []))
        self.errors += failed
        self.empty += not failed and not any(result.get("series") for result in body.get("results", [])) and "@docs" not in body

    def smallest(self, asked):
        """The smallest form of a question that still differs."""
        attempts = 0
        progress = True
        while progress and attempts < MOST_ATTEMPTS:
            progress = False
            for less in self.less(asked):
                attempts += 1
                if self.differs(less):
                    asked, progress = less, True
                    break
                if attempts >= MOST_ATTEMPTS:
                    break
        return asked

    @staticmethod
    def less(asked):
        """Questions with one thing less."""
        for name in asked.params:
            yield asked.with_params({key: value for key, value in asked.params.items() if key != name})
        for tree in smaller(asked.tree):
            yield asked.with_tree(tree)

    def differs(self, asked):
        left = self.pair.ask(0, asked)
        if left[0] == 0 or "@raw" in left[1]:
            return False
        return bool(difference(left, self.pair.ask(1, asked), asked.text))

    def summary(self):
        """The last line."""
        return (f"differential: seed {self.settings.seed}, {self.asked} queries on {self.rounds} data sets, "
                f"{self.differences} differences ({self.unstable} questions without a stable answer and {self.unusable} without "
                f"a usable one left out; {self.errors} answers were errors, {self.empty} empty)")


def report(place, asked, least, changes, pair):
    """Prints a difference."""
    print(f"DIFFERENCE ({place})")
    if least.text != asked.text:
        print(f"  asked:    {asked.text}")
    print(f"  smallest: {least.text}   {least.params or ''}")
    for change in changes[-5:]:
        print(f"  after:    {change}")
    if asked.changes:
        return
    left, right = pair.ask(0, least), pair.ask(1, least)
    print(f"  {difference(left, right, least.text)}")
    for side, answer in (("left", left), ("right", right)):
        print(f"  {side + ':':9} {answer[0]} {json.dumps(answer[1])[:700]}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left", required=True, metavar="URL", help="the server that is right")
    parser.add_argument("--right", required=True, metavar="URL", help="the server under test")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)), help="default: by chance")
    parser.add_argument("--round", type=int, default=0, help="begin with this round")
    parser.add_argument("--queries", type=int, default=1000, help="default 1000")
    parser.add_argument("--minutes", type=float, default=60, help="longest time; default 60")
    parser.add_argument("--show", type=int, default=20, help="differences that are printed; default 20")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for one answer; default 30")
    parser.add_argument("--reads-only", action="store_true", help="leave out DELETE, DROP and INTO")
    parser.add_argument("--keep", action="store_true", help="leave the databases in place")
    parser.add_argument("--verbose", action="store_true", help="print every statement")
    return parser.parse_args()


def main():
    settings = arguments()
    print(f"differential: seed {settings.seed}", flush=True)
    run = Run(Pair(settings.left, settings.right, settings.timeout), settings)
    begin = time.monotonic()
    try:
        run.go()
    except (Unusable, *TROUBLE) as trouble:
        print(f"differential: a server cannot be used: {trouble}", file=sys.stderr)
        return 2
    print(f"{run.summary()} in {time.monotonic() - begin:.1f} s")
    return 1 if run.differences else 0


if __name__ == "__main__":
    sys.exit(main())
