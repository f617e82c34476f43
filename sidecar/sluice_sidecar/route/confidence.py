"""How sure a model was of its own answer, judged by its token probabilities.

TokenQuantile: the probability at a low quantile of the answer's tokens must reach a threshold. A mean drowns the few
doubtful tokens where wrong answers show; see N. Gupta et al., Language Model Cascades: Token-Level Uncertainty and
Beyond, ICLR 2024 (https://arxiv.org/abs/2404.10136).
"""

import math
from collections.abc import Sequence

from sluice_sidecar.config import Confidence


def token_quantile(logprobs: Sequence[float], quantile: float) -> float:
    """The log-probability at `quantile` (0..1) of the tokens, by the inverted empirical distribution: the least value
    that at least that share of the tokens does not exceed. Raises ValueError without tokens."""
    if not logprobs:
        raise ValueError("no token has a log-probability")
    return sorted(logprobs)[max(0, math.ceil(quantile * len(logprobs)) - 1)]


def confident(logprobs: Sequence[float], rule: Confidence) -> bool:
    """Whether an answer, or the beginning of one, passes the rule; without tokens it does not. NaN never passes."""
    if not logprobs:
        return False
    if rule.threshold <= 0:
        return True
    return token_quantile(logprobs, rule.quantile) >= math.log(rule.threshold)
