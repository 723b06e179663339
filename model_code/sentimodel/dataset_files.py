"""The files of a dataset folder, which training reads as its channels."""

REVIEWS = "reviews.npz"  # in the folder of each split
GROUPS = "groups.npy"  # beside the reviews to train on
VOCABULARY = "vocabulary.txt"  # in the folder vocabulary
TEXT = "text.json"  # beside the vocabulary: how a review becomes tokens
