"""A load of small chat completions: `load.py BASE_URL MODEL` asks until its input ends, then prints what it counted.

Each line of its input is answered by one, once every caller has had an answer to a request that it made after the line.

Four callers, each one request after the other: two keep their connection, as pools of HTTP clients do, two open one a
request; every second answer is streamed. Nothing is asked again: an answer that did not come whole is a failure. A
mixed answer is one whose parts are of different configurations: of a backend that its header does not name.
"""

import collections
import http.client
import json
import select
import sys
import threading
import time
import urllib.parse

CALLERS = 4
PAUSE = 0.02
"""Seconds between two requests of a caller."""
LIMIT = 60.0
"""Seconds that an answer may take."""


class Load:
    """What is asked, and what came of it."""

    def __init__(self, url: str, model: str) -> None:
        at = urllib.parse.urlsplit(url)
        self.host, self.port, self.path = at.hostname or "", at.port or 80, f"{at.path}/chat/completions"
        self.model = model
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.sent = self.mixed = 0
        self.failures: collections.Counter[str] = collections.Counter()
        self.versions: dict[str, int] = {}
        self.asked = [0] * CALLERS
        """Requests that have ended, by caller."""

    def call(self, number: int) -> None:
        """One caller, by its number: an even one keeps its connection."""
        kept = number % 2 == 0
        connection: http.client.HTTPConnection | None = None
        count = 0
        while not self.ended.is_set():
            count += 1
            if connection is None or not kept or _dropped(connection):
                if connection is not None:
                    connection.close()
                connection = http.client.HTTPConnection(self.host, self.port, timeout=LIMIT)
            try:
                header, parts = self.ask(connection, f"question {threading.get_ident()} {count}", count % 2 == 0)
            except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError) as problem:
                reason = f"{'kept' if kept else 'new'} connection: {type(problem).__name__}: {problem}"[:160]
                with self.lock:
                    self.sent += 1
                    self.failures[reason] += 1
                connection.close()
                connection = None
            else:
                with self.lock:
                    self.sent += 1
                    self.mixed += len({header, *parts}) != 1
                    self.versions[header] = self.versions.get(header, 0) + 1
            self.asked[number] = count
            time.sleep(PAUSE)

    def round(self) -> None:
        """Waits until each caller has had an answer to a request that it made after this was called."""
        then = [count + 2 for count in self.asked]  # one may be under way
        while any(now < least for now, least in zip(self.asked, then, strict=True)):
            time.sleep(0.01)

    def ask(self, connection: http.client.HTTPConnection, question: str, stream: bool) -> tuple[str, list[str]]:
        """The backend that the header names, and those that the answer's parts name. Raises what went wrong."""
        messages = [{"role": "user", "content": question}]
        body = json.dumps({"model": self.model, "messages": messages, "stream": stream})
        connection.request("POST", self.path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise ValueError(f"status {answer.status}: {data[:100]!r}")
        header = answer.headers["x-sluice-backend"]
        if not stream:
            return header, [json.loads(data)["choices"][0]["message"]["content"]]
        events = [line.removeprefix(b"data: ") for line in data.split(b"\n\n") if line.startswith(b"data: ")]
        if events[-1] != b"[DONE]":
            raise ValueError("the stream ended early")
        deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
        return header, [delta["content"] for delta in deltas if delta.get("content")]


def _dropped(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed it while it was idle: pools look before they use one again, and so does this."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])


def main() -> None:
    """Prints `asked` for each line of its input, and one line of JSON after it has ended."""
    load = Load(*sys.argv[1:3])
    began = time.monotonic()
    callers = [threading.Thread(target=load.call, args=(n,)) for n in range(CALLERS)]
    for caller in callers:
        caller.start()
    for _ in sys.stdin:
        load.round()
        print("asked", flush=True)
    load.ended.set()
    for caller in callers:
        caller.join()
    found = {"sent": load.sent, "failed": load.failures.total(), "mixed": load.mixed, "failures": dict(load.failures)}
    print(json.dumps({**found, "versions": load.versions, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
