"""What answers about dated conversations amount to."""
