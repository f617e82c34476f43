"""`sluice cache`: a running gateway's cache, through its admin port."""
