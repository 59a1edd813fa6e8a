"""What is said about a series: the JSON document, the text, the picture.

In: values. Out: text and bytes. Knows no file.
"""
