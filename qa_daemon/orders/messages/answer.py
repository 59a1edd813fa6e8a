"""What is answered to a message, or to a batch of them (HL7 2.5.1, 2.9.2 and 2.10.3)."""

from collections.abc import Sequence

from qa_daemon.orders.messages.syntax import Message


def answer(message: Message | None, code: str, said: str, now: str) -> bytes:
    """Return the acknowledgement of a message (HL7 2.5.1, 2.9.2).

    Parameters
    ----------
    code
        AA accepted and kept, AE try again, AR never send it again.
    said
        For a person, without a patient's value.
    now
        DTM without a zone, also the control id of the answer.
    """
    if message is None:
        return f"MSH|^~\\&|QADAEMON||||{now}||ACK|{now}|P|2.5.1\rMSA|{code}||{said}\r".encode()
    head = message.segments[0]
    raw = [head.field(number) for number in range(1, 13)]
    application, facility, version = raw[2], raw[3], raw[11] or "2.5.1"
    processing = raw[10] or "P"
    sender = ("QADAEMON", "", application, facility)
    fields = ["MSH", raw[1], *sender, now, "", "ACK", now, processing, version]
    mark = message.delimiters.field
    return f"{mark.join(fields)}\rMSA{mark}{code}{mark}{raw[9]}{mark}{said}\r".encode()


def batched(answers: Sequence[bytes], now: str) -> bytes:
    """Return the answers to the messages of a batch as one batch."""
    head = f"BHS|^~\\&|QADAEMON||||{now}\r".encode()
    return b"".join((head, *answers, f"BTS|{len(answers)}\r".encode()))
