"""Free text and codes in seven languages to body regions with sides and weights.

In: descriptions as scanners and order systems write them. Out: terms of PS3.16 Annex L.
`words/` holds the vocabulary, one file per language; none of it is code.
"""
