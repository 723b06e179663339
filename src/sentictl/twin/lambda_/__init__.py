"""Lambda: functions that really run, under AWS's own runtime client where it is to be had."""
