"""WAF: web ACLs, whose rate-based rules really count the requests of each address."""
