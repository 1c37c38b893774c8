"""Explanations: the arithmetic behind a count, with the reader's numbers, in words, equations and drawings.

Everything is derived from the records that the counter makes. An equation stands in an explanation only if its result
is the record's number.
"""
