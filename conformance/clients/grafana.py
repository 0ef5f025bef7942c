#!/usr/bin/env python3
"""grafana.py URL [--record]: the questions of Grafana's InfluxQL data source, compared with what a real InfluxDB answered.

The answers are in grafana.json. `grafana.py URL --record` asks a real server (influxd 1.6.7) and writes that file anew.
"""
import json
import pathlib
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import conformance
from checks import check, end, send, url

ADDRESS = url()
ANSWERS = pathlib.Path(__file__).with_name("grafana.json")
DATABASE = "grafana check"
START_MS = 1_700_000_000_000
RANGE = f"time >= {START_MS}ms and time <= {START_MS + 600_000}ms"

# Panels: what the query editor makes of $timeFilter, $__interval, template variables and its fill.
PANELS = [
    f'SELECT mean("value") FROM "measurement" WHERE {RANGE} GROUP BY time(10s) fill(null)',
    f'SELECT mean("value") FROM "measurement" WHERE ("channel" = \'PCS1\') AND {RANGE} GROUP BY time(30s), "point" fill(null)',
    f'SELECT mean("value") FROM "measurement" WHERE ("channel" =~ /^(PCS1|PCS2)$/) AND {RANGE} GROUP BY time(1m), "channel" fill(linear)',
    f'SELECT mean("value") AS "a", max("value") AS "b" FROM "measurement" WHERE ("channel" =~ /^PCS1$/ AND "point" = \'P\') AND {RANGE} '
    'GROUP BY time(2m) fill(previous)',
    f'SELECT last("value") FROM "measurement" WHERE ("channel" =~ /.*/) AND {RANGE} GROUP BY "channel"',
    f'SELECT non_negative_derivative(mean("count"), 1s) FROM "measurement" WHERE {RANGE} GROUP BY time(1m), "channel" fill(none)',
    f'SELECT count("value") FROM "measurement" WHERE {RANGE} GROUP BY time(1m) fill(0) ORDER BY time DESC LIMIT 5',
    f'SELECT mean("value") * 2 FROM "longterm"."measurement" WHERE {RANGE} GROUP BY time(5m) fill(null)',
    f'SELECT "value" FROM "measurement" WHERE ("channel" = \'PCS2\') AND {RANGE} LIMIT 10',
    f'SELECT "value", "channel"::tag FROM "measurement" WHERE {RANGE} ORDER BY time DESC LIMIT 3',
    f'SELECT percentile("value", 95) FROM "measurement" WHERE {RANGE} GROUP BY time(5m), "channel", "point" fill(null)',
    f'SELECT mean("value") FROM "measurement" WHERE {RANGE} GROUP BY time(1d) fill(null) tz(\'Europe/Berlin\')',
    f'SELECT "text", "state" FROM "event" WHERE {RANGE} order by time asc',
    f'SELECT mean("value") FROM "nothing" WHERE {RANGE} GROUP BY time(10s) fill(null)',
    f'SELECT mean("value") FROM "measurement" WHERE {RANGE} GROUP BY time(1m) fill(null);'
    f'SELECT max("count") FROM "measurement" WHERE {RANGE} GROUP BY time(1m) fill(null)',
]
# Template variables, the query editor's lists, and the check of a new data source.
LISTS = [
    'SHOW MEASUREMENTS', 'SHOW MEASUREMENTS LIMIT 100', 'SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)MEAS/ LIMIT 100',
    'SHOW TAG KEYS', 'SHOW TAG KEYS FROM "measurement"', 'SHOW TAG KEYS FROM "longterm"."measurement"',
    'SHOW TAG VALUES WITH KEY = "channel"', 'SHOW TAG VALUES FROM "measurement" WITH KEY = "channel"',
    'SHOW TAG VALUES FROM "measurement" WITH KEY = "point" WHERE "channel" = \'PCS2\'',
    'SHOW TAG VALUES FROM "measurement" WITH KEY = "point" WHERE "channel" =~ /^(PCS1|PCS2)$/',
    'SHOW FIELD KEYS FROM "measurement"', 'SHOW FIELD KEYS FROM "longterm"."measurement"', 'SHOW FIELD KEYS',
    'SHOW RETENTION POLICIES on "grafana check"', 'SHOW DATABASES', 'SHOW TAG VALUES FROM "measurement" WITH KEY = "nosuch"',
    'SELECT FROM', 'SELECT nosuch("value") FROM "measurement"',
]


def lines():
    """Ten minutes of two channels with a gap, a counter that restarts, and events."""
    for second in range(0, 600, 5):
        if 200 <= second < 300:
            continue
        at = START_MS + second * 1000
        for number, (channel, point) in enumerate([("PCS1", "P"), ("PCS1", "Q"), ("PCS2", "P")]):
            value = (second * (number + 3)) % 97 + number / 4
            yield f"measurement,channel={channel},point={point} value={value},count={second % 400 + number}i {at + number}"
    for second in (7, 130, 444):
        yield f'event,channel=PCS1 text="trip \\"{second}\\"",state={str(second > 100).lower()} {START_MS + second * 1000}'


def load():
    """Makes the database anew."""
    for text in (f'DROP DATABASE "{DATABASE}"', f'CREATE DATABASE "{DATABASE}"',
                 f'CREATE RETENTION POLICY "longterm" ON "{DATABASE}" DURATION INF REPLICATION 1'):
        check(text, ask({"method": "POST", "q": text})[0], 200)
    for policy in ("autogen", "longterm"):
        parameters = {"db": DATABASE, "rp": policy, "precision": "ms"}
        check(f"write to {policy}", send(ADDRESS, "POST", "/write", parameters, "\n".join(lines()))[0], 204)


def questions():
    """Each as GET with everything in the address, and as POST with the text in the body."""
    for text in PANELS + LISTS:
        for method in ("GET", "POST"):
            yield {"method": method, "q": text}


def ask(question):
    """Sends it as Grafana does; gives status and answer. Databases of others are left out."""
    parameters, headers, body = {"db": DATABASE, "epoch": "ms"}, {"User-Agent": "Grafana/11.0", "Accept": "application/json"}, None
    if question["method"] == "GET":
        parameters["q"] = question["q"]
    else:
        body = urllib.parse.urlencode({"q": question["q"]})
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    status, _, answer = send(ADDRESS, question["method"], "/query", parameters, body, headers)
    answer = conformance.parse_json(answer)
    if question["q"] == "SHOW DATABASES":
        series = answer["results"][0]["series"][0]
        series["values"] = [row for row in series.get("values", []) if row == [DATABASE]]
    return status, answer


def record():
    """Writes the answers of the server at hand."""
    steps = [{**question, "status": status, "expect": answer} for question in questions() for status, answer in [ask(question)]]
    ANSWERS.write_text("[\n" + ",\n".join(json.dumps(step, ensure_ascii=False) for step in steps) + "\n]\n", encoding="utf-8")
    print(f"{len(steps)} answers recorded in {ANSWERS}")


def compare():
    """Asks everything again."""
    steps = json.loads(ANSWERS.read_text(encoding="utf-8"))
    check("every question has an answer", [{"method": step["method"], "q": step["q"]} for step in steps], list(questions()))
    for step in steps:
        status, answer = ask(step)
        _, message, _ = conformance.check(step, status, {}, answer, 0)
        check(f"{step['method']:4} {step['q']}", message, "")


def main():
    load()
    if "--record" in sys.argv[2:]:
        record()
    else:
        compare()
    ask({"method": "POST", "q": f'DROP DATABASE "{DATABASE}"'})
    end()


main()
