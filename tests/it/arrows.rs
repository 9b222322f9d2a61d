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

#[test]
fn crates_depend_on_each_other_as_drawn() {
    let workspace = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes the workspace");

    let mut drawn = BTreeSet::new();
    for package in workspace.packages.iter().filter(|package| package.name.as_str() != "tests") {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let arrow = format!("{} -> {}", package.name, dependency.name);
            // The image is built without the sandbox: nothing but the feature `dev` may bring it in.
            let needed = dependency.name == "sandbox" && !dependency.optional;
            assert!(!needed, "{arrow} has to be optional");
            assert_eq!(
                dependency.kind,
                DependencyKind::Normal,
                "{arrow}: shared test code belongs in `tests`"
            );
            drawn.insert(arrow);
        }
    }
    let allowed: BTreeSet<_> = ARROWS.iter().map(|(from, to)| format!("{from} -> {to}")).collect();
    assert_eq!(drawn, allowed, "another arrow needs an ADR, and a line here and in docs/ARCHITECTURE.md");
}
