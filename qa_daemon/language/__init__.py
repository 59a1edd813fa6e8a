"""What is found in a person's own words: sentences, dates and numbers, English and German.

In: values of findings, texts, times. Out: texts. Knows no page, store or rule.
"""
