//! Over TLS, with a certificate of the test's own.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use model::FieldValue::Integer;
use tls::TlsConfig;

use super::*;
use crate::Health as _;

/// Gives the server a certificate that signs itself; returns its file.
fn encrypt(server: &Server) -> PathBuf {
    let mut client = client(server);
    let folder: String = client.query_one("SHOW data_directory", &[]).unwrap().get(0);
    let folder = Path::new(&folder);
    let (key, certificate) = (folder.join("server.key"), folder.join("server.crt"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args([
        "-subj",
        "/CN=test",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=CA:FALSE",
        "-keyout",
    ]);
    let output = openssl.arg(&key).arg("-out").arg(&certificate).output().expect("openssl: apt-get install openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let owner = std::fs::metadata(folder).unwrap();
    for file in [&key, &certificate] {
        chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    client.batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
    client.batch_execute("SELECT pg_reload_conf()").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    certificate
}

#[test]
fn connections_are_encrypted_and_certificates_checked_where_that_is_asked_for() {
    let server = rig::postgres();
    let certificate = encrypt(&server);
    let store = |mode: &str, tls: TlsConfig| {
        let url = format!("{}?sslmode={mode}", server.url());
        Postgres::new(&PostgresConfig { url: url.as_str().into(), tls, ..config(&server) }).unwrap()
    };
    let trusting = TlsConfig { ca_file: Some(certificate), ..TlsConfig::default() };
    let careless = TlsConfig { insecure: true, ..TlsConfig::default() };
    for (mode, tls) in [("require", trusting), ("require", careless), ("prefer", TlsConfig::default())] {
        let store = store(mode, tls);
        let mut session = store.session();
        write(&mut *session, &to("safe"), &[point("m", "v", Integer(1), 0)]).unwrap();
        let encrypted = "SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'hissrv'";
        assert_eq!(rows(&mut client(&server), encrypted), ["(t)"], "{mode}");
    }
    let error = store("require", TlsConfig::default()).probe().unwrap_err();
    assert!(matches!(&error, WriteError::Denied { message } if message.contains("tls.ca_file")), "{error:?}");
    let missing = TlsConfig { ca_file: Some("/nowhere/ca.pem".into()), ..TlsConfig::default() };
    let error = store("require", missing).probe().unwrap_err();
    assert!(matches!(&error, WriteError::Denied { message } if message.contains("/nowhere/ca.pem")), "{error:?}");
}
