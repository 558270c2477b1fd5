"""Ball arithmetic: numbers with an error bound that is itself computed, by FLINT.

A sympy expression, a sum or an integral becomes a ball that is certain to contain its value.
"""

import random
from functools import reduce
from operator import add, mul

import sympy as sp
from flint import acb, arb, ctx

ctx.prec = 200  # bits, 60 digits
REACH = 16  # standard deviations; what lies beyond is bounded


def exactly(number):
    """Return a whole number or fraction as a ball."""
    number = sp.Rational(number)
    return arb(int(number.p)) / int(number.q)


def value(expression, at):
    """Evaluate a sympy expression.

    Args:
        expression: of sums, products, powers, exponentials and logarithms.
        at: symbol → ball.
    """
    expression = sp.sympify(expression)
    if expression in at:
        return at[expression]
    if expression.is_Rational:
        return exactly(expression)
    if expression is sp.pi:
        return arb.pi()
    parts = [value(part, at) for part in expression.args]
    if expression.is_Add:
        return reduce(add, parts)
    if expression.is_Mul:
        return reduce(mul, parts)
    if expression.is_Pow:
        if not expression.exp.is_Integer:
            return parts[0] ** parts[1]
        whole = reduce(mul, [parts[0]] * abs(int(expression.exp)), arb(1))  # also of balls around 0
        return whole if expression.exp.is_positive else 1 / whole
    return {sp.exp: arb.exp, sp.log: arb.log}[expression.func](*parts)


def normal_mean(f, size):
    """Enclose E[f(ε)] for ε ~ N(0, 1).

    Args:
        f: function of complex balls, analytic.
        size: C, with |f(ε)| ≤ C (1 + ε² + ε⁴) for all real ε.
    """

    def integrand(epsilon, _):
        return f(epsilon) * (-epsilon * epsilon / 2).exp() / (2 * acb.pi()).sqrt()

    inside = acb.integral(integrand, -REACH, REACH).real
    # ∫ ε⁴ φ(ε) dε beyond R is (R³ + 3R) φ(R) + 3 Φ(-R), below 2R³ φ(R); 1 and ε² are less.
    beyond = 3 * 2 * 2 * arb(REACH) ** 3 * (-(arb(REACH) ** 2) / 2).exp() * size
    return inside + arb(0, beyond.upper())


def points(name, count=12, **domains):
    """Draw points, always the same ones, and add the corners of the domain.

    Args:
        name: seeds the generator.
        count: of random points.
        domains: name of a variable → ``real``, ``positive`` or ``unit``, or a list of values.

    Returns:
        Dictionaries from name to Rational.
    """
    generator = random.Random(name)
    draw = {
        "real": lambda: sp.Rational(generator.randint(-3000, 3000), 1000),
        "positive": lambda: sp.Rational(generator.randint(50, 5000), 1000),
        "unit": lambda: sp.Rational(generator.randint(1, 999), 1000),
    }
    edges = {
        "real": [0, -8, 8],
        "positive": [sp.Rational(1, 50), 50],
        "unit": [sp.Rational(1, 10**9), 1 - sp.Rational(1, 10**9)],
    }

    def drawn(domain):
        return generator.choice(domain) if isinstance(domain, list) else draw[domain]()

    found = [{name: drawn(domain) for name, domain in domains.items()} for _ in range(count)]
    for name, domain in domains.items():  # one variable at its edge, the others anywhere
        for edge in edges[domain] if isinstance(domain, str) else domain:
            found.append({other: drawn(d) for other, d in domains.items()} | {name: edge})
    return found
