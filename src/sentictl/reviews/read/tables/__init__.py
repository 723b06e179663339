"""Tables of reviews: CSV, JSON and Parquet files, in the encodings, dialects and packings that people have."""
