"""Lines of other people's logs, in the shape that a gateway takes in. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

Line = dict[str, Any]


class ShapeError(ValueError):
    """A line that holds no exchange: the field, what is wrong with it, what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def shaped(
    line: Line, *, requests: Mapping[str, Line] | None = None, tenant: str | None = None, model: str | None = None
) -> Line:
    """A line for the gateway. `requests` are the lines of a batch's input by custom_id. Raises ShapeError.

    Known are: our own; {"request", "response"}, each the body, its JSON text, or {"url", "body"}; OpenAI batch output
    (https://platform.openai.com/docs/api-reference/batch/request-output); LiteLLM's StandardLoggingPayload
    (https://docs.litellm.ai/docs/proxy/logging_spec). What else it says is left to the gateway to judge.
    """
    if "key" in line:
        return line if tenant is None else {**line, "tenant": tenant}
    if "custom_id" in line:
        known = _batch(line, requests)
    elif "request" not in line and "messages" in line and "response" in line:
        known = _litellm(line)
    else:
        known = _exchange(line)
    if tenant is not None:
        known["tenant"] = tenant
    if model is not None and isinstance(known.get("request"), dict):
        known["request"] = {**known["request"], "model": model}
    return known


def _exchange(line: Line) -> Line:
    known = dict(line)
    for name in ("request", "response"):
        value = known.get(name)
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except ValueError:
                raise ShapeError(name, "a text that is not JSON; the body as it was sent belongs here") from None
        if isinstance(value, dict) and isinstance(value.get("body"), dict):
            if name == "request" and "path" not in known and isinstance(value.get("url"), str):
                known["path"] = urlsplit(value["url"]).path
            value = value["body"]
        if name in known:
            known[name] = value
    return known


def _batch(line: Line, requests: Mapping[str, Line] | None) -> Line:
    if requests is None:
        raise ShapeError("custom_id", "a batch's output holds no requests: give its input with --requests FILE")
    asked = requests.get(str(line["custom_id"]))
    if asked is None:
        raise ShapeError("custom_id", f"the batch's input has no {str(line['custom_id'])[:100]!r}")
    answer = line.get("response")
    if not isinstance(answer, dict) or answer.get("status_code") != 200:
        raise ShapeError("response", "the batch did not answer this request")
    return {
        "path": asked.get("url", "/v1/chat/completions"),
        "request": asked.get("body"),
        "response": answer.get("body"),
    }


def _litellm(line: Line) -> Line:
    if line.get("status", "success") != "success":
        raise ShapeError("status", "the call failed, so there is no answer")
    if line.get("call_type", "completion") not in ("completion", "acompletion"):
        raise ShapeError("call_type", f"{str(line['call_type'])[:60]!r} is not a chat completion")
    given = line.get("model_parameters")
    parameters = {k: v for k, v in given.items() if v is not None} if isinstance(given, dict) else {}
    named = line.get("model_group") or line.get("model")
    known = {"request": {**parameters, "model": named, "messages": line["messages"]}, "response": line["response"]}
    for name, of in (("created", "endTime"), ("took", "response_time")):
        if line.get(of) is not None:
            known[name] = line[of]
    return known
