//! Bundles our GraphiQL page (`graphiql/`) with npm and embeds it, and lists the example tabs.
//!
//! Writes two Rust tables into `OUT_DIR`: `graphiql_assets.rs` and `graphiql_examples.rs`, both read by
//! `src/http/graphiql`. npm runs only when the page's sources changed: its output is kept below
//! `<target>/graphiql/`, which debug, release and every other profile share.
//!
//! `MEGILANCE_GRAPHIQL` chooses what happens where the bundle cannot be made:
//! - unset: a warning, an empty table, and the server answers with a page that loads GraphiQL from a CDN;
//! - `require`: the build fails (CI and the Dockerfile);
//! - `skip`: as unset, but npm is not even tried.

use std::collections::hash_map::DefaultHasher;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MODE: &str = "MEGILANCE_GRAPHIQL";

/// What decides which packages are installed. A change here needs `npm ci`.
const PACKAGES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// What the bundle is made of beside the packages. A change here needs `vite build`.
const SOURCES: [&str; 4] = ["index.html", "vite.config.js", "public", "src"];

fn main() -> Result<()> {
    let page = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("graphiql");
    let out = PathBuf::from(variable("OUT_DIR")?);

    println!("cargo::rerun-if-env-changed={MODE}");
    println!("cargo::rerun-if-changed=build.rs");
    let examples = page.join("examples");
    let days = page.join("../../tests/days");
    let sources = PACKAGES.iter().chain(&SOURCES).map(|name| page.join(name));
    for path in sources.chain([examples.clone(), days.clone()]) {
        println!("cargo::rerun-if-changed={}", path.display());
    }

    let mode = variable(MODE).unwrap_or_default();
    let bundle = match mode.as_str() {
        "skip" => None,
        "" | "require" => match bundle(&page, &target_dir(&out)?) {
            Ok(folder) => Some(folder),
            Err(error) if mode == "require" => return Err(error),
            Err(error) => {
                println!(
                    "cargo::warning=GraphiQL is not embedded, its page will load from a CDN: {}. \
                     To try again: {MODE}=require cargo build",
                    error.to_string().replace('\n', " ")
                );
                None
            }
        },
        other => {
            return Err(format!("{MODE} is \"require\", \"skip\" or unset, not {other:?}").into());
        }
    };

    write_assets(bundle.as_deref(), &out)?;
    write_examples(&[(&examples, ""), (&days, "s-day")], &out)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what Cargo tells a build script; the binary's settings are another matter"
)]
fn variable(name: &str) -> Result<String> {
    Ok(env::var(name)?)
}

/// Makes the bundle, or finds it made; returns the folder that holds it, each file compressed as `<file>.gz`.
fn bundle(page: &Path, target: &Path) -> Result<PathBuf> {
    let cache = target.join("graphiql");
    fs::create_dir_all(&cache)?;

    let packages = files(page, &PACKAGES)?;
    let sources = files(page, &SOURCES)?;
    let workshop = cache.join(format!("packages-{:016x}", fingerprint(page, &packages)?));
    let all: Vec<_> = packages.iter().chain(&sources).cloned().collect();
    let done = cache.join(format!("bundle-{:016x}", fingerprint(page, &all)?));

    // Two cargo runs (debug and release, an editor's and ours) may come here at once. The system gives the lock back
    // when the process ends, however it ends.
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;
    if done.exists() {
        return Ok(done);
    }

    // Everything happens on a copy: nothing is ever written beside the sources.
    if workshop.join("installed").exists() {
        for name in SOURCES {
            remove(&workshop.join(name))?;
        }
    } else {
        remove(&workshop)?;
    }
    for file in &all {
        let copy = workshop.join(file);
        fs::create_dir_all(copy.parent().unwrap_or(&workshop))?;
        fs::copy(page.join(file), copy)?;
    }
    if !workshop.join("installed").exists() {
        // A NODE_ENV=production around us must not leave Vite out; without a network this has to fail soon.
        run(npm().args(["ci", "--include=dev", "--prefer-offline", "--fetch-retries=1"]), &workshop)?;
        File::create(workshop.join("installed"))?;
    }
    let draft = cache.join("draft");
    remove(&draft)?;
    let vite = ["exec", "--offline", "--", "vite", "build", "--emptyOutDir", "--logLevel=error", "--outDir"];
    run(npm().args(vite).arg(&draft), &workshop)?;
    fs::rename(draft, &done)?;
    Ok(done)
}

fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

fn run(command: &mut Command, folder: &Path) -> Result<()> {
    // Cargo's DEBUG means something else to Node packages.
    let output = match command.current_dir(folder).env_remove("DEBUG").output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err("npm was not found (Node.js 20.19 or newer brings it)".into());
        }
        Err(error) => return Err(error.into()),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<_> = said
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("npm warn"))
        .take(8)
        .collect();
    Err(format!("{command:?} failed ({}):\n{}", output.status, said.join("\n")).into())
}

/// All files below `root` at `names`, as relative paths in a fixed order.
fn files(root: &Path, names: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open: Vec<_> = names.iter().map(PathBuf::from).collect();
    while let Some(path) = open.pop() {
        if root.join(&path).is_dir() {
            for entry in fs::read_dir(root.join(&path))? {
                open.push(path.join(entry?.file_name()));
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Names a state of the files. Only ever compared with itself on one machine, so std's hasher is enough.
fn fingerprint(root: &Path, files: &[PathBuf]) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(root.join(file))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// The target folder, which all profiles share: the one above `OUT_DIR` that Cargo marked as its own.
fn target_dir(out: &Path) -> Result<PathBuf> {
    out.ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists() || folder.join(".rustc_info.json").exists())
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("no Cargo target folder above {}", out.display()).into())
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// One `Asset` a file. The bytes are copied beside the table: `target/graphiql` may be deleted at any time.
fn write_assets(bundle: Option<&Path>, out: &Path) -> Result<()> {
    let copies = out.join("graphiql");
    remove(&copies)?;
    fs::create_dir_all(&copies)?;

    let mut table = String::from("&[\n");
    let found = bundle.map(|folder| files(folder, &[""])).transpose()?.unwrap_or_default();
    for (number, file) in found.iter().enumerate() {
        let copy = copies.join(format!("{number}.gz"));
        fs::copy(bundle.unwrap_or(out).join(file), &copy)?;
        let path = file.with_extension("").to_string_lossy().replace('\\', "/");
        writeln!(
            table,
            "    Asset {{ path: {path:?}, content_type: {:?}, immutable: {}, gzip: include_bytes!({copy:?}) }},",
            content_type(&path)?,
            // Vite puts a hash of the content into the name of everything in this folder.
            path.starts_with("assets/"),
        )?;
    }
    table.push_str("]\n");
    Ok(fs::write(out.join("graphiql_assets.rs"), table)?)
}

fn content_type(path: &str) -> Result<&'static str> {
    Ok(match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        _ => {
            return Err(format!("the GraphiQL bundle holds {path}: which content type is that?").into());
        }
    })
}

/// One `Example` for each `TITLE.graphql` of the folders, in the order of their names; the folder's ending is added to each
/// title.
fn write_examples(folders: &[(&Path, &str)], out: &Path) -> Result<()> {
    let mut table = String::from("&[\n");
    for (folder, ending) in folders {
        for file in files(folder, &[""])? {
            let Some(title) = file.to_str().and_then(|file| file.strip_suffix(".graphql")) else {
                continue;
            };
            let variables = folder.join(format!("{title}.variables.json"));
            let variables =
                if variables.exists() { format!("Some(include_str!({variables:?}))") } else { "None".into() };
            writeln!(
                table,
                "    Example {{ name: {:?}, document: include_str!({:?}), variables: {variables} }},",
                format!("{title}{ending}"),
                folder.join(&file)
            )?;
        }
    }
    table.push_str("]\n");
    Ok(fs::write(out.join("graphiql_examples.rs"), table)?)
}
