"""Labels: how much of the truth is known (`labels`), how late it comes (`delays`), what it will say (`expected`)."""
