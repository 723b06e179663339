"""Step Functions: state machines whose executions really call the twin's services, in the machine's role."""
