"""Cognito: user pools, whose users really sign in on a page of the twin's own and get tokens that it signs."""
