//! InfluxDB 1.x, with nothing switched on but HTTP and the storage behind it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::http;
use crate::port::free_port;
use crate::server::{Kind, Server};

/// An InfluxDB that lets everybody in, without a database.
pub fn influxdb() -> Server {
    influxdb_with("")
}

/// The same with more lines of configuration. They follow the section `[http]`: `auth-enabled = true` belongs to it, further
/// sections may come behind.
pub fn influxdb_with(extra_config: &str) -> Server {
    let (folder, port) = (TempDir::new().expect("make a folder"), free_port());
    std::fs::write(folder.path().join("influxdb.conf"), config(folder.path(), port, extra_config))
        .expect("write config");
    let kind = Kind {
        program: "influxd",
        package: "influxdb",
        command: Box::new(|folder, _| command(folder)),
        answers: |port| http::status(&format!("http://127.0.0.1:{port}/ping")) == Some(204),
        url: ("http://", ""),
    };
    Server::start(kind, folder, port)
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("influxd");
    command.arg("run").arg("-config").arg(folder.join("influxdb.conf"));
    command
}

fn config(folder: &Path, port: u16, extra: &str) -> String {
    let folder = folder.display();
    format!(
        r#"reporting-enabled = false
bind-address = "127.0.0.1:0"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
{extra}
"#
    )
}
