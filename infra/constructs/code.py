"""Code: what is deployed, made with pip on this host, without Docker.

Two assets: our own source (functions/ and rules/, nothing else of the repository) for all functions,
and their dependencies in one layer. Both carry byte code, without which a cold start takes twice as
long; it only fits the Python that wrote it, so it is written by the interpreter of the target's
version where this host has one, and left out, with a warning, where not. Byte code is checked neither
by date nor by hash when it is loaded: both assets are read-only.
"""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import jsii
from aws_cdk import Annotations, AssetHashType, BundlingOptions, IgnoreMode, ILocalBundling, RemovalPolicy
from aws_cdk.aws_lambda import Code, LayerVersion
from constructs import Construct

from infra.stages import Target

ROOT = Path(__file__).parents[2]
_LOCK = ROOT / "requirements" / "functions.txt"
_OURS = ("functions", "rules")
_LEFT_OUT = ("__pycache__", "*.pyc")


def source(target: Target) -> Code:
    """Return our own code and rules, the same asset for every function."""
    return Code.from_asset(
        str(ROOT),
        exclude=["/*", *(f"!/{folder}" for folder in _OURS), *_LEFT_OUT],
        ignore_mode=IgnoreMode.GIT,
        asset_hash_type=AssetHashType.SOURCE,
        bundling=BundlingOptions(image=target.runtime.bundling_image, local=OwnCode(target)),
    )


class Dependencies(LayerVersion):
    """The layer of requirements/functions.txt, built anew when that file or the target changes."""

    def __init__(self, scope: Construct, name: str, *, target: Target) -> None:
        key = sha256(_LOCK.read_bytes() + repr(_facts(target)).encode()).hexdigest()
        super().__init__(
            scope,
            name,
            description="What functions/ imports: requirements/functions.txt",
            compatible_runtimes=[target.runtime],
            compatible_architectures=[target.architecture],
            code=Code.from_asset(
                str(_LOCK.parent),
                exclude=["*", f"!{_LOCK.name}"],
                asset_hash=key,
                asset_hash_type=AssetHashType.CUSTOM,
                bundling=BundlingOptions(image=target.runtime.bundling_image, local=Wheels(target)),
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        if interpreter(target) is None:
            Annotations.of(self).add_warning_v2(
                "winback:no-byte-code",
                f"python{target.python} is not on this host: the functions deploy without byte code and "
                "start about twice as slowly when cold",
            )


def interpreter(target: Target) -> str | None:
    """Return the path of a Python of the target's version, None where this host has none."""
    if target.python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    return shutil.which(f"python{target.python}")


def _facts(target: Target) -> tuple[str, str, str, bool]:
    """Return what the layer depends on besides its lock file."""
    return target.python, target.architecture.name, target.wheels or "host", interpreter(target) is not None


def _compile(folder: Path, target: Target) -> None:
    python = interpreter(target)
    if python is not None:
        mode = ["--invalidation-mode", "unchecked-hash", "-q", "-j", "0"]
        subprocess.run([python, "-m", "compileall", *mode, str(folder)], check=True, cwd=folder)


@jsii.implements(ILocalBundling)
class OwnCode:
    def __init__(self, target: Target) -> None:
        self._target = target

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        for folder in _OURS:
            shutil.copytree(
                ROOT / folder, Path(output_dir, folder), ignore=shutil.ignore_patterns(*_LEFT_OUT)
            )
        _compile(Path(output_dir), self._target)
        return True


@jsii.implements(ILocalBundling)
class Wheels:
    def __init__(self, target: Target) -> None:
        self._target = target

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        folder = Path(output_dir, "python")
        subprocess.run([*self._pip(), "--target", str(folder)], check=True, stdout=sys.stderr)
        _compile(folder, self._target)
        return True

    def _pip(self) -> list[str]:
        command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        command += ["--no-compile", "--require-hashes", "--only-binary=:all:", "-r", str(_LOCK)]
        if self._target.wheels is not None:
            command += ["--platform", self._target.wheels, "--python-version", self._target.python]
            command += ["--implementation", "cp"]
        return command
