"""The areas of the store in SQL, each written once for every engine.

The statements are SQLite's, as far as another engine's are the same but for spelling, which that
engine's dialect knows; what is more than spelling is a method of ``engine.Engine``.
"""
