"""Files as people have them, each with what is right for it: `python -m tests.cases FOLDER` tries those of a folder."""
