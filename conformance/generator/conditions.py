"""WHERE clauses: bounds of time in all their forms, conditions on tags and fields, joined by AND, OR and parentheses."""
import time

from .data import BOOLEAN, DAY, FIELDS, FLOAT, HOUR, INTEGER, MINUTE, SECOND, STRING, TAGS, TEXTS
from .tree import Maybe, Some, Words, literal, quoted


def time_literal(rng, at, zone=None):
    """A moment in one of the forms that InfluxQL takes; `at` is in ns."""
    whole = at % SECOND == 0
    form = rng.choice(["ns", "ns", "rfc3339", "rfc3339", "s" if whole else "ns", "ms" if at % 10**6 == 0 else "ns", "plain"])
    if form == "ns":
        return str(at)
    if form in ("s", "ms"):
        return f"{at // (SECOND if form == 's' else 10**6)}{form}"
    seconds, fraction = divmod(at, SECOND)
    broken = time.gmtime(seconds)
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    if form == "plain" and zone is None:
        return f"'{time.strftime('%Y-%m-%d %H:%M:%S', broken)}{tail}'"
    return f"'{time.strftime('%Y-%m-%dT%H:%M:%S', broken)}{tail}Z'"


def time_range(rng, measurement):
    """A range that has points, as (from, to) in ns."""
    start, span = measurement.start, measurement.span
    low = start + int(span * rng.uniform(-0.2, 0.5))
    high = low + int(span * rng.choice([0.1, 0.3, 0.6, 1.0, 1.0, 1.3]))
    raster = rng.choice([1, SECOND, SECOND, MINUTE, HOUR, DAY])
    if raster * 3 < span:
        low, high = low // raster * raster, high // raster * raster
    return low, max(high, low + 1)


def bounds(rng, low, high, zone=None):
    """Both bounds as a node; the upper one alone when `low` is None."""
    if low is None:
        return f"time < {time_literal(rng, high, zone)}"
    lower = f"time {rng.choice(['>=', '>=', '>'])} {time_literal(rng, low, zone)}"
    upper = f"time {rng.choice(['<', '<', '<='])} {time_literal(rng, high, zone)}"
    return Words(lower, "AND", upper)


def where(rng, measurement, needed=None, with_fields=True, zone=None):
    """A WHERE clause, or nothing. `needed`: a range that must stay, because the windows depend on it."""
    conditions = []
    if rng.random() < 0.4:
        conditions = [_condition(rng, measurement, with_fields, 2) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    if needed:
        rest = Maybe(Words("AND", Some(" AND ", conditions))) if conditions else ""
        return Words("WHERE", bounds(rng, *needed, zone), rest)
    if rng.random() < 0.5:
        low, high = time_range(rng, measurement)
        one = rng.choice([">=", "<"])
        bound = f"time {one} {time_literal(rng, low if one == '>=' else high, zone)}"
        conditions.insert(rng.randint(0, len(conditions)), rng.choice([bounds(rng, low, high, zone), bound]))
    return Maybe(Words("WHERE", Some(" AND ", conditions))) if conditions else ""


def tag_condition(rng, measurement):
    """A condition on a tag, sometimes on one that is nowhere."""
    known = sorted(measurement.tags)
    key = rng.choice(known) if rng.random() < 0.97 else "nosuch"
    value = rng.choice(measurement.tags[key] if key in known and rng.random() < 0.9 else TAGS.get(key, ["x"]))
    form = rng.random()
    if form < 0.35:
        return f"{quoted(key)} = {literal(value)}"
    if form < 0.6:
        return f"{quoted(key)} != {literal(value)}"
    pattern = rng.choice(["/./", "/./", "/[a-z]/", "/^$/", "/^[a-k]/", "/1$/", "/web-0[12]/", "/^(a|b|k1)$/", "/x.y/", "/(?i)K/", "/ü|q/"])
    return f"{quoted(key)} {rng.choice(['=~', '=~', '!~'])} {pattern}"


def _condition(rng, measurement, with_fields, depth):
    if depth and rng.random() < 0.25:
        parts = [_condition(rng, measurement, with_fields, depth - 1) for _ in range(rng.randint(2, 3))]
        return Words("(", Some(rng.choice([" OR ", " OR ", " AND "]), parts), ")")
    if with_fields and rng.random() < 0.5:
        return _field_condition(rng, measurement)
    return tag_condition(rng, measurement)


def _field_condition(rng, measurement):
    name = rng.choice(measurement.fields)
    kind, field = FIELDS[name], quoted(name)
    if name != "big" and kind in (FLOAT, INTEGER) and rng.random() < 0.2:
        other = quoted(rng.choice(measurement.numbers()))
        return f"{field} {rng.choice(['+', '-', '*'])} {rng.randint(1, 9)} {rng.choice(['<', '>='])} {other}"
    if kind in (FLOAT, INTEGER):
        number = rng.choice([str(rng.randint(-10, 50)), f"{rng.randint(-80, 400) / 8}"])
        return f"{field} {rng.choice(['<', '<=', '>', '>=', '>', '<', '!=', '<>', '='])} {number}"
    if kind == BOOLEAN:
        return f"{field} {rng.choice(['=', '!='])} {rng.choice(['true', 'false'])}"
    if rng.random() < 0.6:
        return f"{field} {rng.choice(['=', '!='])} {literal(rng.choice(TEXTS + ['run']))}"
    return f"{field} {rng.choice(['=~', '!~'])} {rng.choice(['/open/', '/^$/', '/n$/', '/(?i)RUN/', '/[,ö]/'])}"
