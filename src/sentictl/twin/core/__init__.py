"""The parts that all others rest on: moto's control plane, the journal, HTTP, and child processes."""
