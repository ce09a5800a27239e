"""The built-in methods: one file each, found by its name; see CONTRIBUTING.md for how to add one."""
