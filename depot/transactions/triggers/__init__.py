"""Triggers that let the database itself count the rows of each file, whoever changes them.

They cannot tell a new file from one that older rows refer to as well: they enter
both uncounted, and :meth:`~depot.transactions.ledger.Ledger.write` gives the new
ones their count.
"""
