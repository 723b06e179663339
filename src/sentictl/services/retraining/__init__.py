"""Training again and again by itself: a schedule that starts a state machine, which serves what is not worse."""
