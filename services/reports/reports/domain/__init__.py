"""What a report is made of: facts, postings, KPIs, boards. Plain values and plain functions."""
