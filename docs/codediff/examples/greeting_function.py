# Shown in the manual of the directive.
# The greeting
def greeting(name):
    return f"Hello, {name}!"


assert greeting("Ada") == "Hello, Ada!"
