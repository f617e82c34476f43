"""Words of which one is put for another: each group holds things that exclude each other where they stand."""

import re

from bench.near_misses.pair import Change

_GROUPS: dict[str, tuple[str, ...]] = {
    "number": (
        "two three four five six seven eight nine ten", "twelve fifteen twenty thirty forty fifty sixty ninety",
        "first second third fourth fifth sixth", "hundred thousand million billion", "half third",
        "double triple quadruple", "weekly monthly yearly", "once twice",
    ),
    "antonym": (
        "increase decrease", "start stop", "enable disable", "open close", "lock unlock", "buy sell", "add remove",
        "import export", "upload download", "send receive", "deposit withdraw", "accept reject", "allow prevent",
        "win lose", "pass fail", "push pull", "give take", "hot cold", "warm cool", "big small", "large tiny",
        "long short", "tall short", "wide narrow", "deep shallow", "thick thin", "strong weak", "hard soft",
        "easy difficult", "simple complex", "cheap expensive", "rich poor", "young old", "new old", "modern ancient",
        "good bad", "positive negative", "happy sad", "safe dangerous", "healthy unhealthy", "legal illegal",
        "public private", "formal informal", "serious funny", "polite rude", "wet dry", "clean dirty", "full empty",
        "light dark", "light heavy", "fast slow", "loud quiet", "raw cooked", "sweet sour", "near far", "left right",
        "top bottom", "front back", "inside outside", "indoor outdoor", "domestic wild", "male female", "king queen",
        "husband wife", "son daughter", "brother sister", "uncle aunt", "boy girl", "mother father",
        "advantages disadvantages", "pros cons", "benefits drawbacks", "strengths weaknesses", "causes consequences",
        "similarities differences", "arrival departure", "entrance exit", "birth death", "love hate", "war peace",
        "summer winter", "north south", "east west", "northern southern", "eastern western", "virtual physical",
        "success failure", "profit loss", "winner loser", "teacher student", "buyer seller", "up down",
        "lighter darker", "lower raise", "freeze thaw", "accelerate brake", "temporary permanent", "active passive",
        "brighten dim", "expand shrink", "attach detach", "lend borrow", "cancel confirm", "join leave",
        "credit debit", "begin end", "professional amateur", "urban rural", "solid liquid", "hero villain",
    ),
    "date": (
        "monday tuesday wednesday thursday friday saturday sunday",
        "january february march april june july august september october november december",
        "today tomorrow yesterday", "morning afternoon evening", "spring summer autumn winter", "noon midnight",
        "breakfast lunch dinner", "christmas easter halloween thanksgiving", "next_week this_week last_week",
        "next_month last_month", "next_year last_year", "tonight tomorrow_night", "weekend week",
        "hourly daily weekly monthly", "day night", "ancient medieval modern",
    ),
    "entity": (
        "france spain italy germany poland portugal greece norway sweden", "india china japan korea vietnam thailand",
        "america canada mexico brazil australia", "england scotland ireland wales",
        "london paris rome berlin madrid vienna", "chicago boston seattle denver dallas houston miami",
        "tokyo beijing delhi mumbai bangkok", "google microsoft apple amazon facebook", "visa mastercard",
        "python java rust javascript ruby", "windows linux macos", "iphone android", "toyota honda ford tesla",
        "dog cat horse rabbit", "tea coffee juice", "guitar piano violin drums", "football basketball tennis cricket",
        "red blue green yellow purple", "car bike bus train plane", "kitchen bedroom bathroom hallway office",
        "chicken beef pork fish", "apple banana orange mango", "rice pasta bread", "gold silver copper iron",
        "mars venus jupiter saturn", "poem essay story song", "email letter tweet", "card account", "transfer payment",
        "john peter thomas michael", "mary anna emma susan", "alice bob", "jazz rock pop blues", "radio podcast music",
        "doctor lawyer plumber dentist", "heart lung liver kidney", "book movie game", "mom dad", "passcode pin",
        "restaurant hotel museum", "river mountain lake", "marvel disney netflix hbo", "java kotlin swift",
        "database compiler browser", "wife boss colleague", "alarm reminder meeting", "beach desert forest",
    ),
    "unit": (
        "miles kilometers meters feet", "pounds kilograms ounces grams", "inches centimeters yards",
        "dollars euros yen rupees", "usd eur gbp jpy", "celsius fahrenheit kelvin", "hours minutes seconds days",
        "weeks months years", "liters gallons cups", "tablespoons teaspoons", "cents dollars", "hour minute",
        "week month year", "bytes kilobytes megabytes gigabytes", "words sentences paragraphs", "mile kilometer",
        "pound kilogram ounce", "acres hectares",
    ),
    "language": (
        "english french german spanish italian portuguese dutch russian", "chinese japanese korean hindi arabic",
        "latin greek", "swedish danish norwegian finnish",
    ),
    "question": (
        "when where why how", "who when where", "how_many how_often", "how_much how_long", "how_long how_far",
        "what_is who_is where_is", "how_do why_do when_do", "how_can when_can where_can", "when_did why_did how_did",
        "how_old how_tall", "which_city which_country", "what_year what_city",
    ),
    "pronoun": (
        "my your his her their our", "i we they", "he she", "him her them", "me us", "you we they", "mine yours",
        "myself yourself", "i'm he's she's", "i've they've we've",
    ),
    "quantity": (
        "all some", "every any", "most few", "many few", "both neither", "all none_of_the", "everyone someone nobody",
        "everything nothing", "always sometimes never", "often rarely", "at_least at_most exactly", "a_few hundreds_of",
        "several all", "any all", "minimum maximum", "usually never",
    ),
    "comparative": (
        "more less fewer", "better worse", "best worst", "bigger smaller", "larger smaller", "largest smallest",
        "biggest smallest", "highest lowest", "longest shortest", "oldest youngest", "fastest slowest", "most least",
        "older younger", "faster slower", "cheaper pricier", "earlier later", "first last", "higher lower",
        "tallest shortest", "richest poorest", "stronger weaker", "good better best", "fast faster fastest",
        "old older oldest", "above below", "before after", "over under", "maximum average", "popular unpopular",
        "major minor", "main other", "common rare", "great greater greatest", "hotter colder", "heavier lighter",
    ),
    "scope": (
        "with without", "including excluding", "except especially", "only also", "without using",
        "for_beginners for_experts", "for_kids for_adults", "for_men for_women", "within outside", "inside outside",
        "before_tax after_tax", "in_general in_particular", "national international", "local global",
    ),
}  # fmt: skip


def swap(group: str) -> Change:
    """Puts another word of the group in the place of the first that stands in a text."""
    words = [word.replace("_", " ") for word in group.split()]
    pattern = re.compile(
        r"(?<![\w'’-])(" + "|".join(map(re.escape, sorted(words, key=len)[::-1])) + r")(?![\w'’-])", re.IGNORECASE
    )

    def change(text: str, pick: float) -> str | None:
        found = pattern.search(text)
        if found is None:
            return None
        others = [word for word in words if word != found[1].casefold()]
        new = others[int(pick * len(others))]
        if found[1][0].isupper() or new in {"i", "i'm", "i've"}:
            new = new[0].upper() + new[1:]
        if found[1].isupper() and len(found[1]) > 1:
            new = new.upper()
        return text[: found.start()] + new + text[found.end() :]

    return change


SWAPS: dict[str, tuple[tuple[str, Change], ...]] = {
    kind: tuple(("swap " + group.replace(" ", "/"), swap(group)) for group in groups)
    for kind, groups in _GROUPS.items()
}
"""Kind -> named changes."""

STARTS: dict[str, frozenset[str]] = {
    "swap " + group.replace(" ", "/"): frozenset(word.split("_")[0] for word in group.split())
    for groups in _GROUPS.values()
    for group in groups
}
"""Name of a change -> the words of which an ask must have one."""
