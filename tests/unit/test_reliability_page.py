"""The reliability page says what the kept counts say."""

import json

from e2e.reliability import PAGE, RESULTS, page


def test_the_page_is_made_of_the_kept_counts() -> None:
    assert PAGE.read_text() == page(json.loads(RESULTS.read_text())), "python -m e2e.reliability makes it anew"
