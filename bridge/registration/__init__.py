"""The registration of a mailbox: which fields there are, and whether a set of them can be sent.

``fields`` is the declared table from which the command line's flags, the questions, the TOML
template and the checks are made. ``check`` knows one value at a time, ``whole`` what lies
between values, ``taxcode`` the two Italian tax codes, ``places`` provinces and countries.

Pure: no file, no clock (the day is a parameter), no request. Names of fields are the ones of the
service's forms and error texts ("data_nascita_richiedente not valid"), so that whoever reads
such a text finds the field; how they are written on the wire is ``bridge.api``'s to say.

Failure: ``whole.check`` returns every fault at once, each with the field and a remedy; nothing
here raises for what a person typed.
"""
