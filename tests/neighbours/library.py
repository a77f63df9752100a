"""What is documented.

.. codediff::
   :title: module, module B

   x = 1
   ---
   x = 2
   module = 1 / 0
"""


class Model:
    """A model.

    Args:
        name: Its name.

            .. codediff::
               :title: argument, argument B

               x = 1
               ---
               x = 2
               argument = 1 / 0

    Examples:
        This one:

        .. codediff::
           :title: example, example B

           x = 1
           ---
           x = 2
           example = 1 / 0
    """

    def __init__(self, name: str = "") -> None:
        self.name = name

    def train(self) -> None:
        """Train it."""


def make(name: str = "") -> Model:
    """Make a model.

    .. codediff::
       :title: twice, twice B

       x = 1
       ---
       x = 2
       twice = 1 / 0
    """
    return Model(name)
