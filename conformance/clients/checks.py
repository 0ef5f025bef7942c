"""What the scripts beside it share: one line per expectation, the end with 0 or 1, plain HTTP requests."""
import http.client
import sys
import urllib.parse

TIMEOUT_S = 20
failures = 0


def check(what, seen, expected=True):
    """Prints whether `seen` is what was expected."""
    global failures
    if seen == expected:
        print(f"ok   {what}")
        return
    failures += 1
    print(f"FAIL {what}\n     expected {expected!r}\n     got      {seen!r}")


def contains(what, text, word):
    """Prints whether `word` stands in the text."""
    check(what, seen=text if word not in text else word, expected=word)


def end():
    """The end of a script: exit status 0 when everything was as expected."""
    print(f"{failures} failed" if failures else "all as expected")
    sys.exit(1 if failures else 0)


def url():
    """The address of the server, from the command line."""
    if len(sys.argv) < 2:
        sys.exit(f"{sys.argv[0]} URL")
    return urllib.parse.urlsplit(sys.argv[1])


def send(address, method, path, parameters=None, body=None, headers=None):
    """One request; gives status, headers with names in lower case, body."""
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_S)
    try:
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        connection.request(method, path + query, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()
