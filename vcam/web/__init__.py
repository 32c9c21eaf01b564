"""The local web page: what is sent, in which state the program is, and its buttons."""
