"""The architectures, as choices of parts. No torch here: predictions with ONNX Runtime start from this as well."""

PARTS = {
    "ngram": ("ngram",),
    "lstm": ("lstm",),
    "wide-lstm": ("ngram", "lstm"),
}
INPUTS = {
    "ngram": ("rows",),  # the numbers of the n-grams that a review holds, `[batch, n-grams]`, 0 for none
    "lstm": (
        "ids",
        "ends",
    ),  # token ids, `[batch, time]`, PAD after the end; the n-grams that end there, `[…, LONGEST]`
}
