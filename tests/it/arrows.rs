//! The arrows between our crates are those of docs/ARCHITECTURE.md, and no others.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Who may name whom. `tests` may name everybody.
const ARROWS: [(&str, &str); 6] = [
    ("domain", "entities"),
    ("jobs", "domain"),
    ("megilance", "domain"),
    ("megilance", "jobs"),
    ("megilance", "migration"),
    ("megilance", "sandbox"),
];

/// Who may name whom in its own tests alone: the migrated database that the unit tests of `domain` write to.
const IN_TESTS: [(&str, &str); 1] = [("domain", "migration")];

#[test]
fn crates_depend_on_each_other_as_drawn() {
    let workspace = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes the workspace");

    let (mut drawn, mut drawn_in_tests) = (BTreeSet::new(), BTreeSet::new());
    for package in workspace.packages.iter().filter(|package| package.name.as_str() != "tests") {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let arrow = format!("{} -> {}", package.name, dependency.name);
            // The image is built without the sandbox: nothing but the feature `dev` may bring it in.
            let needed = dependency.name == "sandbox" && !dependency.optional;
            assert!(!needed, "{arrow} has to be optional");
            match dependency.kind {
                DependencyKind::Normal => drawn.insert(arrow),
                DependencyKind::Development => drawn_in_tests.insert(arrow),
                kind => panic!("{arrow} is a dependency of kind {kind:?}"),
            };
        }
    }
    let named = |arrows: &[(&str, &str)]| -> BTreeSet<_> {
        arrows.iter().map(|(from, to)| format!("{from} -> {to}")).collect()
    };
    assert_eq!(
        drawn,
        named(&ARROWS),
        "another arrow needs an ADR, and a line here and in docs/ARCHITECTURE.md"
    );
    assert_eq!(drawn_in_tests, named(&IN_TESTS), "shared test code belongs in `tests`");
}
