"""Which inputs a class of nodes has in the editor, and which of them are widgets, in the editor's own order.

The order decides which saved value is whose, so it includes what `object_info` does not list: the control after a
seed, the button after a file, a player of sound. Types of widgets that node packs bring along in JavaScript are not
known here; `widgets` finds those by what the file says of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fireside.graphs.dynamic_inputs import AUTOGROW, DYNAMIC_COMBO, declarations_of
from fireside.graphs.editor.shapes import list_in, object_in, texts_in
from fireside.graphs.editor.workflow import NOTHING, Widget
from fireside.graphs.input_definitions import COMBO, choices_of, split_spec

_DEFAULTS: Mapping[str, Any] = {
    "INT": 0,
    "FLOAT": 0,
    "BOOLEAN": False,
    "STRING": "",
    "MARKDOWN": "",
    "TEXTAREA": "",
    "COLOR": "#000000",
    "COLORS": [],
    "CURVE": {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"},
    "RANGE": {"min": 0.0, "max": 1.0},
    "BOUNDING_BOX": {"x": 0, "y": 0, "width": 512, "height": 512},
    "BOUNDING_BOXES": [],
    "CHART": {},
    "GALLERIA": [],
    "PAINTER": NOTHING,
    "COMPOSITOR": NOTHING,
    "VIDEO_EDIT": NOTHING,
    "LIGHT_INFO_PREVIEW": NOTHING,
    COMBO: NOTHING,
    DYNAMIC_COMBO: NOTHING,
}
_SEEDS = frozenset({"seed", "noise_seed"})
_UPLOADS = ("image_upload", "video_upload", "animated_image_upload")
_WITH_PLAYER = frozenset(
    {"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"}
)
_WITH_SCENE = frozenset({"Preview3D", "SaveGLB"})
_NEEDS_EDITOR: Mapping[str, Sequence[str]] = {
    "LOAD_3D": ("upload 3d model", "upload extra resources", "clear"),
    "LOAD_3D_ANIMATION": ("upload 3d model", "upload extra resources", "clear"),
    "PREVIEW_3D": (),
    "WEBCAM": (),
    "AUDIO_RECORD": (),
}
"""Widgets whose value the editor makes when it submits: a rendered scene, a shot, a recording; and their buttons."""
_CONTROL = "control_after_generate"
_FILTER = "control_filter_list"
_MOST_NESTED = 8
_MOST_GROWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One input as the editor sees it. `kind` is COMBO for any list of choices."""

    name: str
    kind: Any
    options: Mapping[str, Any]
    spec: Any

    @property
    def widget_kind(self) -> Any:
        """The type of its widget, if it has one."""
        return self.options.get("widgetType") or self.kind

    @property
    def is_forced(self) -> bool:
        """Whether it is an input only, whatever its type."""
        return bool(self.options.get("forceInput"))

    @property
    def is_widget(self) -> bool:
        """Whether it has a widget that is known here."""
        kind = self.widget_kind
        known = kind in _DEFAULTS or kind in _NEEDS_EDITOR or kind == "IMAGECOMPARE" or kind == "RESOLUTION_PREVIEW"
        return isinstance(kind, str) and known and not self.is_forced

    @property
    def has_socket(self) -> bool:
        """Whether something can be linked to it."""
        return not self.options.get("socketless")

    @property
    def default(self) -> Any:
        """The value of its widget before anybody set it."""
        given = self.options.get("default")
        if self.widget_kind in {COMBO, DYNAMIC_COMBO}:
            offered = self.choices
            return given or (offered[0] if offered else NOTHING)
        return given if given is not None else _DEFAULTS.get(self.widget_kind, NOTHING)

    @property
    def choices(self) -> Sequence[Any]:
        """The values that it offers."""
        if self.widget_kind == DYNAMIC_COMBO:
            return [option.get("key") for option in options_of(self)]
        return choices_of(split_spec(self.spec)[0], self.options) or ()


def declared_inputs(entry: Mapping[str, Any]) -> list[Declared]:
    """List the inputs of a class in the order in which the editor makes them."""
    inputs: dict[str, Declared] = {}
    groups: dict[str, list[str]] = {"required": [], "optional": []}
    for name, spec, required in declarations_of(entry.get("input")):
        inputs[name] = declare(name, spec, is_optional=not required)
        groups["required" if required else "optional"].append(name)
    order = object_in(entry.get("input_order"))
    listed = [name for group, names in groups.items() for name in texts_in(order.get(group)) if name in names]
    return [inputs[name] for name in dict.fromkeys([*listed, *inputs])]


def declare(name: str, spec: Any, *, is_optional: bool) -> Declared:
    """Read one declaration."""
    kind, options = split_spec(spec)
    if is_optional and options.get("defaultInput"):
        options = {**options, "forceInput": True}
    return Declared(name=name, kind=COMBO if isinstance(kind, list) else kind, options=options, spec=spec)


def widgets_of(declared: Declared, kind: Any = None) -> list[Widget]:
    """Make the widgets of an input: its own, and those that follow it. `kind` is for one that is not known here."""
    kind = kind or declared.widget_kind
    if kind in _NEEDS_EDITOR:
        buttons = [_button(name) for name in _NEEDS_EDITOR[kind]]
        value = "" if kind == "PREVIEW_3D" else NOTHING
        own = Widget(name=declared.name, kind=kind, value=value, options=declared.options)
        return [*buttons, own, *([_button(declared.name)] if kind == "AUDIO_RECORD" else [])]
    own = Widget(
        name=declared.name,
        kind=kind,
        value=declared.default,
        options={**declared.options, "options": declared.choices} if kind == COMBO else declared.options,
        is_saved=kind not in {"IMAGECOMPARE", "RESOLUTION_PREVIEW"},
        is_sent=kind != "RESOLUTION_PREVIEW",
    )
    edges = [_control(name, 0) for name in ("x", "y", "width", "height")] if kind == "BOUNDING_BOX" else []
    return [own, *edges, *_controls(declared, kind)]


def added_widgets(class_name: str, declared: Sequence[Declared]) -> list[Widget]:
    """Make the widgets that a class has beside its inputs, after all of them."""
    added: list[Widget] = []
    if class_name in _WITH_PLAYER:
        added.append(_control("audioUI", NOTHING, is_saved=False))
    by_name = {one.name: one for one in declared}
    audio = by_name.get("audio")
    takes_sound = audio is not None and audio.options.get("audio_upload") is True
    if takes_sound or any(one.kind == COMBO and _takes_upload(one) for one in declared):
        added.append(_button("upload"))
    if class_name in _WITH_SCENE and "image" not in by_name:
        added.append(Widget(name="image", kind="PREVIEW_3D", value="", options={}))
    return added


def children_of(combo: Declared, chosen: Any) -> list[Declared]:
    """Give the inputs that a choice brings along."""
    picked = next((option for option in options_of(combo) if option.get("key") == chosen), None)
    groups = picked.get("inputs") if picked is not None else None
    return [
        declare(f"{combo.name}.{name}", spec, is_optional=not required)
        for name, spec, required in declarations_of(groups)
    ]


def options_of(combo: Declared) -> list[Mapping[str, Any]]:
    """List the choices of a combo that brings inputs along."""
    return [object_in(option) for option in list_in(combo.options.get("options")) if isinstance(option, dict)]


def grown_inputs(group: Declared, saved: Sequence[str]) -> Iterator[Declared]:
    """Give the inputs of a group that grows: those that the editor starts with, and those that the file has."""
    template = object_in(group.options.get("template"))
    specs = list(declarations_of(template.get("input")))
    least = template.get("min")
    least = least if isinstance(least, int) else 1
    for place, names in enumerate(_grown_names(template, [name for name, _, _ in specs])):
        full = [f"{group.name}.{name}" for name in names]
        if place > least and not any(name in saved for name in full):
            return
        for name, (_, spec, required) in zip(full, specs, strict=True):
            yield declare(name, spec, is_optional=not required or place >= least)


def is_growing(declared: Declared) -> bool:
    """Whether it is a group of inputs that grows."""
    return declared.kind == AUTOGROW


def needs_editor(widget: Widget) -> bool:
    """Whether only an open editor can give the value."""
    return widget.kind in _NEEDS_EDITOR and widget.kind != "PREVIEW_3D"


def _grown_names(template: Mapping[str, Any], inner: Sequence[str]) -> Iterator[list[str]]:
    names = template.get("names")
    if isinstance(names, list):
        for name in texts_in(names)[:_MOST_GROWN]:
            yield [name] * len(inner)
        return
    prefix, most = template.get("prefix"), template.get("max")
    prefix = prefix if isinstance(prefix, str) else ""
    for place in range(min(most if isinstance(most, int) else _MOST_GROWN, _MOST_GROWN)):
        yield [f"{prefix if len(inner) == 1 else name}{place}" for name in inner]


def _takes_upload(declared: Declared) -> bool:
    return any(declared.options.get(flag) is True for flag in _UPLOADS)


def _controls(declared: Declared, kind: Any) -> list[Widget]:
    asked = declared.options.get(_CONTROL)
    wanted = asked if asked is not None else kind == "INT" and declared.name in _SEEDS
    if not wanted or kind not in {"INT", "FLOAT", COMBO}:
        return []
    controls = [_control(_CONTROL, "randomize")]
    if kind == COMBO:
        controls.append(_control(_FILTER, ""))
    return controls


def _button(name: str) -> Widget:
    return _control(name, "")


def _control(name: str, value: Any, *, is_saved: bool = True) -> Widget:
    return Widget(name=name, kind=None, value=value, options={}, is_sent=False, is_saved=is_saved)
