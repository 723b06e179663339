"""Who may do what: the roles of the chain's parts, and the permissions of whoever runs sentictl."""
