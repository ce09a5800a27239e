"""What all commands share: errors and exit statuses, options, folders, streams, printing."""
