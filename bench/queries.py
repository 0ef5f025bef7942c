#!/usr/bin/env python3
"""Loads a data set into each server, lets it settle, and asks all of them the same queries, in turn, one at a time.

First the answers are compared: hissrv and InfluxDB must give the same rows; VictoriaMetrics is asked in its own language, so its
number of points is only shown. Then come the median and 90th percentile in ms and the server's processor time per query, the ratio of
medians to each other server, and the geometric mean of these. VictoriaMetrics is asked with nocache=1, hissrv with cacheable=false;
InfluxDB has no result cache. hissrv is started anew before the queries, so that its peak memory is that of answering them.
Results are also appended to $BENCH/results/queries.jsonl.
"""
import argparse
import contextlib
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
BUDGET_S = 45
SEED = 7
CHANNELS = {"ems": 100, "emslong": 10, "devops": 1}
INTERVAL_S = {"ems": 1, "emslong": 1, "devops": 10}
SMALL_MS = 2.0  # below this a peer's answer is mostly the HTTP exchange
BOUNDS = {"victoriametrics": 0.5, "influxdb": 0.1}  # of the peer's median, where that is not small
MEAN_BOUND = 0.35  # of the geometric mean of the ratios to VictoriaMetrics
MEMORY_BOUND_MIB = 250


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", nargs="+", choices=list(SERVERS), default=list(SERVERS))
    parser.add_argument("--sets", nargs="+", choices=list(QUESTIONS), default=list(QUESTIONS))
    parser.add_argument("--values", type=int, default=10_000_000, help="values of each set (default 10 M)")
    parser.add_argument("--runs", type=int, default=20, help="timed runs of a query, fewer past 45 s (default 20)")
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
    ratios, missed = [], []
    for name in arguments.sets:
        questions = [q for q in QUESTIONS[name] if not arguments.only or q.name in arguments.only]
        results, peak_mib = run_set(name, questions, arguments)
        show(name, results, arguments)
        ratios += [ratio(results, q.name, "victoriametrics") for q in questions]
        missed += [f"{name} {miss}" for q in questions for miss in misses(results, q.name)]
        if peak_mib is not None:
            print(f"peak memory of hissrv during the queries: {peak_mib:.0f} MiB")
            missed += [f"{name}: peak memory {peak_mib:.0f} MiB"] if peak_mib > MEMORY_BOUND_MIB else []
    conclude([r for r in ratios if r], missed)


def run_set(name, questions, arguments):
    """Loads one set into all servers and asks all questions; gives results by query and server, and hissrv's peak memory."""
    data_set = load.DATA_SETS[name]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(loaded(SERVERS[server], data_set, arguments)) for server in arguments.servers]
        machine.wait_until_quiet()
        results = {q.name: ask_all(clients, q, data_set, arguments) for q in questions}
        hissrv = next((client.server for client in clients if client.server.name == "hissrv"), None)
        peak_mib = machine.memory_mib(hissrv.pid, "VmHWM") if hissrv else None
    for by_server in results.values():
        for result in by_server.values():
            places.record("queries", result)
    return results, peak_mib


@contextlib.contextmanager
def loaded(server_class, data_set, arguments):
    """A client of a freshly loaded, settled server."""
    with server_class(f"queries-{data_set.name}") as server:
        server.start()
        server.create_database(data_set.database)
        load.load(server, data_set, arguments.values, 4)
        server.settle()
        if server.name == "hissrv":
            server.stop()
            server.start()
        yield Client(server, server.database(data_set.database))


class Client:
    """One kept-alive connection, in the language of its server."""

    def __init__(self, server, database):
        self.server, self.database = server, database
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

    def path(self, question, draw):
        if self.server.dialect == "influxql":
            parameters = {"db": self.database, "epoch": "ns", "q": question.influxql(draw)}
            if self.server.name == "hissrv":
                parameters["cacheable"] = "false"
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


def ask_all(clients, question, data_set, arguments):
    """Asks one question in rounds, each server once a round."""
    seconds = max(1, arguments.values // data_set.values_per_tick * INTERVAL_S[data_set.name])
    draws = [random.Random(SEED) for _ in clients]
    latencies, cpu, rows = ({client.server.name: [] for client in clients} for _ in range(3))
    began = time.monotonic()
    for run in range(arguments.runs + WARM_UP):
        for client, random_of_server in zip(clients, draws):
            path = client.path(question, question.draw(random_of_server, seconds, CHANNELS[data_set.name]))
            before = machine.cpu_seconds(client.server.pid)
            taken, body = client.ask(path)
            if run < WARM_UP:
                rows[client.server.name].append(client.rows(body))
                continue
            latencies[client.server.name].append(taken * 1000)
            cpu[client.server.name].append(machine.cpu_seconds(client.server.pid) - before)
        if run >= WARM_UP + 2 and time.monotonic() - began > BUDGET_S:
            break
    return {name: result(name, data_set, question, latencies[name], cpu[name], rows[name]) for name in latencies}


def result(server, data_set, question, latencies, cpu, rows):
    latencies.sort()
    return {
        "server": server, "set": data_set.name, "query": question.name, "runs": len(latencies),
        "p50_ms": statistics.median(latencies), "p90_ms": latencies[int((len(latencies) - 1) * 0.9)],
        "server_cpu_ms": statistics.mean(cpu) * 1000, "rows": rows,
    }


def ratio(results, query, peer):
    """Median of hissrv to that of a peer; `None` when one of them was not asked."""
    ours, theirs = results[query].get("hissrv"), results[query].get(peer)
    return ours["p50_ms"] / theirs["p50_ms"] if ours and theirs else None


def misses(results, query):
    """What is not as it should be with one query."""
    found = []
    for peer, bound in BOUNDS.items():
        reached = ratio(results, query, peer)
        if reached is None:
            continue
        is_small = results[query][peer]["p50_ms"] <= SMALL_MS
        if reached > (1.0 if is_small else bound):
            found.append(f"{query}: {reached:.2f} of {peer}")
    ours, theirs = results[query].get("hissrv"), results[query].get("influxdb")
    if ours and theirs and ours["rows"] != theirs["rows"]:
        found.append(f"{query}: {ours['rows']} rows, InfluxDB has {theirs['rows']}")
    return found


def show(name, results, arguments):
    rows = []
    for query, by_server in results.items():
        for server, r in by_server.items():
            against = "" if server == "hissrv" else f"{ratio(results, query, server) or 0:.2f}"
            rows.append([query, server, f"{r['p50_ms']:.2f}", f"{r['p90_ms']:.2f}", against, f"{r['server_cpu_ms']:.1f}",
                         r["rows"][-1], r["runs"]])
    columns = ["query", "server", "p50 ms", "p90 ms", "hissrv/it", "cpu ms", "rows", "runs"]
    table(f"{name}: {arguments.values:,} values", columns, rows)


def conclude(ratios, missed):
    if ratios:
        mean = statistics.geometric_mean(ratios)
        print(f"\ngeometric mean of the ratios to VictoriaMetrics over {len(ratios)} queries: {mean:.3f}")
        missed += [f"geometric mean {mean:.3f}"] if mean > MEAN_BOUND else []
    print("missed: " + "; ".join(missed) if missed else "every bound was met")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped; all servers that were started are stopped, too") from None
