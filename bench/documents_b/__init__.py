"""Second generator of documents and receipts; it shares no code with `bench.documents`."""
