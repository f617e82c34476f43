"""Hands many documents over as one batch with OpenAI's SDK, and looks what became of it; prints one line of JSON."""

import json
import sys
from typing import Any

from openai import OpenAI


def main() -> None:
    """documents.py submit COUNT MODEL WEBHOOK: the batch. documents.py look ID: how far it is, and its answers."""
    match sys.argv[1:]:
        case ["submit", count, model, webhook]:
            print(json.dumps(submit(int(count), model, webhook)), flush=True)
        case ["look", batch]:
            print(json.dumps(look(batch)), flush=True)


def submit(count: int, model: str, webhook: str) -> dict[str, Any]:
    """The batch's id and status, as it was acknowledged."""
    client = OpenAI()
    lines = "".join(f"{json.dumps(line(number, model))}\n" for number in range(count))
    file = client.files.create(file=("documents.jsonl", lines.encode()), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"sluice_webhook": webhook},
    )
    return {"id": batch.id, "status": batch.status}


def line(number: int, model: str) -> dict[str, Any]:
    """One document to be classified."""
    text = f"Invoice {number:04d} of Harbour Freight Ltd: {number % 7 + 1} pallets, due in {number % 30} days."
    ask = f"Answer with one word, invoice or letter. What is this?\n{text}"
    body = {"model": model, "max_tokens": 3, "temperature": 0, "messages": [{"role": "user", "content": ask}]}
    return {"custom_id": f"doc-{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}


def look(batch_id: str) -> dict[str, Any]:
    """Status, counts, and of its answers how many there are, under how many ids, with status 200."""
    client = OpenAI()
    batch = client.batches.retrieve(batch_id)
    counts = batch.request_counts
    told = {"status": batch.status, "completed": counts.completed if counts else 0, "answers": 0, "ids": 0, "good": 0}
    if batch.output_file_id:
        rows = [json.loads(row) for row in client.files.content(batch.output_file_id).text.splitlines()]
        told["answers"], told["ids"] = len(rows), len({row["custom_id"] for row in rows})
        told["good"] = sum(row["response"]["status_code"] == 200 for row in rows)
    return told


if __name__ == "__main__":
    main()
