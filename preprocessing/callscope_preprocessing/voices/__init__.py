"""Two small networks for voices, read from published weights and run by onnxruntime: no torch."""
