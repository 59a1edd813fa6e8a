"""What a person is shown of the pixels of a series: pictures as stored, and where they stand."""

from attrs import field, frozen


@frozen
class Window:
    """A window of grey values (PS3.3 C.11.2.1.2)."""

    centre: float
    width: float


@frozen(kw_only=True)
class Shown:
    """One frame under one window.

    Attributes
    ----------
    preset
        `default` = as the object or its kind says; `soft tissue`, `lung`, `bone`.
    window
        None where a lookup table or the range of the values decides.
    picture, thumbnail
        File names: digests of pixels and window.
    """

    preset: str
    window: Window | None
    picture: str
    thumbnail: str


@frozen(kw_only=True)
class Picture:
    """One frame as stored: nothing is turned, pixels are square.

    Attributes
    ----------
    position
        Where it stands among all frames of the series, counted from 1 in the order of the stack.
    width, height
        Of the picture, in pixels.
    tells
        Whether it took part in the vote, or is what a finding speaks of.
    """

    sop_instance_uid: str
    frame: int
    position: int
    width: int
    height: int
    shown: tuple[Shown, ...]
    tells: bool = False


@frozen(kw_only=True)
class Previews:
    """The pictures of a series at a revision.

    Attributes
    ----------
    frame_count
        Of the whole stack.
    reason
        Why there is none, or not all of them; "" where nothing failed.
    """

    frame_count: int = 0
    pictures: tuple[Picture, ...] = field(default=())
    reason: str = ""

    @property
    def glimpse(self) -> str:
        """Return the thumbnail that stands for the series: amid those that tell; "" without one."""
        telling = tuple(each for each in self.pictures if each.tells) or self.pictures
        return telling[len(telling) // 2].shown[0].thumbnail if telling else ""
