"""Records in: read a page, map it, apply the rules, save it, move on.

Read ``importer``, then ``verdicts`` and ``saving``; ``retry`` goes the same way for single records.
"""
