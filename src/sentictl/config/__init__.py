"""`sentictl.toml`: the settings that people write, and the state that sentictl records."""
