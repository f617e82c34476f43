"""Asks one question with OpenAI's SDK, as its environment says where, and prints what came; then waits if told to."""

import json
import signal
import sys
import time
from typing import Any

from openai import OpenAI


def main() -> None:
    """app.py QUESTION [MODEL]: prints one line of JSON. app.py stream QUESTION [MODEL]: counts the answer's events, and
    prints `begun` at the first. app.py wait: does nothing until it is ended."""
    match sys.argv[1:]:
        case ["wait"]:
            while True:
                time.sleep(3600)
        case ["stream", question, *model]:
            # An application that is told to stop, and first ends what it has begun.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            say(stream(question, *model))
        case [question, *model]:
            say(ask(question, *model))


def ask(question: str, model: str = "auto") -> dict[str, Any]:
    """The text, and what Sluice's headers say of it."""
    began = time.monotonic()
    answer = OpenAI().chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": question}], max_tokens=16, temperature=0
    )
    return {
        "text": answer.parse().choices[0].message.content,
        "cache": answer.headers.get("x-sluice-cache"),
        "backend": answer.headers.get("x-sluice-backend"),
        "seconds": round(time.monotonic() - began, 3),
    }


def stream(question: str, model: str = "auto") -> dict[str, Any]:
    """How many events with text came, and how the answer ended."""
    events, finish = 0, None
    for chunk in OpenAI().chat.completions.create(
        model=model, messages=[{"role": "user", "content": question}], stream=True
    ):
        for choice in chunk.choices:
            if choice.delta.content:
                if not events:
                    say("begun")
                events += 1
            finish = choice.finish_reason or finish
    return {"events": events, "finish": finish}


def say(what: object) -> None:
    """One line of JSON."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
