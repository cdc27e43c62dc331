"""One wrong thing in what came in, while the path to it is still being found."""

from __future__ import annotations

from chassis.errors import Violation


class Wrong(Exception):
    """Raised deep inside with no path; each level on the way up adds its own step with `below`."""

    def __init__(self, english: str, chinese: str, path: str = "") -> None:
        super().__init__(english)
        self.english = english
        self.chinese = chinese
        self.path = path

    def below(self, step: str) -> Wrong:
        self.path = step + self.path
        return self

    def violation(self) -> Violation:
        return Violation(self.path.removeprefix("."), self.english, self.chinese)
