# Shown in the manual of the directive.
# The greeting
class Greeting:
    def __init__(self, name):
        self.name = name

    def text(self):
        return f"Hello, {self.name}!"


assert Greeting("Ada").text() == "Hello, Ada!"
