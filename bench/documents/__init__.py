"""Generated documents, and what template reuse makes of streams of them."""
