"""Who may ask the API: what each way of asking takes of a caller, and which pages may ask from a browser."""
