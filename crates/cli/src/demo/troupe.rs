//! The processes of the demo: started, told, waited for (never long), ended by their ids.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::orders::Order;
use super::wire::PATIENCE;
use crate::failure::{Failure, While};
use crate::program::this_program;

/// How long the parent waits for an answer: a little longer than the process itself waits for others, so that its
/// own reason is told.
const ANSWER: Duration = PATIENCE.saturating_add(Duration::from_secs(2));

/// A process of the demo. When dropped it is ended.
pub(super) struct Player {
    role: &'static str,
    child: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Player {
    /// Starts this program once more, in `folder`, without any of this process's environment.
    pub(super) fn start(role: &'static str, folder: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(this_program()?)
            .args(["demo-role", role])
            .env_clear()
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .while_doing(format!("cannot start the {role}"))?;
        let (tell, answers) = mpsc::channel();
        let orders = child.stdin.take();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if tell.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { role, child, orders, answers })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives an order, and does not wait.
    pub(super) fn tell(&mut self, order: &Order) -> Result<(), Failure> {
        let line = serde_json::to_string(order)? + "\n";
        let gone = || Failure::new(format!("the {} takes no more orders", self.role));
        let orders = self.orders.as_mut().ok_or_else(gone)?;
        orders.write_all(line.as_bytes()).while_doing(format!("the {} is gone", self.role))
    }

    /// Waits for the answer to the oldest order that has none.
    pub(super) fn answer<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let line = self.answers.recv_timeout(ANSWER).map_err(|_| {
            Failure::new(format!("the {} (pid {}) ended or gave no answer in time", self.role, self.pid()))
        })?;
        let answer: Result<T, String> = serde_json::from_str(&line)?;
        answer.map_err(|story| Failure::new(story).while_doing(format!("the {}", self.role)))
    }

    /// Gives an order and waits for its answer.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, order: &Order) -> Result<T, Failure> {
        self.tell(order)?;
        self.answer()
    }

    /// Lets the process end by itself, which it must do well and soon.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.orders = None;
        let status = self.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("the {} ended with {status}", self.role)))
        }
    }

    fn wait(&mut self) -> Result<ExitStatus, Failure> {
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(Failure::new(format!("the {} (pid {}) does not end", self.role, self.pid())))
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // One that has ended already can't be ended again, and that is no fault.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ended = self.child.kill();
            let _collected = self.child.wait();
        }
    }
}
