//! What all processes of the demo share, and the KDC.

use std::io::{self, BufRead};
use std::path::Path;

use orthros::Enctype;
use orthros_kdc::{Listener, Realm, SystemRandom};
use serde::Serialize;
use serde_json::Value;

use super::orders::Order;
use crate::failure::{Ending, Failure, While};
use crate::{output, realm};

/// The demo's realm, and who is in it.
pub(super) const REALM: &str = "DEMO.TEST";
pub(super) const CLIENT: &str = "alice";
pub(super) const SERVICE: &str = "host/demo.test";
pub(super) const ENCTYPE: Enctype = Enctype::Aes256CtsHmacSha384;

/// A process that does as it is told.
pub(super) trait Obeys {
    /// Does one thing and says what came of it.
    fn obey(&mut self, order: Order) -> Result<Value, Failure>;
}

/// Takes orders until there are no more.
pub(super) fn serve(process: &mut impl Obeys) -> Result<Ending, Failure> {
    for line in io::stdin().lock().lines() {
        let order = serde_json::from_str(&line.while_doing("cannot read orders")?)?;
        let answer: Result<Value, String> = match process.obey(order) {
            Ok(answer) => Ok(answer),
            Err(Failure::ClosedPipe) => return Err(Failure::ClosedPipe),
            Err(Failure::Story(story)) => Err(story.to_string()),
        };
        output::json_line(&answer)?;
    }
    Ok(Ending::Success)
}

/// An answer as JSON.
pub(super) fn answer(answer: &impl Serialize) -> Result<Value, Failure> {
    Ok(serde_json::to_value(answer)?)
}

/// The order belongs to another role.
pub(super) fn not_mine(order: &Order) -> Failure {
    Failure::new(format!("this process can't {order:?}"))
}

/// Serves the realm for as long as it lives.
#[derive(Default)]
pub(super) struct Kdc {
    listener: Option<Listener>,
}

impl Obeys for Kdc {
    fn obey(&mut self, order: Order) -> Result<Value, Failure> {
        let Order::Serve { password } = order else { return Err(not_mine(&order)) };
        let realm = Realm::builder(REALM)
            .enctypes(&[ENCTYPE])
            .principal(CLIENT, password)
            .service(SERVICE)
            .build(&SystemRandom)?;
        let listener = Listener::start(realm).while_doing("cannot serve on 127.0.0.1")?;
        // The demo's folder is every process's working folder.
        let ready = realm::write_files(&listener, Path::new(""), &[SERVICE.into()])?;
        self.listener = Some(listener);
        answer(&ready)
    }
}
