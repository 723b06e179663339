"""What every part of the twin rests on: moto's control plane, the journal, HTTP, and child processes."""
