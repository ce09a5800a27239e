"""What a student that learns from a teacher is measured by: functions of logits and hidden states."""
