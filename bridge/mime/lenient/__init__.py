"""Any message, read as Dovecot does: nothing is refused, every fault has its known reading.

``split`` takes a message apart into ``part``s, ``section`` finds them again; ``address``,
``parameter``, ``filename``, ``datetext`` and ``identification`` read one field each; ``envelope``
and ``bodystructure`` are IMAP's answers, in ``quote``d strings; ``nul`` hides NULs.
"""
