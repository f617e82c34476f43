"""The cache's strategies judged on streams of real questions, beside plain cosine and vCache's rule, in one process."""
