"""One module for each thing sentictl does on AWS; the resources that it keeps live with it."""
