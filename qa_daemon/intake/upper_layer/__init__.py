"""PDUs and command sets on the wire, and the bounded reader of new connections (PS3.7, PS3.8).

In: bytes of peers. Out: whole, admitted requests and vetted PDUs. Knows no spool and no store.
"""
