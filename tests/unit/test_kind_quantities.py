"""Quantities are text in YAML, parsed to what Python calculates with, and their patterns agree with their parsers."""

import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sluice_operator.kinds import address, quantity, schedule


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("60s", 60), ("5m", 300), ("1h", 3600), ("24h", 86_400), ("7d", 604_800), ("1h30m", 5400)],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert read(quantity.Duration, text) == seconds


@pytest.mark.parametrize("text", ["0s", "500ms", "90s", "5m", "1h", "7d"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    assert quantity.duration_text(quantity.duration_seconds(text)) == text


@pytest.mark.parametrize("text", ["", "60", "1 h", "-1s", "1.5h", "1w", "h", "1h1h1h1h1h", "٣s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    assert "60s" in refusal(quantity.Duration, text)


@pytest.mark.parametrize("text", ["0s", "0h0m"])
def test_a_duration_that_must_be_above_zero_is_not_zero(text: str) -> None:
    assert "above 0" in refusal(quantity.PositiveDuration, text)


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("1024", 1024), ("512Mi", 512 * 2**20), ("10Gi", 10 * 2**30), ("1.5G", 1_500_000_000)]
)
def test_a_size_is_counted_in_bytes(text: str, count: int) -> None:
    assert quantity.size_bytes(read(quantity.Size, text)) == count


@pytest.mark.parametrize("text", ["10 Gi", "10gb", "-1", "Gi", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    assert "10Gi" in refusal(quantity.Size, text)


@pytest.mark.parametrize(("text", "cores"), [("2", 2), ("0.5", 0.5), ("500m", 0.5)])
def test_processors_are_counted_in_cores(text: str, cores: float) -> None:
    assert quantity.cpu_cores(read(quantity.Cpu, text)) == cores


def test_a_decimal_keeps_every_digit() -> None:
    assert read(quantity.DecimalText, "0.123456789") == Decimal("0.123456789")


@pytest.mark.parametrize("value", [0.02, 2])
def test_a_decimal_without_quotes_is_told_to_get_them(value: float) -> None:
    assert f'write "{value}" with quotes' in refusal(quantity.DecimalText, value)


@pytest.mark.parametrize("value", ["-1", "1e3", "NaN", "Infinity", "1,5", "٣", True, ["1"], {}])
def test_what_is_no_decimal_is_refused(value: object) -> None:
    assert refusal(quantity.DecimalText, value)


@pytest.mark.parametrize("text", ["0", "0.0", "0.94", "1", "1.0"])
def test_a_share_is_from_zero_to_one(text: str) -> None:
    assert 0 <= read(quantity.Share, text) <= 1


@pytest.mark.parametrize("text", ["1.01", "2", "10", "-0.1"])
def test_a_share_beyond_one_is_refused(text: str) -> None:
    assert "from 0 to 1" in refusal(quantity.Share, text)


@pytest.mark.parametrize("text", ["100.1", "101", "1000"])
def test_a_percentage_beyond_a_hundred_is_refused(text: str) -> None:
    assert "0 to 100" in refusal(quantity.Percent, text)


@pytest.mark.parametrize(
    "text", ["https://user:key@models.example.com/v1", "https://x/v1?key=1", "https://x/#a", "ftp://x", "x"]
)
def test_an_address_with_credentials_query_or_another_scheme_is_refused(text: str) -> None:
    assert "base URL" in refusal(address.Url, text)


def test_an_address_loses_the_slash_at_its_end() -> None:
    assert read(address.Url, "http://[::1]:9100/v1/") == "http://[::1]:9100/v1"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0", "300.0.0.0/8", "fd00::/200"])
def test_what_is_no_network_is_refused(text: str) -> None:
    assert "not a network" in refusal(address.Cidr, text)


@pytest.mark.parametrize("text", ["0 3 * * 1", "*/5 * * * *", "0 0 1 Jan,Jul Mon-Fri", "15,45 8-18/2 * * 7"])
def test_a_cron_schedule_is_taken(text: str) -> None:
    assert read(schedule.Cron, text) == text


@pytest.mark.parametrize(
    "text",
    ["0 3 * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "*/0 * * * *", "5-1 * * * *", "* * * Foo *", "1/ * * * *"],
)
def test_what_is_no_cron_schedule_is_refused(text: str) -> None:
    assert "cron schedule" in refusal(schedule.Cron, text)


@pytest.mark.parametrize("text", ["24:00", "9:00", "12:60", "12"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    assert "22:00" in refusal(schedule.Clock, text)


def test_a_time_zone_that_is_not_known_is_answered_with_those_that_are() -> None:
    assert "Asia/Kolkata" in refusal(schedule.TimeZone, "Kolkata")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (quantity.DecimalText, "0.02"),
        (quantity.Share, "1.0"),
        (quantity.Percent, "100"),
        (quantity.Duration, "1h30m"),
        (quantity.PositiveDuration, "10m"),
        (quantity.PositiveDuration, "0h05m"),
        (quantity.Size, "10Gi"),
        (quantity.Cpu, "500m"),
        (address.Url, "http://[::1]:9100/v1/"),
        (address.Cidr, "fd00::/8"),
        (schedule.Clock, "22:00"),
        (schedule.Cron, "0 3 * * 1"),
        (schedule.TimeZone, "America/Argentina/Buenos_Aires"),
    ],
)
def test_what_the_parser_takes_the_schema_takes_too(kind: Any, text: str) -> None:
    read(kind, text)
    pattern = TypeAdapter(kind).json_schema()["pattern"]
    assert re.search(pattern, text)
