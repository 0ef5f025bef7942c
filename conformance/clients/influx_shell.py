#!/usr/bin/env python3
"""influx_shell.py URL: the `influx` shell of Debian's influxdb-client: statements, its output formats, INSERT, -import, errors."""
import json
import subprocess
import tempfile

from checks import TIMEOUT_S, check, contains, end, url

ADDRESS = url()
DATABASE = "shell check"


def influx(*arguments, stdin=""):
    """Runs the shell; gives exit status and output."""
    command = ["influx", "-host", ADDRESS.hostname, "-port", str(ADDRESS.port), *arguments]
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=TIMEOUT_S)
    return done.returncode, done.stdout + done.stderr


def execute(statement, *more):
    return influx("-database", DATABASE, "-precision", "s", *more, "-execute", statement)


def rows(statement, *more):
    """The rows of the first series, asked for as JSON."""
    _, output = execute(statement, "-format", "json", *more)
    try:
        series = json.loads(output)["results"][0].get("series")
    except (ValueError, KeyError, IndexError):
        return output
    return series[0].get("values") if series else None


def databases():
    return [row[0] for row in rows("SHOW DATABASES") or []]


def write():
    lines = ["room,sensor=a temperature=21.5,open=false 1700000000", "room,sensor=b temperature=19,open=true 1700000001",
             'room,sensor=a note="it is warm" 1700000002']
    for line in lines:
        check(f"INSERT {line}", execute(f"INSERT {line}"), (0, ""))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as batch:
        batch.write("# DDL\nCREATE DATABASE imported\n\n# DML\n# CONTEXT-DATABASE: imported\n# CONTEXT-RETENTION-POLICY: autogen\n")
        batch.write("".join(f"numbers value={number}i {1_700_000_000 + number}\n" for number in range(100)))
        batch.flush()
        status, output = influx("-import", "-path", batch.name, "-precision", "s")
        check("-import ends well", status, 0)
        contains("-import takes all points", output, "Processed 100 inserts")
    check("imported points are there", rows("SELECT count(value), sum(value) FROM imported..numbers"), [[0, 100, 4950]])
    execute("DROP DATABASE imported")


def read():
    check("SELECT", rows("SELECT temperature, open FROM room"), [[1700000000, 21.5, False], [1700000001, 19, True]])
    check("GROUP BY time", rows("SELECT max(temperature) FROM room WHERE time >= 1700000000s AND time < 1700000002s GROUP BY time(1s)"),
          [[1700000000, 21.5], [1700000001, 19]])
    check("SHOW TAG VALUES", rows('SHOW TAG VALUES WITH KEY = "sensor"'), [["sensor", "a"], ["sensor", "b"]])
    status, output = execute("SELECT temperature FROM room", "-format", "csv")
    check("CSV", output.split(), ["name,time,temperature", "room,1700000000,21.5", "room,1700000001,19"])
    status, output = execute("SELECT temperature FROM room", "-format", "column")
    contains("columns", output, "1700000001 19")
    status, output = influx("-database", DATABASE, "-precision", "ms", stdin="SELECT temperature FROM room LIMIT 1")
    contains("a statement from standard input", output, "1700000000000 21.5")


def errors():
    status, output = execute("SELECT FROM")
    check("a bad statement fails", status != 0)
    contains("it says why", output, "error parsing query")
    status, output = execute('INSERT room,sensor=a temperature="warm" 1700000003')
    contains("another type is refused", output, "field type conflict")
    status, output = execute("SELECT nosuch(temperature) FROM room")
    contains("an unknown function is refused", output, "undefined function nosuch()")


def main():
    execute(f'DROP DATABASE "{DATABASE}"')
    check("CREATE DATABASE", execute(f'CREATE DATABASE "{DATABASE}"')[0], 0)
    check("SHOW DATABASES", DATABASE in databases())
    write()
    read()
    errors()
    execute(f'DROP DATABASE "{DATABASE}"')
    check("DROP DATABASE", DATABASE not in databases())
    end()


main()
