#!/usr/bin/env python3
"""Events: that all ways give the same ones, and what they cost.

speed            samples a processor second with 100 rules, by the detector alone (the example `speed` of the crate `events`)
same             metrics of IT nodes, 30 days of a value each 15 min, with anomalies; their events are compared by all they say:
  live           one writer sends them in the order of time to a service whose lane makes the events meanwhile
  history        they are stored where events are switched off, then `hissrv events generate` makes the events
  import         `hissrv import --events` with several connections, which bring samples late, to a service whose lane watches

Results are appended to $BENCH/results/events.jsonl; the exit status is 1 when sets of events differ.
"""
import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time

from harness import machine, places
from harness.child import end_on_signals
from harness.report import table
from harness.servers import Hissrv

FREE_DISK_GIB = 8
DAYS, STEPS_A_DAY = 30, 96
# Metrics of a node on average, and the first day.
METRICS_A_NODE = 3.95
START, FROM, TO = "2026-01-01", "2025-12-31", "2026-02-02"
WAYS = ["live", "history", "import"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=["speed", "same"], default=["speed", "same"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="ways to be compared (default all)")
    parser.add_argument("--values", type=int, default=10_000_000, help="samples, at least (default 10 M)")
    parser.add_argument("--hissrv", metavar="FILE", help="use this binary instead of building one")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    end_on_signals()
    places.prepare()
    print(f"machine: {os.cpu_count()} processors, {platform.platform()}")
    if "speed" in arguments.parts:
        command = ["cargo", "run", "--quiet", "--release", "--locked", "--package", "events", "--example", "speed"]
        subprocess.run(command, cwd=places.ROOT, check=True)
    if "same" in arguments.parts:
        machine.require_free_disk(places.BENCH, FREE_DISK_GIB)
        Hissrv.binary = os.path.abspath(arguments.hissrv or places.build_hissrv())
        same(arguments)


def same(arguments):
    nodes = -(-arguments.values // round(METRICS_A_NODE * DAYS * STEPS_A_DAY))
    plan = ["generate", "nodes", "--nodes", nodes, "--start", START, "--days", DAYS, "--quiet"]
    results, told = {}, {}
    for way in arguments.ways:
        results[way], told[way] = {"live": live, "history": history, "import": imported}[way](plan)
        places.record("events", {"way": way} | results[way])
    rows = [[way, f"{r['samples']:,}", f"{r['events']:,}", f"{r['points_s']:.1f}", f"{r['events_s']:.1f}", r["late"]]
            for way, r in results.items()]
    table("the same samples on different ways",
          ["way", "samples", "events", "s until stored", "s until all events are there", "late samples"], rows)
    first = told[arguments.ways[0]]
    for way in arguments.ways[1:]:
        missing, more = len(first - told[way]), len(told[way] - first)
        print(f"{way} and {arguments.ways[0]}: " + ("identical" if missing == more == 0 else f"{missing} are missing, {more} are more"))
        if missing or more:
            sys.exit(1)


def run(folder, *arguments):
    """Runs hissrv to its end; gives its JSON and the seconds it took."""
    start = time.monotonic()
    done = subprocess.run([Hissrv.binary, *(str(a) for a in arguments), "--json"], cwd=folder, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout or b"{}"), time.monotonic() - start


def server(label, enabled):
    return Hissrv(label, redis=f"redis: {{ enabled: false }}\nevents: {{ enabled: {str(enabled).lower()} }}\n")


def url(service):
    return f"http://127.0.0.1:{service.port}"


def live(plan):
    with server("events-live", True) as service:
        service.start()
        start = time.monotonic()
        _, points_s = run(service.folder, *plan, "--to", "service", "--url", url(service), "--workers", 1)
        status = wait_for_lane(service)
        events_s = time.monotonic() - start
        told = events(service)
    return result(status["samples"], told, points_s, events_s, status["late_samples"]), told


def history(plan):
    with server("events-history", False) as service:
        service.start()
        start = time.monotonic()
        _, points_s = run(service.folder, *plan, "--to", "service", "--url", url(service))
        report, _ = run(service.folder, "events", "generate", "--from", FROM, "--to", TO, "--url", url(service))
        events_s = time.monotonic() - start
        told = events(service)
    return result(report["samples"], told, points_s, events_s, 0), told


def imported(plan):
    with server("events-import", True) as service:
        service.start()
        file = service.folder / "metrics.lp.zst"
        run(service.folder, *plan, "--out", file)
        start = time.monotonic()
        summary, _ = run(service.folder, "import", file, "--events", "--quiet", "--url", url(service))
        events_s = time.monotonic() - start
        late = wait_for_lane(service)["late_samples"]
        told = events(service)
    return result(summary["events"]["samples"], told, summary["seconds"], events_s, late), told


def wait_for_lane(service):
    while True:
        status = service.status()["events"]
        if status["lag_records"] == 0 and status["waiting"] == 0:
            return status
        time.sleep(0.05)


def events(service):
    """All that is told, each event as a hash of its line."""
    command = [Hissrv.binary, "export", "--measurement", "node_logs", "--format", "lines", "--url", url(service)]
    with subprocess.Popen([str(a) for a in command], stdout=subprocess.PIPE, cwd=service.folder) as export:
        told = {hashlib.blake2b(line, digest_size=16).digest() for line in export.stdout if line.startswith(b"node_logs,")}
    if export.returncode != 0:
        raise RuntimeError(f"the export ended with status {export.returncode}")
    return told


def result(samples, told, points_s, events_s, late):
    return {"samples": samples, "events": len(told), "points_s": points_s, "events_s": events_s, "late": late}


if __name__ == "__main__":
    main()
