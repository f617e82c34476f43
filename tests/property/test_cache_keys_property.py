"""Fingerprints, texts and entries under any input."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.cached import ACME, ask, policy, printed, route
from sluice_sidecar.ask import Caller, Usage
from sluice_sidecar.cache.entry import Damaged, Entry
from sluice_sidecar.cache.fingerprint import fingerprint
from sluice_sidecar.cache.normalise import normalised
from sluice_sidecar.cache.reuse.paraphrase import eligible
from sluice_sidecar.cache.reuse.veto import disagreements

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
names = texts.map("x-".__add__)  # known fields are checked, and some are left out


@settings(deadline=None)
@given(texts | st.text(" \n\r\tab\u0301\u2028", max_size=12))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@settings(deadline=None)
@given(st.lists(texts, min_size=2, max_size=2, unique=True))
def test_tenants_have_scopes_of_their_own(tenants: list[str]) -> None:
    one, other = (printed(caller=Caller(tenant)) for tenant in tenants)
    assert one.scope != other.scope
    assert one.key != other.key


@settings(deadline=None)
@given(st.lists(st.none() | st.text(st.characters(max_codepoint=255)), min_size=2, max_size=2, unique=True))
def test_partitions_have_scopes_of_their_own(values: list[str | None]) -> None:
    split = policy(partition_headers=("x-part", "x-other"))
    callers = [Caller("t", {} if value is None else {b"x-part": value.encode("latin-1")}) for value in values]
    assert len({printed(caller=caller, kept=split).scope for caller in callers}) == 2


@settings(deadline=None)
@given(names, values)
def test_any_unknown_field_makes_a_scope_of_its_own(name: str, value: Any) -> None:
    assert printed(**{name: value}).scope != printed().scope


@settings(deadline=None)
@given(names, st.lists(values, min_size=2, max_size=2))
def test_any_other_value_makes_another_scope(name: str, pair: list[Any]) -> None:
    one, other = (printed(**{name: value}).scope for value in pair)
    assert (one == other) == (repr(pair[0]) == repr(pair[1]) or _same(*pair))


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: types apart, the order of keys aside."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and repr(one) == repr(other)


@settings(deadline=None)
@given(texts)
def test_any_text_has_a_key_in_the_one_scope(text: str) -> None:
    fp = fingerprint(ask(text), route(), policy(), ACME)
    assert fp.scope == printed().scope
    assert (fp.key == printed().key) == (fp.text == "What is six times seven?")


finite = st.floats(0, 1e12)


@settings(deadline=None)
@given(texts, texts, texts, st.none() | texts, st.binary(), st.integers(0, 10**6), finite)
def test_entries_come_back(
    tenant: str, name: str, backend: str, text: str | None, body: bytes, n: int, t: float
) -> None:
    entry = Entry("k", "s", tenant, name, backend, text, body, Usage(n, 1, 2), t, t, t, t)
    assert Entry.from_bytes(entry.to_bytes()) == entry


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_an_entry_or_damaged(data: bytes) -> None:
    try:
        entry = Entry.from_bytes(data)
    except Damaged:
        return
    assert Entry.from_bytes(entry.to_bytes()) == entry


VOCABULARY = (
    "how do i reset my old password 5 six % $ € not never Anna Bob paris Monday tomorrow from to 'x y' `z` kg more "
    "less than before after A1 one half dozen hundred turn on off ? . , don't isn't what when who it's owner's ö я"
)
words = st.lists(st.sampled_from(VOCABULARY.split()), max_size=14).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(words | texts, words | texts)
def test_the_veto_is_symmetric_and_silent_about_equal_texts(one: str, other: str) -> None:
    assert disagreements(one, other) == disagreements(other, one)
    assert disagreements(one, one) == ()
    assert isinstance(eligible(one), bool)
