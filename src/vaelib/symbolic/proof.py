"""What a proof is here: a difference whose normal form is 0, or an error.

The normal form is that of a rational function. Its variables are the symbols, and the exponentials
and logarithms that remain when sums in exponents, and products of positive factors in logarithms,
have been taken apart. Each step is an identity wherever both sides are defined: no assumption is
made that the symbols do not carry, and a quotient or logarithm that may be undefined is refused.
"""

from dataclasses import dataclass

import sympy as sp
from sympy import Expr, log
from sympy.core.function import AppliedUndef

# What the normal form understands; anything else is refused.
KNOWN = (
    *(sp.Symbol, sp.Number, sp.NumberSymbol, sp.Add, sp.Mul, sp.Pow),
    *(sp.exp, log, sp.sin, sp.cos, AppliedUndef, sp.Derivative, sp.Tuple),
)
UNDEFINED = (sp.nan, sp.oo, -sp.oo, sp.zoo)


class NotProved(ArithmeticError):
    """A step of a derivation does not hold."""


@dataclass(frozen=True)
class Statement:
    """Something proved, as it is printed: left side (LaTeX), relation, right side, condition.

    ``order`` is sympy's order of the terms in print; its usual one if None.
    """

    left: str
    right: Expr | str
    relation: str = "="
    order: str | None = None
    condition: str = ""

    @property
    def latex(self) -> str:
        """The statement in LaTeX, without dollar signs."""
        right = self.right
        if not isinstance(right, str):
            right = sp.latex(right, order=self.order)
        condition = rf" \qquad ({self.condition})" if self.condition else ""
        return f"{self.left} {self.relation} {right}{condition}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


def require_zero(difference: Expr, claim: str, domain: dict[sp.Symbol, Expr] | None = None) -> None:
    """Raise NotProved unless an expression is defined and 0 on the whole domain of its symbols.

    Args:
        difference: left side minus right side; its symbols carry their assumptions.
        claim: what is being proved, for the message.
        domain: for a symbol whose domain no assumption describes, an expression that takes every
            value in it, such as o/(1 + o) with o > 0 for (0, 1).
    """
    difference = sp.sympify(difference).subs(domain or {}, simultaneous=True)
    require_defined(difference, claim)
    rest = normal_form(difference)
    if rest != 0:
        raise NotProved(f"{claim}: left and right differ by {rest}")


def normal_form(expression: Expr) -> Expr:
    """Write an expression as a quotient of polynomials in symbols, exponentials and logarithms."""
    apart = expression.replace(
        log, lambda argument: sp.expand_log(log(_factors(argument)), factor=True)
    )
    return sp.cancel(sp.together(sp.expand(apart)))


def require_defined(expression: Expr, claim: str) -> None:
    """Raise NotProved unless an expression has a real value wherever its symbols may be.

    No denominator may be 0, and logarithms and roots are taken of positive numbers only. Numbers
    are exact: a decimal number has been rounded before it gets here.
    """
    for part in sp.preorder_traversal(expression):
        known = isinstance(part, KNOWN) and not isinstance(part, sp.Float)
        if part in UNDEFINED or not known:
            raise NotProved(f"{claim}: the checker does not know {part}")
        if isinstance(part, log) and not is_positive(part.args[0]):
            raise NotProved(f"{claim}: {part.args[0]} in a logarithm is not seen to be positive")
        if isinstance(part, sp.Pow):
            base, power = part.args
            fine = power.is_integer and (power.is_nonnegative or _factors(base).is_nonzero)
            if not (fine or is_positive(base)):
                raise NotProved(f"{claim}: {part} may be undefined")


def require_positive(expression: Expr, claim: str) -> None:
    """Raise NotProved unless an expression is positive by the assumptions on its symbols."""
    require_defined(expression, claim)
    if not is_positive(expression):
        raise NotProved(f"{claim}: {expression} is not seen to be positive")


def is_positive(expression: Expr) -> bool:
    """Tell whether an expression is seen to be positive by the assumptions on its symbols."""
    return bool(expression.is_positive or _factors(expression).is_positive)


def _factors(expression: Expr) -> Expr:
    return sp.factor(sp.together(expression))
