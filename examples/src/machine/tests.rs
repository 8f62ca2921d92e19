//! A machine under a pilot made of shell: what each blow hits, and what it leaves standing.

use super::*;

const SOON: Duration = Duration::from_secs(5);

struct Bench {
    machine: Machine,
    _dir: tempfile::TempDir,
}

async fn machine() -> Bench {
    let bench = uninitialised("a", Role::Validator);
    bench.machine.init().await.unwrap();
    bench.machine.init_watermark().await.unwrap();
    bench
}

fn uninitialised(name: &str, role: Role) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let node_home = dir.path().join(name);
    fs::create_dir(&node_home).unwrap();
    let machine = Machine {
        beam: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-beam.sh"),
        home: dir.path().join(format!("beam-{name}")),
        node: Node::for_tests(name, role, &node_home),
        chain_id: "test".to_owned(),
        key: dir.path().join("validator_key.json"),
        register: Register::of(&RegisterPlan::Sqlite, dir.path(), None),
        register_wire: None,
        plan: MachinePlan::default(),
        pilots: Vec::new(),
        disk: None,
    };
    Bench { machine, _dir: dir }
}

async fn node_runs(machine: &Machine) -> i32 {
    wait::until("the node", SOON, || std::future::ready(Ok(machine.node_pid()))).await.unwrap()
}

async fn node_is_gone(machine: &Machine) {
    wait::until("the node to be gone", SOON, || {
        std::future::ready(Ok(machine.node_pid().is_none().then_some(())))
    })
    .await
    .unwrap();
}

fn state(pid: i32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.trim_start().chars().next().unwrap()
}

#[tokio::test]
async fn init_tells_beam_everything() {
    let bench = machine().await;
    let told = fs::read_to_string(bench.machine.home.join("init")).unwrap();
    for flag in
        ["--name a", "--chain-id test", "--takeover-after 300ms", "--rpc http://127.0.0.1:", "--node-command"]
    {
        assert!(told.contains(flag), "{flag} is missing in {told}");
    }
    assert!(!told.contains("--role"), "{told}");
    assert!(fs::read_to_string(bench.machine.home.join("watermark")).unwrap().contains("--height 0"));
}

#[tokio::test]
async fn a_sentry_is_told_of_no_key_and_no_register() {
    let mut bench = uninitialised("s1", Role::Sentry);
    bench.machine.plan.sentry_init_args = vec!["--more".to_owned()];
    bench.machine.init().await.unwrap();
    let told = fs::read_to_string(bench.machine.home.join("init")).unwrap();
    for flag in
        ["--role sentry", "--name s1", "--node-home", "--rpc http://127.0.0.1:", "--node-command", "--more"]
    {
        assert!(told.contains(flag), "{flag} is missing in {told}");
    }
    for flag in ["--key", "--register", "--takeover-after"] {
        assert!(!told.contains(flag), "{flag} is too much in {told}");
    }
    assert!(bench.machine.init_watermark().await.is_err());
}

#[tokio::test]
async fn commands_answer_or_say_why_not() {
    let bench = machine().await;
    assert_eq!(bench.machine.status().await.unwrap()["role"], "leader");
    let error = bench.machine.switchover(Some("b")).await.unwrap_err().to_string();
    assert!(error.contains("no other machine"), "{error}");
}

#[tokio::test]
async fn killing_the_machine_kills_pilot_and_node() {
    let mut machine = machine().await;
    let machine = &mut machine.machine;
    machine.start().unwrap();
    node_runs(machine).await;
    machine.kill_machine();
    assert!(!machine.is_running());
    assert_eq!(machine.node_pid(), None);
}

#[tokio::test]
async fn killing_the_machine_kills_a_node_adopted_from_an_older_pilot() {
    let mut machine = machine().await;
    let machine = &mut machine.machine;
    machine.start().unwrap();
    let node = node_runs(machine).await;
    machine.kill_pilot().unwrap();
    assert!(!machine.is_running());
    assert_eq!(machine.node_pid(), Some(node), "the node must outlive its pilot");
    machine.start().unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(machine.node_pid(), Some(node), "the new pilot must adopt the node");
    machine.kill_machine();
    assert_eq!(machine.node_pid(), None);
}

#[tokio::test]
async fn killing_the_node_leaves_the_pilot() {
    let mut machine = machine().await;
    let machine = &mut machine.machine;
    assert!(machine.kill_node().is_err(), "there is no node yet");
    machine.start().unwrap();
    node_runs(machine).await;
    machine.kill_node().unwrap();
    node_is_gone(machine).await;
    assert!(machine.is_running());
}

#[tokio::test]
async fn a_frozen_machine_stands_still_until_it_is_thawed() {
    let mut machine = machine().await;
    let machine = &mut machine.machine;
    machine.start().unwrap();
    let node = node_runs(machine).await;
    let pilot = i32::try_from(machine.pilot_pid().unwrap()).unwrap();
    machine.freeze();
    let stopped = || std::future::ready(Ok((state(node) == 'T' && state(pilot) == 'T').then_some(())));
    wait::until("both to stop", SOON, stopped).await.unwrap();
    machine.thaw();
    let going = || std::future::ready(Ok((state(node) != 'T' && state(pilot) != 'T').then_some(())));
    wait::until("both to go on", SOON, going).await.unwrap();
}

#[tokio::test]
async fn a_stopped_machine_ended_by_itself() {
    let mut machine = machine().await;
    let machine = &mut machine.machine;
    machine.start().unwrap();
    node_runs(machine).await;
    assert!(machine.stop(SOON).await);
    assert!(machine.ended().is_some_and(|status| status.success()));
    assert_eq!(machine.node_pid(), None);
}

#[tokio::test]
async fn a_stale_pid_file_names_nobody() {
    let bench = machine().await;
    fs::write(bench.machine.home.join("node.pid"), format!("{} 1", std::process::id())).unwrap();
    assert_eq!(bench.machine.node_pid(), None, "this test is not a node of the machine");
    assert!(bench.machine.kill_node().is_err());
}
