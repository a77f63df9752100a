"""Writers: how a block is shown in HTML, on paper and as text."""
