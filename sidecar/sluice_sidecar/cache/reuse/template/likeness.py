"""How alike two texts are to a scanner."""

from functools import lru_cache

_SMEARED = str.maketrans("0aceqdlitfj7uvhwgsb6z", "oooooo111111nnnm95882")


@lru_cache(maxsize=4096)
def smeared(text: str) -> str:
    """Letters and figures alone, those that a scanner takes for one another as one."""
    kept = "".join(char for char in text.casefold() if char.isalnum())
    return kept.replace("rn", "m").replace("ri", "n").translate(_SMEARED)


def edits(one: str, other: str, most: int) -> int:
    """Levenshtein's distance, `most` + 1 where it is more. Time is len(one) * (2 * most + 1)."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    beyond = most + 1
    before = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        lo, hi = max(1, i - most), min(len(other), i + most)
        now = [beyond] * (len(other) + 1)
        if lo == 1:
            now[0] = i
        for j in range(lo, hi + 1):
            now[j] = min(before[j - 1] + (char != other[j - 1]), before[j] + 1, now[j - 1] + 1)
        if min(now[lo - 1 : hi + 1]) > most:
            return beyond
        before = now
    return min(before[-1], beyond)
