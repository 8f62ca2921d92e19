//! As few inputs as cover as much as all that there are, written to `corpus/`.

use std::process::Command;
use std::{fs, io};

use anyhow::{Result, ensure};
use beam_fuzz::{Target, inputs};

use super::places::Places;

/// How much of them is kept in the tree, as text. The shortest come first, so the longest go; real ones are kept as seeds.
const CORPUS_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn minimise(places: &Places, target: &Target) -> Result<()> {
    let merged = places.empty("merged", target)?;
    let scratch = places.scratch.path().join(target.name);
    fs::create_dir_all(&scratch)?;
    let output = Command::new(places.program(target))
        .args(["-set_cover_merge=1", "-rss_limit_mb=4096"])
        .arg(format!("-max_len={}", target.len_max))
        .args([&merged, &places.seeds(target)?, &places.grown(target)?])
        .env("TMPDIR", &scratch)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |entry: io::Result<fs::DirEntry>| fs::read(entry?.path());
    let all = fs::read_dir(merged)?.map(read).collect::<io::Result<Vec<_>>>()?;
    let text = inputs::text(all);
    let mut kept = 0;
    let fits = |line: &&str| {
        kept += line.len();
        kept <= CORPUS_BYTES_MAX
    };
    let text: String = text.split_inclusive('\n').take_while(fits).collect();
    println!("{:<15} {:>5} inputs, {:>6} bytes", target.name, text.lines().count(), text.len());
    fs::write(inputs::file(inputs::CORPUS, target.name), text)?;
    Ok(())
}
