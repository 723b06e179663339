"""The architectures, as choices of parts. No torch here: predictions with ONNX Runtime start from this as well."""

PARTS = {
    "ngram": ("ngram",),
    "lstm": ("lstm",),
    "wide-lstm": ("ngram", "lstm"),
}
# By the part, the names of what it reads:
# rows: the numbers of the n-grams that a review holds, `[batch, n-grams]`, 0 for none;
# ids: its token ids, `[batch, time]`, PAD after its end; ends: the n-grams that end there, `[batch, time, LONGEST]`.
INPUTS = {"ngram": ("rows",), "lstm": ("ids", "ends")}
