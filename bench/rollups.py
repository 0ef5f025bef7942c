#!/usr/bin/env python3
"""What rollups and the cache of results give, and what they cost. Three parts:

year      a year of a value a minute of 100 series: `mean by 1d` over all of it, from rollups and from points, both without the cache
panels    a dashboard of 12 panels over the last 24 h of a value every 10 s of 100 series, refreshed again and again while values come in:
          processor time of a refresh with the cache and without
ingest    the ems set written flat out, with the two sample tasks and without

Everything over HTTP, on one kept-alive connection. Results are appended to $BENCH/results/rollups.jsonl.
"""
import argparse
import http.client
import json
import statistics
import time
import urllib.parse

from harness import load, machine, places
from harness.child import end_on_signals
from harness.machine import cpu_seconds
from harness.report import median, table, thousands
from harness.servers import Hissrv

SERIES = 100
DAY_S = 86_400
SETTLE_LIMIT_S = 900
PANELS = 12
# The sample tasks of the requirements; values are kept long enough for the data set.
TASKS = """
retention:
  policies:
    - { name: realtime, duration: 800d }
    - { name: hourly, duration: 1600d }
    - { name: daily, duration: 3650d }
    - { name: berlin, duration: 3650d }
downsampling:
  share: %s
  tasks:
    - name: hourly_avg
      source: realtime
      target: hourly
      interval: 1h
      aggregations: [{ function: MEAN, alias: avg }, { function: MAX, alias: max }, { function: MIN, alias: min }]
    - name: daily_summary
      source: hourly
      target: daily
      interval: 1d
      aggregations: [{ function: MEAN, alias: avg }, { function: SUM, alias: total }]
"""
# Days of a zone of its own, for the part `year`.
BERLIN = """
    - { name: daily_berlin, source: hourly, target: berlin, interval: 1d, time_zone: Europe/Berlin, aggregations: [{ function: MEAN, alias: avg }] }
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=["year", "panels", "ingest"], default=["year", "panels", "ingest"])
    parser.add_argument("--days", type=int, default=365, help="days of the year (default 365)")
    parser.add_argument("--values", type=int, default=10_000_000, help="values of the ingest part (default 10 M)")
    parser.add_argument("--runs", type=int, default=3, help="runs of the ingest part, in turn (default 3)")
    parser.add_argument("--hissrv", metavar="FILE", help="use this binary instead of building one")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    end_on_signals()
    places.prepare()
    places.build_tools()
    Hissrv.binary = arguments.hissrv or places.build_hissrv()
    if "year" in arguments.parts:
        year(arguments.days)
    if "panels" in arguments.parts:
        panels()
    if "ingest" in arguments.parts:
        ingest(arguments.values, arguments.runs)


def server(label, tasks=True, share=1.0, more_tasks=""):
    return Hissrv(label, redis="redis: { enabled: false }\n" + (TASKS % share + more_tasks if tasks else ""))


class Client:
    """One kept-alive connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def influxql(self, text, **parameters):
        """Seconds until the whole answer was there, and the answer."""
        path = "/query?" + urllib.parse.urlencode({"db": "telemetry", "epoch": "s", "q": text} | parameters)
        return self._exchange("GET", path, None)

    def write(self, lines):
        self._exchange("POST", "/write?db=telemetry&precision=s", lines)

    def _exchange(self, method, path, body):
        start = time.perf_counter()
        self.connection.request(method, path, body)
        response = self.connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - start
        if response.status not in (200, 204):
            raise SystemExit(f"{method} {path}: {response.status} {answer[:300]!r}")
        return seconds, answer


def fill(client, start_s, end_s, step_s):
    """A value of every series each step, so many steps a request as a day has minutes."""
    keys = [f"measurement,channel={1000 + n // 10},point={n},type=m value=" for n in range(SERIES)]
    portion_s = 1440 * step_s
    for portion in range(start_s, end_s, portion_s):
        lines = []
        for time_s in range(portion, min(portion + portion_s, end_s), step_s):
            level = 20 + (time_s // step_s * 37 % 1000) / 100
            lines += [f"{key}{level + n % 7:.2f} {time_s}\n" for n, key in enumerate(keys)]
        client.write("".join(lines).encode())


def wait_until_rolled_up(hissrv):
    """Until only windows that have not ended are left, and no more rows come; gives the seconds that took."""
    start, rows = time.monotonic(), None
    while True:
        tasks = hissrv.status()["downsampling"]["tasks"]
        # Rows in the making are not dirty any more.
        before, rows = rows, [task["rows"] for task in tasks]
        if rows == before and all(not task["dirty_stretches"] and task["dirty_rows"] <= SERIES for task in tasks):
            return time.monotonic() - start
        if time.monotonic() - start > SETTLE_LIMIT_S:
            raise RuntimeError(f"rollups were not made in {SETTLE_LIMIT_S} s: {tasks}")
        time.sleep(1)


def year(days):
    end_s = int(time.time()) // DAY_S * DAY_S
    start_s = end_s - days * DAY_S
    with server("year", more_tasks=BERLIN) as hissrv:
        hissrv.start()
        client = Client(hissrv.port)
        fill(client, start_s, end_s, 60)
        rolled_up_s = wait_until_rolled_up(hissrv)
        busy = hissrv.status()["downsampling"]["tasks"]
        hissrv.settle()
        machine.wait_until_quiet()
        rows = []
        where = f'FROM "measurement" WHERE time >= {start_s}s AND time < {end_s}s'
        for what, text in [
                ("mean by 1d, one curve", f"SELECT mean(value) {where} GROUP BY time(1d)"),
                ("mean by 1d, each series", f"SELECT mean(value) {where} GROUP BY time(1d), *"),
                ("mean by 1d of Berlin, one curve", f"SELECT mean(value) {where} GROUP BY time(1d) tz('Europe/Berlin')"),
                ("max by 30d, one curve", f"SELECT max(value) {where} GROUP BY time(30d)")]:
            results = {}
            for rollups in ("true", "false"):
                ask = lambda: client.influxql(text, rollups=rollups, cacheable="false")
                answers = [ask() for _ in range(15)]
                results[rollups] = (statistics.median(seconds for seconds, _ in answers) * 1e3, json.loads(answers[0][1]))
            same = close(results["true"][1], results["false"][1])
            rolled, raw = results["true"][0], results["false"][0]
            rows.append([what, f"{rolled:.2f}", f"{raw:.1f}", f"{raw / rolled:.0f}", "yes" if same else "NO"])
            places.record("rollups", {"part": "year", "query": what, "days": days, "rolled_ms": rolled, "raw_ms": raw, "same": same})
        table(f"year: {days} days of a value a minute of {SERIES} series ({days * 1440 * SERIES:,} values)",
              ["query", "rollups ms", "points ms", "times", "same"], rows)
        print(f"rollups complete {rolled_up_s:.1f} s after the last write; rows made: "
              + ", ".join(f"{task['name']} {task['rows']:,}" for task in busy))


def close(a, b):
    """Equal but for the last digits of floats."""
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b))
    return a == b


def panels():
    step_s = 10
    with server("panels", tasks=False) as hissrv:
        hissrv.start()
        client = Client(hissrv.port)
        end_s = int(time.time()) // step_s * step_s
        fill(client, end_s - 2 * DAY_S, end_s, step_s)
        hissrv.settle()
        machine.wait_until_quiet()
        cost = {}
        for cacheable in ("true", "false"):
            rounds = 60 if cacheable == "true" else 15
            refresh(client, cacheable)
            before = cpu_seconds(hissrv.pid)
            for _ in range(rounds):
                now_s = int(time.time()) // step_s * step_s
                client.write("".join(f"measurement,channel=1000,point={n},type=m value=1 {now_s}\n" for n in range(10)).encode())
                refresh(client, cacheable)
            cost[cacheable] = (cpu_seconds(hissrv.pid) - before) / rounds * 1e3
        ratio = cost["false"] / cost["true"]
        table(f"panels: {PANELS} panels over the last 24 h of a value every {step_s} s of {SERIES} series",
              ["without cache, cpu-ms a refresh", "with cache", "times cheaper"],
              [[f"{cost['false']:.1f}", f"{cost['true']:.2f}", f"{ratio:.1f}"]])
        places.record("rollups", {"part": "panels", "cpu_ms_without": cost["false"], "cpu_ms_with": cost["true"]})


def refresh(client, cacheable):
    functions = ["mean", "max", "min", "sum", "count", "last"]
    for panel in range(PANELS):
        function, minutes = functions[panel % 6], (5, 15)[panel // 6]
        client.influxql(f'SELECT {function}(value) FROM "measurement" WHERE time >= now() - 24h GROUP BY time({minutes}m)',
                        cacheable=cacheable)


def ingest(values, runs):
    results = {True: [], False: []}
    for _ in range(runs):
        for tasks in (False, True):
            with server("ingest", tasks=tasks, share=0.25) as hissrv:
                hissrv.start()
                machine.wait_until_quiet()
                result = load.load(hissrv, load.DATA_SETS["ems"], values, 4)
            results[tasks].append(result)
            places.record("rollups", result | {"part": "ingest", "tasks": tasks})
    without, with_tasks = median(results[False], "values_per_s"), median(results[True], "values_per_s")
    table(f"ingest: {values:,} values of the ems set, 4 connections",
          ["without tasks/s", "with both sample tasks/s", "ratio"],
          [[thousands(without), thousands(with_tasks), f"{with_tasks / without:.2f}"]])


if __name__ == "__main__":
    try:
        main()
    except (json.JSONDecodeError, http.client.HTTPException) as error:
        raise SystemExit(f"a server or tool answered with something unexpected: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("stopped; all servers that were started are stopped, too") from None
