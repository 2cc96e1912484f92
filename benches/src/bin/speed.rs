//! Times of contexts, messages and small calls; with `--peer`, beside other GSS-API libraries in alternation.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use benches::measure::{self, Times, keep};
use benches::{Failure, Replays, World};
use orthros::{Enctype, Flags, Name};

const USAGE: &str =
    "speed [--json] [--rounds N] [--enctype NAME]... [--peers PROGRAM] [--peer LABEL=LIBRARY]...

  --json                print one JSON object instead of a table
  --rounds N            measure N times, keep the best (default 3)
  --enctype NAME        measure this encryption type only (may be repeated; default: all four)
  --peers PROGRAM       the program made from benches/peers.c
  --peer LABEL=LIBRARY  measure this GSS-API library too, in turns with Orthros (may be repeated)";

/// Message sizes, in octets.
const SIZES: &[usize] = &[64, 1 << 10, 16 << 10, 1 << 20];
/// How many contexts are under way at once where the two ends are timed apart.
const BATCH: u32 = 64;

struct Options {
    json: bool,
    rounds: u32,
    enctypes: Vec<Enctype>,
    program: Option<String>,
    peers: Vec<(String, String)>,
}

fn options() -> Result<Options, Failure> {
    let mut options =
        Options { json: false, rounds: 3, enctypes: Vec::new(), program: None, peers: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(USAGE);
        match word.as_str() {
            "--json" => options.json = true,
            "--rounds" => options.rounds = value()?.parse()?,
            "--enctype" => options.enctypes.push(value()?.parse()?),
            "--peers" => options.program = Some(value()?),
            "--peer" => {
                let peer = value()?;
                let (label, library) = peer.split_once('=').ok_or(USAGE)?;
                options.peers.push((label.to_owned(), library.to_owned()));
            }
            _ => return Err(USAGE.into()),
        }
    }
    if options.enctypes.is_empty() {
        options.enctypes = vec![
            Enctype::Aes256CtsHmacSha1,
            Enctype::Aes256CtsHmacSha384,
            Enctype::Aes128CtsHmacSha1,
            Enctype::Aes128CtsHmacSha256,
        ];
    }
    Ok(options)
}

fn main() -> Result<(), Failure> {
    let options = options()?;
    let mut report = serde_json::Map::new();
    for enctype in &options.enctypes {
        let columns = compare(&options, *enctype)?;
        if options.json {
            report.insert(enctype.to_string(), serde_json::to_value(columns)?);
        } else {
            print_table(&enctype.to_string(), &columns);
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}

/// A label and its times; ours come first.
type Columns = Vec<(String, Times)>;

fn compare(options: &Options, enctype: Enctype) -> Result<Columns, Failure> {
    let mut columns: Columns = vec![("orthros".to_owned(), Times::new())];
    columns.extend(options.peers.iter().map(|(label, _)| (label.clone(), Times::new())));
    for _ in 0..options.rounds {
        let world = World::new(enctype, Replays::Memory)?;
        for (index, (_, times)) in columns.iter_mut().enumerate() {
            match index.checked_sub(1).and_then(|peer| options.peers.get(peer)) {
                None => ours(&world, times)?,
                Some((_, library)) => {
                    let program = options.program.as_deref().ok_or("--peer needs --peers PROGRAM")?;
                    theirs(program, library, world.folder(), times)?;
                }
            }
        }
    }
    Ok(columns)
}

fn ours(world: &World, times: &mut Times) -> Result<(), Failure> {
    contexts(world, times)?;
    messages(world, times)?;
    transfer(world, times)?;
    let orthros = &world.orthros;
    keep(times, "acquire initiator", measure::per_call(BATCH, || Ok(orthros.default_credential()?))?);
    let keytab = orthros.default_keytab();
    let by_name = || Ok(orthros.acceptor_from(keytab, Some(&world.target))?);
    keep(times, "acquire acceptor by name", measure::per_call(BATCH, by_name)?);
    let import = || Ok(Name::parse_hostbased("host@www.bench.test")?);
    keep(times, "import name", measure::per_call(BATCH, import)?);
    Ok(())
}

fn contexts(world: &World, times: &mut Times) -> Result<(), Failure> {
    let acceptor = world.orthros.acceptor()?;
    keep(times, "context", measure::per_call(BATCH, || world.pair(&acceptor))?);
    let started = || (0..BATCH).map(|_| world.initiate()).collect::<Result<Vec<_>, _>>();
    let nanoseconds = measure::per_prepared(BATCH, started, |started| {
        for (token, _) in &started {
            black_box(world.accept(&acceptor, token)?);
        }
        Ok(())
    })?;
    keep(times, "context, acceptor", nanoseconds);
    Ok(())
}

fn messages(world: &World, times: &mut Times) -> Result<(), Failure> {
    let (sender, receiver) = world.pair(&world.orthros.acceptor()?)?;
    for &size in SIZES {
        let message = vec![0x5a; size];
        let count = u32::try_from((256 << 10) / size)?.clamp(1, BATCH);
        let wrap = || Ok(sender.wrap(&message)?);
        keep(times, &format!("wrap {size}"), measure::per_call(count, wrap)?);
        let tokens = || (0..count).map(|_| wrap()).collect::<Result<Vec<_>, Failure>>();
        let nanoseconds = measure::per_prepared(count, tokens, |tokens| {
            for token in &tokens {
                let _ = black_box(receiver.unwrap(token)?);
            }
            Ok(())
        })?;
        keep(times, &format!("unwrap {size}"), nanoseconds);
    }
    for size in [64, 16 << 10] {
        let message = vec![0x5a; size];
        let mic = || Ok(sender.mic(&message)?);
        keep(times, &format!("mic {size}"), measure::per_call(BATCH, mic)?);
        let tokens = || (0..BATCH).map(|_| mic()).collect::<Result<Vec<_>, Failure>>();
        let nanoseconds = measure::per_prepared(BATCH, tokens, |tokens| {
            for token in &tokens {
                black_box(receiver.verify_mic(&message, token)?);
            }
            Ok(())
        })?;
        keep(times, &format!("verify mic {size}"), nanoseconds);
    }
    Ok(())
}

fn transfer(world: &World, times: &mut Times) -> Result<(), Failure> {
    let acceptor = world.orthros.acceptor()?;
    let contexts = || {
        let contexts = (0..BATCH).map(|_| Ok(world.pair(&acceptor)?.1));
        contexts.collect::<Result<Vec<_>, Failure>>()
    };
    if !contexts()?.iter().all(|context| context.flags().contains(Flags::TRANSFERABLE)) {
        return Err("contexts can't be exported".into());
    }
    let export = |context| world.orthros.export(context).map_err(|kept| Failure::from(kept.error));
    let nanoseconds = measure::per_prepared(BATCH, contexts, |contexts| {
        for context in contexts {
            black_box(export(context)?);
        }
        Ok(())
    })?;
    keep(times, "export", nanoseconds);
    let tokens = || contexts()?.into_iter().map(export).collect::<Result<Vec<_>, _>>();
    if let Some(token) = tokens()?.first() {
        keep(times, "exported token (octets)", f64::from(u32::try_from(token.len())?));
    }
    let nanoseconds = measure::per_prepared(BATCH, tokens, |tokens| {
        for token in &tokens {
            black_box(world.orthros.import(token)?);
        }
        Ok(())
    })?;
    keep(times, "import", nanoseconds);
    Ok(())
}

/// Runs the C program on a library; it prints `case<TAB>nanoseconds` lines.
fn theirs(program: &str, library: &str, folder: &Path, times: &mut Times) -> Result<(), Failure> {
    let keytab = format!("FILE:{}", folder.join("keytab").display());
    let output = Command::new(program)
        .args([library, "host@www.bench.test"])
        .env("KRB5_CONFIG", folder.join("krb5.conf"))
        .env("KRB5CCNAME", format!("FILE:{}", folder.join("ccache").display()))
        .env("KRB5_KTNAME", keytab)
        .env("KRB5RCACHENAME", "none:")
        .env("GSS_MECH_CONFIG", "/dev/null")
        .output()?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} {library}: {}: {errors}", output.status).into());
    }
    for line in String::from_utf8(output.stdout)?.lines() {
        let (case, time) = line.split_once('\t').ok_or_else(|| format!("{program} printed {line:?}"))?;
        keep(times, case, time.parse()?);
    }
    Ok(())
}

fn print_table(title: &str, columns: &Columns) {
    print!("\n{title:<28}");
    columns.iter().for_each(|(label, _)| print!("{label:>14}"));
    columns.iter().skip(1).for_each(|(label, _)| print!("{:>14}", format!("{label} / ours")));
    println!();
    let Some((_, ours)) = columns.first() else { return };
    for (case, our_time) in ours {
        let unit = if case.ends_with("(octets)") { "" } else { " (ns)" };
        print!("{:<28}", format!("{case}{unit}"));
        for (_, times) in columns {
            print!("{:>14}", times.get(case).map(|time| format!("{time:.0}")).unwrap_or_default());
        }
        for (_, times) in columns.iter().skip(1) {
            let ratio = times.get(case).map(|time| format!("{:.2}x", time / our_time));
            print!("{:>14}", ratio.unwrap_or_default());
        }
        println!();
    }
    if let Some(time) = ours.get("context") {
        println!("{:<28}{:>14.0}", "mutual contexts per second", 1e9 / time);
    }
}
