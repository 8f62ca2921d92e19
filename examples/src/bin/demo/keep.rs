//! `--keep`: the network stays up, and whoever sits in front of it can look around.

use crate::paint::Ink;
use crate::screen::Screen;
use crate::stage::Stage;

/// Says how to look around, then waits for ever: a signal ends the demo.
pub(crate) async fn wait(screen: &Screen, stage: &mut Stage) {
    stage.feed.quiet(screen).await;
    let beam = stage.lab.beam.display();
    screen.say("");
    screen.say(
        &screen
            .paint()
            .ink(Ink::Strong, "The network stays up until Ctrl-C. To look around, in another terminal:"),
    );
    screen.say("");
    for machine in &stage.lab.machines {
        let (name, home) = (machine.name(), machine.home().display());
        screen.say(&format!("  machine {name}"));
        screen.say(&format!("    {beam} status --home {home}"));
        screen.say(&format!("    {beam} watermark show --home {home}"));
        screen.say(&format!("    {beam} switchover --to {name} --home {home}"));
        screen.say(&format!("    curl {}/status", machine.node().rpc_url()));
        screen.say(&format!("    tail -f {}", machine.log().display()));
        screen.say(&format!("    {beam} logs -f --home {home}"));
        screen.say(&format!("    tail -f {}", machine.audit().display()));
        screen.say("");
    }
    std::future::pending().await
}
