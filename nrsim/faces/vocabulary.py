"""The names that rows of faces may use, nrsim's and your own, and what stands behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nrsim.errors import need, unknown
from nrsim.faces import expressions as of_expressions
from nrsim.faces import identities as of_identities
from nrsim.faces.domains import DOMAINS, domain_named
from nrsim.faces.expressions import BASIC, MACAQUE
from nrsim.faces.head import Head, template
from nrsim.faces.identities import AVERAGE, named_identities
from nrsim.faces.spec import Between


@dataclass(frozen=True)
class Vocabulary:
    """The names that rows may use beside nrsim's own."""

    heads: Mapping[str, Head]
    identities: Mapping[str, Mapping[str, float]]
    expressions: Mapping[str, Mapping[str, float]]

    @classmethod
    def checked(
        cls,
        heads: Mapping[str, Head] | None,
        identities: Mapping[str, Mapping[str, float]] | None,
        expressions: Mapping[str, Mapping[str, float]] | None,
    ) -> Vocabulary:
        """Return the names after a look at what stands behind them.

        Raises
        ------
        TypeError, ValueError
            If heads are no heads or take a name of nrsim's, or identities or expressions are no weights.
        """
        if heads is not None and not isinstance(heads, Mapping):
            raise need("heads: name → Head", repr(heads), kind=TypeError)
        for name, head in (heads or {}).items():
            if not isinstance(head, Head):
                raise need(f"heads: a Head for {name!r}", type(head).__name__, "nr.load_head reads one", kind=TypeError)
            if not isinstance(name, str) or not name:
                raise need("heads: name → Head", f"the name {name!r}", kind=TypeError)
            if name in DOMAINS:
                raise need("another name for a head of your own", f"{name!r}, which is nrsim's")
        return cls(dict(heads or {}), of_identities.checked(identities), of_expressions.checked(expressions))

    def head(self, domain: Between) -> Head:
        """Return the head a domain is made of."""
        return domain_named(domain.first, self.heads).head or template()

    def kind(self, name: str, head: Head) -> str:
        """Return what a morph's end is: ``"domain"``, ``"identity"`` or ``"expression"``.

        Raises
        ------
        ValueError
            For a name that is none of these; the nearest is named.
        """
        if name in DOMAINS or name in self.heads:
            return "domain"
        if name in self.identities or name in self._identities_of(head):
            return "identity"
        expressions = {*self.expressions, *head.expressions, *BASIC, *MACAQUE, *head.units, *head.whole_units()}
        if name in expressions:
            return "expression"
        known = {*DOMAINS, *self.heads, *self.identities, *self._identities_of(head), *expressions}
        raise unknown("end of a morph", name, known)

    def _identities_of(self, head: Head) -> Mapping[str, Any]:
        """Return the identities that a head itself has by name."""
        return {**head.identities, **named_identities()} if head is template() else head.identities

    def weights_of_identity(self, name: str, head: Head) -> Mapping[str, float]:
        """Return an identity's weights.

        Raises
        ------
        ValueError
            For an unknown one; the nearest is named.
        """
        if name == AVERAGE:
            return {}
        if name in self.identities:
            return self.identities[name]
        if head is template() and name in named_identities():
            return named_identities()[name]
        if name in head.identities:
            return {name: 1.0}
        named = named_identities() if head is template() else head.identities
        raise unknown("identity", name, {AVERAGE, *self.identities, *named})
