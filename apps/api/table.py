"""The table of endpoints: what each is called, takes and answers, all of it read from the functions' annotations."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import TypeAdapter, ValidationError

from apps.api import attacking, auditing, classifying, finding, making, measuring, opening
from apps.api.asking import FILE, uploaded
from workbench.errors import BadInput, unknown_name

_LIST = TypeAdapter(list[Any])
FILE_SCHEMA = {
    "title": "FileData",
    "type": "object",
    "properties": {"path": {"type": "string"}, "meta": {"type": "object", "default": {"_type": "gradio.FileData"}}},
}


@dataclass(frozen=True)
class Parameter:
    """One argument of an endpoint."""

    name: str
    kind: Any  # its type
    text: str  # what it is
    file: bool  # an upload, or a list of uploads
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is inspect.Parameter.empty

    @functools.cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.kind)

    def schema(self) -> dict[str, Any]:
        """JSON Schema, as gradio's clients read it."""
        from gradio_client.utils import python_type_to_json_schema

        several = get_origin(self.kind) is list
        if self.file:
            made: dict[str, Any] = {"type": "array", "items": FILE_SCHEMA} if several else FILE_SCHEMA
        elif get_origin(self.kind) is dict or is_typeddict(self.kind):
            made = {"type": "object", "additionalProperties": {}}
        else:
            made = python_type_to_json_schema(self.kind)
        return {**made, "additional_description": self.text}

    def checked(self, value: Any) -> Any:
        """Return a value of the parameter's type; of nothing, the default.

        Raises:
            BadInput: a value of another type, or none where one is needed.
        """
        nothing = value is None or (self.file and not value)
        if nothing and not self.required:
            return self.default
        try:
            if self.file and not nothing:
                several = get_origin(self.kind) is list
                return [uploaded(one) for one in _LIST.validate_python(value)] if several else uploaded(value)
            return self._adapter.validate_python(value)
        except ValidationError:
            raise BadInput(f"The parameter {self.name!r} takes: {self.text}; got {str(value)[:80]!r}.") from None


@dataclass(frozen=True)
class Endpoint:
    """One row."""

    function: Callable[..., Any]  # takes `asking.Ask`, and parameters with `Annotated` types
    view: str  # title of the part of the page that asks the same

    @property
    def name(self) -> str:
        """What it is called."""
        return self.function.__name__

    @property
    def text(self) -> str:
        """What it does, in one sentence."""
        return inspect.getdoc(self.function) or ""

    @property
    def long(self) -> bool:
        """Whether it reports progress."""
        return inspect.isgeneratorfunction(self.function)

    @functools.cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @property
    def answer(self) -> str:
        """What its answer holds."""
        return str(get_args(self._hints["return"])[1])

    @functools.cached_property
    def parameters(self) -> dict[str, Parameter]:
        """By name, in order."""
        made = {}
        for one in list(inspect.signature(self.function).parameters.values())[1:]:
            kind, text, *marks = get_args(self._hints[one.name])
            made[one.name] = Parameter(one.name, kind, text, FILE in marks, one.default)
        return made

    def positional(self, named: Mapping[str, Any]) -> list[Any]:
        """Return named arguments in the order of the parameters.

        Raises:
            UnknownName: an argument that the endpoint does not take.
            BadInput: one that is missing.
        """
        for name in named:
            if name not in self.parameters:
                raise unknown_name(f"argument of {self.name}", name, self.parameters)
        for one in self.parameters.values():
            if one.required and named.get(one.name) is None:
                raise BadInput(f"{self.name} needs {one.name!r}: {one.text}.")
        return [named.get(name) for name in self.parameters]


_VIEWS: dict[str, tuple[Callable[..., Any], ...]] = {
    "Model menu": (classifying.models,),
    "One image": (classifying.classify,),
    "Many images": (classifying.classify_many,),
    "Images × texts": (classifying.match,),
    "Compare": (classifying.compare,),
    "Where it looks": (classifying.explain,),
    "Search images": (finding.index_add, finding.search),
    "Find moments": (finding.moments,),
    "Map": (finding.map_images,),
    "Neurons": (opening.find_neurons, opening.neuron, opening.contributions, opening.without),
    "Write on it": (attacking.attack, attacking.find_attack, attacking.transfer, attacking.defend),
    "Generate": (making.generate,),
    "Evaluate": (measuring.evaluate, measuring.probe, measuring.label_errors, measuring.few_shots),
    "Audits": (
        auditing.audits,
        auditing.audit_run,
        auditing.audit_report,
        auditing.audit_compare,
        auditing.audit_gate,
        auditing.audit_verify,
    ),
}
ENDPOINTS = {one.__name__: Endpoint(one, view) for view, functions in _VIEWS.items() for one in functions}


def in_order(name: str, named: Mapping[str, Any]) -> list[Any] | None:
    """Return named arguments of an endpoint in the order of its parameters; None where there is no such endpoint.

    Raises:
        UnknownName: an argument that it does not take.
        BadInput: one that is missing.
    """
    return ENDPOINTS[name].positional(named) if name in ENDPOINTS else None
