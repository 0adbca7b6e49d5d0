"""Model neurons: the current a stimulus gives them, and what they do with it (the only place that uses Brian2)."""
