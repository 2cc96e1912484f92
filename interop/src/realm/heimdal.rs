//! A realm that Heimdal's KDC serves.

use std::fs;
use std::path::Path;

use super::{RealmBuilder, on_free_port, peer_in};
use crate::failure::Failure;
use crate::peers::Peer;
use crate::process::{self, PATIENCE, Running};

impl RealmBuilder {
    pub(super) fn start_heimdal(&self, folder: &Path) -> Result<(Running, u16), Failure> {
        self.write_configuration(folder, 0)?;
        self.write_heimdal_configuration(folder)?;
        // One run for all: kadmin reads a command from each line.
        let mut script =
            format!("init --realm-max-ticket-life=1d --realm-max-renewable-life=7d {}\n", self.name);
        for (name, password) in &self.principals {
            script += &format!("add --use-defaults --password={password} {name}\n");
        }
        for service in &self.services {
            script += &format!("add --use-defaults --random-key {service}\n");
            script += &format!("ext_keytab --keytab={} {service}\n", folder.join("keytab").display());
        }
        for service in &self.impersonating {
            script += &format!("modify --attributes=+trusted-for-delegation {service}\n");
        }
        for (service, targets) in &self.delegating {
            for target in targets {
                script += &format!("modify --constrained-delegation={target}@{} {service}\n", self.name);
            }
        }
        let mut command = peer_in(folder, Peer::HEIMDAL_KADMIN)?;
        command.args(["--local", "--config-file=kdc.conf"]);
        process::run(command, script.as_bytes())?.success()?;
        on_free_port(|port| {
            self.write_configuration(folder, port)?;
            let mut command = peer_in(folder, Peer::HEIMDAL_KDC)?;
            // "Testing" is one process instead of a master with workers.
            command.args(["--config-file=kdc.conf", "--testing", "--addresses=127.0.0.1"]);
            command.arg(format!("--ports={port}"));
            let mut kdc = Running::start(command)?;
            kdc.wait_for(&format!("listening on IPv4:127.0.0.1 port {port}/tcp"), PATIENCE)?;
            kdc.wait_for("KDC started", PATIENCE)?;
            Ok(kdc)
        })
    }

    /// What the KDC and kadmin read before `krb5.conf`.
    fn write_heimdal_configuration(&self, folder: &Path) -> Result<(), Failure> {
        let name = &self.name;
        let here = folder.display();
        let keys: Vec<String> =
            self.enctype_names().iter().map(|enctype| format!("{enctype}:pw-salt")).collect();
        let keys = keys.join(" ");
        fs::write(
            folder.join("kdc.conf"),
            format!(
                "[kdc]\n\
                 \tdatabase = {{\n\
                 \t\trealm = {name}\n\
                 \t\tdbname = {here}/hdb\n\
                 \t\tmkey_file = {here}/m-key\n\
                 \t\tacl_file = {here}/kadmind.acl\n\
                 \t\tlog_file = {here}/hdb.log\n\
                 \t}}\n\
                 [kadmin]\n\
                 \tdefault_keys = {keys}\n\
                 [logging]\n\
                 \tkdc = STDERR\n\
                 \tdefault = STDERR\n"
            ),
        )?;
        Ok(())
    }
}
