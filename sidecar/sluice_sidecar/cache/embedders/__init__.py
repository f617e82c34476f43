"""What turns a text into a vector: ONNX models in this process, and embeddings endpoints."""
