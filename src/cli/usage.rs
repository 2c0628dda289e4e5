//! Help and usage errors in Chinese: the parser's own words are English.

use std::{ffi::OsString, process::ExitCode};

use clap::{
    Arg, ArgAction, Command, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};

const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// Parses; what is to be printed instead (help, version, a usage error) is printed, and the exit code returned.
pub(super) fn parse<T: CommandFactory + FromArgMatches>(
    args: impl IntoIterator<Item = OsString>,
) -> Result<T, ExitCode> {
    let mut command = chinese(T::command(), true);
    let parsed = command.try_get_matches_from_mut(args).and_then(|mut m| T::from_arg_matches_mut(&mut m));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print!("{}", help(&error));
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            eprint!("{}", help(&error));
            ExitCode::from(2)
        }
        _ => {
            eprintln!("{}\n看用法：qunguan --help，或 qunguan 命令 --help", message(&error));
            ExitCode::from(2)
        }
    })
}

/// The last English words of a help text.
fn help(error: &clap::Error) -> String {
    let text = error.to_string().replace("[OPTIONS]", "[选项]");
    ["命令", "选项", "参数"]
        .iter()
        .fold(text, |text, name| text.replace(&format!("\n{name}:\n"), &format!("\n{name}：\n")))
}

/// Gives a command and all below it Chinese headings.
fn chinese(command: Command, top: bool) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut command = command
        .help_template(TEMPLATE)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .mut_args(|arg| {
            let heading = if arg.is_positional() { "参数" } else { "选项" };
            let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
            let arg = if takes_value { arg.hide_default_value(true).hide_possible_values(true) } else { arg };
            if arg.get_help_heading().is_none() { arg.help_heading(heading) } else { arg }
        })
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help).help("显示帮助").help_heading("选项"));
    if top {
        command = command.disable_version_flag(true).arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help("显示版本")
                .help_heading("选项"),
        );
    }
    for name in names {
        command = command.mut_subcommand(name, |sub| chinese(sub, false));
    }
    command
}

/// What is wrong with the command line.
fn message(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join("、"),
        _ => String::new(),
    };
    let near = |kind| match context(kind) {
        text if text.is_empty() => String::new(),
        text => format!("，是不是想写 `{text}`？"),
    };
    let (arg, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!(
                "没有 `{}` 这个命令{}",
                context(ContextKind::InvalidSubcommand),
                near(ContextKind::SuggestedSubcommand)
            )
        }
        ErrorKind::UnknownArgument => format!("不认识的参数 `{arg}`{}", near(ContextKind::SuggestedArg)),
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{arg}"),
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::InvalidValue if value.is_empty() => format!("`{arg}` 后面缺少值"),
        ErrorKind::InvalidValue => {
            format!("`{value}` 不能用于 `{arg}`，可以写：{}", context(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(|e| format!("：{e}")).unwrap_or_default();
            format!("`{value}` 不能用于 `{arg}`{why}")
        }
        ErrorKind::ArgumentConflict => format!("`{arg}` 不能和 `{}` 一起用", context(ContextKind::PriorArg)),
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            format!("`{arg}` 的值太多或太少")
        }
        _ => error.to_string().trim().trim_start_matches("error: ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_command_line_is_well_formed() {
        chinese(crate::cli::Cli::command(), true).debug_assert();
    }

    #[test]
    fn usage_errors_are_chinese() {
        let say = |args: &[&str]| {
            let mut command = chinese(crate::cli::Cli::command(), true);
            message(&command.try_get_matches_from_mut(args).unwrap_err())
        };
        assert_eq!(say(&["qunguan", "chek"]), "没有 `chek` 这个命令，是不是想写 `check`？");
        assert_eq!(say(&["qunguan", "check", "--confg", "x"]), "不认识的参数 `--confg`，是不是想写 `--config`？");
    }
}
