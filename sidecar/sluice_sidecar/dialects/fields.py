"""Checks of the few request fields that the gateway relies on, in the words that OpenAI's API uses for them."""

from typing import Any

from sluice_sidecar.ask import Problem


def wrong_type(param: str, expected: str, value: Any) -> Problem:
    """The 400 for a field of the wrong JSON type."""
    return Problem(
        400, "invalid_type", f"Invalid type for '{param}': expected {expected}, but got {_kind(value)}.", param=param
    )


def missing(param: str) -> Problem:
    """The 400 for a required field that is not there."""
    return Problem(400, "missing_required_parameter", f"Missing required parameter: '{param}'.", param=param)


def check_object(body: Any) -> None:
    """Raises Problem(400) unless the request body is a JSON object."""
    if not isinstance(body, dict):
        raise Problem(400, "invalid_type", f"The request body must be a JSON object, but is {_kind(body)}.")


def model_of(body: dict[str, Any]) -> str:
    """The model's name. Raises Problem(400) where there is none."""
    model = body.get("model")
    if type(model) is str and model:
        return model
    if model is None:
        raise missing("model")
    if model == "":
        raise Problem(400, "empty_string", "Invalid 'model': expected the name of a model, but got ''.", param="model")
    raise wrong_type("model", "a string", model)


def messages_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages: objects that each have a role. Raises Problem(400) where they are not."""
    messages = body.get("messages")
    if type(messages) is not list:
        raise missing("messages") if messages is None else wrong_type("messages", "an array of objects", messages)
    if not messages:
        raise Problem(400, "empty_array", "Invalid 'messages': expected at least one message.", param="messages")
    for at, message in enumerate(messages):
        if type(message) is not dict:
            raise wrong_type(f"messages[{at}]", "an object", message)
        role = message.get("role")
        if type(role) is not str:
            param = f"messages[{at}].role"
            raise missing(param) if role is None else wrong_type(param, "a string", role)
    return messages


def flag(body: dict[str, Any], name: str) -> bool:
    """A boolean that may be left out or null. Raises Problem(400) for another type."""
    value = body.get(name)
    if value is True:
        return True
    if value is None or value is False:
        return False
    raise wrong_type(name, "a boolean", value)


def check_at_least(body: dict[str, Any], name: str, least: int) -> None:
    """Raises Problem(400) unless the field is left out, null, or an integer of at least `least`."""
    value = body.get(name)
    if value is None:
        return
    if type(value) is not int:
        raise wrong_type(name, "an integer", value)
    if value < least:
        raise Problem(
            400,
            "integer_below_min_value",
            f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, but got {value} instead.",
            param=name,
        )


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
