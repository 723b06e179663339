"""sentictl: from labelled reviews to a live sentiment web app on AWS, and back to nothing."""

__version__ = "0.1.0"
