"""EventBridge Scheduler: schedules that really fire, once or again and again, in their time zones."""
