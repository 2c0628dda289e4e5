//! `qunguan healthcheck`: asks the running bot's `/healthz`, so that a container needs no other program for it. It judges the
//! service and never the settings: a file saved half-way stops no bot that goes on with what it read before.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use super::{ConfigArg, UserError, server::reachable};

/// Longest wait for the answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// 问正在运行的群管是否正常（供容器使用）。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

/// Ends with 0 if the answer is 200.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let address = reachable(args.config.listen());
    match ask(address) {
        Ok(true) => {
            println!("正常");
            Ok(ExitCode::SUCCESS)
        }
        Ok(false) => Err(UserError(format!("{address} 有应答，但不正常")).into()),
        Err(e) => Err(UserError(format!("{address} 没有应答：{e}")).into()),
    }
}

fn ask(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 12]; // `HTTP/1.1 200`
    stream.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn asks_and_believes_only_200() {
        for (answer, healthy) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 Busy\r\n\r\n", false)] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                // Read to the last line: closing with unread bytes would reset the connection.
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                assert_eq!(lines.next().unwrap(), "GET /healthz HTTP/1.1");
                assert!(lines.any(|line| line.is_empty()));
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(ask(address).unwrap(), healthy);
            server.join().unwrap();
        }
        assert_eq!(reachable("0.0.0.0:80".parse().unwrap()), "127.0.0.1:80".parse().unwrap());
    }
}
