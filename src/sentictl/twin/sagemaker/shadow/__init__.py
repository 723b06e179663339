"""What becomes of requests beside their answers: data capture, and a shadow variant."""
