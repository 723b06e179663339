"""Reading labelled reviews: one class for each kind of source, and the setting that names one."""
