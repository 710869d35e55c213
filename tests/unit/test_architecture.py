# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that keep the collection's parts apart, checked on the syntax tree of every file under ``plugins/``."""

from __future__ import annotations

import ast
import graphlib
import importlib
import pathlib
import subprocess
import sys

import pytest
import yaml

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
UTILS = "ansible_collections.proxkit.tasks.plugins.module_utils."

# Which packages of module_utils a package may import: arrows point down, and the two wings do not know each other.
ARROWS: dict[str, set[str]] = {
    "_model": set(),
    "_engine": {"_model"},
    "_client": {"_model"},
    "_module": {"_model", "_engine", "_client"},
}
# What may be imported beside the standard library, which is all that the other files need.
OUTSIDE = {"_client.https": {"proxmoxer", "requests", "urllib3"}}
# What documents a module or a plugin.
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def tree_of(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_of(path: pathlib.Path) -> set[str]:
    """Every module that a file imports anywhere, in functions and under TYPE_CHECKING too."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: imports inside the project are absolute"
            found.add(str(node.module))
    return found


def imported_first(tree: ast.Module) -> set[str]:
    """What is imported as soon as a file is."""
    return {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}


def utils_in(imports: set[str]) -> set[str]:
    return {name[len(UTILS) :] for name in imports if name.startswith(UTILS)}


def outside_in(imports: set[str]) -> set[str]:
    return {name.split(".")[0] for name in imports if not name.startswith(UTILS)} - sys.stdlib_module_names


def names_called(tree: ast.AST) -> set[str]:
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls}


def names_assigned(tree: ast.Module) -> set[str]:
    """The names that a file gives to its variables."""
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def files(kind: str) -> list[pathlib.Path]:
    return sorted((PLUGINS / kind).glob("*.py"))


def by_name(path: pathlib.Path) -> str:
    return path.stem


def dotted(path: pathlib.Path) -> str:
    return f"{path.parent.name}.{path.stem}"


SKINS = files("filter") + files("test")
UTIL_FILES = sorted(path for path in (PLUGINS / "module_utils").rglob("*.py") if path.name != "__init__.py")


def test_what_the_tests_import_is_this_tree() -> None:
    imported = importlib.import_module(f"{UTILS}_model.upid")
    assert pathlib.Path(str(imported.__file__)).resolve() == PLUGINS / "module_utils" / "_model" / "upid.py"


def test_every_file_of_module_utils_has_its_package() -> None:
    assert {path.parent.name for path in UTIL_FILES} == set(ARROWS)
    assert all(not path.read_text(encoding="utf-8") for path in (PLUGINS / "module_utils").rglob("__init__.py"))


@pytest.mark.parametrize("path", UTIL_FILES, ids=dotted)
def test_imports_point_one_way(path: pathlib.Path) -> None:
    package = path.parent.name
    imports = imports_of(path)
    assert {name.partition(".")[0] for name in utils_in(imports)} <= {package, *ARROWS[package]}
    allowed = {"ansible"} if package == "_module" else OUTSIDE.get(dotted(path), set())
    assert outside_in(imports) <= allowed


@pytest.mark.parametrize("package", ARROWS)
def test_no_circles_in_a_package(package: str) -> None:
    graph = {
        dotted(path): {name for name in utils_in(imports_of(path)) if name.startswith(f"{package}.")}
        for path in UTIL_FILES
        if path.parent.name == package
    }
    # Raises where there is one.
    assert set(graphlib.TopologicalSorter(graph).static_order()) == set(graph)


@pytest.mark.parametrize("path", UTIL_FILES, ids=dotted)
def test_module_utils_know_no_module_and_never_exit(path: pathlib.Path) -> None:
    tree = tree_of(path)
    parameters = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not parameters & {"module", "ansible_module"}
    assert "AnsibleModule" not in names
    if dotted(path) != "_module.masked":  # which is Ansible's own class, a little changed
        assert not names_called(tree) & {"exit_json", "fail_json", "exit", "_exit"}
    assert "rivate to the collection" in (ast.get_docstring(tree) or "")


@pytest.mark.parametrize("path", files("modules"), ids=by_name)
def test_modules_are_glue(path: pathlib.Path) -> None:
    tree = tree_of(path)
    assert [node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))] == ["main"]
    assert len([node for node in ast.walk(tree) if isinstance(node, ast.Try)]) == 1
    assert names_called(tree) >= {"exit_json", "fail_json"}
    assert names_assigned(tree) == DOCUMENTATION
    own = f"_module.{path.stem.rpartition('_')[2]}"
    imports = imports_of(path)
    assert utils_in(imports) == {"_model.errors", "_module.masked", "_module.python", own}
    assert outside_in(imports) == set()


def test_modules_differ_in_documentation_and_what_they_run() -> None:
    trees = [tree_of(path) for path in files("modules")]
    mains = {ast.dump(node) for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert len(mains) == 1


@pytest.mark.parametrize("path", files("modules"), ids=by_name)
def test_modules_start_without_libraries(path: pathlib.Path) -> None:
    """Their import takes 0.2 s, and bad input needs none: what imports them at its head is imported late itself."""
    seen: set[str] = set()
    ahead = utils_in(imported_first(tree_of(path)))
    while ahead - seen:
        name = (ahead - seen).pop()
        seen.add(name)
        ahead |= utils_in(imported_first(tree_of(PLUGINS / "module_utils" / f"{name.replace('.', '/')}.py")))
    assert not seen & OUTSIDE.keys()


@pytest.mark.parametrize("path", files("action"), ids=by_name)
def test_actions_are_the_other_way_to_run_a_module(path: pathlib.Path) -> None:
    own = f"_module.{path.stem.rpartition('_')[2]}"
    allowed = {
        "_client.https",
        "_model.clock",
        "_model.errors",
        "_module.credentials",
        "_module.plain",
        "_module.show",
        own,
    }
    imports = imports_of(path)
    assert own in utils_in(imports)
    assert utils_in(imports) <= allowed
    assert outside_in(imports) == {"ansible"}


def test_filters_and_tests_import_no_library() -> None:
    """Templates are everywhere, and the import of requests takes 0.2 s."""
    plugins = [f"{UTILS.partition('module_utils')[0]}{path.parent.name}.{path.stem}" for path in SKINS]
    # The clone's conftest.py makes it importable, as it does here.
    command = [sys.executable, "-c", f"import sys, conftest, {', '.join(plugins)}; print(*sys.modules)"]
    done = subprocess.run(command, cwd=PLUGINS.parent, capture_output=True, text=True, check=True)  # noqa: S603 - as it says
    loaded = set(done.stdout.split())
    assert set(plugins) <= loaded
    assert not loaded & {"proxmoxer", "requests", "urllib3"}


@pytest.mark.parametrize("path", SKINS, ids=by_name)
def test_filters_and_tests_are_skins_over_pure_files(path: pathlib.Path) -> None:
    imports = imports_of(path)
    assert {name.partition(".")[0] for name in utils_in(imports)} <= {"_model"}
    assert outside_in(imports) <= {"ansible", "jinja2"}


def test_the_action_group_has_every_module() -> None:
    runtime = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"] == {"proxmox": [path.stem for path in files("modules")]}


@pytest.mark.parametrize("path", files("modules"), ids=by_name)
def test_every_module_is_documented(path: pathlib.Path) -> None:
    assert names_assigned(tree_of(path)) >= DOCUMENTATION


@pytest.mark.parametrize(("kind", "maker"), [("filter", "FilterModule"), ("test", "TestModule")])
def test_every_filter_and_test_is_documented(kind: str, maker: str) -> None:
    paths = files(kind)
    assert paths
    for path in paths:
        plugin = importlib.import_module(f"ansible_collections.proxkit.tasks.plugins.{kind}.{path.stem}")
        for name in getattr(getattr(plugin, maker)(), f"{kind}s")():
            sidecar = path.with_name(f"{name}.yml")
            inside = names_assigned(tree_of(path)) if path.stem == name else set()
            outside = set(yaml.safe_load(sidecar.read_text(encoding="utf-8"))) if sidecar.is_file() else set()
            assert inside | outside >= DOCUMENTATION, name
