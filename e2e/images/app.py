"""Asks one question with OpenAI's SDK, as its environment says where, and prints what came; then waits if told to."""

import json
import sys
import time

from openai import OpenAI


def main() -> None:
    """app.py QUESTION [MODEL]: prints one line of JSON. app.py wait: does nothing until it is ended."""
    if sys.argv[1] == "wait":
        while True:
            time.sleep(3600)
    model = sys.argv[2] if len(sys.argv) > 2 else "auto"
    began = time.monotonic()
    answer = OpenAI().chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": sys.argv[1]}], max_tokens=16, temperature=0
    )
    told = {
        "text": answer.parse().choices[0].message.content,
        "cache": answer.headers.get("x-sluice-cache"),
        "backend": answer.headers.get("x-sluice-backend"),
        "seconds": round(time.monotonic() - began, 3),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
