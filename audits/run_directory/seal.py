"""The seal of a run: `SHA256SUMS` holds the hash of every file, `run.json` included; a key may sign it.

Whoever reads a finished run checks the seal first, so that no number of an altered run is shown or judged. Without a
signature the seal shows accidents and careless edits; who rewrites the hashes too is found by the signature alone.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from audits.errors import Tampered
from audits.run_directory import header, results
from audits.run_directory.files import sha256_of
from audits.run_directory.header import Header
from workbench.errors import BadInput, Unsupported
from workbench.places import write_whole

SUMS, SIGNATURE, EVENTS = "SHA256SUMS", "SHA256SUMS.sig", "events.jsonl"
UNSEALED = (SUMS, SIGNATURE, EVENTS)
REQUIRED = (header.FILE, results.METRICS, f"{results.SAMPLES}/{results.PART}", results.FINDINGS, results.PROTOCOL)
NAMESPACE = "clip-workbench-run"  # of signatures: one made for another purpose is refused


def finish(folder: Path, head: Header) -> None:
    """Write the hashes and then the header of a finished run; a run that breaks off in between is unfinished.

    Raises:
        OutOfResources: the folder cannot be written.
    """
    content = header.to_bytes(head)
    digests = {name: sha256_of(folder / name) for name in sealed_names(folder) if name != header.FILE}
    digests[header.FILE] = hashlib.sha256(content).hexdigest()
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    write_whole(folder / SUMS, lines.encode())
    (folder / SIGNATURE).unlink(missing_ok=True)
    write_whole(folder / header.FILE, content)


def check(folder: Path) -> int:
    """Compare the files of a finished run with its hashes; return how many agree.

    Raises:
        Tampered: a file is missing, changed or added, or has no hash.
    """
    listed = _listed(folder)
    faults = []
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file():
            faults.append(f"{name} is missing")
        elif sha256_of(path) != digest:
            faults.append(f"{name} is not what was written")
    faults += [f"{name} has no hash" for name in REQUIRED if name not in listed]
    faults += [f"{name} was added" for name in sealed_names(folder) if name not in listed and name not in REQUIRED]
    if faults:
        raise Tampered(f"The run {folder.name!r} is not what was measured: {'; '.join(faults[:5])}.")
    return len(listed)


def read_checked(folder: Path) -> Header:
    """Return the header of a run, after the seal of a finished one was checked.

    Raises:
        BadInput: no run directory, or a header that cannot be read.
        Tampered: the run is finished and not what was written.
    """
    try:
        head = header.read(folder)
    except BadInput:
        if (folder / SUMS).is_file():
            check(folder)
        raise
    if head.status == "success":
        check(folder)
    return head


def sealed_names(folder: Path) -> list[str]:
    """Return the names of the files that the seal is about, sorted."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in names if name not in UNSEALED and not name.endswith(".part"))


def sign(folder: Path, key: Path) -> Path:
    """Sign a run with a private SSH key; return the signature file.

    Raises:
        Tampered: the run is not what was written.
        BadInput: no such key, or one that cannot sign.
        Unsupported: OpenSSH is not installed.
    """
    check(folder)
    if not key.is_file():
        raise BadInput(f"There is no key file {key.name!r}; `ssh-keygen -t ed25519 -f FILE` makes one.")
    (folder / SIGNATURE).unlink(missing_ok=True)
    done = _ssh_keygen("sign", "-f", str(key), "-n", NAMESPACE, str(folder / SUMS))
    if done.returncode or not (folder / SIGNATURE).is_file():
        raise BadInput(f"The key {key.name!r} cannot sign: {_last_line(done)}")
    return folder / SIGNATURE


def check_signature(folder: Path, public_key: Path) -> None:
    """Refuse a run that the owner of a key did not sign.

    Raises:
        Tampered: no signature, or one that is another key's or of other hashes.
        BadInput: no such public key.
        Unsupported: OpenSSH is not installed.
    """
    try:
        kind, words = public_key.read_text(encoding="utf-8").split()[:2]
    except (OSError, ValueError):
        raise BadInput(f"--signer takes a public SSH key such as id_ed25519.pub; got {public_key.name!r}.") from None
    if not (folder / SIGNATURE).is_file():
        raise Tampered(f"The run {folder.name!r} has no signature; `sign` makes one.")
    with tempfile.TemporaryDirectory(prefix="audits-signer-") as place:
        allowed = Path(place) / "allowed"
        allowed.write_text(f"signer {kind} {words}\n", encoding="utf-8")
        check_words = ("-f", str(allowed), "-I", "signer", "-n", NAMESPACE, "-s", str(folder / SIGNATURE))
        done = _ssh_keygen("verify", *check_words, stdin=(folder / SUMS).read_bytes())
    if done.returncode:
        raise Tampered(f"The run {folder.name!r} was not signed by {public_key.name!r}: {_last_line(done)}")


def _ssh_keygen(action: str, *words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Unsupported("Signatures need ssh-keygen, of OpenSSH 8.0 or later, which is not installed.")
    return subprocess.run([program, "-Y", action, *words], input=stdin, capture_output=True, timeout=60, check=False)


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    return f"{lines[-1][:200]}." if lines else "ssh-keygen refused."


def _listed(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Tampered(f"The run {folder.name!r} has no {SUMS} that can be read.") from None
    listed = {}
    for line in lines:
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or name.startswith("/") or ".." in name.split("/"):
            raise Tampered(f"{SUMS} of {folder.name!r} has a line that is no hash: {line[:80]!r}.")
        listed[name] = digest
    return listed
