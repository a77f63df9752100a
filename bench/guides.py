"""Pages as authors publish them: no two with the same imports, network and sizes.

The numbers are those of the published guides for which the speed limits were set: 16 pages, 35
programs and 21 different lists of imports.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

IMPORTS = (
    "import jax\nimport jax.numpy as jnp\nfrom flax import linen as nn",
    "from flax import linen as nn\nimport jax\nimport jax.numpy as jnp",
    "import jax\nimport jax.numpy as jnp\nimport optax\nfrom flax import linen as nn",
    "import functools\nimport jax\nfrom jax import numpy as jnp\nimport flax.linen as nn",
    "import numpy as np\nimport jax, jax.numpy as jnp\nimport flax.linen as nn\nimport optax",
    "from typing import Any\nimport jax\nimport jax.numpy as jnp\nimport flax\n"
    "import flax.linen as nn",
    "import jax.numpy as jnp\nimport jax\nfrom flax import linen as nn\n"
    "from flax.training import train_state\nimport optax",
    "import dataclasses\nimport jax\nimport jax.numpy as jnp\nfrom jax import random\n"
    "from flax import linen as nn",
)
MATH, TRAVERSE = "import math\n", "from flax import traverse_util\n"
DROPOUT = "x = nn.Dropout(0.5, deterministic=not training)(x)"
NETWORKS = (
    """
x = nn.relu(nn.Dense({width})(x))
{dropout}
return nn.Dense(3)(x)
""",
    """
x = nn.Conv({width} // 8, (3, 3))(x[:, :, None, None])
x = nn.avg_pool(nn.relu(x), (2, 1), (2, 1))
{dropout}
return nn.Dense(3)(x.reshape(x.shape[0], -1))
""",
    """
x = nn.LayerNorm()(nn.Dense({width})(x[:, None]))
x = x + nn.SelfAttention(num_heads=2)(x)
{dropout}
return nn.Dense(3)(x.mean(1))
""",
)
PROGRAM = """
{imports}


class Network(nn.Module):
    @nn.compact
    def __call__(self, x, training=False):
{body}

x = jnp.ones((4, {width}))
network = Network()
variables = network.init(jax.random.key({page}), x)


@jax.jit
def step(variables, key):
    def loss(variables):
        y = network.apply(variables, x, {arguments}rngs={{"dropout": key}})
        return (y**2).mean()

    value, gradients = jax.value_and_grad(loss)(variables)
    return jax.tree.map(lambda p, g: p - 1e-4 * g, variables, gradients), value


for number in range({page} + 5):
    variables, value = step(variables, jax.random.fold_in(jax.random.key(1), number))
"""
PAGE = """
:orphan:

Page {page}
==========

.. codediff::
   :title: No Dropout, With Dropout

{left}
   ---
{right}
"""
ALONE = """
.. testcode:: Alone

{imports}
   print(jnp.arange({width}).sum() > 0)

.. testoutput:: Alone

   True
"""


def write_guides(folder: Path, *, pages: int) -> Path:
    """Write a site of pages with two programs each, on some also a third; return its folder."""
    docs = folder / "docs"
    docs.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (docs / "conf.py").write_text("extensions = ['codediff']\n")
    (docs / "index.rst").write_text("Bench\n=====\n")
    for page in range(pages):
        imports = (MATH if page // len(IMPORTS) % 2 else "") + IMPORTS[page % len(IMPORTS)]
        values = {"page": page, "width": 32 + 8 * page}
        sides = []
        more = TRAVERSE if page % 3 == 1 else ""
        for dropout, arguments, first in (("", "", ""), (DROPOUT, "training=True, ", more)):
            body = NETWORKS[page % len(NETWORKS)].format(dropout=dropout, **values)
            body = textwrap.indent("\n".join(filter(None, body.split("\n"))), " " * 8)
            code = PROGRAM.format(body=body, arguments=arguments, imports=first + imports, **values)
            sides.append(textwrap.indent(code.strip(), "   "))
        text = PAGE.format(left=sides[0], right=sides[1], **values)
        if page % 6 == 0:
            text += ALONE.format(imports=textwrap.indent(imports, "   "), **values)
        (docs / f"page{page}.rst").write_text(text.lstrip())
    return folder
