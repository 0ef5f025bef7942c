#!/usr/bin/env python3
"""Loads the same data into hissrv and into real VictoriaMetrics and InfluxDB, in turn on this machine, and compares.

Per data set and server: write rate, values per second of the server's processor time (load only, and with the flush and
merges that follow), peak memory, bytes per value once settled, restart time, errors. Then the crash run: 1 M values, kill -9
at the last acknowledgement, restart, count. Results are also appended to $BENCH/results/*.jsonl.

Run it on a quiet machine, compare ratios rather than third digits, and mind the durability of each server (printed below).
"""
import argparse
import json
import os
import platform
import time

from harness import load, machine, places
from harness.child import end_on_signals
from harness.report import median, table, thousands
from harness.servers import SERVERS, Hissrv, version_of

CRASH_VALUES = 1_000_000
FREE_DISK_GIB = 8
DURABILITY = {
    "hissrv": "fsync before each answer",
    "influxdb": "fsync before each answer",
    "victoriametrics": "answers from memory, may lose the last seconds",
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", nargs="+", choices=list(SERVERS), default=list(SERVERS))
    parser.add_argument("--sets", nargs="+", choices=list(load.DATA_SETS), default=list(load.DATA_SETS))
    parser.add_argument("--values", type=int, default=10_000_000, help="values of each set (default 10 M)")
    parser.add_argument("--connections", type=int, default=4, help="loader connections (default 4)")
    parser.add_argument("--runs", type=int, default=3, help="runs of hissrv, the median counts (default 3)")
    parser.add_argument("--peer-runs", type=int, default=1, help="runs of each other server (default 1)")
    parser.add_argument("--no-crash", action="store_true", help="leave the kill -9 runs out")
    parser.add_argument("--hissrv", metavar="FILE", help="use this binary instead of building one")
    arguments = parser.parse_args()
    if min(arguments.values, arguments.connections, arguments.runs, arguments.peer_runs) < 1:
        parser.error("--values, --connections, --runs and --peer-runs are at least 1")
    return arguments


def main():
    arguments = parse_arguments()
    end_on_signals()
    places.prepare()
    machine.require_free_disk(places.BENCH, FREE_DISK_GIB)
    places.build_tools()
    servers = [SERVERS[name] for name in arguments.servers]
    if Hissrv in servers:
        Hissrv.binary = arguments.hissrv or places.build_hissrv()
    print_setting(servers)
    failures = ingest(arguments, servers)
    if not arguments.no_crash:
        failures += crash(arguments, servers)
    if failures:
        raise SystemExit("FAILED: " + "; ".join(failures))


def print_setting(servers):
    print(f"machine: {os.cpu_count()} processors, {platform.platform()}")
    for server in servers:
        print(f"{server.name}: {version_of(server)} ({DURABILITY[server.name]})")


def ingest(arguments, servers):
    """Runs and prints all data sets; gives what failed, as text."""
    failures = []
    for name in arguments.sets:
        data_set = load.DATA_SETS[name]
        data_set.file(arguments.values)
        results = {}
        for server in servers:
            runs = arguments.runs if server is Hissrv else arguments.peer_runs
            done = attempt(failures, f"{server.name} {name}", runs, lambda: ingest_once(server, data_set, arguments))
            if done:
                results[server.name] = done
        print_ingest(f"{name}: {arguments.values:,} values, {arguments.connections} connections", results)
    return failures


def attempt(failures, what, runs, run_once):
    """The results of the runs that worked; a failure ends the runs of this server, not the whole comparison."""
    results = []
    try:
        for _ in range(runs):
            results.append(run_once())
    except (RuntimeError, OSError) as error:
        failures.append(f"{what}: {error}")
        print(f"{what} failed: {error}", flush=True)
    return results


def ingest_once(server_class, data_set, arguments):
    """One fresh server: load, settle, stop, start, count."""
    with server_class(data_set.name) as server:
        server.start()
        server.create_database(data_set.database)
        quiet = machine.wait_until_quiet()
        before = machine.machine_time()
        result = load.load(server, data_set, arguments.values, arguments.connections)
        after = machine.machine_time()
        result |= {
            "server": server.name, "set": data_set.name, "connections": arguments.connections, "quiet_at_start": quiet,
            "other_cpu_s": after.busy_s - before.busy_s - result["server_cpu_s"] - result["loader_cpu_s"],
            "stolen_s": after.stolen_s - before.stolen_s,
            "errors": result["non2xx"] + result["io_errors"],
        }
        settle(server, result)
        result["stop_s"] = server.stop()
        result["restart_s"] = server.start()
        result["values_found"] = server.count_points(data_set.measurements, server.database(data_set.database))
    places.record("ingest", result)
    return result


def settle(server, result):
    """Flushes and merges; adds what that cost and what is on disk then."""
    values = max(1, result["values_ok"])
    start = time.monotonic()
    cpu = server.settle()
    result |= {
        "settle_cpu_s": cpu,
        "settle_s": time.monotonic() - start,
        "values_per_total_cpu_s": values / (result["server_cpu_s"] + cpu),
        "server_hwm_mib": max(result["server_hwm_mib"], machine.memory_mib(server.pid, "VmHWM")),
        "data_bytes": server.data_bytes(),
        "total_bytes": server.total_bytes(),
        "bytes_per_value": server.data_bytes() / values,
        "bytes_per_value_with_journal": server.total_bytes() / values,
    }


def print_ingest(title, results):
    base = median(results["victoriametrics"], "values_per_s") if "victoriametrics" in results else None
    columns = ["server", "runs", "values/s", "min-max", "x VM", "per cpu-s", "with settle", "peak MiB", "B/value",
               "with journal", "stop s", "restart s", "errors", "not found", "others' cpu"]
    table(title, columns, [ingest_row(name, runs, base) for name, runs in results.items()])


def ingest_row(name, runs, base):
    rates = [run["values_per_s"] for run in runs]
    rate = median(runs, "values_per_s")
    return [
        name, len(runs), thousands(rate), f"{thousands(min(rates))}-{thousands(max(rates))}",
        f"{rate / base:.2f}" if base else "-",
        thousands(median(runs, "values_per_server_cpu_s")), thousands(median(runs, "values_per_total_cpu_s")),
        f"{max(run['server_hwm_mib'] for run in runs):.0f}", f"{median(runs, 'bytes_per_value'):.3f}",
        f"{median(runs, 'bytes_per_value_with_journal'):.3f}", f"{median(runs, 'stop_s'):.2f}",
        f"{median(runs, 'restart_s'):.3f}", sum(run["errors"] for run in runs),
        sum(run["values_ok"] - run["values_found"] for run in runs), f"{max(run['other_cpu_s'] for run in runs):.1f} s",
    ]


def crash(arguments, servers):
    """Runs and prints the kill -9 runs; gives what failed, as text. Only hissrv and InfluxDB promise to lose nothing."""
    failures, rows = [], []
    for server in servers:
        for result in attempt(failures, f"{server.name} kill -9", 1, lambda: crash_once(server, arguments)):
            lost = result["acknowledged"] - result["found"]
            rows.append([server.name, result["acknowledged"], result["found"], lost, f"{result['restart_s']:.3f}"])
            if lost and server is Hissrv:
                failures.append(f"hissrv lost {lost} acknowledged values")
    title = f"kill -9 at the last acknowledgement of {CRASH_VALUES:,} ems values, none of them flushed by command"
    table(title, ["server", "acknowledged", "found", "lost", "restart s"], rows)
    return failures


def crash_once(server_class, arguments):
    data_set = load.DATA_SETS["ems"]
    data_set.file(CRASH_VALUES)
    with server_class("crash") as server:
        server.start()
        server.create_database(data_set.database)
        loaded = load.load(server, data_set, CRASH_VALUES, arguments.connections)
        server.child.kill()
        result = {"server": server.name, "acknowledged": loaded["values_ok"], "restart_s": server.start()}
        result["found"] = server.count_points(data_set.measurements, server.database(data_set.database))
    places.record("crash", result)
    return result


if __name__ == "__main__":
    try:
        main()
    except json.JSONDecodeError as error:
        raise SystemExit(f"a server or tool answered with something that is no JSON: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("stopped; all servers that were started are stopped, too") from None
