"""Budgets, baselines and differences, all on the records of reports."""
