"""From committed facts and live progress to the people who listen."""
