from doubles.walkthrough import Command, commands, missing

PAGE = """
```console
$ not run
```

```sh
echo one
echo two
```
```text
o...
two
```
"""


def test_only_shell_blocks_are_commands_and_each_takes_the_text_under_it() -> None:
    assert commands(PAGE) == [Command("echo one\necho two\n", ("o...", "two"))]


def test_a_line_that_does_not_come_out_is_named() -> None:
    command = commands(PAGE)[0]
    assert missing(command, "zero\none\ntwo\n") is None
    assert missing(command, "two\none\n") == "two"
    assert missing(command, "") == "o..."
