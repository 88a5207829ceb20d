"""Four continents on one Linux machine."""
