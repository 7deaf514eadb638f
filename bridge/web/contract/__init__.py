"""What programs ask over HTTP: the operations of the command line under ``/api/v1``.

``endpoint`` is what an endpoint is, ``sends`` and ``events`` are all there are; ``dispatch`` finds
and answers by them, ``openapi`` describes them. ``shapes`` has what is sent and answered, ``keys``
who may ask, ``waiting`` how long an answer may take.
"""
