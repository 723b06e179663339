"""EventBridge: what happens in the twin, told to the targets of rules that ask for it."""
