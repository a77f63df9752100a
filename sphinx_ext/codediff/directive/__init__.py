"""From text to the doctree: the directive, its options, sides and groups."""
