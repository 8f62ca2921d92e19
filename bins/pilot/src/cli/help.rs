//! What `beam --help` shows: the verbs under headings, by what somebody wants who looks there.

use clap::Command;

use super::output::push_line;

/// The verbs under each heading.
const HEADINGS: [(&str, &[&str]); 5] = [
    ("Set up", &["init", "watermark", "check-config", "doctor"]),
    ("Run", &["start"]),
    ("Look", &["status", "explain", "history", "logs"]),
    ("Act", &["switchover", "failover", "pause", "resume"]),
    ("More", &["version", "completions", "man"]),
];

/// The same command, whose help shows the verbs under headings.
pub(super) fn grouped(command: Command) -> Command {
    let verbs = verbs(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{verbs}\nOptions:\n{{options}}{{after-help}}"
    ))
}

fn verbs(command: &Command) -> String {
    let header = command.get_styles().get_header();
    let mut out = String::new();
    for (heading, names) in HEADINGS {
        push_line!(out, "{header}{heading}:{header:#}");
        for verb in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            push_line!(out, "  {:<12}  {about}", verb.get_name());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_verb_stands_under_one_heading_and_fits_on_a_line() {
        let command = Cli::command();
        let mut listed: Vec<&str> = HEADINGS.iter().flat_map(|(_, names)| *names).copied().collect();
        let mut there: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        listed.sort_unstable();
        there.sort_unstable();
        assert_eq!(listed, there);
        let help = grouped(command).render_help().to_string();
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }
}
