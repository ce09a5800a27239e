"""The commands that show what is stored: leaderboard, show, report."""
