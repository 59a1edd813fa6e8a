"""Order messages of HL7 version 2: ORM^O01, OMG^O19 and OMI^O23, alone or in batches.

In: bytes. Out: orders, and the bytes of the answer.
Read by bounded code of our own, as all bytes from outside: fifteen fields are wanted, of messages
that follow no schema in practice. The libraries that exist are untyped, and either rest since 2022
(hl7) or bring 8 MB of schemas (hl7apy).
"""
