"""The newer way."""

import pathlib


class Greeter:
    def greet(self, name):
        return f"Hello, {name}"  #!


# begin
def main():
    print(pathlib.Path("/"))


# end
