"""Who may read what: each object by its name."""

from sluice_operator.render.access import access


def by_name(kind: str, accounts: tuple[str, ...] = ("app", "sluice-gateway", "app")) -> dict[str, dict[str, object]]:
    found = access("shop", ["sluice-endpoints", "sluice-config"], "sluice-gateway", accounts)
    return {entry["metadata"]["name"]: dict(entry) for entry in found if entry["kind"] == kind}


def test_every_rule_names_its_objects_and_only_reads() -> None:
    rules = {name: role["rules"] for name, role in by_name("Role").items()}
    read = ["get", "list", "watch"]
    maps = ["sluice-config", "sluice-endpoints"]
    assert rules == {
        "sluice-config-reader": [
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": maps, "verbs": read}
        ],
        "sluice-credentials": [
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["sluice-credentials"], "verbs": read}
        ],
    }


def test_credentials_are_the_shared_gateways_alone() -> None:
    bindings = by_name("RoleBinding")
    subjects = {
        name: [subject["name"] for subject in binding["subjects"]]  # type: ignore[attr-defined]
        for name, binding in bindings.items()
    }
    assert subjects == {"sluice-config-reader": ["app", "sluice-gateway"], "sluice-credentials": ["sluice-gateway"]}


def test_no_names_are_no_rule_rather_than_a_rule_for_all() -> None:
    role = next(entry for entry in access("shop", [], "sluice-gateway", []) if entry["kind"] == "Role")
    assert role["rules"] == []


def test_the_order_of_what_is_given_does_not_matter() -> None:
    one = access("shop", ["b", "a"], "g", ["y", "x"])
    assert one == access("shop", ["a", "b", "a"], "g", ["x", "y", "g"])
