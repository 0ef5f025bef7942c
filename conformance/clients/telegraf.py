#!/usr/bin/env python3
"""telegraf.py URL: the requests of Telegraf's output `influxdb`, and the answers that it looks at.

It creates the database by a form body, writes gzip with precision=ns, consistency and perhaps rp, and tells by the status and by
words in the error whether to drop a batch, to write it again or to create the database.
"""
import gzip
import json
import time
import urllib.parse

from checks import check, contains, end, send, url

ADDRESS = url()
DATABASE = "telegraf check"
AGENT = {"User-Agent": "Telegraf/1.30.0 Go/1.22"}


def statement(text):
    """POST /query with the statement as a form."""
    headers = AGENT | {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, body = send(ADDRESS, "POST", "/query", None, urllib.parse.urlencode({"q": text}), headers)
    return status, json.loads(body)


def write(lines, database=DATABASE, **more):
    """POST /write with a zipped body; gives status and error."""
    headers = AGENT | {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
    parameters = {"db": database, "precision": "ns", "consistency": "any", **more}
    status, answer, body = send(ADDRESS, "POST", "/write", parameters, gzip.compress(lines.encode()), headers)
    check("the version is in the header", answer.get("x-influxdb-version", "").startswith("1."))
    return status, json.loads(body)["error"] if body.strip() else ""


def value(text):
    """The only value of an answer."""
    return statement(text)[1]["results"][0]["series"][0]["values"][0][1]


def batches(now):
    cpu = "".join(f"cpu,cpu=cpu{core},host=gateway\\ 1 usage_idle={90.5 - core},usage_user={core} {now + core}\n" for core in range(4))
    check("a batch is 204", write(cpu), (204, ""))
    check("with an empty rp", write(f"mem,host=g used=5i,available=true {now}\n", rp=""), (204, ""))
    check("with an rp", write(f"disk,host=g,path=/ used=7i,label=\"root\" {now}\n", rp="autogen"), (204, ""))
    check("all lines are there", value(f'SELECT count(usage_idle) FROM "{DATABASE}".autogen.cpu'), 4)
    check("and the value", value(f'SELECT used FROM "{DATABASE}"..disk'), 7)


def errors(now):
    status, error = write("m value=1\n", database="nowhere")
    check("an unknown database is 404", status, 404)
    contains("in words that Telegraf knows", error, "database not found")
    status, error = write(f"cpu,host=h usage_idle=\"much\" {now}\ncpu,host=h usage_user=9 {now + 5}\n")
    check("another type is 400", status, 400)
    contains("in words that Telegraf knows", error, "field type conflict")
    contains("and it is a partial write", error, "partial write")
    check("the other point is stored", value(f'SELECT usage_user FROM "{DATABASE}".."cpu" WHERE time = {now + 5}'), 9)
    status, error = write("no line protocol\n")
    check("nonsense is 400", status, 400)
    contains("in words that Telegraf knows", error, "unable to parse")
    statement(f'CREATE RETENTION POLICY "day" ON "{DATABASE}" DURATION 1d REPLICATION 1')
    status, error = write(f"old value=1 {now - 3 * 86400 * 10**9}\n", rp="day")
    check("points that are too old are 400", status, 400)
    contains("in words that Telegraf knows", error, "points beyond retention policy")


def main():
    statement(f'DROP DATABASE "{DATABASE}"')
    for _ in range(2):
        status, answer = statement(f'CREATE DATABASE "{DATABASE}"')
        check("CREATE DATABASE", (status, answer), (200, {"results": [{"statement_id": 0}]}))
    check("ping", send(ADDRESS, "GET", "/ping")[0], 204)
    now = time.time_ns()
    batches(now)
    errors(now)
    statement(f'DROP DATABASE "{DATABASE}"')
    end()


main()
