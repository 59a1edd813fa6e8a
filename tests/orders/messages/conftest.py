"""An order message as interface engines send it."""

HEAD = "MSH|^~\\&|RIS|HOSP|QA||20260301080000||ORM^O01|M1|P|2.3.1||||||UNICODE UTF-8"
PATIENT = "PID|1||P1^^^HOME^MR~X9^^^OTHER||Doe^Jane||19700101|F"
VISIT = "PV1|1|O||||||DOC1^Who^Doctor|||||||||||V7"
OBR = "OBR|1|PL1|FI1|X1^Knie re. 2 Eb.^99RIS||||||||||||||A1|RP1|SP1||||DX"
ORDER = (
    "ORC|NW|PL1|FI1||||^^^20260301083000",
    f"{OBR}|||^^^20260301083000||||^Sturz",
    "ZDS|1.2.3.9^QA^Application^DICOM",
)


def message(*segments: str) -> bytes:
    return ("\r".join(segments) + "\r").encode()


WHOLE = message(HEAD, PATIENT, VISIT, *ORDER)
