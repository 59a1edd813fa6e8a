"""qa-daemon finds wrong DICOM metadata by looking at the pixels."""
