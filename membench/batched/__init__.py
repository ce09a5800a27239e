"""Several contexts' adapters trained in one pass over one frozen model, each as if it were trained alone."""
