import pytest

from sluice_cli.demo.wire import Answer, body, path, read
from sluice_cli.demo.workload import Step

OPEN = Step("a", "support", "Where is my parcel?", "first")
LABEL = Step("b", "classification", "You charged me twice.", "first")


def test_an_open_ask_ends_at_a_sentence_so_that_its_answer_can_be_stored() -> None:
    request = body(OPEN, "auto", "openai")
    assert request["messages"][-1] == {"role": "user", "content": "Where is my parcel?"}
    assert request["stop"]
    assert "response_format" not in request


def test_a_closed_ask_names_its_schema() -> None:
    schema = body(LABEL, "auto", "openai")["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert "Billing" in schema["schema"]["properties"]["label"]["enum"]


def test_two_asks_of_a_task_differ_in_their_last_text_only() -> None:
    other = Step("c", "classification", "The box is wet.", "first")
    one, two = body(LABEL, "auto", "openai"), body(other, "auto", "openai")
    assert one["messages"][:-1] == two["messages"][:-1]
    assert {**one, "messages": []} == {**two, "messages": []}


def test_anthropic_takes_the_system_prompt_apart_and_no_stop_of_white_space() -> None:
    request = body(LABEL, "claude", "anthropic")
    assert request["system"].startswith("Classify")
    assert [turn["role"] for turn in request["messages"][:2]] == ["user", "assistant"]
    assert not {"stop", "stop_sequences", "response_format"} & set(request)
    assert path("anthropic") == "/messages"


def test_usage_counts_cached_tokens_as_part_of_the_prompt_in_both_dialects() -> None:
    openai = {
        "choices": [{"message": {"content": "Hello"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
    }
    anthropic = {
        "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}],
        "usage": {"input_tokens": 6, "cache_read_input_tokens": 4, "output_tokens": 2},
    }
    assert read(openai, "openai") == read(anthropic, "anthropic") == Answer("Hello", 10, 4, 2)


@pytest.mark.parametrize("broken", [{"usage": {}}, {"usage": {}, "choices": []}, {}])
def test_what_is_no_answer_raises(broken: dict[str, object]) -> None:
    with pytest.raises(LookupError):
        read(broken, "openai")
