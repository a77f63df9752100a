"""The older way."""

import os


class Greeter:
    def greet(self):
        return "Hello"


# begin
def main():
    print(os.sep)


# end
