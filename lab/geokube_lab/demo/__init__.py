"""The demonstration: from a bare clone to four continents, with the time of every stage."""
