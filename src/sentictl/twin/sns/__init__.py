"""SNS: topics that send mails, which stay on this machine."""
