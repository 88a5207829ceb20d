"""One module an image: NAME, TAG and build()."""
