"""The reliability page says what the kept counts say."""

import json

from e2e.reliability import FAULTS, PAGE, RESULTS, page


def test_the_page_is_made_of_the_kept_counts() -> None:
    made = page(json.loads(RESULTS.read_text()), json.loads(FAULTS.read_text()))
    assert PAGE.read_text() == made, "python -m e2e.reliability makes it anew"
