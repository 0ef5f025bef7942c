#!/usr/bin/env python3
"""What `hissrv import` does with a file of line protocol, into each store, beside the plain loader, which is the ceiling.

embedded         into a data directory, and into a running service
remote           into InfluxDB and VictoriaMetrics: rate beside that of the loader with as many connections, in turn
formats          the same points as CSV and gzip, into a data directory
seed             the scenario of the seed: 1 000 nodes, a value each 15 min for 30 days, generated, imported, with their logs

Rates are points a second from start to end of the process, files written and synced included; into VictoriaMetrics until it has answered for
all of them: the loader does not wait either until it has written them to its disk. Peak memory is that of the importing process.
Results are appended to $BENCH/results/imports.jsonl.
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import time

from harness import load, machine, places
from harness.child import end_on_signals
from harness.report import median, table, thousands
from harness.servers import Hissrv, InfluxDb, VictoriaMetrics

FREE_DISK_GIB = 8
CONNECTIONS = 4
PARTS = ["embedded", "remote", "formats", "seed"]
# The seed's documents claim this many points a second.
CLAIMED = 5000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--values", type=int, default=10_000_000, help="values of the ems set (default 10 M)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, in turn; medians count (default 3)")
    parser.add_argument("--hissrv", metavar="FILE", help="use this binary instead of building one")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    end_on_signals()
    places.prepare()
    machine.require_free_disk(places.BENCH, FREE_DISK_GIB)
    places.build_tools()
    Hissrv.binary = os.path.abspath(arguments.hissrv or places.build_hissrv())
    print(f"machine: {os.cpu_count()} processors, {platform.platform()}")
    for part in arguments.parts:
        {"embedded": embedded, "remote": remote, "formats": formats, "seed": seed}[part](arguments)


class Folder:
    """An empty folder below $BENCH/run with a configuration, removed in the end."""

    def __init__(self, name, sections=""):
        self.path = places.RUN / f"import-{name}"
        self.sections = sections

    def __enter__(self):
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self.config = self.path / "hissrv.yaml"
        self.config.write_text(f'data_dir: {json.dumps(str(self.path / "data"))}\nredis: {{ enabled: false }}\n{self.sections}\n')
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def run(folder, *arguments):
    """Runs hissrv to its end; gives its summary with seconds, processor seconds and peak memory of the process."""
    start = time.monotonic()
    with subprocess.Popen([Hissrv.binary, *(str(a) for a in arguments), "--config", folder.config, "--json", "--quiet"],
                          cwd=folder.path, stdout=subprocess.PIPE) as child:
        out = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"hissrv {arguments} failed with status {child.returncode}: {out[:300]!r}")
    seconds = time.monotonic() - start
    summary = json.loads(out)
    writing = seconds - summary["settling_seconds"]
    return summary | {"wall_s": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024,
                      "rate": summary["points"] / writing}


def record(part, what, result):
    places.record("imports", {"part": part, "what": what} | result)


def row(what, results, *more):
    return [what, thousands(median(results, "rate")), f"{max(r['peak_mb'] for r in results):.0f}",
            f"{median(results, 'cpu_s') / median(results, 'points') * 1e6:.2f}", *more]


HEADINGS = ["what", "points/s", "peak MB", "own CPU-s a million points"]


def embedded(arguments):
    file = load.DATA_SETS["ems"].file(arguments.values)
    results = {"into a data directory": [], "into a running service": []}
    for _ in range(arguments.runs):
        with Folder("embedded") as folder:
            machine.wait_until_quiet()
            results["into a data directory"].append(run(folder, "import", file, "--to", "embedded"))
        with Hissrv("import") as server, Folder("service") as folder:
            server.start()
            machine.wait_until_quiet()
            results["into a running service"].append(run(folder, "import", file, "--to", "service", "--url", f"http://127.0.0.1:{server.port}"))
            check(server, arguments.values)
    for what, runs in results.items():
        record("embedded", what, {"runs": runs})
    table(f"import of {arguments.values:,} points of the ems set", HEADINGS, [row(what, runs) for what, runs in results.items()])


def check(server, values):
    found = server.count_points(load.EMS, "telemetry")
    if found != values:
        raise RuntimeError(f"{server.name} has {found} values instead of {values}")


def remote(arguments):
    data_set, rows = load.DATA_SETS["ems"], []
    for kind, section, database in [
            (InfluxDb, 'influxdb: {{ url: "http://127.0.0.1:{port}", bucket: ems }}\nstorage: {{ influxdb: {{ enabled: true }} }}', "ems"),
            (VictoriaMetrics, 'storage: {{ victoriametrics: {{ url: "http://127.0.0.1:{port}" }} }}', "ems")]:
        ours, loader = [], []
        for _ in range(arguments.runs):
            with kind("loader") as server:
                server.start()
                server.create_database(data_set.database)
                machine.wait_until_quiet()
                loader.append(load.load(server, data_set, arguments.values, CONNECTIONS))
            with kind("import") as server:
                server.start()
                server.create_database(data_set.database)
                with Folder("remote", section.format(port=server.port)) as folder:
                    machine.wait_until_quiet()
                    result = run(folder, "import", data_set.file(arguments.values), "--to", kind.name,
                                 "--database", database, "--workers", CONNECTIONS)
                    ours.append(result)
                if kind is InfluxDb:
                    check_influx(server, arguments.values)
        ceiling = median(loader, "values_per_s")
        record("remote", kind.name, {"runs": ours, "loader_values_per_s": ceiling})
        rows.append(row(kind.name, ours, thousands(ceiling), f"{median(ours, 'rate') / ceiling:.2f}"))
    table(f"import of {arguments.values:,} points into other stores, {CONNECTIONS} connections", [*HEADINGS, "loader/s", "of the loader"], rows)


def check_influx(server, values):
    found = server.count_points(load.EMS, "ems")
    if found != values:
        raise RuntimeError(f"{server.name} has {found} values instead of {values}")


def formats(arguments):
    file, rows = load.DATA_SETS["ems"].file(arguments.values // 4), []
    packed, wide = places.DATA / "ems-quarter.lp.gz", places.DATA / "wide.csv"
    if not packed.exists():
        with open(packed, "wb") as out:
            subprocess.run(["gzip", "-1", "-c", file], stdout=out, check=True)
    if not wide.exists():
        with open(wide, "w") as out:
            out.write("time," + ",".join(f"p{n}" for n in range(20)) + "\n")
            for second in range(250_000):
                out.write(f"{1_700_000_000 + second}," + ",".join(f"{20 + (second * 37 + n) % 1000 / 100:.2f}" for n in range(20)) + "\n")
    for what, options in [
            ("line protocol, gzip", [packed]),
            ("wide CSV, 20 fields a row", [wide, "--measurement", "wide", "--time-format", "s"]),
            ("wide CSV, 20 series a row", [wide, "--measurement", "wide", "--time-format", "s", "--columns-as", "tag:point"])]:
        results = []
        for _ in range(arguments.runs):
            with Folder("formats") as folder:
                machine.wait_until_quiet()
                results.append(run(folder, "import", *options, "--to", "embedded"))
        record("formats", what, {"runs": results})
        rows.append(row(what, results))
    table("import of other formats into a data directory", HEADINGS, rows)


def seed(arguments):
    results = {"metrics": [], "metrics and the logs made of them": []}
    for _ in range(arguments.runs):
        for what, options in zip(results, [[], ["--events"]]):
            with Folder("seed") as folder:
                file = folder.path / "nodes.lp"
                subprocess.run([Hissrv.binary, "generate", "nodes", "--nodes", "1000", "--days", "30", "--out", file, "--quiet"], check=True)
                machine.wait_until_quiet()
                result = run(folder, "import", file, "--to", "embedded", *options)
            # A log is a point, too.
            result["points"] += (result["events"] or {"written": 0})["written"]
            result["rate"] = result["points"] / result["wall_s"]
            results[what].append(result)
    for what, runs in results.items():
        record("seed", what, {"runs": runs})
    table("the seed's scenario: 1 000 nodes, 30 days at 15 min", [*HEADINGS, "points", "times the seed's claim"],
          [row(what, runs, thousands(median(runs, "points")), f"{median(runs, 'rate') / CLAIMED:.0f}") for what, runs in results.items()])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped; all servers that were started are stopped, too") from None
