//! A keytab as the source of an acceptor's keys.

use std::sync::Arc;

use orthros_crypto::{Enctype, LongTermKey};

use super::{Keytab, KeytabEntry};
use crate::Principal;
use crate::ap::AcceptorKeys;

impl AcceptorKeys for Keytab {
    fn find(
        &self,
        server: &Principal,
        enctype: Enctype,
        kvno: Option<u32>,
    ) -> Result<(Arc<LongTermKey>, Principal), String> {
        match Keytab::find(self, server, enctype, kvno) {
            Some(entry) => Ok((Arc::clone(entry.key()), entry.principal().clone())),
            None => Err(self.what_is_there(server)),
        }
    }

    fn first(&self) -> Option<Principal> {
        self.entries().next().map(|entry| entry.principal().clone())
    }
}

impl Keytab {
    /// What the keytab has instead of a key that was asked for, for people.
    fn what_is_there(&self, server: &Principal) -> String {
        let describe = |entry: &KeytabEntry| format!("kvno {} {}", entry.kvno(), entry.key().enctype());
        let keys: Vec<String> = self.keys_for(server).map(describe).collect();
        if !keys.is_empty() {
            return format!("the keytab has {} of it: fetch the keytab anew", keys.join(", "));
        }
        let mut principals: Vec<String> = self.entries().map(|entry| entry.principal().to_string()).collect();
        principals.dedup();
        if principals.is_empty() {
            return "the keytab is empty".into();
        }
        principals.truncate(8);
        format!("the keytab has keys of {} only", principals.join(", "))
    }
}
