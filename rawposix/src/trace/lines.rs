//! The lines of a trace, as strace(1) writes them: a call that has not returned when another thread's line comes is
//! `<unfinished ...>`, and `<... resumed>` later.

use std::fmt::Write as _;
use std::io::Write;

use crate::cage::Pid;

/// The column of a call's result.
const RESULT_COLUMN: usize = 40;

/// Receives lines.
pub(super) struct Lines {
    sink: Box<dyn Write + Send>,
    /// The call whose line is not complete yet.
    open: Option<Open>,
}

struct Open {
    tid: Pid,
    column: usize,
    /// What is told once the call has its result, or is unfinished.
    later: String,
}

impl Lines {
    pub(super) fn new(sink: Box<dyn Write + Send>) -> Self {
        Self { sink, open: None }
    }

    /// The beginning of a call.
    pub(super) fn begin(&mut self, tid: Pid, label: &str, text: &str) {
        let line = self.interrupt() + label + text;
        self.open = Some(Open {
            tid,
            column: label.len() + text.len(),
            later: String::new(),
        });
        self.write(&line);
    }

    /// The end of a call: `rest` completes its beginning.
    pub(super) fn end(&mut self, tid: Pid, label: &str, name: &str, rest: &str, result: &str) {
        let (mut line, column, later) = match self.open.take_if(|open| open.tid == tid) {
            Some(open) => (String::new(), open.column, open.later),
            None => {
                let resumed = format!("{label}<... {name} resumed>");
                let column = resumed.len();
                (self.interrupt() + &resumed, column, String::new())
            }
        };
        let space = RESULT_COLUMN.saturating_sub(column + rest.len()).max(1);
        let _ = writeln!(line, "{rest}{:space$}= {result}", "");
        self.write(&(line + &later));
    }

    /// A line about a thread: after the line of its call, if that is open.
    pub(super) fn after_call(&mut self, tid: Pid, label: &str, text: &str) {
        match &mut self.open {
            Some(open) if open.tid == tid => {
                let _ = writeln!(open.later, "{label}{text}");
            }
            _ => self.event(label, text),
        }
    }

    /// A line that is about no call.
    pub(super) fn event(&mut self, label: &str, text: &str) {
        let line = self.interrupt() + label + text + "\n";
        self.write(&line);
    }

    /// Text that stands by itself.
    pub(super) fn text(&mut self, text: &str) {
        let line = self.interrupt() + text;
        self.write(&line);
    }

    /// What completes an open line for now.
    fn interrupt(&mut self) -> String {
        match self.open.take() {
            Some(open) => String::from(" <unfinished ...>\n") + &open.later,
            None => String::new(),
        }
    }

    fn write(&mut self, text: &str) {
        // A trace that cannot be written must not disturb the guest.
        let _ = self.sink.write_all(text.as_bytes());
        let _ = self.sink.flush();
    }
}
