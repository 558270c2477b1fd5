"""What a proof is here: a difference that simplifies to exactly 0, or an error."""

from dataclasses import dataclass

import sympy as sp
from sympy import Expr


class NotProved(ArithmeticError):
    """A step of a derivation does not hold."""


@dataclass(frozen=True)
class Statement:
    """Something proved, as it is printed: left side (LaTeX), relation, right side.

    ``order`` is sympy's order of the terms in print; its usual one if None.
    """

    left: str
    right: Expr | str
    relation: str = "="
    order: str | None = None

    @property
    def latex(self) -> str:
        """The statement in LaTeX, without dollar signs."""
        right = self.right
        if not isinstance(right, str):
            right = sp.latex(right, order=self.order)
        return f"{self.left} {self.relation} {right}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


def require_zero(difference: Expr, claim: str) -> None:
    """Raise NotProved unless an expression simplifies to exactly 0.

    Args:
        difference: left side minus right side; its symbols carry their assumptions.
        claim: what is being proved, for the message.
    """
    rest = sp.simplify(sp.expand_log(sp.expand(difference), force=True))
    if rest != 0:
        raise NotProved(f"{claim}: left and right differ by {rest}")


def require_positive(expression: Expr, claim: str) -> None:
    """Raise NotProved unless an expression is positive by the assumptions on its symbols."""
    if not sp.factor(sp.expand(expression)).is_positive:
        raise NotProved(f"{claim}: {expression} is not seen to be positive")


def require_only_solution(
    equations: list[Expr], unknowns: list[sp.Symbol], solution: list[Expr], claim: str
) -> None:
    """Raise NotProved unless equations (each = 0) have exactly one solution, the given one."""
    found = sp.solve(equations, unknowns, dict=True)
    if len(found) != 1:
        raise NotProved(f"{claim}: {len(found)} solutions, not one")
    for unknown, value in zip(unknowns, solution, strict=True):
        require_zero(found[0].get(unknown, unknown) - value, f"{claim}: {unknown}")
