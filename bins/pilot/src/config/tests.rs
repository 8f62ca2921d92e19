//! What `node.toml` may say, and what it is told when it says something else.

use super::*;

fn answers() -> Answers {
    Answers {
        name: "a".to_owned(),
        chain_id: "cosmoshub-4".parse().unwrap(),
        node_home: "/home/gaia/.gaia".into(),
        command: vec!["gaiad".to_owned(), "start".to_owned()],
        rpc: "http://127.0.0.1:26657".to_owned(),
        signer: Some(SignerAnswers {
            key: KeyAnswer::File("validator_key.json".into()),
            laddr: "unix:///home/gaia/.beam/run/privval.sock".to_owned(),
            takeover_after: Duration::from_millis(300),
            rank: 1,
            register: RegisterAnswer::Sqlite("/var/lib/beam/register.db".into()),
        }),
        p2p: P2p::default(),
        agent_listen: None,
    }
}

fn table() -> DynamoDb {
    DynamoDb {
        table: "beam".to_owned(),
        region: "eu-central-1".to_owned(),
        table_id: Some("12".to_owned()),
        endpoint: Some("http://127.0.0.1:8000".to_owned()),
    }
}

fn on_a_table() -> Answers {
    let register = RegisterAnswer::DynamoDb(table());
    Answers { signer: answers().signer.map(|signer| SignerAnswers { register, ..signer }), ..answers() }
}

fn in_a_bucket() -> Answers {
    let register = RegisterAnswer::S3(bucket());
    Answers { signer: answers().signer.map(|signer| SignerAnswers { register, ..signer }), ..answers() }
}

fn bucket() -> S3 {
    S3 {
        bucket: "beam-bucket".to_owned(),
        region: "eu-central-1".to_owned(),
        prefix: Some("prod/".to_owned()),
        owner: "123456789012".to_owned(),
        endpoint: Some("http://127.0.0.1:8000".to_owned()),
    }
}

fn kms() -> Kms {
    Kms {
        key: "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".to_owned(),
        region: "eu-central-1".to_owned(),
        public_key: PinnedKey(beam_core::signing_key::PublicKey([7; 32])),
        endpoint: Some("http://127.0.0.1:4566".to_owned()),
    }
}

fn with_kms() -> Answers {
    let key = KeyAnswer::Kms(kms());
    Answers { signer: answers().signer.map(|signer| SignerAnswers { key, ..signer }), ..answers() }
}

fn sentry() -> Answers {
    Answers { signer: None, ..answers() }
}

fn load(text: &str) -> Result<Config> {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(FILE_NAME), text).unwrap();
    Config::load(home.path())
}

#[test]
fn what_init_writes_is_read_back() {
    let config = load(&render(&answers())).unwrap();
    assert_eq!(config.name, "a");
    assert_eq!(config.node.command, ["gaiad", "start"]);
    assert_eq!(config.signer().unwrap().takeover_after, Duration::from_millis(300));
    assert_eq!(config.key().unwrap(), KeyAt::File(&config.home.join("validator_key.json")));
}

#[test]
fn quotes_and_backslashes_in_answers_do_not_break_the_file() {
    let odd = Answers { node_home: "/odd \"home\"\\x".into(), ..answers() };
    assert_eq!(load(&render(&odd)).unwrap().node.home, PathBuf::from("/odd \"home\"\\x"));
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let text = render(&answers()).replace("rank =", "rnak =");
    let error = format!("{:#}", load(&text).unwrap_err());
    assert!(error.contains("rnak") && error.contains("line"), "{error}");
}

#[test]
fn logs_that_would_be_of_no_use_are_refused() {
    let text = render(&answers()).replace("[logs]\n", "") + "[logs]\nrotate_mib = 0\nrotate_after = \"1s\"\n";
    let error = format!("{:#}", load(&text).unwrap_err());
    assert!(error.contains("logs.rotate_mib") && error.contains("logs.rotate_after"), "{error}");
    let text = render(&answers()).replace("[logs]\n", "") + "[logs]\nrotate_mib = 64\ntotal_mib = 100\n";
    assert!(format!("{:#}", load(&text).unwrap_err()).contains("twice logs.rotate_mib"));
}

#[test]
fn all_wrong_values_are_told_at_once() {
    let text = render(&Answers { name: "a b".to_owned(), command: vec![], ..answers() });
    let text = text.replace("rank = 1", "rank = 0");
    let error = format!("{:#}", load(&text).unwrap_err());
    assert!(["name", "rank", "command"].iter().all(|key| error.contains(key)), "{error}");
}
fn with_agent(agent: &str) -> Result<Config> {
    load(&render(&answers()).replace("[agent]", &format!("[agent]\n{agent}")))
}

#[test]
fn an_agent_for_the_whole_world_has_to_be_wished_for() {
    for public in ["0.0.0.0:9393", "[::]:9393", "8.8.8.8:9393"] {
        let error = format!("{:#}", with_agent(&format!("listen = {public:?}")).unwrap_err());
        assert!(error.contains("agent.listen") && error.contains("allow_public"), "{error}");
        with_agent(&format!("listen = {public:?}\nallow_public = true")).unwrap();
        with_agent(&format!("listen = {public:?}\nenabled = false")).unwrap();
    }
    assert_eq!(with_agent("listen = \"10.0.0.1:9000\"").unwrap().agent.listen.port(), 9000);
    assert!(with_agent("").unwrap().agent.listen.ip().is_loopback(), "private unless told otherwise");
}

#[test]
fn a_metrics_file_is_not_written_without_a_pause() {
    for wrong in ["metrics_every = \"0s\"", "metrics_every = \"2h\"", "listen = \"127.0.0.1:0\""] {
        assert!(with_agent(wrong).is_err(), "{wrong}");
    }
}

/// Whether a file has a key, given with its tables.
fn has(table: &toml::Table, path: &str) -> bool {
    match path.split_once('.') {
        None => table.contains_key(path),
        Some((first, rest)) => {
            table.get(first).and_then(toml::Value::as_table).is_some_and(|table| has(table, rest))
        }
    }
}

#[test]
fn every_key_that_is_valid_stands_in_the_file_and_means_its_default() {
    for answers in [answers(), on_a_table(), in_a_bucket(), with_kms(), sentry()] {
        let text = render(&answers);
        let all = template::with_defaults_taken_in(&text);
        // Of the three kinds of register two are examples, and of the two of key one.
        let kinds = ["# sqlite = ", "# dynamodb = ", "# s3 = ", "# key = ", "# kms = "];
        let examples = text.lines().filter(|line| kinds.iter().any(|kind| line.starts_with(kind)));
        let valid =
            examples.fold(all.clone(), |all, example| all.replace(&format!("{}\n", &example[2..]), ""));
        let table: toml::Table = all.parse().unwrap();
        let not_for_it = |path: &str| path.starts_with("signer.") || path.starts_with("register.");
        let paths = Keys::of::<Config>().paths().into_iter();
        let missing: Vec<_> = paths
            .filter(|path| !has(&table, path) && (answers.signer.is_some() || !not_for_it(path)))
            .collect();
        assert!(missing.is_empty(), "not in the template: {missing:?}");
        // The peers' lines are examples; the rest are the defaults.
        for config in [load(&text).unwrap(), load(&valid).unwrap()] {
            assert_eq!(config.health, HealthSection::default());
            assert_eq!(config.logs, LogsSection::default());
            assert_eq!(config.agent, AgentSection::default());
            assert_eq!(config.node.stop_grace, Duration::from_secs(30));
        }
    }
}

#[test]
fn a_register_is_a_file_or_a_table_or_a_bucket_and_not_two_of_them() {
    let on_a_table = render(&on_a_table());
    let config = load(&on_a_table).unwrap();
    assert_eq!(config.register().unwrap(), RegisterAt::DynamoDb(&table()));
    let file = load(&render(&answers())).unwrap();
    assert_eq!(file.register().unwrap(), RegisterAt::Sqlite(Path::new("/var/lib/beam/register.db")));
    let bucket_too = render(&in_a_bucket());
    assert_eq!(load(&bucket_too).unwrap().register().unwrap(), RegisterAt::S3(&bucket()));
    let both = on_a_table.replace("# sqlite = ", "sqlite = ");
    let none = on_a_table.replace("dynamodb = ", "# dynamodb = ");
    let two = bucket_too.replace("# dynamodb = ", "dynamodb = ");
    for text in [both, none, two] {
        let mistakes = read(&text).unwrap_err();
        let line = text.lines().position(|line| line == "[register]").unwrap() + 1;
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(mistakes[0].line, Some(line), "{mistakes:?}");
        assert!(mistakes[0].text.contains("exactly one"), "{mistakes:?}");
    }
}

#[test]
fn a_key_is_in_a_file_or_in_kms_and_not_in_both() {
    let in_kms = render(&with_kms());
    assert_eq!(load(&in_kms).unwrap().key().unwrap(), KeyAt::Kms(&kms()));
    let both = in_kms.replace("# key = ", "key = ");
    let none = in_kms.replace("kms = ", "# kms = ");
    for text in [both, none] {
        let mistakes = read(&text).unwrap_err();
        let line = text.lines().position(|line| line == "[signer]").unwrap() + 1;
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(mistakes[0].line, Some(line), "{mistakes:?}");
        assert!(mistakes[0].text.contains("exactly one of key"), "{mistakes:?}");
    }
}

#[test]
fn a_key_that_cannot_be_one_is_told_with_its_line() {
    for (right, wrong, said) in [
        ("key/1234abcd-", "key/", "arn:aws:kms:REGION:ACCOUNT:key/ID"),
        ("region = \"eu-central-1\"", "region = \"us-east-1\"", "the key is in region eu-central-1"),
        ("http://127.0.0.1:4566", "http://10.0.0.1:4566", "https://"),
        ("BwcHBwcH", "BwcHBw", "is no public key: 32 bytes in base64"),
        ("public_key = ", "publik_key = ", "\"signer.kms.publik_key\" is no key"),
    ] {
        let text = render(&with_kms()).replace(right, wrong);
        let mistakes = read(&text).unwrap_err();
        let line = text.lines().position(|line| line.starts_with("kms = ")).unwrap() + 1;
        assert_eq!(mistakes[0].line, Some(line), "{mistakes:?}");
        assert!(mistakes[0].text.contains(said), "{mistakes:?}");
    }
}

#[test]
fn a_table_that_cannot_be_one_is_told_with_its_line() {
    for (right, wrong, said) in [
        ("\"beam\"", "\"b\"", "table \"b\""),
        ("eu-central-1", "Frankfurt", "region \"Frankfurt\""),
        ("http://127.0.0.1:8000", "http://10.0.0.1:8000", "https://"),
        ("table_id", "tableid", "\"register.dynamodb.tableid\" is no key"),
    ] {
        let text = render(&on_a_table()).replace(right, wrong);
        let mistakes = read(&text).unwrap_err();
        let line = text.lines().position(|line| line.starts_with("dynamodb = ")).unwrap() + 1;
        assert_eq!(mistakes[0].line, Some(line), "{mistakes:?}");
        assert!(mistakes[0].text.contains(said), "{mistakes:?}");
    }
}

#[test]
fn a_bucket_that_cannot_be_one_is_told_with_its_line() {
    for (right, wrong, said) in [
        ("\"beam-bucket\"", "\"beam-abc-s3alias\"", "an access point's alias"),
        ("eu-central-1", "Frankfurt", "region \"Frankfurt\""),
        ("\"prod/\"", "\"prod\"", "prefix \"prod\""),
        ("\"123456789012\"", "\"me\"", "owner \"me\""),
        ("owner", "ownr", "\"register.s3.ownr\" is no key"),
    ] {
        let text = render(&in_a_bucket());
        let at = text.lines().position(|line| line.starts_with("s3 = ")).unwrap();
        let text: String = text.lines().enumerate().fold(String::new(), |all, (index, line)| {
            all + &if index == at { line.replace(right, wrong) } else { line.to_owned() } + "\n"
        });
        let mistakes = read(&text).unwrap_err();
        assert_eq!(mistakes[0].line, Some(at + 1), "{mistakes:?}");
        assert!(mistakes[0].text.contains(said), "{mistakes:?}");
    }
    let short = S3 { prefix: None, ..bucket() };
    assert_eq!(short.place().prefix, "beam/");
    assert_eq!(RegisterAt::S3(&short).to_string(), "s3:beam-bucket/beam@eu-central-1");
}

#[test]
fn a_sentrys_file_has_no_signer_and_no_register() {
    let config = load(&render(&sentry())).unwrap();
    assert_eq!(config.role, Role::Sentry);
    assert!(config.signer().is_err() && config.register().is_err());
    let both = format!("{}\n[signer]\nkey = \"k\"\nladdr = \"tcp://127.0.0.1:1\"\n", render(&sentry()));
    let error = format!("{:#}", load(&both).unwrap_err());
    assert!(error.contains("a sentry signs nothing"), "{error}");
}

#[test]
fn mistakes_of_every_kind_are_told_together_with_their_lines() {
    let text = render(&answers())
        .replace("rank = 1", "rnak = 1")
        .replace("takeover_after = \"300ms\"", "takeover_after = \"soon\"")
        .replace("# rotate_mib = 64", "rotate_mib = \"much\"")
        .replace("# total_mib = 2048", "total_mib = -1")
        .replace("[health]", "[health]\nladdr = 1\n[helth]\nx = 1");
    let mistakes = read(&text).unwrap_err();
    let said: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    let lines = |what: &str| text.lines().position(|line| line.contains(what)).unwrap() + 1;
    for (what, at) in [
        ("\"signer.rnak\" is no key; did you mean \"signer.rank\"?", "rnak"),
        ("\"soon\" is no duration", "soon"),
        ("invalid type: string", "much"),
        ("invalid value: integer `-1`", "total_mib"),
        ("\"health.laddr\" is no key; did you mean \"signer.laddr\"?", "laddr = 1"),
        ("\"helth\" is no key; did you mean \"health\"?", "[helth]"),
    ] {
        let found =
            said.iter().any(|said| said.contains(what) && said.starts_with(&format!("line {}:", lines(at))));
        assert!(found, "{what} at line {}: {said:#?}", lines(at));
    }
    assert_eq!(said.len(), 6, "{said:#?}");
}

#[test]
fn a_value_that_is_out_of_range_is_told_with_its_line() {
    let text = render(&answers()).replace("rank = 1", "rank = 0");
    let mistakes = read(&text).unwrap_err();
    let line = text.lines().position(|line| line == "rank = 0").unwrap() + 1;
    assert_eq!(mistakes[0].line, Some(line), "{mistakes:?}");
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_lines() {
    let mistakes = read("name = \n[node\nhome = 1\n").unwrap_err();
    assert!(mistakes.iter().all(|mistake| mistake.line.is_some()), "{mistakes:?}");
    assert!(mistakes.len() > 1, "{mistakes:?}");
}
