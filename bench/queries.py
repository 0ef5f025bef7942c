#!/usr/bin/env python3
"""Loads a data set into each server, lets it settle, and times the same queries on all, one at a time on one connection.

Prints the median and the 90th percentile in ms, the server's processor time per query and the rows of the last answer: the counts
differ a little between the languages (fields as columns or as series, windows without values). VictoriaMetrics is asked
with nocache=1. Results are also appended to $BENCH/results/queries.jsonl.
"""
import argparse
import http.client
import json
import random
import statistics
import time
import urllib.parse

from harness import load, machine, places
from harness.child import end_on_signals
from harness.questions import QUESTIONS
from harness.report import table
from harness.servers import SERVERS, Hissrv

WARM_UP = 3
BUDGET_S = 30
SEED = 7
CHANNELS = {"ems": 100, "emslong": 10, "devops": 1}
INTERVAL_S = {"ems": 1, "emslong": 1, "devops": 10}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", nargs="+", choices=list(SERVERS), default=list(SERVERS))
    parser.add_argument("--sets", nargs="+", choices=list(QUESTIONS), default=list(QUESTIONS))
    parser.add_argument("--values", type=int, default=10_000_000, help="values of each set (default 10 M)")
    parser.add_argument("--runs", type=int, default=20, help="timed runs of a query, fewer past 30 s (default 20)")
    parser.add_argument("--only", nargs="+", metavar="QUERY", help="these queries only")
    parser.add_argument("--hissrv", metavar="FILE", help="use this binary instead of building one")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    end_on_signals()
    places.prepare()
    places.build_tools()
    if "hissrv" in arguments.servers:
        Hissrv.binary = arguments.hissrv or places.build_hissrv()
    for name in arguments.sets:
        questions = [q for q in QUESTIONS[name] if not arguments.only or q.name in arguments.only]
        data_set = load.DATA_SETS[name]
        results = [result for server in arguments.servers
                   for result in ask_server(SERVERS[server], data_set, questions, arguments)]
        results.sort(key=lambda result: [q.name for q in questions].index(result["query"]))
        table(f"{name}: {arguments.values:,} values", ["query", "server", "p50 ms", "p90 ms", "cpu ms", "rows", "KiB", "runs"],
              [[r["query"], r["server"], f"{r['p50_ms']:.2f}", f"{r['p90_ms']:.2f}", f"{r['server_cpu_ms']:.1f}", r["rows"],
                f"{r['bytes'] / 1024:.1f}", r["runs"]] for r in results])


def ask_server(server_class, data_set, questions, arguments):
    """All queries on one freshly loaded server."""
    with server_class(f"queries-{data_set.name}") as server:
        server.start()
        server.create_database(data_set.database)
        load.load(server, data_set, arguments.values, 4)
        server.settle()
        database = server.database(data_set.database)
        client = Client(server, database)
        results = [measure(client, question, data_set, arguments) for question in questions]
    for result in results:
        places.record("queries", result)
    return results


class Client:
    """One kept-alive connection, in the language of its server."""

    def __init__(self, server, database):
        self.server, self.database = server, database
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

    def path(self, question, draw):
        if self.server.dialect == "influxql":
            parameters = {"db": self.database, "epoch": "ns", "q": question.influxql(draw)}
            return "/query?" + urllib.parse.urlencode(parameters)
        path, parameters = question.metricsql(draw)
        return path + "?" + urllib.parse.urlencode(parameters | {"nocache": 1})

    def ask(self, path):
        """Seconds until the whole answer was there, and the answer."""
        start = time.perf_counter()
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - start
        if response.status != 200:
            raise SystemExit(f"{self.server.name}: {response.status} {body[:300]!r} to {path}")
        return seconds, body

    def rows(self, body):
        """Rows in an answer."""
        answer = json.loads(body)
        if self.server.dialect == "promql":
            return sum(len(series.get("values", (0,))) for series in answer["data"]["result"])
        if "error" in answer["results"][0]:
            raise SystemExit(f"{self.server.name}: {answer['results'][0]['error']}")
        return sum(len(series["values"]) for result in answer["results"] for series in result.get("series", []))


def measure(client, question, data_set, arguments):
    """Times one query: warm-up runs first, then up to `--runs` or the budget."""
    seconds = arguments.values // data_set.values_per_tick * INTERVAL_S[data_set.name]
    draws = random.Random(SEED)
    latencies, asked, began = [], 0, time.monotonic()
    cpu_before = machine.cpu_seconds(client.server.pid)
    while len(latencies) < arguments.runs and (len(latencies) < 3 or time.monotonic() - began < BUDGET_S):
        path = client.path(question, question.draw(draws, max(1, seconds), CHANNELS[data_set.name]))
        taken, body = client.ask(path)
        asked += 1
        if asked > WARM_UP:
            latencies.append(taken * 1000)
    cpu = machine.cpu_seconds(client.server.pid) - cpu_before
    latencies.sort()
    return {
        "server": client.server.name, "set": data_set.name, "query": question.name, "runs": len(latencies),
        "p50_ms": statistics.median(latencies), "p90_ms": latencies[int((len(latencies) - 1) * 0.9)],
        "server_cpu_ms": cpu / asked * 1000, "rows": client.rows(body), "bytes": len(body),
    }


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped; all servers that were started are stopped, too") from None
