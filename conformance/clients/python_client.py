#!/usr/bin/env python3
"""python_client.py URL: the Python package influxdb: points and lines, queries, chunks, bind parameters, errors, databases."""
from checks import check, contains, end, url

from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError

ADDRESS = url()
DATABASE = "python_check"
START = 1_700_000_000


def error_of(action):
    """Status and text of the error that an action ends in."""
    try:
        action()
    except InfluxDBClientError as error:
        return error.code, str(error.content)
    return None, "no error"


def write(client):
    points = [{"measurement": "room", "tags": {"sensor": sensor, "place": "größer, \"north\""}, "time": START + at,
               "fields": {"temperature": 20.5 + at, "count": at, "open": at % 2 == 0, "note": f'say "{at}"'}}
              for at in range(10) for sensor in ("a", "b")]
    check("write_points", client.write_points(points, time_precision="s", batch_size=7))
    lines = [f"numbers value={number}i {START + number}" for number in range(25)]
    check("lines", client.write_points(lines, time_precision="s", protocol="line"))


def read(client):
    points = list(client.query("SELECT * FROM room WHERE sensor = 'a'", epoch="s").get_points("room"))
    check("all points of a tag", len(points), 10)
    check("a point", points[3], {"time": START + 3, "temperature": 23.5, "count": 3, "open": False, "note": 'say "3"', "sensor": "a",
                                 "place": 'größer, "north"'})
    result = client.query("SELECT mean(temperature) FROM room GROUP BY sensor", epoch="ms")
    check("GROUP BY", [(tags["sensor"], [point["mean"] for point in rows]) for (_, tags), rows in result.items()],
          [("a", [25.0]), ("b", [25.0])])
    several = client.query("SELECT count(value) FROM numbers; SELECT sum(value) FROM numbers")
    check("two statements", [list(each.get_points())[0] for each in several],
          [{"time": "1970-01-01T00:00:00Z", "count": 25}, {"time": "1970-01-01T00:00:00Z", "sum": 300}])
    check("GET as POST", list(client.query("SELECT last(value) FROM numbers", method="POST", epoch="s").get_points()),
          [{"time": START + 24, "last": 24}])


def chunks(client):
    # The package asks for MessagePack, but reads several documents only as JSON.
    client = InfluxDBClient(ADDRESS.hostname, ADDRESS.port, database=DATABASE, headers={"Accept": "application/json"})
    result = client.query("SELECT value FROM numbers", chunked=True, chunk_size=10, epoch="s")
    check("a chunked answer", [point["value"] for part in result for point in part.get_points()], list(range(25)))


def parameters(client):
    bound = {"low": 3, "sensor": "b", "time": "2023-11-14T22:13:20Z"}
    result = client.query("SELECT count FROM room WHERE count > $low AND sensor = $sensor AND time >= $time", bind_params=bound)
    check("bind parameters", [point["count"] for point in result.get_points()], [4, 5, 6, 7, 8, 9])


def errors(client):
    status, text = error_of(lambda: client.query("SELECT FROM"))
    check("a bad query is 400", status, 400)
    contains("it says why", text, "error parsing query")
    status, text = error_of(lambda: client.query("SELECT nosuch(value) FROM numbers"))
    contains("an error in the result is raised", text, "undefined function")
    status, text = error_of(lambda: client.write_points([f"numbers value=1.5 {START}"], time_precision="s", protocol="line"))
    check("another type is 400", status, 400)
    contains("it says why", text, "field type conflict")
    status, text = error_of(lambda: client.write_points(["numbers value=1i"], database="nowhere", protocol="line"))
    check("an unknown database is 404", status, 404)
    contains("it says why", text, "database not found")


def schema(client):
    check("measurements", client.get_list_measurements(), [{"name": "numbers"}, {"name": "room"}])
    check("series", "numbers" in client.get_list_series())
    client.create_retention_policy("week", "7d", "1", DATABASE, shard_duration="1d")
    policies = {policy["name"]: policy["duration"] for policy in client.get_list_retention_policies(DATABASE)}
    check("retention policies", policies, {"autogen": "0s", "week": "168h0m0s"})
    client.drop_retention_policy("week", DATABASE)
    client.delete_series(DATABASE, "room", {"sensor": "a"})
    check("delete_series", list(client.query("SELECT count(temperature) FROM room").get_points())[0]["count"], 10)
    client.drop_measurement("numbers")
    check("drop_measurement", client.get_list_measurements(), [{"name": "room"}])


def main():
    client = InfluxDBClient(ADDRESS.hostname, ADDRESS.port, timeout=20)
    check("ping", client.ping().startswith("1."))
    client.drop_database(DATABASE)
    client.create_database(DATABASE)
    check("create_database", {"name": DATABASE} in client.get_list_database())
    client.switch_database(DATABASE)
    for part in (write, read, chunks, parameters, errors, schema):
        part(client)
    client.drop_database(DATABASE)
    check("drop_database", {"name": DATABASE} not in client.get_list_database())
    with InfluxDBClient(ADDRESS.hostname, ADDRESS.port, database=DATABASE, gzip=True) as zipped:
        zipped.create_database(DATABASE)
        check("gzip", zipped.write_points([{"measurement": "zipped", "fields": {"value": 1.0}}]))
        check("gzip is stored", len(list(zipped.query("SELECT value FROM zipped").get_points())), 1)
        zipped.drop_database(DATABASE)
    end()


main()
