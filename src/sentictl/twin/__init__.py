"""The local twin: AWS's API on 127.0.0.1, answered by moto's control plane and a data plane that really runs things."""
