"""Programs that crash, hang, flood or talk nonsense: one line each, and nothing of them stays alive."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from pathlib import Path

import pytest

from membench.errors import MembenchError
from membench.programs import pipe, program
from membench.programs.program import Program

HELLO = r'print "{\"name\":\"n\",\"version\":\"1\",\"kind\":\"text\"}\n"'
OK = r'print "{}\n"'


def perl(code: str) -> list[str]:
    return ["perl", "-e", f"$| = 1; {code}"]


def loop(body: str) -> str:
    """Says hello, and this at any other request."""
    return f"<STDIN>; {HELLO}; while (<STDIN>) {{ {body} }}"


HELLOS = {
    r'<STDIN>; print "Loading ...\n"; sleep 9': "answered to hello: an answer that is no JSON: 'Loading ...'",
    r'print STDERR "a\n\nno index: n.db\n\n"; exit 3': "asked to hello; last it said: no index: n.db",
    r"exit 7 if fork; sleep 99": "ended with status 7 when it was asked to hello",  # a child holds its pipes open
    "kill 9, $$": "was killed by SIGKILL when it was asked to hello",
    "sleep 99": "did not answer within 0.5 s when it was asked to hello (setting timeout)",
    "close STDOUT; sleep 99": "closed its standard input or output when it was asked to hello",
    '<STDIN>; print "x" x 100000 while 1': "answered with a line of more than 1 MiB when it was asked to hello",
    f"<STDIN>; {HELLO[:-3]}{{}}\\n\"": "answered to hello: an answer that is no JSON",
    r'<STDIN>; print "{\"name\":\"n\"}\n{}\n"; sleep 9': "said more than it should before it was asked again (hello)",
    r'<STDIN>; print "[1]\n"': "an answer that is no JSON object: '[1]'",
    r'<STDIN>; print "\xff\xfe\n"': "an answer that is no UTF-8 text",
    r'<STDIN>; print "[" x 100000, "\n"': "an answer that is no JSON",
    r'<STDIN>; print "{\"name\":\"n\",\"kind\":\"text\"}\n"': "an answer whose version is wrong: field required",
    r'<STDIN>; print "{\"name\":\"n\",\"version\":2,\"kind\":\"text\"}\n"': "an answer whose version is wrong: input",
    r'<STDIN>; print "{\"name\":\"n\",\"version\":\"2\",\"kind\":\"magic\"}\n"': "an answer whose kind is wrong: input",
    r'<STDIN>; print "{\"error\":\"no key:\\n set MY_KEY\"}\n"': "answered to hello: no key: set MY_KEY",
}  # fmt: skip


@pytest.mark.parametrize("code", HELLOS)
def test_a_program_that_says_no_hello_is_one_line(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "LINE_BYTES", 1 << 20)
    started = time.monotonic()
    with pytest.raises(MembenchError) as raised:
        Program(perl(code), 0, 0.5 if "99" in code and "exit" not in code else 20)
    assert HELLOS[code] in str(raised.value)
    assert str(raised.value).startswith(("program 'perl -e ", 'program "perl -e '))
    assert len(str(raised.value).splitlines()) == 1
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("argv", [["/nowhere/my_memory"], ["/"], ["no-such-memory"]])
def test_a_program_that_cannot_be_started_is_one_line(argv: list[str]) -> None:
    with pytest.raises(MembenchError, match=f"program '{argv[0]}' cannot be started: .*: check its command$"):
        Program(argv, 0, 9)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("close STDIN; sleep 99", "when it was asked to write"),
        ('die "out of memory\\n"', "ended with status 255 when it was asked to write; last it said: out of memory"),
        ("sleep 99", "did not answer within 0.5 s"),
        ('print "{}\\n"; sleep 99', "asked to save"),
        (f'{OK}; symlink("/etc/passwd", "$1/texts") if /"folder": "(.*)"/', "it saved 'texts', which is no plain file"),
    ],
)
def test_a_program_that_fails_later_is_one_line_and_is_gone(body: str, reason: str) -> None:
    program = Program(perl(loop(body)), 0, 0.5)
    with pytest.raises(MembenchError, match=r"^program [^\n]*$") as raised:
        program.write(None, ["A text." * 100_000])
    assert reason in str(raised.value)
    assert program.dead
    program.close()


def test_what_a_program_says_of_itself_never_stops_it() -> None:
    program = Program(perl(loop(f'print STDERR "noise\\n" x 200_000; {OK}')), 0, 20)
    assert program.recall(None, ["Who?"]).texts is None
    program.close()


def test_a_program_that_speaks_unasked_is_one_line() -> None:
    program = Program(perl(loop(f'{OK}; select(undef, undef, undef, 0.05); print "tick\\n"')), 0, 9)
    program.recall(None, ["Who?"])
    time.sleep(0.3)
    with pytest.raises(MembenchError, match=r"said 'tick\\n' before it was asked to recall: its standard output is"):
        program.recall(None, ["Who?"])


@pytest.mark.parametrize("body", ["sleep 99", OK])
def test_the_children_of_a_program_end_with_it(body: str, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = f'if (!(my $p = fork)) {{ sleep 99; exit }} else {{ open(F, ">", "{note}"); print F $p; close F }}'
    program = Program(perl(f"{child} {loop(body)}"), 0, 0.5)
    with contextlib.suppress(MembenchError):
        program.recall(None, ["Who?"])
    program.close()
    assert program.dead
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and alive(int(note.read_text())):
        time.sleep(0.02)
    assert not alive(int(note.read_text()))


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie that nobody has waited for."""
    try:
        os.kill(pid, 0)
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    argv = shlex.split(f"perl -e 'print STDERR \"@ARGV\"; exit 1' '; touch {tmp_path}/x' $HOME *")
    with pytest.raises(MembenchError, match=r"last it said: ; touch \S+ \$HOME \*"):
        Program(argv, 0, 9)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("slowly", [0.3, 99])
def test_a_closed_program_has_time_to_end(slowly: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "CLOSING", 1.0)
    ended = tmp_path / "ended"
    said = 'print STDERR "noise" x 100_000'
    found = Program(
        perl(f"{loop(OK)}; {said}; select undef, undef, undef, {slowly}; open my $f, '>', '{ended}'"), 0, 20
    )
    started = time.monotonic()
    found.close()
    assert found.dead
    assert ended.exists() == (slowly < 1)
    assert time.monotonic() - started < 3


def test_an_interrupt_while_a_program_ends_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Program(perl(loop(OK) + "; sleep 99"), 0, 20)
    pid = found._pipe._process.pid

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(found._pipe._process, "poll", interrupted)
    monkeypatch.setattr(found, "_ask", lambda what, kind: None)
    with pytest.raises(KeyboardInterrupt):
        found.close()
    assert found.dead
    assert not alive(pid)
