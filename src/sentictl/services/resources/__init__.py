"""What the model is made from and kept in: storage, the dataset, the training job, logs."""
