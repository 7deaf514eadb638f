"""From ``250`` to the API's answer: what is queued is sent once, or nobody is told it was.

``states`` is the table everything here obeys; ``queue`` takes submissions in; ``dispatcher``
sends them; ``settle`` writes down what came of it; ``reconcile`` looks for what may have left;
``operations`` is what a person can do.
"""
