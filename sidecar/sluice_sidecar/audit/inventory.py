"""Which system prompts a gateway sees: how often, how long, at what cost, in which wordings, and when one changed.

Prompts of one route that share most of their sections, or most of their words, are wordings of one template: what all
of them have is what stays, everything else is a slot. A new wording that changes what had always stayed is drift.
Only redacted text is kept: what `Redaction` finds in a prompt is blacked out, and the prompt marked.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sluice_sidecar.audit.model import Section, digest
from sluice_sidecar.audit.redaction import Redaction
from sluice_sidecar.audit.rewrites import divided

PROMPTS = 500
"""Wordings that are kept; the ones seen least go first. Their templates go on counting."""
TEMPLATES = 200
DRIFTS = 100
DAYS = 90
SETTLED = 20
"""Requests after which what has not changed in a template is taken for what stays."""
SHARED = 0.5
"""Least share of a prompt's characters in sections that it has in common with a template."""
WORDS = 0.7
"""The same for words, by Jaccard's index, where the sections differ."""
ALL = ("Email", "Phone", "Card", "Iban", "Address", "Name")
LONGEST = 1_000_000
"""Characters of a prompt that are kept and divided; a longer one is counted and not kept."""
_DAY = 86_400
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Note:
    """One prompt of one request."""

    route: str
    text: str
    tenant: str
    at: float
    tokens: int
    exact: bool
    spend: int
    """What the prompt cost, in pico of the backend's currency."""
    cost: int
    """What the whole request cost."""


@dataclass(slots=True)
class Wording:
    """One exact prompt."""

    route: str
    digest: str
    template: str
    text: str
    redacted: bool
    """Whether something in it was blacked out: `text` is then not what `digest` is of."""
    tokens: int
    exact: bool
    first: float
    last: float
    requests: int = 0
    spend: int = 0


@dataclass(slots=True)
class Template:
    """Prompts that are wordings of one. `id` is the digest of the first."""

    route: str
    id: str
    first: float
    last: float
    stays: list[str]
    """Digests of the sections that all wordings have."""
    sample: list[str]
    """Words of the first one, sorted."""
    requests: int = 0
    spend: int = 0
    wordings: int = 0
    slots: list[str] = field(default_factory=list)
    """Titles of sections that differ from wording to wording."""
    lengths: dict[str, int] = field(default_factory=dict)
    """Tokens, to three digits -> requests."""
    days: dict[str, list[int]] = field(default_factory=dict)
    """Day since 1970 -> requests, tokens."""
    tenants: dict[str, int] = field(default_factory=dict)

    def count(self, note: Note) -> None:
        """Takes in one request."""
        self.requests += 1
        self.spend += note.spend
        self.first, self.last = min(self.first, note.at), max(self.last, note.at)
        length = str(_three_digits(note.tokens))
        self.lengths[length] = self.lengths.get(length, 0) + 1
        day = self.days.setdefault(str(int(note.at // _DAY)), [0, 0])
        day[0] += 1
        day[1] += note.tokens
        while len(self.days) > DAYS:
            del self.days[min(self.days, key=int)]
        if note.tenant in self.tenants or len(self.tenants) < 32:
            self.tenants[note.tenant] = self.tenants.get(note.tenant, 0) + 1

    def quantile(self, share: float) -> int:
        """Tokens that this share of the requests had at most."""
        wanted, seen = share * sum(self.lengths.values()), 0
        for length in sorted(self.lengths, key=int):
            seen += self.lengths[length]
            if seen >= wanted:
                return int(length)
        return 0

    @property
    def mean(self) -> float:
        """Tokens a request, over the days that are kept."""
        requests = sum(day[0] for day in self.days.values())
        return sum(day[1] for day in self.days.values()) / requests if requests else 0.0

    @property
    def growth(self) -> float:
        """By how much longer it is on the last day than on the first that is kept: 0.1 is a tenth."""
        ordered = [self.days[day] for day in sorted(self.days, key=int)]
        if len(ordered) < 2 or not ordered[0][1]:
            return 0.0
        return (ordered[-1][1] / ordered[-1][0]) / (ordered[0][1] / ordered[0][0]) - 1.0


@dataclass(frozen=True, slots=True)
class Drift:
    """What had always stayed in a template has changed."""

    route: str
    template: str
    digest: str
    """The new wording."""
    at: float
    sections: tuple[str, ...]
    """Titles of what is new."""


class Inventory:
    """All prompts that were seen. Nothing here is on a request's path, and one thread at a time works with it."""

    def __init__(self) -> None:
        self.redact: dict[str, tuple[str, ...]] = {}
        """Route -> what is blacked out in its prompts; everything in those of a route that is not here."""
        self.wordings: dict[tuple[str, str], Wording] = {}
        self.templates: dict[tuple[str, str], Template] = {}
        self.drifts: list[Drift] = []
        self.costs: dict[str, int] = {}
        """Route -> what all its requests cost, in pico."""

    def add(self, notes: Iterable[Note]) -> list[Drift]:
        """Takes in what was seen; gives what drifted."""
        drifted = []
        for note in notes:
            key = note.route, digest(note.text)
            known = self.wordings.get(key)
            if known is None:
                known, drift = self._new(note, key[1])
                self.wordings[key] = known
                drifted += [drift] if drift else []
            known.requests += 1
            known.spend += note.spend
            known.last = max(known.last, note.at)
            if note.exact and not known.exact:
                known.tokens, known.exact = note.tokens, True
            self.templates[note.route, known.template].count(note)
        self.drifts = [*self.drifts, *drifted][-DRIFTS:]
        self._bound()
        return drifted

    def spent(self, route: str, cost: int) -> None:
        """Counts a request of a route, whatever its prompts."""
        self.costs[route] = self.costs.get(route, 0) + cost

    def _new(self, note: Note, name: str) -> tuple[Wording, Drift | None]:
        text = note.text[:LONGEST]
        parts = divided(text) or (Section(name, "paragraph", "", 0, len(text), name),)
        clean, blacked = _clean([text[one.start : one.end] for one in parts], self.redact.get(note.route, ALL))
        shown = "".join(clean)
        digests = {one.digest: one for one in parts}
        words = sorted(set(_WORD.findall(shown.lower())))
        template, drift = self._alike(note.route, {one.digest: one.end - one.start for one in parts}, words), None
        if template is None:
            template = Template(note.route, name, note.at, note.at, list(digests), words)
            self.templates[note.route, name] = template
        else:
            lost = [one for one in template.stays if one not in digests]
            titles = tuple(
                _title(said) for one, said in zip(parts, clean, strict=True) if one.digest not in template.stays
            )
            if lost and template.requests >= SETTLED:
                drift = Drift(note.route, template.id, name, note.at, titles)
            template.stays = [one for one in template.stays if one in digests]
            template.slots = sorted({*template.slots, *titles})[:32]
        template.wordings += 1
        blacked = blacked or len(note.text) > LONGEST
        return Wording(
            note.route, name, template.id, shown, blacked, note.tokens, note.exact, note.at, note.at
        ), drift  # fmt: skip

    def _alike(self, route: str, lengths: dict[str, int], words: Sequence[str]) -> Template | None:
        """The template that shares most with a prompt, if any shares enough."""
        whole, mine = sum(lengths.values()), set(words)
        best, most = None, 0.0
        for template in self.templates.values():
            if template.route != route:
                continue
            shared = sum(lengths.get(one, 0) for one in template.stays) / whole if whole else 0.0
            score = shared if shared >= SHARED else 0.0
            if not score:
                theirs = set(template.sample)
                jaccard = len(mine & theirs) / len(mine | theirs) if mine or theirs else 0.0
                score = jaccard if jaccard >= WORDS else 0.0
            if score > most:
                best, most = template, score
        return best

    def _bound(self) -> None:
        for kept, most in ((self.wordings, PROMPTS), (self.templates, TEMPLATES)):
            if len(kept) > most:
                order = sorted(kept, key=lambda key: (kept[key].requests, kept[key].last))
                for key in order[: len(kept) - most]:
                    del kept[key]
        gone = [key for key, one in self.wordings.items() if (one.route, one.template) not in self.templates]
        for key in gone:
            del self.wordings[key]

    def shown(self) -> list[dict[str, Any]]:
        """Templates with their wordings, dearest first, as JSON."""
        return [self._template(one) for one in sorted(self.templates.values(), key=lambda one: -one.spend)]

    def _template(self, one: Template) -> dict[str, Any]:
        total = self.costs.get(one.route, 0)
        mine = [word for word in self.wordings.values() if (word.route, word.template) == (one.route, one.id)]
        mine.sort(key=lambda word: -word.requests)
        return {
            "route": one.route,
            "template": one.id,
            "requests": one.requests,
            "tokens": {
                "mean": round(one.mean, 1),
                "p50": one.quantile(0.5),
                "p95": one.quantile(0.95),
                "estimated": not all(word.exact for word in mine),
            },
            "share_of_spend": one.spend / total if total else None,
            "first_seen": one.first,
            "last_seen": one.last,
            "growth": one.growth,
            "tenants": dict(sorted(one.tenants.items(), key=lambda item: -item[1])),
            "variants": one.wordings,
            "slots": list(one.slots),
            "prompts": [
                {
                    "digest": word.digest,
                    "requests": word.requests,
                    "tokens": word.tokens,
                    "estimated": not word.exact,
                    "redacted": word.redacted,
                    "first_seen": word.first,
                    "last_seen": word.last,
                }
                for word in mine[:20]
            ],
        }

    def plain(self) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
        """Everything as rows: what it is, route, name, data."""
        for word in self.wordings.values():
            yield "wording", word.route, word.digest, asdict(word)
        for template in self.templates.values():
            yield "template", template.route, template.id, asdict(template)
        for drift in self.drifts:
            yield "drift", drift.route, f"{drift.at} {drift.digest}", asdict(drift)
        for route, cost in self.costs.items():
            yield "cost", route, "", {"cost": str(cost)}

    def restore(self, rows: Iterable[tuple[str, dict[str, Any], str]]) -> None:
        """Takes what `plain` gave: what it is, data, route. A row of another form is left out."""
        for what, data, route in rows:
            try:
                if what == "wording":
                    word = Wording(**data)
                    self.wordings[word.route, word.digest] = word
                elif what == "template":
                    template = Template(**data)
                    self.templates[template.route, template.id] = template
                elif what == "drift":
                    self.drifts.append(Drift(**{**data, "sections": tuple(data["sections"])}))
                elif what == "cost":
                    self.costs[route] = int(data["cost"])
            except (TypeError, KeyError, ValueError):
                continue
        self._bound()


def _title(part: str) -> str:
    """The first words of a section: of its redacted text, as they are kept."""
    return " ".join(part.split(maxsplit=12)[:12])[:60]


def _clean(parts: Iterable[str], kinds: Sequence[str]) -> tuple[list[str], bool]:
    """The parts without what the kinds name, and whether there was any; a clean part stays as it was."""
    redaction, out, blacked = Redaction(kinds), [], False
    for part in parts:
        clean = redaction.text(part)
        if clean == unicodedata.normalize("NFKC", part):
            out.append(part)
        else:
            out.append(clean)
            blacked = True
    return out, blacked


def _three_digits(tokens: int) -> int:
    return round(tokens, min(0, 3 - len(str(tokens))))
