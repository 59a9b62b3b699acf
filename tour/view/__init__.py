"""State to cells, sentences and SVG: what every front end draws. No Textual and no Linux here."""
