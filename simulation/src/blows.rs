//! What befalls machines and processes: kills, clocks, silence, full disks, new keys.

use crate::blame::Blame;
use crate::ids::Handle;
use crate::plan::{Blow, HALL};
use crate::world::{Event, State, World};

impl World {
    pub(crate) fn blow(&mut self, blow: Blow) {
        self.say(|| format!("blow: {blow:?}"));
        match blow {
            Blow::Kill { process, back_after } => self.kill(process, back_after),
            Blow::Clock { host, by } => {
                self.hosts[host].ahead += by;
                self.compare_clocks();
                self.observer.count("clocks put");
            }
            Blow::Silence { lasts } => self.silent_until = self.silent_until.max(self.now + lasts),
            Blow::DiskFull { host, lasts } => {
                let until = self.now + lasts;
                self.hosts[host].disk_full_until = self.hosts[host].disk_full_until.max(until);
            }
            Blow::Rotate { keytab_after } => {
                let realm = self.realms.iter().find(|realm| realm.name() == self.service.realm());
                let rolled = realm.map(|realm| realm.roll_over(&self.service, &self.kdc_random));
                self.rotated |= rolled.is_some_and(|rolled| rolled.is_ok());
                self.observer.count("keys rotated");
                self.after(keytab_after, Event::Keytab);
            }
            Blow::ForgetOldKeys => {
                if let Some(mut keytab) = self.stores.keytab() {
                    let newest = keytab.highest_kvno(&self.service);
                    let forgotten = keytab.remove(|entry| Some(entry.kvno()) != newest);
                    self.rotated |= forgotten > 0;
                    self.stores.put_keytab(&keytab);
                }
            }
            Blow::Replay => self.send_again(),
            Blow::Sleep { lasts } => self.sleep(lasts),
        }
    }

    /// The keytab gets the newest keys; the older ones stay.
    pub(crate) fn update_keytab(&mut self) {
        let mut keytab = self.stores.keytab().unwrap_or_default();
        let now = self.host_now(HALL);
        let realm = self.realms.iter().find(|realm| realm.name() == self.service.realm());
        for key in realm.map(|realm| realm.keytab_for(&self.service)).unwrap_or_default() {
            let kvno = Some(key.kvno);
            let known = keytab.find(&key.principal, key.key.enctype(), kvno).is_some();
            if !known && keytab.add(key.principal, key.kvno, key.key.duplicate(), now).is_err() {
                self.observer.violation("a key does not go into the keytab".into());
            }
        }
        self.stores.put_keytab(&keytab);
    }

    /// A process ends at once, at whatever step it is.
    fn kill(&mut self, place: usize, back_after: u64) {
        let process = &mut self.processes[place];
        if !process.alive {
            return;
        }
        let (name, life, host) = (process.name, process.life, process.host);
        let works = std::mem::take(&mut process.works);
        process.alive = false;
        process.life += 1;
        process.credential = None;
        let login = process.login.take();
        let waiting = std::mem::take(&mut process.waiting);
        self.say(|| format!("{name} is killed with {} pieces of work", works.len()));
        self.observer.count("processes killed");
        for (work, held) in works {
            let end = held.job.end;
            self.accuse(end.conversation, Blame::KILLED);
            match held.state {
                State::Storing(_, tickets) => self.tear_tickets(place, &tickets),
                _ => self.observer.gone(end, Handle { process: place, life, work }),
            }
        }
        for conversation in waiting.into_iter().chain(login) {
            self.accuse(conversation, Blame::KILLED);
            self.after(back_after + 1, Event::Start(conversation));
        }
        self.stores.killed(host);
        self.after(back_after, Event::Restart(place));
    }

    /// It starts again, and finds what outlived it.
    pub(crate) fn restart(&mut self, place: usize) {
        let host = self.processes[place].host;
        let now = self.host_now(host);
        let replay = self.new_replay(host, now);
        let ledger = self.stores.ledger(host);
        let process = &mut self.processes[place];
        (process.alive, process.replay, process.ledger) = (true, replay, ledger);
        let name = process.name;
        self.say(|| format!("{name} starts again"));
        if place < self.users.len() {
            self.load_cache(place);
        }
    }
}
