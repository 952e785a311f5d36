"""Gives the nodes of a file their inputs and values, as the editor does when it opens the file.

Saved values have no names: they are counted off over the widgets that the class has *today*, in the editor's order.
Files of node packs that save by name are read by name; so are those whose list cannot be counted off any more, where
the file holds the names as well.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fireside.graphs.dynamic_inputs import DYNAMIC_COMBO
from fireside.graphs.editor.declarations import (
    Declared,
    added_widgets,
    children_of,
    declared_inputs,
    grown_inputs,
    is_growing,
    widgets_of,
)
from fireside.graphs.editor.shapes import list_in, object_in
from fireside.graphs.editor.workflow import Input, Named, Node, Widget
from fireside.graphs.input_definitions import COMBO

ValueOf = Callable[[Widget], Any]
"""Gives the value that a widget is to have."""

_SAMPLERS = frozenset({"KSampler", "KSamplerAdvanced"})
_OLD_SAMPLER = "sample_"
_MOST_WIDGETS = 1000


def configure_node(node: Node, entry: Mapping[str, Any]) -> None:
    """Give a node the inputs, outputs and widgets of its class, and its saved values."""
    declared = declared_inputs(entry)
    saved = {one.name: one for one in node.inputs}
    node.widgets = Named(_restored(node, declared))
    node.inputs = Named(_merged_inputs(node, declared, saved))
    node.outputs = _output_types(entry, node.outputs)
    for widget in node.widgets:
        widget.value = _repaired(node.type, widget)


def saved_widgets(class_name: str, entry: Mapping[str, Any], *, hidden: Sequence[str] = ()) -> list[Widget]:
    """List the widgets of a class that have a saved value, but for those of inputs that are `hidden`."""
    shown = [one for one in declared_inputs(entry) if one.name not in hidden]
    queue = _Queue(class_name, shown, {})
    return [widget for widget in queue.widgets(_as_declared) if widget.is_saved]


class _Queue:
    """The widgets of a node, one after another; which come next can depend on the value of the last."""

    def __init__(self, class_name: str, declared: Sequence[Declared], saved: Mapping[str, Input]) -> None:
        self._class_name = class_name
        self._declared = declared
        self._saved = saved

    def widgets(self, value_of: ValueOf) -> Iterator[Widget]:
        """Make the widgets; each has the value that `value_of` gives it before the next is made."""
        left = deque(self._declared)
        while left:
            one = left.popleft()
            if is_growing(one):
                left.extendleft(reversed(list(grown_inputs(one, list(self._saved)))))
                continue
            for widget in self._made(one):
                widget.value = value_of(widget)
                yield widget
                if widget.kind == DYNAMIC_COMBO and widget.name == one.name:
                    left.extendleft(reversed(children_of(one, widget.value)))
        for widget in added_widgets(self._class_name, self._declared):
            widget.value = value_of(widget)
            yield widget

    def _made(self, one: Declared) -> list[Widget]:
        if one.is_widget:
            return widgets_of(one)
        saved = self._saved.get(one.name)
        # A type of widget that a node pack brings along: the file says that it is one.
        is_unknown_widget = saved is not None and saved.widget == one.name and not one.is_forced
        return widgets_of(one, one.kind) if is_unknown_widget else []


def _restored(node: Node, declared: Sequence[Declared]) -> list[Widget]:
    saved_inputs = {one.name: one for one in node.inputs}
    queue = _Queue(node.type, declared, saved_inputs)
    if isinstance(node.saved_values, dict):
        return list(queue.widgets(_by_name(object_in(node.saved_values))))
    values = list_in(node.saved_values)
    fresh = list(queue.widgets(_as_declared))
    aligned = _aligned(declared, fresh, values)
    widgets = list(queue.widgets(_by_place(aligned)))
    if node.saved_by_name is not None and sum(widget.is_saved for widget in widgets) != len(aligned):
        return list(queue.widgets(_by_name(node.saved_by_name)))
    return widgets


def _as_declared(widget: Widget) -> Any:
    return widget.value


def _by_place(values: Sequence[Any]) -> ValueOf:
    left = iter(values)

    def value_of(widget: Widget) -> Any:
        return next(left, widget.value) if widget.is_saved else widget.value

    return value_of


def _by_name(values: Mapping[str, Any]) -> ValueOf:
    return lambda widget: values.get(widget.name, widget.value)


def _aligned(declared: Sequence[Declared], widgets: Sequence[Widget], values: Sequence[Any]) -> Sequence[Any]:
    """Drop the values of widgets that have become inputs only, where the list has one for each.

    Editors used to save a value for these as well, and for widgets that are not saved any more.
    """
    unsaved = {widget.name for widget in widgets if not widget.is_saved}
    names = {widget.name for widget in widgets}
    is_dropped: list[bool] = []
    for one in declared:
        if one.name in unsaved or (one.name not in names and not one.is_forced):
            continue
        is_dropped += [one.is_forced, False] if one.options.get("control_after_generate") else [one.is_forced]
    if True not in is_dropped and len(values) == sum(widget.is_saved for widget in widgets):
        return values
    kept = [value for place, value in enumerate(values) if place >= len(widgets) or widgets[place].is_saved]
    for candidate in (kept, values):
        if len(candidate) == len(is_dropped):
            return [value for value, dropped in zip(candidate, is_dropped, strict=True) if not dropped]
    return values


def _merged_inputs(node: Node, declared: Sequence[Declared], saved: Mapping[str, Input]) -> Iterator[Input]:
    """Give the inputs of the class, sockets before widgets, and then what else the file has."""
    flat = list(_flattened(declared, node, saved))
    names = {widget.name for widget in node.widgets}
    sockets = [one for one in flat if one.name not in names]
    with_widget = [one for one in flat if one.name in names and one.has_socket]
    known: set[str] = set()
    for one in [*sockets, *with_widget]:
        if one.name in known:
            continue
        known.add(one.name)
        before = saved.get(one.name)
        yield Input(
            name=one.name,
            type=one.kind,
            link=before.link if before is not None else None,
            widget=one.name if one.name in names else None,
            label=before.label if before is not None else None,
        )
    # Inputs of choices that are not taken are gone, whatever is linked to them.
    gone = tuple(f"{one.name}." for one in flat if one.kind == DYNAMIC_COMBO)
    for name, one in saved.items():
        if name in known or (gone and name.startswith(gone)):
            continue
        if one.widget is None or one.widget in names:
            yield one


def _flattened(declared: Sequence[Declared], node: Node, saved: Mapping[str, Input]) -> Iterator[Declared]:
    left = deque(declared)
    made = 0
    while left and made < _MOST_WIDGETS:
        made += 1
        one = left.popleft()
        if is_growing(one):
            left.extendleft(reversed(list(grown_inputs(one, list(saved)))))
            continue
        yield one
        if one.kind == DYNAMIC_COMBO:
            chosen = node.widgets.get(one.name)
            left.extendleft(reversed(children_of(one, chosen.value if chosen is not None else None)))


def _output_types(entry: Mapping[str, Any], saved: Sequence[Any]) -> list[Any]:
    named = [COMBO if isinstance(one, list) else one for one in list_in(entry.get("output"))]
    named = ["*" if one == "COMFY_MATCHTYPE_V3" else one for one in named]
    return [*named, *saved[len(named) :]]


def _repaired(class_name: str, widget: Widget) -> Any:
    """Put right what the editor puts right in old files."""
    value = widget.value
    if value is None and widget.kind == COMBO:
        return next(iter(list_in(widget.options.get("options"))), value)
    if class_name in _SAMPLERS and widget.name == "sampler_name" and isinstance(value, str):
        return value.removeprefix(_OLD_SAMPLER)
    if widget.kind == "STRING" and widget.options.get("multiline") and not isinstance(value, str):
        return "" if value is None else _printed(value)
    return value


def _printed(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
