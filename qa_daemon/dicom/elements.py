"""Which elements quality assurance reads; all others are scanned and checked, but not kept."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final

from attrs import field, frozen

from qa_daemon.dicom.encoding.dictionary import tag_of

_IDENTITY = """
SpecificCharacterSet TimezoneOffsetFromUTC SOPClassUID SOPInstanceUID StudyInstanceUID
SeriesInstanceUID InstanceCreationDate InstanceCreationTime InstanceCreatorUID
PatientName PatientID IssuerOfPatientID PatientBirthDate PatientBirthTime PatientSex PatientAge
PatientSize PatientWeight OtherPatientIDs OtherPatientIDsSequence PregnancyStatus PatientComments
PatientIdentityRemoved DeidentificationMethod QualityControlSubject
"""
_STUDY = """
StudyDate StudyTime StudyID StudyDescription AccessionNumber IssuerOfAccessionNumberSequence
LocalNamespaceEntityID UniversalEntityID UniversalEntityIDType ReferringPhysicianName
ProcedureCodeSequence ReferencedStudySequence AdmissionID IssuerOfAdmissionIDSequence
ReasonForStudy RequestedProcedureDescription RequestedProcedureCodeSequence
RequestAttributesSequence RequestedProcedureID ScheduledProcedureStepID
ScheduledProcedureStepDescription ScheduledProtocolCodeSequence ReasonForTheRequestedProcedure
ReasonForRequestedProcedureCodeSequence CodeValue LongCodeValue URNCodeValue
CodingSchemeDesignator CodingSchemeVersion CodeMeaning
"""
_SERIES = """
Modality SeriesNumber SeriesDate SeriesTime SeriesDescription SeriesDescriptionCodeSequence
ProtocolName PerformedProcedureStepID PerformedProcedureStepDescription
PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProtocolCodeSequence
PerformedProcedureCodeSequence OperatorsName PerformingPhysicianName
BodyPartExamined Laterality ImageLaterality FrameLaterality MeasurementLaterality PatientPosition
PatientOrientation ViewPosition ViewCodeSequence ViewModifierCodeSequence AnatomicalOrientationType
AnatomicRegionSequence AnatomicRegionModifierSequence PrimaryAnatomicStructureSequence
PrimaryAnatomicStructureModifierSequence PatientOrientationCodeSequence
PatientOrientationModifierCodeSequence PatientGantryRelationshipCodeSequence
Manufacturer ManufacturerModelName StationName DeviceSerialNumber SoftwareVersions
InstitutionName InstitutionalDepartmentName DeviceUID ConversionType PresentationIntentType
"""
_IMAGE = """
ImageType InstanceNumber AcquisitionNumber ImagesInAcquisition AcquisitionDate AcquisitionTime
AcquisitionDateTime ContentDate ContentTime ImageComments DerivationDescription
BurnedInAnnotation RecognizableVisualFeatures LossyImageCompression QualityControlImage
FrameOfReferenceUID PositionReferenceIndicator SliceLocation ImageOrientationPatient
ImagePositionPatient PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing SliceThickness
SpacingBetweenSlices GantryDetectorTilt TableHeight ReconstructionDiameter DataCollectionDiameter
TemporalPositionIdentifier NumberOfTemporalPositions TemporalPositionIndex EchoNumbers TriggerTime
FrameReferenceTime NominalPercentageOfCardiacPhase ComplexImageComponent DiffusionBValue
DiffusionGradientOrientation
CardiacNumberOfImages NumberOfSlices NumberOfTimeSlices ImageIndex SeriesType Units
KVP XRayTubeCurrent Exposure ConvolutionKernel FilterType ScanOptions RotationDirection
ScanningSequence SequenceVariant MRAcquisitionType SequenceName RepetitionTime EchoTime
InversionTime EchoTrainLength FlipAngle MagneticFieldStrength InPlanePhaseEncodingDirection
ContrastBolusAgent PhotometricInterpretation SamplesPerPixel PlanarConfiguration Rows Columns
BitsAllocated BitsStored HighBit PixelRepresentation NumberOfFrames PixelAspectRatio
FrameIncrementPointer SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue
PixelPaddingRangeLimit WindowCenter WindowWidth WindowCenterWidthExplanation VOILUTFunction
RescaleIntercept RescaleSlope RescaleType PresentationLUTShape PixelIntensityRelationship
PixelIntensityRelationshipSign DistanceSourceToDetector DistanceSourceToPatient
DetectorPrimaryAngle PositionerPrimaryAngle PositionerSecondaryAngle PositionerType
FieldOfViewRotation FieldOfViewHorizontalFlip ImageRotation ImageHorizontalFlip
ModalityLUTSequence VOILUTSequence LUTDescriptor LossyImageCompressionRatio
LossyImageCompressionMethod PixelSpacingCalibrationType PixelSpacingCalibrationDescription
EstimatedRadiographicMagnificationFactor DataCollectionCenterPatient
ReconstructionTargetCenterPatient TablePosition DateOfSecondaryCapture TimeOfSecondaryCapture
"""
_FRAMES = """
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PlanePositionSequence
PlaneOrientationSequence PixelMeasuresSequence FrameAnatomySequence FrameContentSequence
CTImageFrameTypeSequence MRImageFrameTypeSequence PETFrameTypeSequence FrameType
FrameVOILUTSequence PixelValueTransformationSequence StackID InStackPositionNumber
DimensionIndexValues DimensionOrganizationType FrameAcquisitionNumber FrameAcquisitionDateTime
FrameReferenceDateTime VolumetricProperties PixelPresentation ConcatenationUID
InConcatenationNumber InConcatenationTotalNumber ConcatenationFrameOffsetNumber
SOPInstanceUIDOfConcatenationSource CTAcquisitionTypeSequence AcquisitionType
CTAcquisitionDetailsSequence MRTimingAndRelatedParametersSequence
"""
#: Asked for by nothing but the modules that make them type 1 or 2 (`dicom.iods`).
_CONFORMANCE = """
AcquisitionContextSequence AcquisitionContrast AcquisitionDuration AcquisitionTimeSynchronized
ActualFrameDuration AnodeTargetMaterial AttenuationCorrected BodyPartThickness BoneThermalIndex
CollimatorType CompressionForce ContentQualification CorrectedImage
CountLossNormalizationCorrected CountsAccumulated CountsSource CranialThermalIndex
DataPointColumns DataPointRows DataRepresentation DeadTimeCorrected DecayCorrected DecayCorrection
DepthOfScanField DepthsOfFocus DetectorInformationSequence DetectorNormalizationCorrection
DetectorType DimensionOrganizationSequence EnergyWindowInformationSequence EntranceDoseInmGy
ExposureControlMode ExposureControlModeDescription FocalSpots GantryMotionCorrected
MechanicalIndex NonUniformRadialSamplingCorrected NumberOfDetectors NumberOfEnergyWindows OrganDose
OrganExposed PaddleDescription PatientMotionCorrected PlanesInAcquisition PositionerMotion
RadiationSetting RadiopharmaceuticalInformationSequence RandomsCorrected ScatterCorrected
SensitivityCalibrated SoftTissueThermalIndex SynchronizationFrameOfReferenceUID
SynchronizationTrigger TableMotion TimeOfFlightInformationUsed TransducerApplicationCodeSequence
TransducerBeamSteeringCodeSequence TransducerGeometryCodeSequence TransducerScanPatternCodeSequence
TypeOfDetectorMotion UltrasoundAcquisitionGeometry VolumeBasedCalculationTechnique
VolumeFrameOfReferenceUID VolumeToTransducerMappingMatrix
"""

#: The two sequences of functional groups (PS3.3 C.7.6.16).
SHARED: Final = "SharedFunctionalGroupsSequence"
PER_FRAME: Final = "PerFrameFunctionalGroupsSequence"

KEYWORDS: Final = tuple(
    dict.fromkeys(f"{_IDENTITY} {_STUDY} {_SERIES} {_IMAGE} {_FRAMES} {_CONFORMANCE}".split())
)


def _tags() -> dict[int, str]:
    tags = {tag_of(keyword): keyword for keyword in KEYWORDS}
    assert None not in tags, "a keyword that PS3.6 does not have"
    return {tag: keyword for tag, keyword in tags.items() if tag is not None}


#: Keyword by tag; chosen on every level, so that code sequences and functional groups come along.
CHOSEN: Final = _tags()

#: A private element by the name under which it is kept (PS3.5 7.8.1): its creator reserves a block
#: whose number differs between objects.
PRIVATE: Final = re.compile(r"private\.(.{1,64})\.([0-9A-F]{4})xx([0-9A-F]{2})")


@frozen
class Vocabulary:
    """Which elements are read of every object.

    Attributes
    ----------
    by_tag
        Keyword by tag, chosen on every level; an element without a keyword has its eight digits.
    private
        Name by group, creator and the last two digits; chosen at the top level.
    digest
        Stands for exactly these elements, so that it can be told what was not asked for.
    """

    by_tag: Mapping[int, str]
    private: Mapping[tuple[int, str, int], str] = field(factory=dict)
    digest: str = ""


def vocabulary(more: Iterable[str] = ()) -> Vocabulary:
    """Return the elements read anyway, and those that the rules of a site name besides.

    Parameters
    ----------
    more
        Keywords, eight hex digits, or names as `PRIVATE` has them.
    """
    return _vocabulary(frozenset(more))


@lru_cache(maxsize=8)
def _vocabulary(more: frozenset[str]) -> Vocabulary:
    by_tag, private = dict(CHOSEN), dict[tuple[int, str, int], str]()
    for name in more:
        match = PRIVATE.fullmatch(name)
        if match:
            private[int(match[2], 16), match[1], int(match[3], 16)] = name
        else:
            tag = tag_of(name)
            by_tag[int(name, 16) if tag is None else tag] = name
    names = "\n".join(sorted({*by_tag.values(), *private.values()}))
    return Vocabulary(by_tag, private, sha256(names.encode()).hexdigest()[:16])


#: What is read whatever the rules say.
BASIC: Final = vocabulary()
